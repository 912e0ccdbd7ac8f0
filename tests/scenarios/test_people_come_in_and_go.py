"""People come in by an SMS, name somebody who stands by them, and go; as the phones of the city see it."""

import re
import time
from typing import Any

import requests

from domain.dispatch import queries as dispatch
from domain.incidents import service as incidents
from domain.people import queries as people
from tests.factories.people import Signed, phone, signed_in
from tests.fakes.small_city import PLACE, SmallCity

TIMEOUT_S = 10


def call(city: SmallCity, method: str, path: str, *, token: str = "", **body: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.request(method, f"{city.url}{path}", json=body or None, headers=headers, timeout=TIMEOUT_S)
    assert answer.status_code < 500, answer.text
    return answer


def newest_text(city: SmallCity, number: str) -> str:
    """The newest SMS on a phone, waited for."""
    until = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until:
        city.settle()
        if texts := city.texts(number):
            return texts[-1]
        time.sleep(0.05)
    raise AssertionError("no SMS came")


def sign_in(city: SmallCity, number: str, **device: str) -> dict[str, Any]:
    """As a phone does: ask, read the SMS, give the code."""
    asked = call(city, "POST", "/v1/auth/otp", phone=number, language="en").json()
    code = city.code(number)
    body = {"challenge_id": asked["challenge_id"], "code": code, "device": {"id": "phone-0001", **device}}
    tokens: dict[str, Any] = call(city, "POST", "/v1/auth/token", **body).json()
    return tokens


def test_a_citizen_signs_in_by_sms(small_city: SmallCity) -> None:
    number = phone()
    tokens = sign_in(small_city, number)
    me = call(small_city, "GET", "/v1/me", token=tokens["access_token"]).json()
    assert me["phone"] == number


def test_a_guardian_is_asked_by_sms_and_says_no_by_the_link(small_city: SmallCity) -> None:
    sara = signed_in(small_city.now(), name="Sara Khan")
    guardian = phone()
    body = {"name": "Ammi", "phone": guardian, "language": "en"}
    call(small_city, "POST", "/v1/me/guardians", token=sara.access_token, **body)
    link = re.search(r"http\S+/t/\S+", newest_text(small_city, guardian))
    assert link, "the SMS has a link"
    page = requests.get(link[0], timeout=TIMEOUT_S)
    assert (page.status_code, "Sara Khan" in page.text) == (200, True)
    requests.post(link[0], data={"answer": "declined"}, timeout=TIMEOUT_S)
    said = call(small_city, "GET", "/v1/me/guardians", token=sara.access_token).json()["items"]
    assert [each["status"] for each in said] == ["declined"]


def raise_sos(city: SmallCity, token: str) -> str:
    position = {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 10}
    raised = call(city, "POST", "/v1/sos", token=token, position=position, services={"police": True}, phone=phone())
    assert raised.status_code == 201
    city.settle()
    return str(raised.json()["id"])


def offers(incident_id: str, unit_id: str) -> set[str]:
    found = incidents.get(incident_id)["assignments"].values()
    return {each["status"] for each in found if each["unit"] == unit_id}


def test_a_responder_who_logs_out_is_asked_no_more(small_city: SmallCity) -> None:
    citizen = signed_in(small_city.now())
    responder = small_city.responder()
    unit_id = people.get(responder.person_id).unit_id
    incident_id = raise_sos(small_city, citizen.access_token)
    assert offers(incident_id, unit_id) == {"offered"}
    assert call(small_city, "POST", "/v1/auth/logout", token=responder.access_token).status_code == 204
    small_city.settle()
    assert dispatch.unit(unit_id)["status"] == "off_duty"
    assert offers(incident_id, unit_id) == {"withdrawn"}


def test_one_of_two_who_logs_out_leaves_the_unit_on_duty(small_city: SmallCity) -> None:
    first = small_city.responder()
    unit_id = people.get(first.person_id).unit_id
    second = signed_in(small_city.now(), unit_id=unit_id)
    dispatch.units().update_one({"_id": unit_id}, {"$push": {"responders": second.person_id}})
    call(small_city, "POST", "/v1/auth/logout", token=first.access_token)
    small_city.settle()
    assert dispatch.unit(unit_id)["status"] == "available"
    call(small_city, "POST", "/v1/auth/logout", token=second.access_token)
    small_city.settle()
    assert dispatch.unit(unit_id)["status"] == "off_duty"


def crew_of_three(city: SmallCity) -> tuple[str, list[Signed]]:
    """A unit with two on duty and one who is not: (unit, people)."""
    first = city.responder(duty="available")
    unit_id = people.get(first.person_id).unit_id
    roles = [{"role": "responder", "city": "lahore", "agency_id": "punjab_police", "group_id": ""}]
    others = [
        signed_in(city.now(), roles=roles, unit_id=unit_id, language="en", duty=duty) for duty in ("busy", "off_duty")
    ]
    ids = {"$each": [each.person_id for each in others]}
    dispatch.units().update_one({"_id": unit_id}, {"$push": {"responders": ids}})
    return unit_id, [first, *others]


def test_only_who_is_on_duty_is_told_and_offers_end_with_the_last_of_them(small_city: SmallCity) -> None:
    unit_id, (first, second, off) = crew_of_three(small_city)
    incident_id = raise_sos(small_city, signed_in(small_city.now()).access_token)
    told = [len(small_city.texts(each.phone)) for each in (first, second, off)]
    assert told == [1, 1, 0]
    call(small_city, "POST", "/v1/auth/logout", token=first.access_token)
    small_city.settle()
    assert (dispatch.unit(unit_id)["status"], offers(incident_id, unit_id)) == ("busy", {"offered"})
    assert people.get(first.person_id).duty == "off_duty"
    call(small_city, "POST", "/v1/auth/logout", token=second.access_token)
    small_city.settle()
    assert (dispatch.unit(unit_id)["status"], offers(incident_id, unit_id)) == ("off_duty", {"withdrawn"}), (
        "somebody is signed in still, and off duty"
    )


def test_an_offer_follows_nobody_off_duty_while_others_are_on(small_city: SmallCity) -> None:
    """The SMS of whoever left is not followed by a call."""
    unit_id, (first, second, _) = crew_of_three(small_city)
    small_city.carriers.set_switch("sms", no_receipt=True)
    incident_id = raise_sos(small_city, signed_in(small_city.now()).access_token)
    small_city.store.deliveries.update_many({"subject": incident_id}, {"$set": {"plan": ["sms", "voice"]}})
    call(small_city, "POST", "/v1/auth/logout", token=first.access_token)
    small_city.settle()
    small_city.skip(25)
    assert [len(small_city.carriers.inbox(each.phone)["calls"]) for each in (first, second)] == [0, 1]
    (left,) = small_city.store.deliveries.find({"recipient.id": first.person_id, "subject": incident_id})
    assert (left["status"], left["reason"]) == ("suppressed", "off_duty")
    assert dispatch.unit(unit_id)["status"] == "busy"


def test_who_is_erased_is_on_no_unit(small_city: SmallCity) -> None:
    unit_id, (first, *_) = crew_of_three(small_city)
    call(small_city, "DELETE", "/v1/me", token=first.access_token)
    small_city.settle()
    assert first.person_id not in dispatch.unit(unit_id)["responders"]


def test_who_is_erased_is_taken_out_of_cases_once_they_are_closed(small_city: SmallCity) -> None:
    citizen = signed_in(small_city.now(), name="Zainab")
    incident_id = raise_sos(small_city, citizen.access_token)
    call(small_city, "DELETE", "/v1/me", token=citizen.access_token)
    small_city.settle()
    assert incidents.get(incident_id)["citizen"].get("phone"), "somebody may be on the way"
    operator = signed_in(
        small_city.now(),
        roles=[{"role": "operator", "city": "lahore", "agency_id": "", "group_id": ""}],
        second_factor_given=True,
    )
    body = {"resolution": "helped", "reason": "she is safe"}
    closed = call(small_city, "POST", f"/v1/incidents/{incident_id}/resolve", token=operator.access_token, **body)
    assert closed.status_code == 200, closed.text
    small_city.settle()
    left = incidents.get(incident_id)
    assert citizen.person_id not in str(left["citizen"])
    assert not left["citizen"].get("phone")


def test_an_export_has_ones_own_sos(small_city: SmallCity) -> None:
    citizen = signed_in(small_city.now())
    incident_id = raise_sos(small_city, citizen.access_token)
    body = call(small_city, "GET", "/v1/me/export", token=citizen.access_token).json()
    assert [each["id"] for each in body["records"]["sos"]] == [incident_id]
