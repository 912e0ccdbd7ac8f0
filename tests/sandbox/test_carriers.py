"""SMS on the local carriers, through Twilio's real client: delivery, receipts, refusals, people who write, and every switch."""

import time

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.fakes.carriers_process import CarriersProcess
from tests.sandbox.conftest import City

PHONE = "+923001230001"
OTHER = "+923001230002"


def send(carriers: CarriersProcess, to: str = PHONE, body: str = "Help is on its way", **more: object) -> str:
    """Send an SMS with the real client; returns its sid."""
    sid: str = carriers.twilio().messages.create(to=to, from_=carriers.number, body=body, **more).sid
    return sid


def status(carriers: CarriersProcess, sid: str) -> str:
    found: str = carriers.twilio().messages(sid).fetch().status
    return found


def test_a_message_is_on_the_phone_at_once_and_its_receipts_follow_signed(
    carriers: CarriersProcess, city: City
) -> None:
    before = time.time()
    sid = send(carriers, body="مدد آ رہی ہے", status_callback=f"{city.url}/status")
    (sms,) = carriers.inbox(PHONE)["sms"]
    assert (sms["sid"], sms["body"], sms["from"], sms["segments"]) == (sid, "مدد آ رہی ہے", carriers.number, 1)
    assert sms["at"].endswith("+00:00")
    carriers.wait_for(lambda: len(city.heard) == 3)
    assert {params["MessageStatus"] for params in city.asked("/status")} == {"queued", "sent", "delivered"}
    assert all(request.signed and request.params["MessageSid"] == sid for request in city.heard)
    assert city.heard[-1].params["MessageStatus"] == "delivered"
    assert city.heard[0].at >= before


def test_lists_filter_by_recipient_and_day_and_go_over_pages(carriers: CarriersProcess) -> None:
    sent = [send(carriers, body=f"message {n}") for n in range(7)]
    send(carriers, to=OTHER)
    twilio = carriers.twilio()
    assert [sms.sid for sms in twilio.messages.list(to=PHONE, page_size=3)] == sent[::-1]
    today = twilio.messages(sent[0]).fetch().date_created
    assert len(twilio.messages.list(to=PHONE, date_sent_after=today, limit=5)) == 5
    assert twilio.messages.list(to=PHONE, date_sent_before=today.replace(year=today.year - 1)) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "0300"}, 21211),
        ({"from_": "+15550000000"}, 21606),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"validity_period": 40_000}, 90007),
    ],
)
def test_what_twilio_refuses_is_refused(carriers: CarriersProcess, fields: dict[str, object], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        carriers.twilio().messages.create(**{"to": PHONE, "from_": carriers.number, "body": "hello", **fields})
    assert (refused.value.status, refused.value.code) == (400, code)
    assert carriers.inbox(PHONE)["sms"] == []


def test_a_wrong_token_is_refused(carriers: CarriersProcess) -> None:
    stranger = Client(carriers.account_sid, "wrong", http_client=carriers.twilio().http_client)
    with pytest.raises(TwilioRestException) as refused:
        stranger.messages.create(to=PHONE, from_=carriers.number, body="hello")
    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_a_person_writes_and_the_city_answers_by_twiml(carriers: CarriersProcess, city: City) -> None:
    carriers.set_webhooks(sms_url=f"{city.url}/sms")
    city.answers["/sms"] = "<Response><Message>شکریہ</Message><Message><Body>Two</Body></Message></Response>"
    told = carriers.write(PHONE, "SOS 31.5204,74.3587 near the gate")
    (request,) = city.heard
    assert request.signed
    assert request.params["Body"] == "SOS 31.5204,74.3587 near the gate"
    assert (request.params["From"], request.params["To"], request.params["MessageSid"]) == (
        PHONE,
        carriers.number,
        told["sid"],
    )
    inbox = carriers.inbox(PHONE)["sms"]
    assert [(sms["direction"], sms["body"]) for sms in inbox[1:]] == [
        ("outbound-reply", "شکریہ"),
        ("outbound-reply", "Two"),
    ]


def test_a_city_that_fails_is_told_to_who_wrote(carriers: CarriersProcess, city: City) -> None:
    carriers.set_webhooks(sms_url=f"{city.url}/sms")
    city.answers["/sms"] = 500
    assert "500" in carriers.write(PHONE, "SOS")["error"]


def test_stop_and_start_are_taken_by_the_carrier(carriers: CarriersProcess) -> None:
    carriers.write(PHONE, " stop ")
    with pytest.raises(TwilioRestException) as refused:
        send(carriers)
    assert refused.value.code == 21610
    send(carriers, to=OTHER)
    carriers.write(PHONE, "START")
    assert send(carriers)


def test_the_token_is_not_needed_to_look_but_the_page_of_another_site_may_not_act(carriers: CarriersProcess) -> None:
    answer = requests.post(
        f"{carriers.url}/phones/{PHONE}/sms",
        json={"body": "1a"},
        headers={"Origin": "http://elsewhere.example"},
        timeout=5,
    )
    assert answer.status_code == 403
    assert carriers.inbox(PHONE)["sms"] == []


def test_switch_slow(carriers: CarriersProcess) -> None:
    carriers.set_switch("sms", slow_s=0.3)
    begun = time.monotonic()
    send(carriers)
    assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize(("code", "ours"), [(429, 20429), (500, 20500), (503, 20503)])
def test_switch_status(carriers: CarriersProcess, code: int, ours: int) -> None:
    carriers.set_switch("sms", status=code, retry_after=7)
    with pytest.raises(TwilioRestException) as refused:
        send(carriers)
    assert (refused.value.status, refused.value.code) == (code, ours)
    path = f"/2010-04-01/Accounts/{carriers.account_sid}/Messages.json"
    form = {"To": PHONE, "From": carriers.number, "Body": "hello"}
    raw = requests.post(carriers.url + path, form, auth=(carriers.account_sid, carriers.auth_token), timeout=5)
    assert raw.headers["Retry-After"] == "7"
    assert set(raw.json()) == {"code", "message", "more_info", "status"}
    assert carriers.inbox(PHONE)["sms"] == []


def test_switch_error_for_one_number_only(carriers: CarriersProcess) -> None:
    carriers.set_switch("sms", PHONE, error="21614")
    with pytest.raises(TwilioRestException) as refused:
        send(carriers)
    assert refused.value.code == 21614
    assert send(carriers, to=OTHER)


def test_switch_times_lets_the_retry_through(carriers: CarriersProcess) -> None:
    carriers.set_switch("sms", status=500, times=1)
    with pytest.raises(TwilioRestException):
        send(carriers)
    assert send(carriers)


def test_switch_fraction_is_the_same_for_the_same_seed(carriers: CarriersProcess) -> None:
    def run(seed: int) -> list[bool]:
        carriers.call("PUT", "/switches", {"seed": seed, "sms": {"status": 500, "fraction": 0.5}})
        outcome = []
        for _ in range(24):
            try:
                outcome.append(bool(send(carriers)))
            except TwilioRestException:
                outcome.append(False)
        return outcome

    first = run(7)
    assert 4 <= sum(first) <= 20
    assert run(7) == first
    assert run(8) != first


def test_switch_timeout_after_sending_is_on_the_phone_and_in_the_list(carriers: CarriersProcess) -> None:
    carriers.set_switch("sms", timeout_after_sending=True, hang_s=20)
    with pytest.raises(requests.ReadTimeout):
        carriers.twilio(timeout=0.4).messages.create(to=PHONE, from_=carriers.number, body="SOS k7f2")
    assert [sms["body"] for sms in carriers.inbox(PHONE)["sms"]] == ["SOS k7f2"]
    assert any("k7f2" in sms.body for sms in carriers.twilio().messages.list(to=PHONE, limit=20))


def test_switch_no_receipt(carriers: CarriersProcess, city: City) -> None:
    carriers.set_switch("sms", no_receipt=True)
    sid = send(carriers, status_callback=f"{city.url}/status")
    carriers.wait_for(lambda: status(carriers, sid) == "sent")
    time.sleep(0.15)
    assert city.heard == []
    assert status(carriers, sid) == "sent"
    assert len(carriers.inbox(PHONE)["sms"]) == 1


def test_switch_undelivered_tells_the_code(carriers: CarriersProcess, city: City) -> None:
    carriers.set_switch("sms", undelivered=30003)
    sid = send(carriers, status_callback=f"{city.url}/status")
    assert carriers.inbox(PHONE)["sms"] == []
    carriers.wait_for(lambda: any(params["MessageStatus"] == "undelivered" for params in city.asked("/status")))
    assert city.asked("/status")[-1]["ErrorCode"] == "30003"
    assert carriers.twilio().messages(sid).fetch().error_code == 30003
    assert carriers.inbox(PHONE)["sms"] == []


def test_a_phone_that_is_off_gets_nothing(carriers: CarriersProcess) -> None:
    carriers.set_phone(PHONE, reachable=False)
    sid = send(carriers)
    carriers.wait_for(lambda: status(carriers, sid) == "undelivered")
    assert carriers.inbox(PHONE)["sms"] == []


def test_a_message_past_its_validity_never_arrives(carriers: CarriersProcess, city: City) -> None:
    carriers.set_switch("sms", queue_s=1.2)
    stale = send(carriers, validity_period=1, status_callback=f"{city.url}/status")
    kept = send(carriers, validity_period=300)
    assert carriers.inbox(PHONE)["sms"] == []
    carriers.wait_for(lambda: status(carriers, stale) == "failed")
    assert carriers.twilio().messages(stale).fetch().error_code == 30036
    carriers.wait_for(lambda: [sms["sid"] for sms in carriers.inbox(PHONE)["sms"]] == [kept])


def test_a_queued_message_can_be_called_back(carriers: CarriersProcess) -> None:
    carriers.set_switch("sms", queue_s=30)
    sid = send(carriers)
    assert carriers.twilio().messages(sid).update(status="canceled").status == "canceled"


def test_a_switch_that_does_not_exist_is_refused(carriers: CarriersProcess) -> None:
    answer = requests.put(f"{carriers.url}/switches/sms", json={"slowly": 1}, timeout=5)
    assert answer.status_code == 400
    assert "slowly" in answer.json()["error"]


@pytest.mark.parametrize(("behind", "asked"), [("", 1), ("#rc=2&rp=5xx,ct", 3), ("#rc=2&rp=ct", 1)])
def test_a_report_comes_again_as_the_address_says(
    carriers: CarriersProcess, city: City, behind: str, asked: int
) -> None:
    city.answers["/status"] = 503
    carriers.set_switch("sms", undelivered=30003)
    send(carriers, status_callback=f"{city.url}/status{behind}")

    def told() -> int:
        return [params["MessageStatus"] for params in city.asked("/status")].count("undelivered")

    carriers.wait_for(lambda: told() == asked)
    time.sleep(0.1)
    assert told() == asked
    assert all(each.signed for each in city.heard)
