"""How the carrier reports: signed, in any order, again, about anything; and what follows from it."""

import pytest
from twilio.request_validator import RequestValidator

from domain.deliveries import service as deliveries
from runtime.mongo import breaker
from tests.fakes.small_city import SmallCity


def attempt(delivery_id: str, number: str = "1") -> tuple[str, str]:
    """(status of the delivery, state of the attempt)."""
    found = deliveries.get(delivery_id)
    return found["status"], found["attempts"][number]["state"]


def test_a_message_is_reported_delivered_by_the_carrier_itself(small_city: SmallCity) -> None:
    _, _, delivery = small_city.offer()
    small_city.wait_for(lambda: attempt(delivery["_id"]) == ("delivered", "delivered"))


def test_reports_out_of_order_and_again_change_nothing(small_city: SmallCity) -> None:
    _, _, delivery = small_city.offer()
    small_city.wait_for(lambda: attempt(delivery["_id"])[1] == "delivered")
    path = f"status?delivery={delivery['_id']}&attempt=1"
    sid = delivery["attempts"]["1"]["vendor_id"]
    for word in ("sent", "queued", "delivered", "sent", "undelivered"):
        answer = small_city.webhook(path, {"MessageSid": sid, "MessageStatus": word, "ErrorCode": ""})
        assert (answer.status_code, answer.content) == (204, b"")
    assert attempt(delivery["_id"]) == ("delivered", "delivered")


def test_a_message_that_the_network_gives_up_goes_to_the_next_channel_at_once(small_city: SmallCity) -> None:
    small_city.carriers.set_switch("sms", no_receipt=True)
    responder, _, delivery = small_city.offer(plan=("sms", "voice"))
    assert attempt(delivery["_id"]) == ("sent", "sent")
    path = f"status?delivery={delivery['_id']}&attempt=1"
    for _ in range(2):
        small_city.webhook(path, {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30005"})
    small_city.settle()
    found = deliveries.get(delivery["_id"])
    assert [each["channel"] for each in found["attempts"].values()] == ["sms", "voice"]
    assert (found["attempts"]["1"]["state"], found["attempts"]["1"]["code"]) == ("permanent", "invalid_address")
    assert len(small_city.carriers.inbox(responder.phone)["calls"]) == 1


def test_a_call_that_rang_out_is_reported(small_city: SmallCity) -> None:
    responder, _, delivery = small_city.offer(plan=("voice",))
    path = f"status?delivery={delivery['_id']}&attempt=1"
    small_city.webhook(path, {"CallSid": "CA1", "CallStatus": "no-answer"})
    found = deliveries.get(delivery["_id"])
    assert (found["attempts"]["1"]["state"], found["attempts"]["1"]["code"]) == ("temporary", "not_answered")
    small_city.carriers.hang_up(responder.phone, small_city.carriers.inbox(responder.phone)["calls"][0]["sid"])


def test_a_report_that_comes_while_the_store_is_away_comes_again(small_city: SmallCity) -> None:
    """It is answered 503, not swallowed, and the carrier has been asked to repeat what is answered so."""
    small_city.carriers.set_switch("sms", queue_s=0.5)
    _, _, delivery = small_city.offer()
    breaker.trip()
    assert small_city.webhook(f"status?delivery={delivery['_id']}&attempt=1", {}).status_code == 503
    small_city.wait_for(lambda: attempt(delivery["_id"]) == ("delivered", "delivered"))


@pytest.mark.parametrize("behind", ["", "#rc=5&rp=5xx,ct,rt"])
def test_the_carrier_s_signature_holds_with_and_without_the_part_that_no_request_carries(
    small_city: SmallCity, behind: str
) -> None:
    url, params = f"{small_city.url}/webhooks/twilio/status", {"MessageSid": "SM1", "MessageStatus": "sent"}
    signed = RequestValidator(small_city.carriers.auth_token).compute_signature(url + behind, params)
    assert small_city.webhook("status", params, signature=signed).status_code == 204


@pytest.mark.parametrize(
    "path",
    ["status", "status?delivery=dlv_unknown&attempt=1", "status?delivery=&attempt=", "status?delivery=%00&attempt=x",
     "status?delivery=dlv_unknown&attempt=99999999999999999999"],
)  # fmt: skip
def test_a_report_about_nothing_that_we_know_is_harmless(small_city: SmallCity, path: str) -> None:
    for params in (
        {"MessageSid": "SM1", "MessageStatus": "delivered"},
        {"CallSid": "CA1", "CallStatus": "completed"},
        {},
    ):
        assert small_city.webhook(path, params).status_code == 204


@pytest.mark.parametrize("path", ["status", "sms", "voice", "voice?delivery=dlv_1&attempt=1"])
@pytest.mark.parametrize("signature", ["", "AAAA", "bm90IGEgc2lnbmF0dXJl"])
def test_what_the_carrier_did_not_sign_is_refused(small_city: SmallCity, path: str, signature: str) -> None:
    answer = small_city.webhook(path, {"From": "+923001234567", "Body": "SOS 31.5,74.3"}, signature=signature)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/plain; charset=utf-8")
    assert not small_city.open_incidents()


def test_a_signature_of_another_request_is_refused(small_city: SmallCity) -> None:
    other = RequestValidator(small_city.carriers.auth_token).compute_signature(
        f"{small_city.url}/webhooks/twilio/sms", {"Body": "hello"}
    )
    assert small_city.webhook("sms", {"Body": "SOS 31.5,74.3"}, signature=other).status_code == 403
