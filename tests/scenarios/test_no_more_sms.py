"""Somebody wants no more SMS, and says so or said it to the carrier: pushes and calls go on, and whoever must know is told."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from domain.deliveries import service as deliveries
from domain.deliveries.service import Recipient, Telling
from domain.dispatch import queries as dispatch
from domain.incidents import service as incidents
from domain.lines import service as lines
from notifications import fanout
from tests.factories.people import SECRET, Signed, phone, signed_in, staff
from tests.fakes.small_city import PLACE, REPLIES, SOS, SmallCity

pytestmark = pytest.mark.timeout(60)


def tell(
    city: SmallCity, person: Signed, *, plan: tuple[str, ...] = ("sms", "voice"), key: str = "1"
) -> dict[str, Any]:
    """An alarm to a person; the delivery as it stands after its first steps."""
    incident = incidents.get(city.sos()["id"])["_id"]
    telling = Telling(
        key=f"{key}-{incident}", city="lahore", purpose="supervisor_called", subject=incident,
        recipient=Recipient("person", person.person_id), plan=plan, valid_for=timedelta(minutes=10), life_critical=True,
    )  # fmt: skip
    (delivery,) = fanout.tell([telling], city.context.post)
    fanout.settle()
    return deliveries.get(delivery)


def channels(delivery: dict[str, Any]) -> list[str]:
    return [each["channel"] for each in delivery["attempts"].values()]


def write(city: SmallCity, number: str, body: str, to: str = REPLIES, **more: str) -> None:
    """An SMS as the carrier tells it; `more` are parameters of its own, such as OptOutType."""
    sid = f"SM{abs(hash((number, body, tuple(more), city.now()))):032d}"[:34]
    answer = city.webhook("sms", {"From": number, "To": to, "Body": body, "MessageSid": sid, **more})
    assert answer.status_code == 200
    city.settle()


@pytest.fixture
def supervisor(small_city: SmallCity) -> Signed:
    """The supervisor of the responders' agency."""
    return staff(small_city.now(), "supervisor", language="en", agency_id="punjab_police")


def test_a_responder_stops_sms_and_the_supervisor_hears_of_it(small_city: SmallCity, supervisor: Signed) -> None:
    responder = small_city.responder(name="Bilal")
    small_city.carriers.write(responder.phone, "Stop", REPLIES)
    small_city.settle()
    (told,) = small_city.wait_for(lambda: [each for each in small_city.texts(supervisor.phone) if "Bilal" in each])
    assert "wants no more SMS" in told
    assert channels(tell(small_city, responder)) == ["voice"]

    def texts() -> int:
        """Without offers of the SOS itself, which come when they come."""
        return sum("/a/" not in each for each in small_city.texts(responder.phone))

    before = texts()
    small_city.carriers.write(responder.phone, "START", REPLIES)
    small_city.settle()
    assert channels(tell(small_city, responder, key="2"))[0] == "sms"
    assert texts() == before + 2  # the carrier's own word on START, and ours
    assert len([each for each in small_city.texts(supervisor.phone) if "Bilal" in each]) == 1


def test_the_carriers_refusal_says_it_too(small_city: SmallCity, supervisor: Signed) -> None:
    responder = small_city.responder(name="Nadia")
    small_city.carriers.set_switch("sms", responder.phone, error="21610")
    assert channels(tell(small_city, responder)) == ["sms", "voice"]
    small_city.settle()
    asked = small_city.carriers.call("GET", "/switches")["fired"]
    assert channels(tell(small_city, responder, key="2")) == ["voice"]
    assert small_city.carriers.call("GET", "/switches")["fired"] == asked, "the carrier is not even asked"
    small_city.skip(3)  # the sweeper finds what a sending worker could only write down
    assert small_city.wait_for(lambda: [each for each in small_city.texts(supervisor.phone) if "Nadia" in each])


def test_a_responder_whose_unit_was_struck_off_says_stop_all_the_same(small_city: SmallCity) -> None:
    responder = small_city.responder(name="Bilal")
    dispatch.units().delete_many({})
    write(small_city, responder.phone, "STOP")
    small_city.skip(3)
    assert lines.opted_out(SECRET, responder.phone)
    held = small_city.store.people.find_one({"_id": responder.person_id})
    assert not held.get("pending_events"), "nothing is left to be tried for ever"


@pytest.mark.parametrize(
    ("body", "more", "stops"),
    [("STOP", {}, True), (" stop. ", {}, True), ("Unsubscribe", {}, True), ("please no more", {"OptOutType": "STOP"}, True),
     ("بند کریں", {}, True), ("do not stop", {}, False), ("stopped the car", {}, False),
     ("HELP", {"OptOutType": "HELP"}, False)],
)  # fmt: skip
def test_which_words_stop_us(small_city: SmallCity, body: str, more: dict[str, str], stops: bool) -> None:
    citizen = signed_in(small_city.now(), language="en")
    write(small_city, citizen.phone, body, **more)
    assert lines.opted_out(SECRET, citizen.phone) is stops
    assert ("sms" in channels(tell(small_city, citizen))) is not stops


def test_a_word_that_comes_again_after_another_changes_nothing(small_city: SmallCity) -> None:
    citizen = signed_in(small_city.now(), language="en")
    stop = {"From": citizen.phone, "To": REPLIES, "Body": "STOP", "MessageSid": "SM" + "3" * 32}
    small_city.webhook("sms", stop)
    small_city.webhook("sms", {**stop, "Body": "START", "MessageSid": "SM" + "4" * 32})
    small_city.webhook("sms", stop)
    assert not lines.opted_out(SECRET, citizen.phone)


def test_our_own_word_in_urdu_is_answered_once(small_city: SmallCity) -> None:
    citizen = signed_in(small_city.now(), language="ur")
    params = {"From": citizen.phone, "To": REPLIES, "Body": "بند", "MessageSid": "SM" + "5" * 32}
    assert "ایس ایم ایس نہیں بھیجیں گے" in small_city.webhook("sms", params).text
    assert "<Message" not in small_city.webhook("sms", {**params, "Body": "STOP", "MessageSid": "SM6"}).text


def test_a_guardian_who_is_nobody_to_us_is_left_out_by_number(small_city: SmallCity) -> None:
    """Nobody but the number says that they do not want it; a unit's own phone is the same."""
    number, unit = phone(), f"unt_{'x' * 12}"
    dispatch.units().insert_one(
        {"_id": unit, "city": "lahore", "agency": "punjab_police", "name": "Car 7", "phone": number, "services": []}
    )
    write(small_city, number, "STOP")
    incident = small_city.sos()["id"]
    telling = Telling(
        key="unit", city="lahore", purpose="supervisor_called", subject=incident, recipient=Recipient("unit", unit),
        plan=("sms",), valid_for=timedelta(minutes=10), life_critical=True,
    )  # fmt: skip
    (delivery,) = fanout.tell([telling], small_city.context.post)
    fanout.settle()
    assert not deliveries.get(delivery)["attempts"]
    assert dispatch.unit(unit)["retired"]["sms"]["reason"] == "opted_out"
    write(small_city, number, "START")
    assert "sms" not in (dispatch.unit(unit).get("retired") or {})


def test_a_code_to_sign_in_is_asked_for_and_still_sent(small_city: SmallCity) -> None:
    citizen = signed_in(small_city.now(), language="en")
    write(small_city, citizen.phone, "STOP")
    requests.post(f"{small_city.url}/v1/auth/otp", json={"phone": citizen.phone}, timeout=10).raise_for_status()
    small_city.settle()
    assert small_city.code(citizen.phone)


def test_on_the_sos_number_it_is_a_call_for_help_all_the_same(small_city: SmallCity) -> None:
    number = phone()
    write(small_city, number, "STOP", SOS)
    assert len(small_city.open_incidents()) == 1
    assert lines.opted_out(SECRET, number)
    write(small_city, number, f"SOS {PLACE[0]},{PLACE[1]}", SOS)
    assert len(small_city.open_incidents()) == 1
