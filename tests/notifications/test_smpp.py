"""SMS over SMPP against a real SMSC process: what is sent, what its answers and receipts mean, and a connection that breaks."""

import contextlib
import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from notifications.channel import ChannelError, FailureCode, Permanent, Receipt, Temporary, Unknown
from notifications.channels import smpp_wire
from notifications.channels.smpp_sms import SmppSmsChannel
from notifications.messages import Address, AddressKind, Message, Sent, nonce_of
from notifications.render.segments import count
from tests.fakes.smsc_process import SmscProcess, octets_of, text_of
from tests.notifications.twins import number

Told = list[tuple[str, str, Receipt]]


@pytest.fixture
def told() -> Told:
    """What the channel was told by itself."""
    return []


@pytest.fixture
def channel(smsc: SmscProcess, told: Told) -> Iterator[SmppSmsChannel]:
    def report(*said: Any) -> bool:
        told.append(said)
        return True

    made = SmppSmsChannel(smsc.gateway(), report)
    yield made
    made.close()


@pytest.fixture
def message() -> Message:
    nonce = nonce_of("dlv_1-1")
    return Message("dlv_1-1", Address(AddressKind.SMS, number()), text=f"Hello\nRef {nonce}", nonce=nonce, ttl_s=3700)


def about(told: Told, sent: Sent) -> list[Receipt]:
    """What was said of one message; receipts of earlier tests may still come."""
    return [receipt for _, vendor_id, receipt in told if vendor_id == sent.vendor_id]


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_a_short_text_is_one_message_with_a_lifetime_and_a_wish_for_a_receipt(
    channel: SmppSmsChannel, smsc: SmscProcess, message: Message
) -> None:
    sent = channel.send(message, timeout_s=5)
    [taken] = smsc.messages(message.to.value)
    assert sent.vendor_id == taken["id"]
    assert sent.segments == 1
    assert (taken["data_coding"], taken["esm_class"], taken["from"]) == (0, 0, "924200000016")
    assert taken["validity"] == "000000010140000R"  # an hour, a minute and forty seconds
    assert taken["receipt"]
    assert text_of(taken) == message.text


@pytest.mark.parametrize(
    ("text", "coding"),
    [("مدد آ رہی ہے۔ " * 8, 8), ("Help is on the way. " * 10, 0), ("{Braces} [count] €twice " * 8, 0)],
    ids=["Urdu", "English", "escaped"],
)
def test_a_long_text_is_joined_from_parts_that_fit(
    channel: SmppSmsChannel, smsc: SmscProcess, message: Message, text: str, coding: int
) -> None:
    sent = channel.send(replace(message, text=text), timeout_s=5)
    taken = smsc.messages(message.to.value)
    assert sent.segments == len(taken) == count(text).segments == 2
    assert sent.vendor_id == "+".join(each["id"] for each in taken)
    headers = [octets_of(each)[0] for each in taken]
    assert {(each["data_coding"], each["esm_class"]) for each in taken} == {(coding, 0x40)}
    assert [header[:3] + header[4:] for header in headers] == [b"\x05\x00\x03\x02\x01", b"\x05\x00\x03\x02\x02"]
    assert headers[0][3] == headers[1][3]
    assert all(len(octets_of(each)[1]) <= (134 if coding == 8 else 153) for each in taken)
    if coding == 8:
        assert smsc.texts(message.to.value) == [text]


def test_no_escaped_character_is_parted() -> None:
    found = smpp_wire.parts("x" * 152 + "€" + "y" * 20, "k")
    assert [len(part.octets) - 6 for part in found] == [152, 22]
    assert found[1].octets[6:8] == b"\x1b\x65"


def test_an_smsc_without_the_gsm_alphabet_gets_ucs2(smsc: SmscProcess, message: Message) -> None:
    channel = SmppSmsChannel(smsc.gateway(gsm7=False))  # and takes no receipts away from who keeps them
    try:
        channel.send(replace(message, text="a" * 100), timeout_s=5)
    finally:
        channel.close()
    assert [each["data_coding"] for each in smsc.messages(message.to.value)] == [8, 8]
    assert smsc.texts(message.to.value) == ["a" * 100]


@pytest.mark.parametrize(
    ("ttl_s", "period"),
    [(0, "000000000001000R"), (59, "000000000059000R"), (86_400, "000001000000000R"), (10**8, "000029235959000R")],
)
def test_every_message_has_a_validity_period(ttl_s: int, period: str) -> None:
    assert smpp_wire.validity(ttl_s) == period


@pytest.mark.parametrize(
    ("sender", "written"),
    [("+924235550100", (1, 1, "924235550100")), ("8300", (3, 0, "8300")), ("Amaan", (5, 0, "Amaan"))],
)
def test_a_number_a_short_code_and_a_name_say_what_they_are(sender: str, written: tuple[int, int, str]) -> None:
    assert smpp_wire.address(sender) == written


# --- what it answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (0x58, Temporary, FailureCode.RATE_LIMITED),  # ESME_RTHROTTLED
        (0x14, Temporary, FailureCode.RATE_LIMITED),
        (0x08, Temporary, FailureCode.CARRIER_DOWN),
        (0x0A, Temporary, FailureCode.MISCONFIGURED),
        (0x0B, Permanent, FailureCode.INVALID_ADDRESS),
        (0x01, Permanent, FailureCode.REJECTED),
        (0x33, Permanent, FailureCode.REJECTED),
        (0x400, Temporary, FailureCode.CARRIER_DOWN),  # a vendor's own
    ],
)
def test_a_refusal_is_read_in_our_words(
    channel: SmppSmsChannel, smsc: SmscProcess, message: Message, status: int, error: type[ChannelError],
    code: FailureCode,
) -> None:  # fmt: skip
    smsc.fault(message.to.value, status=status)
    with pytest.raises(error) as failed:
        channel.send(message, timeout_s=5)
    assert (failed.value.code, failed.value.vendor_code) == (code, f"0x{status:02x}")
    assert smsc.messages(message.to.value) == []


def test_a_wrong_password_blames_us_not_the_address(smsc: SmscProcess, message: Message) -> None:
    channel = SmppSmsChannel(smsc.gateway(password="wrong"))
    with pytest.raises(Temporary) as failed:
        channel.send(message, timeout_s=5)
    assert (failed.value.code, failed.value.vendor_code) == (FailureCode.MISCONFIGURED, "0x0e")


def test_a_late_answer_is_found_and_nothing_is_sent_again(
    channel: SmppSmsChannel, smsc: SmscProcess, message: Message
) -> None:
    channel.send(replace(message, key="dlv_0-1"), timeout_s=5)  # bound before
    smsc.fault(message.to.value, slow_ms=600)
    before, begun = datetime.now(UTC), time.monotonic()
    with pytest.raises(Unknown) as failed:
        channel.send(message, timeout_s=0.3)
    assert time.monotonic() - begun < 0.7
    assert failed.value.code == FailureCode.NO_ANSWER
    found = channel.reconcile(message, since=before)
    assert found is not None
    assert found.vendor_id == smsc.messages(message.to.value)[-1]["id"]
    assert len(smsc.messages(message.to.value)) == 2


def test_a_late_answer_of_a_message_that_was_given_up_meanwhile_says_so(
    channel: SmppSmsChannel, smsc: SmscProcess, message: Message
) -> None:
    channel.send(replace(message, key="dlv_0-1"), timeout_s=5)
    smsc.fault(message.to.value, slow_ms=500, receipt="UNDELIV")
    with pytest.raises(Unknown):
        channel.send(message, timeout_s=0.2)
    end = time.monotonic() + 5
    failed = None
    while failed is None and time.monotonic() < end:
        try:
            channel.reconcile(message, since=datetime.now(UTC))
        except Temporary as error:  # query_sm: undeliverable
            failed = error
        except Unknown:  # its answer is still under way
            time.sleep(0.05)
    assert failed is not None
    assert failed.code == FailureCode.UNREACHABLE


def test_what_another_process_sent_cannot_be_looked_up(channel: SmppSmsChannel, message: Message) -> None:
    with pytest.raises(Unknown) as failed:
        channel.reconcile(message, since=datetime.now(UTC))
    assert failed.value.code == FailureCode.NO_LIST


# --- receipts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "error", "receipt"),
    [
        ("DELIVRD", "000", Receipt("delivered")),
        ("UNDELIV", "01b", Receipt("failed_temporary", FailureCode.UNREACHABLE, "UNDELIV/01b")),
        ("EXPIRED", "000", Receipt("failed_permanent", FailureCode.EXPIRED, "EXPIRED")),
        ("REJECTD", "008", Receipt("failed_permanent", FailureCode.BLOCKED, "REJECTD/008")),
    ],
)
def test_a_receipt_names_its_message_and_how_it_ended(
    channel: SmppSmsChannel, smsc: SmscProcess, message: Message, told: Told, state: str, error: str, receipt: Receipt
) -> None:
    smsc.fault(message.to.value, receipt=state, error=error)
    sent = channel.send(message, timeout_s=5)
    assert smsc.wait_for(lambda: about(told, sent)) == [receipt]


def test_an_alarm_that_nobody_could_deliver_expires_at_the_smsc(
    channel: SmppSmsChannel, smsc: SmscProcess, message: Message, told: Told
) -> None:
    smsc.fault(message.to.value, queue_ms=60_000)
    sent = channel.send(replace(message, ttl_s=1), timeout_s=5)
    [said] = smsc.wait_for(lambda: about(told, sent))
    assert said.code == FailureCode.EXPIRED


def test_a_receipt_that_overtook_its_message_comes_again(smsc: SmscProcess, message: Message) -> None:
    told: list[str] = []

    def report(_gateway: str, vendor_id: str, _receipt: Receipt) -> bool:
        told.append(vendor_id)
        return told.count(vendor_id) > 2  # the first two times nobody knows the id yet

    channel = SmppSmsChannel(smsc.gateway(), report)
    try:
        sent = channel.send(message, timeout_s=5)
        smsc.wait_for(lambda: told.count(sent.vendor_id) == 3)
        time.sleep(0.7)
        assert told.count(sent.vendor_id) == 3
    finally:
        channel.close()


def test_a_receipt_that_nobody_can_read_is_not_asked_for_again() -> None:
    assert smpp_wire.receipt(b"\xff\x00 nonsense", "", None) is None
    assert smpp_wire.receipt(b"id:7 stat:SOMETHING", "", None) is None
    assert smpp_wire.receipt(b"stat:DELIVRD", "", None) is None


def test_a_receipt_without_optional_parameters_is_read_from_its_text() -> None:
    text = b"id:00A7 sub:001 dlvrd:001 submit date:2611231801 done date:2611231802 stat:UNDELIV err:019 text:Hello"
    assert smpp_wire.receipt(text, "", None) == smpp_wire.Told(
        "00A7", Receipt("failed_temporary", FailureCode.UNREACHABLE, "UNDELIV/019")
    )


def test_an_id_that_is_answered_in_hexadecimal_and_reported_in_decimal_is_the_same() -> None:
    assert "1a2b" in smpp_wire.spellings("6699")
    assert "6699" in smpp_wire.spellings("1A2B")


# --- the connection ---------------------------------------------------------------------------------------------------


def test_one_connection_carries_many_at_once_and_one_slow_answer_holds_nobody(
    channel: SmppSmsChannel, smsc: SmscProcess, message: Message
) -> None:
    others = [replace(message, key=f"dlv_{n}-1", to=Address(AddressKind.SMS, number())) for n in range(9)]
    channel.send(others[0], timeout_s=5)
    smsc.fault(message.to.value, slow_ms=2000)

    def send(each: Message) -> float:
        begun = time.monotonic()
        channel.send(each, timeout_s=5)
        return time.monotonic() - begun

    with ThreadPoolExecutor(10) as pool:
        slow = pool.submit(send, message)
        time.sleep(0.1)
        assert max(pool.map(send, others)) < 1.5
        assert slow.result() >= 1.9
    assert smsc.bound() == 1


def test_a_connection_that_breaks_before_the_answer_leaves_it_unknown_and_is_made_again(
    channel: SmppSmsChannel, smsc: SmscProcess, message: Message
) -> None:
    smsc.fault(message.to.value, drop=True, times=1)
    with pytest.raises(Unknown) as failed:
        channel.send(message, timeout_s=5)
    assert failed.value.code == FailureCode.NO_ANSWER
    with pytest.raises(Unknown) as asked:
        channel.reconcile(message, since=datetime.now(UTC))
    assert asked.value.code == FailureCode.NO_LIST
    again = replace(message, key="dlv_1-2")
    assert channel.send(again, timeout_s=5).vendor_id


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/sessions"), ("POST", "/unbind")])
def test_what_the_smsc_ends_is_bound_again(smsc: SmscProcess, message: Message, method: str, path: str) -> None:
    channel = SmppSmsChannel(smsc.gateway(), lambda *said: True)
    channel.open()
    try:
        smsc.wait_for(lambda: smsc.bound() == 1)
        smsc.call(method, path)
        smsc.wait_for(lambda: smsc.bound() == 1 and channel._session is not None and channel._session.alive)
        assert channel.send(message, timeout_s=5).vendor_id
    finally:
        channel.close()
    smsc.wait_for(lambda: smsc.bound() == 0)  # and goes politely


def test_nobody_there_is_temporary_since_nothing_left(smsc: SmscProcess, message: Message) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        channel = SmppSmsChannel(smsc.gateway(port=held.getsockname()[1]))
        with pytest.raises(Temporary) as failed:
            channel.send(message, timeout_s=2)
    assert failed.value.code == FailureCode.NOT_CONNECTED


@pytest.mark.parametrize("says", ["nothing", "nonsense", "one byte at a time"])
def test_a_hung_smsc_never_holds_a_send_longer_than_its_time(smsc: SmscProcess, message: Message, says: str) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                if says == "nonsense":
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9)
                while says == "one byte at a time" and not over.wait(0.02):
                    peer.sendall(b"\x00")
                over.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        begun = time.monotonic()
        with pytest.raises(Temporary) as failed:
            SmppSmsChannel(smsc.gateway(port=server.getsockname()[1])).send(message, timeout_s=0.4)
        assert time.monotonic() - begun < 0.8
        over.set()
        thread.join()
    assert failed.value.code == FailureCode.NOT_CONNECTED


DATES = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC))


@contextlib.contextmanager
def behind_tls(smsc: SmscProcess, folder: Path, name: str) -> Iterator[int]:
    """The port of a TLS server before the SMSC, whose certificate (`folder`/ca.pem) is for `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(subject, subject, key.public_key(), 1, *DATES)
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "key.pem")

    def carry(source: socket.socket, sink: socket.socket) -> None:
        with source, sink, contextlib.suppress(OSError):
            while octets := source.recv(4096):
                sink.sendall(octets)

    def serve(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = server.accept()
                with contextlib.suppress(ssl.SSLError), contextlib.ExitStack() as failed:
                    failed.enter_context(peer)
                    inside = context.wrap_socket(peer, server_side=True)
                    outside = socket.create_connection(("127.0.0.1", smsc.port))
                    failed.pop_all()
                    for pair in ((inside, outside), (outside, inside)):
                        threading.Thread(target=carry, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def test_over_tls_many_share_one_connection_and_a_stranger_is_not_told_the_password(
    smsc: SmscProcess, message: Message, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind_tls(smsc, tmp_path, "smsc") as port:
        stranger = SmppSmsChannel(smsc.gateway(port=port, tls=True))
        with pytest.raises(Temporary) as failed:
            stranger.send(message, timeout_s=5)
        assert failed.value.code == FailureCode.NOT_CONNECTED
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        channel = SmppSmsChannel(smsc.gateway(port=port, tls=True), lambda *said: True)
        others = [replace(message, key=f"dlv_{n}-1", to=Address(AddressKind.SMS, number())) for n in range(20)]
        try:
            with ThreadPoolExecutor(10) as pool:
                assert len({sent.vendor_id for sent in pool.map(lambda m: channel.send(m, timeout_s=5), others)}) == 20
        finally:
            channel.close()


def test_a_full_window_is_not_waited_for_beyond_the_time(smsc: SmscProcess, message: Message) -> None:
    channel = SmppSmsChannel(smsc.gateway(window=1))
    try:
        channel.send(replace(message, key="dlv_0-1", to=Address(AddressKind.SMS, number())), timeout_s=5)
        smsc.fault(message.to.value, slow_ms=1500)
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(channel.send, message, timeout_s=5)
            time.sleep(0.2)
            with pytest.raises(Temporary) as failed:
                channel.send(replace(message, key="dlv_2-1"), timeout_s=0.3)
            slow.result()
    finally:
        channel.close()
    assert (failed.value.code, failed.value.vendor_code) == (FailureCode.RATE_LIMITED, "window")


def test_nothing_private_is_logged_or_raised(
    channel: SmppSmsChannel, smsc: SmscProcess, message: Message, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    channel.send(message, timeout_s=5)
    smsc.wait_for(lambda: told)
    smsc.fault(message.to.value, drop=True)
    with pytest.raises(Unknown) as failed:
        channel.send(message, timeout_s=5)
    written = "\n".join(record.getMessage() for record in caplog.records)
    written += "".join(traceback.format_exception(failed.value)) + smsc.log.read_text()
    digits = message.to.value.lstrip("+")
    hexed = digits.encode().hex()
    assert [word for word in (digits, hexed, message.nonce, "smsc-pw") if word in written] == []
