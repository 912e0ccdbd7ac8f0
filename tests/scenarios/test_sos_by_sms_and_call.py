"""A phone without data calls for help, and somebody comes: by SMS, by a call that says nothing, by AML."""

import re
from typing import Any

import pytest

from domain.dispatch import queries as dispatch
from domain.incidents import service as incidents
from tests.factories.people import phone
from tests.fakes.small_city import PLACE, REPLIES, SOS, SmallCity

pytestmark = pytest.mark.timeout(60)


def only_incident(city: SmallCity) -> dict[str, Any]:
    city.settle()
    found = city.open_incidents()
    assert len(found) == 1
    return found[0]


def reply_code(city: SmallCity, number: str) -> str:
    """The number of the reply codes in the newest offer that a phone got."""
    text = city.wait_for(lambda: [each for each in city.texts(number) if "Reply" in each])[-1]
    found = re.search(r"Reply (\d+)a to accept, \1d to decline", text)
    assert found, text
    return found[1]


def test_a_feature_phone_raises_an_sos_by_sms_and_a_responder_answers_by_reply_code(small_city: SmallCity) -> None:
    responder, citizen = small_city.responder(), phone()
    told = small_city.carriers.write(citizen, f"SOS {PLACE[0]},{PLACE[1]} two men at the gate", SOS)
    assert told["error"] == ""
    doc = only_incident(small_city)
    assert (doc["channel"], doc["status"]) == ("sms", "open")
    assert doc["citizen"]["phone"] == citizen
    assert doc["citizen"]["note"] == "two men at the gate"
    assert (doc["position"]["lat"], doc["position"]["lon"]) == PLACE
    assert any("Amaan" in text or "امان" in text for text in small_city.texts(citizen))

    number = reply_code(small_city, responder.phone)
    small_city.carriers.write(responder.phone, f"{number}a", REPLIES)
    small_city.settle()
    assert incidents.get(doc["_id"])["status"] == "acknowledged"
    small_city.carriers.write(responder.phone, f" {number} E ", REPLIES)
    assert incidents.get(doc["_id"])["status"] == "en_route"
    eastern = number.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    small_city.carriers.write(responder.phone, f"{eastern}s", REPLIES)
    small_city.settle()
    doc = incidents.get(doc["_id"])
    assert doc["status"] == "on_scene"
    assignment = next(iter(doc["assignments"].values()))
    assert assignment["via"] == "sms"
    assert "your answer is noted" in small_city.texts(responder.phone)[-1]


def test_a_caller_who_hangs_up_before_pressing_a_key_is_an_sos(small_city: SmallCity) -> None:
    responder, citizen = small_city.responder(), phone()
    call = small_city.carriers.dial(citizen, SOS)
    small_city.carriers.hang_up(citizen, call["sid"])
    doc = only_incident(small_city)
    assert (doc["channel"], doc["citizen"]["phone"]) == ("voice", citizen)
    assert "position" not in doc
    assert doc["assignments"]
    assert small_city.wait_for(lambda: small_city.texts(responder.phone))


def test_a_key_says_what_is_needed_and_aml_says_where(small_city: SmallCity) -> None:
    police, ambulance = small_city.responder(), small_city.responder(service="medical")
    citizen = phone()
    call = small_city.carriers.dial(citizen, SOS)
    said = small_city.carriers.press(citizen, call["sid"], "2")
    assert said["status"] in ("in-progress", "completed")
    doc = small_city.wait_for(
        lambda: next((each for each in small_city.open_incidents() if "medical" in each["slots"]), None)
    )
    assert doc["category"] == "medical"
    aml = f'A"ML=1;lt=+{PLACE[0]:.5f};lg=+{PLACE[1]:.5f};rd=20;top=20261123090000;lc=90;pm=G;si=410012345678901;'
    aml += "ei=353472104343540;mcc=410;mnc=01;ml=126"
    small_city.carriers.write(citizen, aml, SOS)
    doc = only_incident(small_city)
    assert (doc["position"]["lat"], doc["position"]["accuracy_m"]) == (PLACE[0], 20.0)
    assert not small_city.texts(citizen), "a message that a phone sends by itself is not answered"
    units = {each["unit"] for each in doc["assignments"].values()}
    assert {dispatch.unit_of(each.person_id)["_id"] for each in (police, ambulance)} <= units  # type: ignore[index]


def test_a_responder_takes_it_by_pressing_one(small_city: SmallCity) -> None:
    responder, citizen = small_city.responder(), phone()
    small_city.carriers.set_switch("sms", responder.phone, no_receipt=True)
    small_city.carriers.write(citizen, f"SOS {PLACE[0]} {PLACE[1]}", SOS)
    doc = only_incident(small_city)
    for _ in range(3):  # up the ladder, to where everybody on duty is asked, by a call where no SMS arrives
        small_city.skip(46)
    small_city.skip(91)  # whoever was asked already is asked by a call in the next round
    small_city.skip(21)
    calls = small_city.wait_for(
        lambda: [each for each in small_city.carriers.inbox(responder.phone)["calls"] if each["status"] == "ringing"]
    )
    call = small_city.carriers.press(responder.phone, calls[-1]["sid"], "1")
    assert any("Press 1" in each.get("text", "") for each in call["heard"])
    small_city.wait_for(lambda: incidents.get(doc["_id"])["status"] == "acknowledged")
    small_city.settle()
    taken = [each for each in incidents.get(doc["_id"])["assignments"].values() if each["status"] == "accepted"]
    assert [each["via"] for each in taken] == ["voice"]
    heard = small_city.wait_for(
        lambda: [
            each
            for one in small_city.carriers.inbox(responder.phone)["calls"]
            for each in one["heard"]
            if "It is yours" in each.get("text", "")
        ]
    )
    assert heard
