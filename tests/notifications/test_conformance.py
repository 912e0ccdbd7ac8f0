"""What every channel promises, over every channel: the real client libraries against the local carriers."""

import logging
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from notifications.channel import ChannelError, FailureCode, Permanent, Temporary, Unknown
from notifications.messages import Message
from tests.fakes.carriers_process import CarriersProcess
from tests.notifications import odd_carrier
from tests.notifications.twins import SmppTwin, Twin, twin_of

CHANNELS = ("fcm", "sms", "voice", "gateway", "smpp", "console")
OVER_HTTP = ("fcm", "sms", "voice", "gateway")
SLACK_S = 0.4  # of a shared machine, over the deadline that was asked for


@pytest.fixture(params=CHANNELS)
def twin(request: pytest.FixtureRequest) -> Iterator[Twin]:
    if request.param == "smpp":
        bound = SmppTwin(request.getfixturevalue("smsc"))
        yield bound
        bound.mend()
        bound.close()
        return
    made = twin_of(request.param, request.getfixturevalue("carriers"))
    yield made
    made.mend()


@pytest.fixture(params=OVER_HTTP)
def http_twin(request: pytest.FixtureRequest, carriers: CarriersProcess) -> Iterator[Twin]:
    made = twin_of(request.param, carriers)
    yield made
    made.mend()


def test_what_is_taken_arrives_once_and_has_the_carriers_id(twin: Twin) -> None:
    channel, message = twin.channel(), twin.message()
    sent = channel.send(message, timeout_s=5)
    assert sent.vendor_id
    assert sent.segments == 1
    assert twin.received(message) == [message.nonce]
    assert channel.kind == message.to.kind


def test_a_dead_address_is_permanent_and_retired(twin: Twin) -> None:
    message = twin.message()
    twin.dead_address(message)
    with pytest.raises(Permanent) as failed:
        twin.channel().send(message, timeout_s=5)
    assert failed.value.retire
    assert failed.value.code in {FailureCode.UNREGISTERED, FailureCode.NOT_MOBILE, FailureCode.INVALID_ADDRESS}


def test_retry_after_is_told_not_slept(http_twin: Twin) -> None:
    message = http_twin.message()
    http_twin.slow_down(message, retry_after=7)
    begun = time.monotonic()
    with pytest.raises(Temporary) as failed:
        http_twin.channel().send(message, timeout_s=5)
    assert time.monotonic() - begun < 2
    assert failed.value.code == FailureCode.RATE_LIMITED
    assert failed.value.retry_after == 7
    assert http_twin.asked(message) == 1
    assert http_twin.received(message) == []


def test_a_carriers_fault_is_temporary_and_asked_once(twin: Twin) -> None:
    channel, message = twin.channel(), twin.message()
    twin.fault(message)
    with pytest.raises(Temporary) as failed:
        channel.send(message, timeout_s=5)
    assert failed.value.code == FailureCode.CARRIER_DOWN
    assert twin.asked(message) == 1
    twin.mend()
    channel.send(message, timeout_s=5)
    assert twin.received(message) == [message.nonce]


def test_a_time_out_after_sending_is_unknown_and_then_found_or_repeatable(twin: Twin) -> None:
    channel, message = twin.channel(), twin.message()
    twin.time_out_after_sending(message)
    before = datetime.now(UTC)
    begun = time.monotonic()
    with pytest.raises(Unknown) as failed:
        channel.send(message, timeout_s=0.7)
    assert time.monotonic() - begun < 0.7 + SLACK_S
    assert failed.value.code == FailureCode.NO_ANSWER
    assert twin.received(message) == [message.nonce]
    twin.mend()
    found = None
    for _ in range(50):  # a console that runs on needs a moment to note what it printed
        found = channel.reconcile(message, since=before)
        if found is not None or not twin.has_list:
            break
        time.sleep(0.02)
    assert (found is not None) == twin.has_list
    assert twin.received(message) == [message.nonce]


def test_what_was_never_sent_is_not_found(twin: Twin) -> None:
    if twin.name == "smpp":
        with pytest.raises(Unknown) as asked:  # no list: another process may have sent it
            twin.channel().reconcile(twin.message(), since=datetime.now(UTC))
        assert asked.value.code == FailureCode.NO_LIST
        return
    assert twin.channel().reconcile(twin.message(), since=datetime.now(UTC)) is None


def test_an_attempt_before_since_is_not_this_one(twin: Twin) -> None:
    if twin.name in {"gateway", "smpp"}:
        pytest.skip("it is asked by our own id of the attempt, which no other has")
    channel, message = twin.channel(), twin.message()
    channel.send(message, timeout_s=5)
    assert channel.reconcile(message, since=datetime.now(UTC) + timedelta(minutes=10)) is None


def test_nobody_there_is_temporary_since_nothing_left(http_twin: Twin) -> None:
    with odd_carrier.nobody() as url, pytest.raises(Temporary) as failed:
        http_twin.channel(url).send(http_twin.message(), timeout_s=2)
    assert failed.value.code == FailureCode.NOT_CONNECTED


@pytest.mark.parametrize("behaviour", [odd_carrier.hang, odd_carrier.trickle, odd_carrier.trickle_headers])
def test_a_hung_carrier_never_holds_a_send_longer_than_its_time(
    http_twin: Twin, behaviour: odd_carrier.Behaviour
) -> None:
    with odd_carrier.odd_carrier(behaviour) as url:
        channel = http_twin.channel(url)
        begun = time.monotonic()
        with pytest.raises(Unknown) as failed:
            channel.send(http_twin.message(), timeout_s=0.4)
        assert time.monotonic() - begun < 0.4 + SLACK_S
    assert failed.value.code == FailureCode.NO_ANSWER


@pytest.mark.parametrize(
    "behaviour",
    [
        odd_carrier.break_off,
        odd_carrier.answering("200 OK", b"<html>Welcome to the hotel's network</html>"),
        odd_carrier.answering("201 Created", b"{}"),
        odd_carrier.answering("200 OK", b""),
        odd_carrier.answering("504 Gateway Time-out", b"<html>", "Content-Type: text/html\r\n"),
    ],
    ids=["breaks off", "not json", "no id", "empty", "gateway gave up"],
)
def test_an_answer_that_says_nothing_is_unknown(http_twin: Twin, behaviour: odd_carrier.Behaviour) -> None:
    with odd_carrier.odd_carrier(behaviour) as url, pytest.raises(Unknown):
        http_twin.channel(url).send(http_twin.message(), timeout_s=3)


def test_a_carrier_that_cannot_be_asked_leaves_it_unknown(http_twin: Twin) -> None:
    if not http_twin.has_list:
        pytest.skip("FCM has no list: an unknown push is simply repeated")
    with odd_carrier.nobody() as url, pytest.raises(Unknown):
        http_twin.channel(url).reconcile(http_twin.message(), since=datetime.now(UTC), timeout_s=2)
    refusing = odd_carrier.answering("503 Service Unavailable", b'{"code": 20503}', "Retry-After: 3\r\n")
    with odd_carrier.odd_carrier(refusing) as url, pytest.raises(Unknown) as failed:
        http_twin.channel(url).reconcile(http_twin.message(), since=datetime.now(UTC), timeout_s=2)
    assert failed.value.retry_after == 3
    with odd_carrier.odd_carrier(odd_carrier.trickle) as url:
        begun = time.monotonic()
        with pytest.raises(Unknown):
            http_twin.channel(url).reconcile(http_twin.message(), since=datetime.now(UTC), timeout_s=0.4)
        assert time.monotonic() - begun < 0.4 + SLACK_S


def test_wrong_credentials_blame_us_not_the_address(http_twin: Twin) -> None:
    unauthorised = odd_carrier.answering("401 Unauthorized", b'{"error": {"status": "UNAUTHENTICATED"}}')
    with odd_carrier.odd_carrier(unauthorised) as url, pytest.raises(Temporary) as failed:
        http_twin.channel(url).send(http_twin.message(), timeout_s=3)
    assert failed.value.code == FailureCode.MISCONFIGURED


def test_a_refusal_in_html_keeps_its_meaning(http_twin: Twin) -> None:
    """From a proxy before the carrier, which knows nothing of its JSON."""
    page = odd_carrier.answering("429 Too Many Requests", b"<html>slow down</html>", "Retry-After: 11\r\n")
    with odd_carrier.odd_carrier(page) as url, pytest.raises(Temporary) as failed:
        http_twin.channel(url).send(http_twin.message(), timeout_s=3)
    assert (failed.value.code, failed.value.retry_after) == (FailureCode.RATE_LIMITED, 11)


def test_a_refusal_that_nobody_listed_is_about_the_message(http_twin: Twin) -> None:
    refusing = odd_carrier.answering("422 Unprocessable", b'{"error": {"status": "SOMETHING_NEW"}, "code": 99999}')
    with odd_carrier.odd_carrier(refusing) as url, pytest.raises(Permanent) as failed:
        http_twin.channel(url).send(http_twin.message(), timeout_s=3)
    assert failed.value.code == FailureCode.REJECTED
    assert not failed.value.retire


def test_one_hung_address_holds_nobody_else(http_twin: Twin) -> None:
    channel = http_twin.channel()
    stuck, others = http_twin.message(), [http_twin.message() for _ in range(8)]
    http_twin.time_out_after_sending(stuck)

    def send(message: Message) -> ChannelError | None:
        try:
            channel.send(message, timeout_s=1.5)
        except ChannelError as error:
            return error
        return None

    with ThreadPoolExecutor(9) as pool:
        hung = pool.submit(send, stuck)
        begun = time.monotonic()
        assert list(pool.map(send, others)) == [None] * 8
        assert time.monotonic() - begun < 1.4
        assert isinstance(hung.result(), Unknown)


def test_nothing_private_is_logged_or_raised(http_twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    channel, message = http_twin.channel(), http_twin.message()
    channel.send(message, timeout_s=5)
    channel.reconcile(message, since=datetime.now(UTC))
    invalid = '{"code": 21211, "message": "Invalid number %s", "error": {"status": "X %s"}}' % ((message.to.value,) * 2)
    refusing = odd_carrier.answering("400 Bad Request", invalid.encode())
    with odd_carrier.odd_carrier(refusing) as url, pytest.raises(ChannelError) as failed:
        http_twin.channel(url).send(message, timeout_s=3)
    told = "".join(traceback.format_exception(failed.value)) + repr(message)
    private = [message.to.value, message.text]
    assert [word for word in private if word in told] == []
    written = "\n".join(record.getMessage() for record in caplog.records)
    digits = message.to.value.lstrip("+")
    assert [word for word in [*private, digits] if word in written] == []
