"""SMS and calls through Twilio: what is asked for, what its codes and reports mean, how a lost attempt is found."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from notifications.channel import ChannelError, FailureCode, Permanent, Receipt, Temporary, Unknown
from notifications.channels import twilio_sms, twilio_voice
from notifications.channels.twilio_sms import TwilioSmsChannel
from notifications.channels.twilio_voice import TwilioVoiceChannel
from notifications.messages import Address, AddressKind, Message, nonce_of
from tests.fakes.carriers_process import CarriersProcess
from tests.notifications.odd_carrier import answering, odd_carrier
from tests.notifications.twins import number


@pytest.fixture
def sms(carriers: CarriersProcess) -> TwilioSmsChannel:
    return TwilioSmsChannel(carriers.account_sid, carriers.auth_token, carriers.number, carriers.url)


@pytest.fixture
def voice(carriers: CarriersProcess) -> TwilioVoiceChannel:
    return TwilioVoiceChannel(carriers.account_sid, carriers.auth_token, carriers.number, carriers.url)


@pytest.fixture
def message() -> Message:
    nonce = nonce_of("dlv_1-1")
    return Message("dlv_1-1", Address(AddressKind.SMS, number()), text=f"Hello\nRef {nonce}", nonce=nonce, ttl_s=120)


@pytest.fixture
def call() -> Message:
    return Message("dlv_2-1", Address(AddressKind.VOICE, number()), text="This is Amaan.", nonce="x", ttl_s=120)


def asked_for(channel: TwilioSmsChannel | TwilioVoiceChannel, message: Message) -> dict[str, list[str]]:
    """The form that the channel posted."""
    channel.send(message, timeout_s=5)
    body: dict[str, object] = channel._client.http_client._test_only_last_request.data
    return {name: [str(value)] if not isinstance(value, list) else value for name, value in body.items()}


class TestSms:
    def test_every_message_has_a_validity_period_and_a_place_for_its_reports(
        self, sms: TwilioSmsChannel, message: Message
    ) -> None:
        form = asked_for(sms, replace(message, status_url="http://127.0.0.1:1/webhooks/twilio/status"))
        assert form["ValidityPeriod"] == ["120"]
        assert form["StatusCallback"] == ["http://127.0.0.1:1/webhooks/twilio/status#rc=5&rp=5xx,ct,rt"]

    @pytest.mark.parametrize(("ttl_s", "period"), [(0, "1"), (86_400, "36000")])
    def test_the_validity_period_stays_within_twilios_limits(
        self, sms: TwilioSmsChannel, message: Message, ttl_s: int, period: str
    ) -> None:
        assert asked_for(sms, replace(message, ttl_s=ttl_s))["ValidityPeriod"] == [period]

    def test_a_messaging_service_sends_in_its_own_name(self, carriers: CarriersProcess, message: Message) -> None:
        service = "MG" + "1" * 32
        form = asked_for(TwilioSmsChannel(carriers.account_sid, carriers.auth_token, service, carriers.url), message)
        assert form["MessagingServiceSid"] == [service]
        assert "From" not in form

    def test_segments_are_the_carriers_count(self, sms: TwilioSmsChannel, message: Message) -> None:
        assert sms.send(replace(message, text="ا" * 71), timeout_s=5).segments == 2

    def test_who_opted_out_is_left_alone_and_not_dead(
        self, sms: TwilioSmsChannel, carriers: CarriersProcess, message: Message
    ) -> None:
        carriers.call("POST", f"/phones/{message.to.value}/sms", {"to": carriers.number, "body": "STOP"})
        with pytest.raises(Permanent) as failed:
            sms.send(message, timeout_s=5)
        assert failed.value.code == FailureCode.OPTED_OUT
        assert failed.value.vendor_code == "21610"
        assert not failed.value.retire

    def test_a_lost_attempt_is_found_among_others_by_its_nonce(
        self, sms: TwilioSmsChannel, carriers: CarriersProcess, message: Message
    ) -> None:
        since = datetime.now(UTC)
        sms.send(replace(message, text="Something else"), timeout_s=5)
        carriers.set_switch("sms", message.to.value, timeout_after_sending=True, hang_s=10)
        with pytest.raises(Unknown):
            sms.send(message, timeout_s=0.3)
        found = sms.reconcile(message, since=since)
        assert found is not None
        [mine] = [each for each in carriers.inbox(message.to.value)["sms"] if message.nonce in each["body"]]
        assert found.vendor_id == mine["sid"]
        other = replace(message, key="dlv_1-2", nonce=nonce_of("dlv_1-2"))
        assert sms.reconcile(other, since=since) is None

    def test_one_that_still_waits_in_the_carriers_queue_is_found(
        self, sms: TwilioSmsChannel, carriers: CarriersProcess, message: Message
    ) -> None:
        since = datetime.now(UTC)
        carriers.set_switch("sms", message.to.value, queue_s=30, timeout_after_sending=True, hang_s=10)
        with pytest.raises(Unknown):
            sms.send(message, timeout_s=0.3)
        assert carriers.inbox(message.to.value)["sms"] == []
        assert sms.reconcile(message, since=since) is not None

    @pytest.mark.parametrize(("code", "error"), [(30003, Temporary), (30005, Permanent)])
    def test_one_that_the_carrier_took_and_gave_up_says_why(
        self, sms: TwilioSmsChannel, carriers: CarriersProcess, message: Message, code: int, error: type[ChannelError]
    ) -> None:
        since = datetime.now(UTC)
        carriers.set_switch("sms", message.to.value, undelivered=code, timeout_after_sending=True, hang_s=10)
        with pytest.raises(Unknown):
            sms.send(message, timeout_s=0.3)
        time.sleep(0.2)  # the local network gives it up after two steps of 0.02 s
        with pytest.raises(error) as failed:
            sms.reconcile(message, since=since)
        assert failed.value.vendor_code == str(code)

    def test_without_a_nonce_nothing_is_taken_for_ours(self, sms: TwilioSmsChannel, message: Message) -> None:
        sms.send(message, timeout_s=5)
        assert sms.reconcile(replace(message, nonce=""), since=datetime.now(UTC)) is None

    @pytest.mark.parametrize("code", sorted(twilio_sms.CODES))
    def test_each_code_means_what_the_table_says(self, message: Message, code: str) -> None:
        body = b'{"code": %s, "message": "x", "status": 400}' % code.encode()
        with odd_carrier(answering("400 Bad Request", body)) as url, pytest.raises(ChannelError) as failed:
            TwilioSmsChannel("AC1", "t", "+921", url).send(message, timeout_s=3)
        verdict = twilio_sms.CODES[code]
        assert type(failed.value) is type(verdict.error())
        assert (failed.value.code, failed.value.vendor_code) == (verdict.code, code)

    @pytest.mark.parametrize(
        ("status", "code", "receipt"),
        [
            ("queued", "", None),
            ("sent", "", Receipt("sent")),
            ("delivered", "", Receipt("delivered")),
            ("read", "", Receipt("seen")),
            ("undelivered", "30003", Receipt("failed_temporary", FailureCode.UNREACHABLE, "30003")),
            ("undelivered", "30005", Receipt("failed_permanent", FailureCode.INVALID_ADDRESS, "30005", retire=True)),
            ("failed", "30007", Receipt("failed_permanent", FailureCode.BLOCKED, "30007")),
            ("failed", "39999", Receipt("failed_temporary", FailureCode.UNREACHABLE, "39999")),
            ("a status of next year", "", None),
        ],
    )
    def test_a_report_is_read_in_our_words(self, status: str, code: str, receipt: Receipt | None) -> None:
        assert twilio_sms.receipt(status, code) == receipt


class TestVoice:
    def test_a_call_asks_our_server_what_to_say(
        self, voice: TwilioVoiceChannel, carriers: CarriersProcess, call: Message
    ) -> None:
        asked = asked_for(voice, replace(call, twiml_url="http://127.0.0.1:1/v", status_url="http://127.0.0.1:1/s"))
        assert asked["Url"] == ["http://127.0.0.1:1/v"]
        assert asked["StatusCallback"] == ["http://127.0.0.1:1/s#rc=5&rp=5xx,ct,rt"]
        assert asked["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
        assert int(asked["Timeout"][0]) <= 60
        assert asked["MachineDetection"] == ["Enable"]

    def test_without_a_server_the_text_is_spoken(
        self, voice: TwilioVoiceChannel, carriers: CarriersProcess, call: Message
    ) -> None:
        carriers.call("PUT", f"/phones/{call.to.value}", {"answers": "human"})
        voice.send(replace(call, text="یہ امان ہے۔", language="ur-PK"), timeout_s=5)
        said = carriers.wait_for(lambda: carriers.inbox(call.to.value)["calls"][0]["said"])
        assert said == "یہ امان ہے۔"

    def test_a_lost_call_is_found_in_the_list(
        self, voice: TwilioVoiceChannel, carriers: CarriersProcess, call: Message
    ) -> None:
        since = datetime.now(UTC)
        carriers.set_switch("voice", call.to.value, timeout_after_sending=True, hang_s=10)
        with pytest.raises(Unknown):
            voice.send(call, timeout_s=0.3)
        found = voice.reconcile(call, since=since)
        assert found is not None
        assert found.vendor_id == carriers.inbox(call.to.value)["calls"][0]["sid"]

    def test_a_lost_call_that_nobody_answered_may_be_made_again(
        self, voice: TwilioVoiceChannel, carriers: CarriersProcess, call: Message
    ) -> None:
        since = datetime.now(UTC)
        carriers.set_switch("voice", call.to.value, outcome="busy", timeout_after_sending=True, hang_s=10)
        with pytest.raises(Unknown):
            voice.send(call, timeout_s=0.3)
        carriers.wait_for(lambda: carriers.inbox(call.to.value)["calls"][0]["status"] == "busy")
        with pytest.raises(Temporary) as failed:
            voice.reconcile(call, since=since)
        assert failed.value.code == FailureCode.NOT_ANSWERED

    @pytest.mark.parametrize("code", sorted(code for code in twilio_voice.CODES if code.isdecimal()))
    def test_each_code_means_what_the_table_says(self, call: Message, code: str) -> None:
        body = b'{"code": %s, "message": "x", "status": 400}' % code.encode()
        with odd_carrier(answering("400 Bad Request", body)) as url, pytest.raises(ChannelError) as failed:
            TwilioVoiceChannel("AC1", "t", "+921", url).send(call, timeout_s=3)
        verdict = twilio_voice.CODES[code]
        assert type(failed.value) is type(verdict.error())
        assert (failed.value.code, failed.value.vendor_code) == (verdict.code, code)

    @pytest.mark.parametrize(
        ("status", "receipt"),
        [
            ("initiated", None),
            ("ringing", Receipt("sent")),
            ("in-progress", Receipt("sent")),
            ("completed", Receipt("delivered")),
            ("busy", Receipt("failed_temporary", FailureCode.NOT_ANSWERED, "busy")),
            ("no-answer", Receipt("failed_temporary", FailureCode.NOT_ANSWERED, "no-answer")),
            ("failed", Receipt("failed_temporary", FailureCode.UNREACHABLE, "failed")),
        ],
    )
    def test_a_report_is_read_in_our_words(self, status: str, receipt: Receipt | None) -> None:
        assert twilio_voice.receipt(status) == receipt

    @pytest.mark.parametrize(
        ("found", "machine"),
        [("machine_start", True), ("machine_end_beep", True), ("machine_end_silence", True), ("machine_end_other", True),
         ("fax", True), ("human", False), ("unknown", False), ("", False)],
    )  # fmt: skip
    def test_a_call_that_a_machine_took_reached_nobody(self, found: str, machine: bool) -> None:
        failed = Receipt("failed_temporary", FailureCode.MACHINE, found)
        assert twilio_voice.receipt("completed", "", found) == (failed if machine else Receipt("delivered"))


def test_the_wire_carries_the_form_that_was_asked_for(message: Message) -> None:
    """Once without the library's own memory of it: what an SMS looks like to whoever reads the socket."""
    seen: list[bytes] = []

    def remember(peer: object, over: object) -> None:
        peer.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{"sid": "SM1"}')  # type: ignore[attr-defined]

    with odd_carrier(remember, requests=seen) as url:
        TwilioSmsChannel("AC1", "t", "+924235550100", url).send(message, timeout_s=3)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /2010-04-01/Accounts/AC1/Messages.json HTTP/1.1")
    assert parse_qs(body.decode())["To"] == [message.to.value]
