"""What a phone gets from FCM, and what FCM's answers mean."""

import time
import uuid
from dataclasses import replace
from typing import Any

import orjson
import pytest

from notifications.channel import ChannelError, FailureCode, Permanent, Temporary
from notifications.channels.fcm import CODES, FcmChannel
from notifications.messages import Address, AddressKind, Message
from tests.fakes.carriers_process import CarriersProcess
from tests.notifications.odd_carrier import answering, odd_carrier


@pytest.fixture
def channel(carriers: CarriersProcess) -> FcmChannel:
    return FcmChannel(carriers.project, str(carriers.service_account), carriers.url)


@pytest.fixture
def message() -> Message:
    return Message(
        key="dlv_1-1",
        to=Address(AddressKind.FCM, f"tok-{uuid.uuid4().hex}"),
        data={"type": "assignment.offered", "delivery_id": "dlv_1"},
        title="Amaan",
        body="A new task is waiting for your answer.",
        urgent=True,
        ttl_s=90,
        collapse="inc_1",
    )


def pushed(carriers: CarriersProcess, message: Message) -> dict[str, Any]:
    """The one push on the message's device, as it was sent."""
    pushes = carriers.device(message.to.value)["pushes"]
    assert len(pushes) == 1
    found: dict[str, Any] = pushes[0]["message"]
    return found


def test_an_urgent_push_wakes_both_platforms_and_dies_in_time(
    channel: FcmChannel, carriers: CarriersProcess, message: Message
) -> None:
    channel.send(message, timeout_s=5)
    push = pushed(carriers, message)
    assert push["data"] == {"type": "assignment.offered", "delivery_id": "dlv_1"}
    assert push["notification"] == {"title": "Amaan", "body": "A new task is waiting for your answer."}
    assert push["android"]["priority"] == "high"
    assert push["android"]["ttl"] == "90s"
    assert push["android"]["collapse_key"] == "inc_1"
    headers, aps = push["apns"]["headers"], push["apns"]["payload"]["aps"]
    assert headers["apns-priority"] == "10"
    assert headers["apns-push-type"] == "alert"
    assert headers["apns-collapse-id"] == "inc_1"
    assert 80 <= int(headers["apns-expiration"]) - time.time() <= 91
    assert aps["interruption-level"] == "time-sensitive"
    assert aps["sound"] == "default"


def test_a_quiet_push_makes_no_sound_however_urgent(
    channel: FcmChannel, carriers: CarriersProcess, message: Message
) -> None:
    channel.send(replace(message, quiet=True), timeout_s=5)
    push = pushed(carriers, message)
    assert push["android"]["notification"]["channel_id"] == "quiet"
    assert push["android"]["notification"]["notification_priority"] == "PRIORITY_LOW"
    assert "sound" not in push["apns"]["payload"]["aps"]
    assert push["apns"]["payload"]["aps"]["interruption-level"] == "passive"


def test_a_push_without_a_title_is_data_alone_and_never_high(
    channel: FcmChannel, carriers: CarriersProcess, message: Message
) -> None:
    channel.send(replace(message, title="", body="", collapse=""), timeout_s=5)
    push = pushed(carriers, message)
    assert "notification" not in push
    assert push["android"] == {"priority": "normal", "ttl": "90s"}
    assert push["apns"]["headers"]["apns-push-type"] == "background"
    assert push["apns"]["headers"]["apns-priority"] == "5"
    assert push["apns"]["payload"]["aps"] == {"content-available": 1}


def test_an_installation_id_is_addressed_as_one(
    channel: FcmChannel, carriers: CarriersProcess, message: Message
) -> None:
    fid = f"fid-{uuid.uuid4().hex}"
    channel.send(replace(message, to=Address(AddressKind.FCM, f"fid:{fid}")), timeout_s=5)
    push = carriers.device(fid)["pushes"][0]["message"]
    assert push["fid"] == fid
    assert "token" not in push


def test_a_hung_token_endpoint_is_temporary_since_the_push_never_left(
    channel: FcmChannel, carriers: CarriersProcess, message: Message
) -> None:
    carriers.set_switch("oauth", slow_s=20)
    begun = time.monotonic()
    with pytest.raises(Temporary) as failed:
        channel.send(message, timeout_s=0.5)
    assert time.monotonic() - begun < 1
    assert failed.value.code == FailureCode.NOT_CONNECTED
    assert carriers.device(message.to.value)["pushes"] == []


def test_a_failing_token_endpoint_is_temporary_and_soon_over(
    channel: FcmChannel, carriers: CarriersProcess, message: Message
) -> None:
    carriers.set_switch("oauth", status=500)
    begun = time.monotonic()
    with pytest.raises(Temporary):
        channel.send(message, timeout_s=4)
    assert time.monotonic() - begun < 4.4
    carriers.clear_switches()
    channel.send(message, timeout_s=5)
    assert pushed(carriers, message)


def test_a_malformed_token_is_retired(channel: FcmChannel, message: Message) -> None:
    with pytest.raises(Permanent) as failed:
        channel.send(replace(message, to=Address(AddressKind.FCM, "not a token")), timeout_s=5)
    assert failed.value.retire
    assert failed.value.code == FailureCode.INVALID_ADDRESS


def test_a_malformed_message_is_not_the_tokens_fault(channel: FcmChannel, message: Message) -> None:
    with pytest.raises(Permanent) as failed:
        channel.send(replace(message, data={"from": "us"}), timeout_s=5)
    assert not failed.value.retire
    assert failed.value.code == FailureCode.REJECTED


def test_a_message_that_the_library_refuses_is_rejected(channel: FcmChannel, message: Message) -> None:
    with pytest.raises(Permanent) as failed:
        channel.send(replace(message, data={"n": 1}), timeout_s=5)  # type: ignore[dict-item]
    assert failed.value.code == FailureCode.REJECTED


FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


@pytest.mark.parametrize(
    ("status", "error", "code", "retire"),
    [
        ("404 Not Found", {"status": "NOT_FOUND", "details": [{"@type": FCM_ERROR, "errorCode": "UNREGISTERED"}]},
         "UNREGISTERED", True),
        ("404 Not Found", {"status": "NOT_FOUND"}, "NOT_FOUND", False),
        ("403 Forbidden", {"status": "PERMISSION_DENIED",
                           "details": [{"@type": FCM_ERROR, "errorCode": "SENDER_ID_MISMATCH"}]},
         "SENDER_ID_MISMATCH", True),
        ("403 Forbidden", {"status": "PERMISSION_DENIED"}, "PERMISSION_DENIED", False),
        ("400 Bad Request", {"status": "INVALID_ARGUMENT",
                             "details": [{"@type": FCM_ERROR, "errorCode": "INVALID_ARGUMENT"}]},
         "INVALID_TOKEN", True),
        ("400 Bad Request", {"status": "INVALID_ARGUMENT", "details": [{"fieldViolations": [{"field": "message.data[0]"}]}]},
         "INVALID_ARGUMENT", False),
        ("400 Bad Request", {"status": "INVALID_ARGUMENT", "details": [{"fieldViolations": [{"field": "message.token"}]}]},
         "INVALID_TOKEN", True),
        ("429 Too Many", {"status": "RESOURCE_EXHAUSTED", "details": [{"@type": FCM_ERROR, "errorCode": "QUOTA_EXCEEDED"}]},
         "QUOTA_EXCEEDED", False),
        ("503 Unavailable", {"status": "UNAVAILABLE"}, "UNAVAILABLE", False),
        ("500 Oops", "not even an object", "http 500", False),
    ],
)  # fmt: skip
def test_an_answer_of_googles_is_read_as_the_table_says(
    carriers: CarriersProcess, message: Message, status: str, error: object, code: str, retire: bool
) -> None:
    with odd_carrier(answering(status, orjson.dumps({"error": error}))) as url:
        odd = FcmChannel(carriers.project, str(carriers.service_account), url)
        with pytest.raises(ChannelError) as failed:
            odd.send(message, timeout_s=3)
    verdict = CODES[code]
    assert type(failed.value) is type(verdict.error())
    assert failed.value.code == verdict.code
    assert failed.value.vendor_code == code
    assert getattr(failed.value, "retire", False) == retire
