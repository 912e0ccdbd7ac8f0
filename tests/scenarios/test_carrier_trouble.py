"""A carrier's trouble, through the whole chain: an SOS comes in, a responder is told, whatever the carrier does.

The API, the jobs, the sweeper, the vendors' own clients and the carriers' process are real; only the hours pass quickly.
"""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest
import requests

from notifications import deliveries as sending
from notifications.deliveries import SEND_TIMEOUT_S
from tests.factories.people import Signed
from tests.fakes.small_city import PLACE, SmallCity
from workers import sweeps

pytestmark = pytest.mark.timeout(60)

SOON_S = 0.7
"""How long a call to a carrier may take here, so that a test of one that hangs is short."""


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a carrier less time than the product does."""
    monkeypatch.setattr(sending, "SEND_TIMEOUT_S", dict.fromkeys(SEND_TIMEOUT_S, SOON_S))


@pytest.fixture
def city(small_city: SmallCity) -> Iterator[SmallCity]:
    """The city with healthy carriers before and after."""
    small_city.carriers.clear_switches()
    small_city.store.deliveries.delete_many({})
    yield small_city
    small_city.carriers.clear_switches()
    small_city.settle()


def with_app(city: SmallCity, *, hears: bool = True, metres: float = 300.0) -> tuple[Signed, str]:
    """A responder whose phone has the app, and its push token. `hears`: it sends receipts."""
    token, device = f"push-{uuid.uuid4().hex}", f"dev-{uuid.uuid4().hex[:8]}"
    held = {"id": device, "token": token, "platform": "android", "session_id": "ses_1", "seen_at": city.now()}
    responder = city.responder(metres=metres, devices={device: held}, device_tokens=[token])
    city.carriers.register(token, responder.phone, auto_receipt=hears, api_url=city.url)
    return responder, token


def tap(city: SmallCity) -> str:
    """An SOS near by."""
    body = {"position": {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 10}, "category": "threat"}
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    answer = requests.post(f"{city.url}/v1/sos", json=body, headers=headers, timeout=20)
    assert answer.status_code == 201
    return str(answer.json()["id"])


def sos(city: SmallCity) -> str:
    """An SOS near by, and all that follows from it at once."""
    incident = tap(city)
    city.settle()
    return incident


def offer(city: SmallCity, incident: str, to: Signed) -> dict[str, Any]:
    """The delivery that offers an incident to a responder."""
    found = city.store.deliveries.find_one(
        {"subject": incident, "purpose": "assignment_offered", "recipient.id": to.person_id}
    )
    assert found is not None
    return dict(found)


def offered_texts(city: SmallCity, to: Signed) -> list[str]:
    """The SMS with an offer that a responder's phone has."""
    return [text for text in city.texts(to.phone) if "/a/" in text]


def arrived(city: SmallCity, to: Signed, count: int = 1) -> None:
    """Wait until so many offers are on the phone, then see that no more come."""
    city.carriers.wait_for(lambda: len(offered_texts(city, to)) >= count, 10)
    city.settle()
    assert len(offered_texts(city, to)) == count


def states(delivery: dict[str, Any]) -> list[tuple[str, str]]:
    """(channel, state) of each attempt."""
    attempts = delivery["attempts"]
    return [(attempts[number]["channel"], attempts[number]["state"]) for number in sorted(attempts, key=int)]


def pushes(city: SmallCity, token: str) -> list[dict[str, Any]]:
    """The offers that reached a device."""
    return [each for each in city.carriers.device(token)["pushes"] if each["data"]["type"] == "assignment.offered"]


def test_an_sms_that_timed_out_after_sending_is_found_by_its_nonce_and_not_sent_again(
    city: SmallCity, hurried: None
) -> None:
    responder = city.responder()
    city.carriers.set_switch("sms", responder.phone, timeout_after_sending=True, hang_s=20, no_receipt=True, times=1)
    incident = sos(city)
    assert states(offer(city, incident, responder)) == [("sms", "unknown")]
    city.carriers.clear_switches()
    for _ in range(3):
        city.skip(3)
    arrived(city, responder)
    found = offer(city, incident, responder)
    assert [channel for channel, _ in states(found)] == ["sms"]
    assert found["attempts"]["1"]["vendor_id"].startswith("SM")
    assert found["status"] == "sent"


def test_the_carriers_own_receipt_settles_a_time_out_before_anybody_looks(city: SmallCity, hurried: None) -> None:
    responder = city.responder()
    city.carriers.set_switch("sms", responder.phone, timeout_after_sending=True, hang_s=20, times=1)
    incident = sos(city)
    city.carriers.wait_for(lambda: states(offer(city, incident, responder)) == [("sms", "delivered")])
    city.skip(10)
    arrived(city, responder)


def test_a_worker_that_died_while_it_sent_an_sms_is_reconciled_the_same_way(city: SmallCity) -> None:
    """The attempt stands there as `sending`; the carrier may have it (it has) or not (then it is sent)."""
    responder = city.responder()
    city.carriers.set_switch("sms", responder.phone, no_receipt=True)  # its word would settle it before anybody looks
    incident = sos(city)
    arrived(city, responder)
    delivery = offer(city, incident, responder)
    died = {"status": "queued", "attempts.1.state": "sending", "next_at": city.now()}
    forgotten = {f"attempts.1.{name}": "" for name in ("vendor_id", "segments", "done_at", "reported_at")}
    city.store.deliveries.update_one({"_id": delivery["_id"]}, {"$set": died, "$unset": forgotten})
    city.skip(5)
    assert states(offer(city, incident, responder)) == [("sms", "sending")]  # its process may still be at it
    for _ in range(3):
        city.skip(5)
    arrived(city, responder)
    assert offer(city, incident, responder)["attempts"]["1"]["vendor_id"] == delivery["attempts"]["1"]["vendor_id"]


def test_a_429_is_tried_again_when_the_carrier_said_and_not_before(city: SmallCity) -> None:
    responder = city.responder()
    city.carriers.set_switch("sms", responder.phone, status=429, retry_after=30, times=1)
    incident = sos(city)
    for _ in range(4):
        city.skip(6)
    assert states(offer(city, incident, responder)) == [("sms", "temporary")]
    assert offered_texts(city, responder) == []
    city.skip(8)
    arrived(city, responder)
    first, second = (offer(city, incident, responder)["attempts"][number] for number in "12")
    assert (second["at"] - first["at"]).total_seconds() >= 30


def test_a_500_is_tried_again_until_it_goes_through(city: SmallCity) -> None:
    responder = city.responder()
    city.carriers.set_switch("sms", responder.phone, status=500, times=3)
    incident = sos(city)
    for _ in range(12):
        city.skip(2)
    arrived(city, responder)
    channels_states = states(offer(city, incident, responder))
    assert channels_states[:3] == [("sms", "temporary")] * 3
    assert len(channels_states) == 4


def test_an_app_that_is_gone_is_retired_and_the_sms_goes_out_at_once(city: SmallCity) -> None:
    responder, token = with_app(city)
    city.carriers.set_switch("fcm", token, unregistered=[token])
    incident = sos(city)
    arrived(city, responder)
    found = offer(city, incident, responder)
    assert [channel for channel, _ in states(found)] == ["fcm", "sms"]
    assert (found["attempts"]["2"]["at"] - found["attempts"]["1"]["at"]).total_seconds() < 3
    person = city.store.people.find_one({"_id": responder.person_id})
    assert person is not None
    assert all(device.get("retired_at") for device in person["devices"].values())
    city.carriers.clear_switches()
    sos(city)
    arrived(city, responder, 2)
    assert pushes(city, token) == []  # it is not asked again


def test_without_a_receipt_the_sms_follows_after_the_wait(city: SmallCity) -> None:
    """One phone hears and says so, one hears nothing: only the second gets an SMS, and not before its time."""
    hearing, heard = with_app(city)
    deaf, unheard = with_app(city, hears=False, metres=500)
    incident = sos(city)
    city.carriers.wait_for(lambda: offer(city, incident, hearing)["status"] == "received")
    city.skip(2)
    assert offered_texts(city, deaf) == []
    city.skip(4)
    arrived(city, deaf)
    assert offered_texts(city, hearing) == []
    assert len(pushes(city, heard)) == len(pushes(city, unheard)) == 1
    found = offer(city, incident, deaf)
    waited = (found["attempts"]["2"]["at"] - found["attempts"]["1"]["at"]).total_seconds()
    assert 5 <= waited < 8


def test_who_heard_by_sms_last_time_is_written_to_first_until_the_phone_answers(city: SmallCity) -> None:
    """The second alarm reaches a phone that gets no pushes without the wait of the first; the push follows all the same."""
    deaf, token = with_app(city, hears=False)
    first = sos(city)
    city.skip(6)
    arrived(city, deaf)
    city.wait_for(lambda: states(offer(city, first, deaf))[-1] == ("sms", "delivered"))
    kept = city.wait_for(lambda: city.store.people.find_one({"_id": deaf.person_id}).get("reached_by"))
    assert kept["channel"] == "sms"
    city.carriers.set_switch("sms", deaf.phone, no_receipt=True)
    second = sos(city)
    city.carriers.wait_for(lambda: len(offered_texts(city, deaf)) == 2)
    assert [channel for channel, _ in states(offer(city, second, deaf))] == ["sms"]
    city.carriers.register(token, deaf.phone, auto_receipt=True, api_url=city.url)
    city.skip(6)  # no word of the SMS: now the push, and the phone answers it
    city.wait_for(lambda: offer(city, second, deaf)["status"] == "received")
    city.wait_for(lambda: "reached_by" not in city.store.people.find_one({"_id": deaf.person_id}))
    city.carriers.clear_switches()
    third = sos(city)
    city.wait_for(lambda: offer(city, third, deaf)["status"] == "received")
    assert [channel for channel, _ in states(offer(city, third, deaf))] == ["fcm"]
    assert len(offered_texts(city, deaf)) == 2


def test_a_push_that_timed_out_is_followed_by_an_sms_at_once(city: SmallCity, hurried: None) -> None:
    """The device may have it or not; it shows one delivery once, so an SMS costs less than waiting."""
    responder, token = with_app(city, hears=False)
    city.carriers.set_switch("fcm", token, timeout_after_sending=True, hang_s=20)
    incident = sos(city)
    arrived(city, responder)
    assert states(offer(city, incident, responder))[0] == ("fcm", "unknown")
    assert len(pushes(city, token)) == 1


def test_calls_that_hang_delay_nobody_else(city: SmallCity) -> None:
    """Three responders' pushes hang for as long as they may; everybody else has theirs as if nothing were."""
    hanging = [with_app(city, metres=250 + number) for number in range(3)]
    for _, token in hanging:
        city.carriers.set_switch("fcm", token, timeout_after_sending=True, hang_s=10)
    began = time.monotonic()
    for _ in range(6):  # each asks the nearest three, whose calls hang
        tap(city)
    while city.pool.under_way:  # the jobs themselves are over: only the sends are not
        city.pool.under_way.pop(0).result(20)
    jobs_over = time.monotonic() - began
    city.store.units.delete_many({})
    _, free = with_app(city, metres=400)
    began = time.monotonic()
    tap(city)
    city.carriers.wait_for(lambda: pushes(city, free), 10)
    told = time.monotonic() - began
    assert jobs_over < 2.5, f"six jobs waited {jobs_over:.1f} s for calls that hang for 3 s each"
    assert told < 2.5, f"told after {told:.1f} s"


def test_a_delivery_that_cannot_even_be_tried_stands_before_nobody(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours in one delivery: it is tried again after growing pauses, and the others go out."""
    responder = city.responder()
    incident = sos(city)
    arrived(city, responder)
    poison = {
        "_id": "dlv_poison", "purpose": "no_such_purpose", "subject": incident, "status": "queued", "plan": ["sms"],
        "attempts": {}, "tries": 0, "version": 1, "next_at": city.now() - timedelta(minutes=1),
        "valid_until": city.now() + timedelta(hours=1), "created_at": city.now(),
    }  # fmt: skip
    city.store.deliveries.insert_one(poison)
    monkeypatch.setattr(sweeps, "BATCH", 1)  # as if there were as many of these as a sweep takes
    late = {"status": "queued", "attempts": {}, "tries": 0, "next_at": city.now(), "received_at": None}
    city.store.deliveries.update_one({"subject": incident, "purpose": "assignment_offered"}, {"$set": late})
    for faults in (1, 2):
        city.skip(0)
        kept = city.store.deliveries.find_one({"_id": "dlv_poison"})
        assert kept["faults"] == faults
        pause = (kept["next_at"].replace(tzinfo=UTC) - city.now()).total_seconds()
        assert 2**faults - 1 < pause <= 2**faults
        city.skip(0)
        arrived(city, responder, 2)  # the one behind it has its turn
        city.skip(pause)
