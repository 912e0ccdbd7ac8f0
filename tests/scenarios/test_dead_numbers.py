"""A carrier says that a number is dead, and a responder carries two phones: who is told, and how, through the whole chain."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from domain.deliveries import service as deliveries
from domain.dispatch import queries as dispatch
from domain.dispatch import registry
from domain.people import addresses, sign_in
from notifications.recipients import DEVICES, reach
from tests.factories.people import Signed
from tests.fakes.small_city import SmallCity

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def city(small_city: SmallCity) -> Iterator[SmallCity]:
    """The city with healthy carriers before and after."""
    small_city.carriers.clear_switches()
    small_city.store.deliveries.delete_many({})
    yield small_city
    small_city.carriers.clear_switches()
    small_city.settle()


def channels(delivery_id: str) -> list[tuple[str, str]]:
    """(channel, state) of each attempt."""
    return [(each["channel"], each["state"]) for each in deliveries.get(delivery_id)["attempts"].values()]


def kinds(city: SmallCity, person: Signed) -> set[str]:
    """By what somebody can be reached now."""
    return set(reach({"kind": "person", "id": person.person_id, "of": ""}, city.settings).addresses)


def verified(city: SmallCity, number: str) -> None:
    """Sign in with a code by SMS, as a phone does."""
    answer = requests.post(f"{city.url}/v1/auth/otp", json={"phone": number}, timeout=10)
    challenge = answer.json()["challenge_id"]
    city.settle()
    body = {"challenge_id": challenge, "code": city.code(number), "device": {"id": f"dev-{uuid.uuid4().hex[:8]}"}}
    requests.post(f"{city.url}/v1/auth/token", json=body, timeout=10).raise_for_status()
    city.settle()


@pytest.mark.parametrize("code", [30005, 30006])
def test_a_number_that_the_network_calls_dead_gets_no_more_sms_until_it_is_verified_again(
    city: SmallCity, code: int
) -> None:
    city.carriers.set_switch("sms", no_receipt=True)
    responder, _, first = city.offer(plan=("sms", "voice"))
    given_up = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": str(code)}
    for _ in range(2):
        city.webhook(f"status?delivery={first['_id']}&attempt=1", given_up)
    city.settle()
    assert channels(first["_id"]) == [("sms", "permanent"), ("voice", "sent")]
    assert kinds(city, responder) == {"voice"}
    city.carriers.clear_switches()
    held = city.store.people.find_one({"_id": responder.person_id})["retired"]["sms"]
    assert held["reason"] == ("invalid_address" if code == 30005 else "not_mobile")
    had = len(city.texts(responder.phone))
    city.store.incidents.delete_many({})
    city.sos()
    city.settle()
    city.skip(30)
    assert len(city.texts(responder.phone)) == had  # not asked again: the ladder goes on by what is left
    verified(city, responder.phone)
    assert kinds(city, responder) == {"sms", "voice"}


def test_a_create_that_is_refused_for_the_number_retires_it_at_once(city: SmallCity) -> None:
    city.carriers.set_switch("sms", error=21614)
    responder, incident, _ = city.offer(plan=("sms", "voice"))
    asked = city.store.deliveries.find({"subject": incident["_id"], "recipient.id": responder.person_id})
    tried = [each for found in asked for each in channels(found["_id"])]
    assert sorted(tried) == [("sms", "permanent"), ("voice", "sent")]  # the second that tells them asks for no SMS
    assert kinds(city, responder) == {"voice"}


def test_stop_is_lifted_by_their_own_word_alone(city: SmallCity) -> None:
    responder = city.responder()
    assert addresses.retire(responder.person_id, "sms", addresses.OPTED_OUT, now=city.now())
    assert not addresses.retire(responder.person_id, "sms", "not_mobile", now=city.now())
    city.ahead += timedelta(seconds=5)
    sign_in.person_for(responder.phone, language="en", now=city.now())
    assert kinds(city, responder) == {"voice"}
    assert addresses.restore(responder.person_id, "sms", now=city.now())
    assert kinds(city, responder) == {"sms", "voice"}


def test_a_receipt_from_before_the_number_was_verified_proves_nothing(city: SmallCity) -> None:
    responder = city.responder()
    sent_at, now = city.now() - timedelta(minutes=5), city.now()
    addresses.retire(responder.person_id, "sms", "not_mobile", now=sent_at)
    assert kinds(city, responder) == {"sms", "voice"}
    addresses.retire(responder.person_id, "sms", "not_mobile", now=now + timedelta(seconds=1))
    addresses.retire(responder.person_id, "sms", "not_mobile", now=sent_at)  # out of order: the newer word stands
    assert kinds(city, responder) == {"voice"}


def test_a_guardians_and_a_units_number_die_and_live_as_well(city: SmallCity) -> None:
    citizen = city.responder()
    row = {"id": "gua_1", "name": "Sana", "phone": "+923015550001", "status": "confirmed", "invited_at": city.now()}
    city.store.people.update_one({"_id": citizen.person_id}, {"$set": {"guardians.gua_1": row}})
    guardian = {"kind": "guardian", "id": "gua_1", "of": citizen.person_id}
    addresses.retire_guardian(citizen.person_id, "gua_1", "sms", "invalid_address", now=city.now())
    assert set(reach(guardian, city.settings).addresses) == {"voice"}
    addresses.restore_guardian(citizen.person_id, "gua_1", "sms", now=city.now())
    assert set(reach(guardian, city.settings).addresses) == {"sms", "voice"}

    unit = (city.store.people.find_one({"_id": citizen.person_id}) or {})["unit_id"]
    registry.change(unit, {"phone": "+923015550002"}, now=city.now())
    recipient = {"kind": "unit", "id": unit, "of": ""}
    assert registry.retire_phone(unit, "sms", "not_mobile", now=city.now() + timedelta(seconds=1))
    assert set(reach(recipient, city.settings).addresses) == {"voice"}
    registry.change(unit, {"phone": "+923015550003"}, now=city.now() + timedelta(seconds=2))
    assert set(reach(recipient, city.settings).addresses) == {"sms", "voice"}
    assert dispatch.unit(unit)["phone"] == "+923015550003"


def with_phones(city: SmallCity, *hears: bool) -> tuple[Signed, list[str]]:
    """A responder with several phones that have the app, the newest first; `hears`: it sends receipts."""
    tokens = [f"push-{uuid.uuid4().hex}" for _ in hears]
    held: dict[str, Any] = {}
    for age, token in enumerate(tokens):
        seen_at: datetime = city.now() - timedelta(hours=age)
        device = f"dev-{uuid.uuid4().hex[:8]}"
        held[device] = {
            "id": device, "token": token, "platform": "android", "session_id": "ses_1", "seen_at": seen_at,
        }  # fmt: skip
    responder = city.responder(devices=held, device_tokens=tokens)
    for token, receipt in zip(tokens, hears, strict=True):
        city.carriers.register(token, responder.phone, auto_receipt=receipt, api_url=city.url)
    return responder, tokens


def offers(city: SmallCity, token: str) -> list[dict[str, Any]]:
    """The offers that reached a device."""
    return [each for each in city.carriers.device(token)["pushes"] if each["data"]["type"] == "assignment.offered"]


def offer_to(city: SmallCity, responder: Signed) -> dict[str, Any]:
    """Their one delivery with an offer."""
    (found,) = city.store.deliveries.find({"purpose": "assignment_offered", "recipient.id": responder.person_id})
    return dict(found)


def test_a_push_goes_to_all_phones_and_the_receipt_of_any_ends_it(city: SmallCity) -> None:
    responder, tokens = with_phones(city, False, True, False, False)
    city.sos()
    city.settle()
    city.wait_for(lambda: offer_to(city, responder)["status"] == "received")
    city.skip(10)
    assert [len(offers(city, token)) for token in tokens] == [1] * DEVICES + [0]  # the fourth is seldom in a hand
    assert len({offers(city, token)[0]["data"]["delivery_id"] for token in tokens[:DEVICES]}) == 1
    assert city.texts(responder.phone) == []
    assert list(offer_to(city, responder)["attempts"]) == ["1"]


def test_one_dead_app_is_retired_and_the_other_phone_is_told(city: SmallCity) -> None:
    responder, (dead, alive) = with_phones(city, False, True)
    city.carriers.set_switch("fcm", dead, unregistered=[dead])
    city.sos()
    city.settle()
    city.wait_for(lambda: offer_to(city, responder)["status"] == "received")
    assert len(offers(city, alive)) == 1
    person = city.store.people.find_one({"_id": responder.person_id})
    assert [bool(each.get("retired_at")) for each in person["devices"].values()] == [True, False]
    assert person["device_tokens"] == [alive]


def test_a_phone_whose_push_hangs_keeps_the_other_from_nothing(city: SmallCity) -> None:
    responder, (slow, alive) = with_phones(city, False, True)
    city.carriers.set_switch("fcm", slow, timeout_after_sending=True, hang_s=10)
    city.sos()
    city.wait_for(lambda: len(offers(city, alive)) == 1)
    city.wait_for(lambda: offer_to(city, responder)["status"] == "received")
    city.settle()
    assert city.texts(responder.phone) == []
