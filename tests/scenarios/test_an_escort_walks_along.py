"""At night somebody asks for company: women police or vetted volunteers come, and nobody else is troubled."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from domain import geo
from domain.dispatch import queries as dispatch
from domain.incidents import queries as incident_queries
from domain.incidents import service as incidents
from domain.people import pins, sign_in
from domain.people import queries as people
from domain.people.sign_in import Lifetimes
from tests.factories.people import SECRET, Signed, phone, signed_in
from tests.fakes.small_city import PLACE, SmallCity

HOME = geo.destination(*PLACE, 45.0, 1200.0)


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call(city: SmallCity, who: Signed, method: str, path: str, **body: Any) -> requests.Response:
    token = sign_in.tokens_for(SECRET, who.person_id, who.session_id, Lifetimes(), now=city.now()).access_token
    headers = {"Idempotency-Key": str(uuid.uuid4()), "Authorization": f"Bearer {token}"}
    sent = body if method == "POST" else None
    answer = requests.request(method, f"{city.url}{path}", json=sent, headers=headers, timeout=10)
    assert answer.status_code < 500, answer.text
    city.settle()
    return answer


def asks(city: SmallCity, who: Signed, **body: Any) -> dict[str, Any]:
    answer = call(
        city, who, "POST", "/v1/escorts", position={"lat": PLACE[0], "lon": PLACE[1]},
        destination={"lat": HOME[0], "lon": HOME[1], "name": "Hostel"}, **body,
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def hina(small_city: SmallCity) -> Signed:
    return signed_in(small_city.now(), name="Hina", language="en")


def asked(city: SmallCity, sos_id: str) -> list[str]:
    """The skills of those who were asked, first come first."""
    found = incidents.get(sos_id)["assignments"].values()
    return [" ".join(dispatch.unit(each["unit"])["skills"]) for each in sorted(found, key=lambda a: a["offered_at"])]


def test_women_police_and_volunteers_are_asked_and_one_walks_along(small_city: SmallCity, hina: Signed) -> None:
    city = small_city
    guardian = phone()
    held = call(city, hina, "POST", "/v1/me/guardians", name="Ammi", phone=guardian, language="en").json()
    people.collection().update_one({"_id": hina.person_id}, {"$set": {f"guardians.{held['id']}.status": "confirmed"}})
    city.responder(metres=100)  # a patrol that gives no escorts
    volunteer = city.responder(metres=200, service="escort")
    woman = city.responder(metres=900, service="escort")
    for who, skill in ((volunteer, "escort_vetted"), (woman, "women_police")):
        dispatch.units().update_one({"responders": who.person_id}, {"$set": {"skills": [skill]}})
    begun = asks(city, hina)
    escort = call(city, hina, "GET", f"/v1/escorts/{begun['id']}").json()
    assert (escort["status"], escort["sos"]["status"]) == ("asked", "open")
    sos = escort["sos"]["id"]
    assert sorted(asked(city, sos)) == ["escort_vetted", "women_police"]
    offered = call(city, woman, "GET", "/v1/responder/assignments").json()["items"][0]
    assert call(city, woman, "POST", f"/v1/assignments/{offered['id']}/accept").status_code == 200
    followed = call(city, hina, "GET", f"/v1/escorts/{begun['id']}").json()
    assert followed["sos"]["status"] == "acknowledged"
    assert [each["service"] for each in followed["sos"]["services"]] == ["escort"]
    assert not [text for text in city.texts(guardian) if "SOS" in text], "company is no alarm"
    assert incidents.get(sos).get("cameras") is None, "no camera follows somebody who asked for company"


def test_with_one_to_ask_a_woman_is_asked_first(small_city: SmallCity, hina: Signed) -> None:
    city = small_city
    near = [city.responder(metres=100 + 50 * number, service="escort") for number in range(3)]
    woman = city.responder(metres=2000, service="escort")
    dispatch.units().update_one({"responders": woman.person_id}, {"$set": {"skills": ["women_police"]}})
    sos = call(city, hina, "GET", f"/v1/escorts/{asks(city, hina)['id']}").json()["sos"]["id"]
    assert "women_police" in asked(city, sos)
    call(city, hina, "POST", f"/v1/escorts/{asks(city, hina, women_first=False)['id']}/cancel")
    later = asks(city, hina, women_first=False)
    sos = call(city, hina, "GET", f"/v1/escorts/{later['id']}").json()["sos"]["id"]
    assert asked(city, sos) == ["", "", ""], "whoever is near"
    assert len(near) == 3


def test_a_planned_one_asks_nobody_before_its_time_and_once_then(small_city: SmallCity, hina: Signed) -> None:
    city = small_city
    city.responder(service="escort")
    planned = asks(city, hina, at=stamp(city.now() + timedelta(hours=2)))
    assert (planned["status"], planned["sos"]) == ("planned", None)
    city.skip(100 * 60)
    assert incident_queries.of_person(hina.person_id) == []
    for _ in range(3):
        city.skip(6 * 60)
    (doc,) = incident_queries.of_person(hina.person_id)
    assert (doc["category"], doc["about"]) == ("escort", {"escort": planned["id"]})
    taken_back = asks(city, hina, at=stamp(city.now() + timedelta(hours=2)))
    assert call(city, hina, "POST", f"/v1/escorts/{taken_back['id']}/cancel").json()["status"] == "cancelled"
    city.skip(3 * 3600)
    assert len(incident_queries.of_person(hina.person_id)) == 1


def test_under_force_the_police_come(small_city: SmallCity, hina: Signed) -> None:
    city = small_city
    pins.set_pins(people.get(hina.person_id), "4821", "4822", old_pin=None, proven=True, secret=SECRET, now=city.now())
    city.responder(service="escort")
    patrol = city.responder()
    seen = []
    for pin in ("4821", "4822"):
        escort = asks(city, hina)["id"]
        assert call(city, hina, "POST", f"/v1/escorts/{escort}/cancel").status_code == 403
        done = call(city, hina, "POST", f"/v1/escorts/{escort}/cancel", pin=pin).json()
        seen.append((done["status"], done["sos"]["status"], done["sos"]["resolution"], done["sos"]["unfilled"]))
    assert seen[0] == seen[1]
    forced = next(doc for doc in incident_queries.of_person(hina.person_id) if "duress" in doc["flags"])
    unit = (dispatch.unit_of(patrol.person_id) or {})["_id"]
    assert unit in [each["unit"] for each in incidents.get(forced["_id"])["assignments"].values()]
    after = call(city, hina, "GET", f"/v1/sos/{forced['_id']}").json()
    assert [each["service"] for each in after["services"]] == ["escort"], "the phone learns of no police"


def test_requests_go_with_their_person_and_what_was_planned_is_off(small_city: SmallCity, hina: Signed) -> None:
    city = small_city
    city.responder(service="escort")
    planned = asks(city, hina, at=stamp(city.now() + timedelta(hours=2)))["id"]
    records = call(city, hina, "GET", "/v1/me/export").json()["records"]["escorts"]
    assert [each["id"] for each in records] == [planned]
    assert call(city, hina, "DELETE", "/v1/me").status_code == 204
    city.skip(3 * 3600)
    assert city.store["escorts"].find_one({"_id": planned}) is None
    assert incident_queries.of_person(hina.person_id) == []


def test_an_alarm_is_never_answered_by_company_alone(small_city: SmallCity) -> None:
    doc = incidents.get(small_city.sos(category="escort", services={"escort": True})["id"])
    assert "police" in doc["slots"]
    assert "escort" not in doc["slots"]


def test_what_cannot_be_is_refused(small_city: SmallCity, hina: Signed) -> None:
    city, other = small_city, signed_in(small_city.now())
    body = {"position": {"lat": PLACE[0], "lon": PLACE[1]}, "destination": {"lat": HOME[0], "lon": HOME[1]}}
    late = call(city, hina, "POST", "/v1/escorts", **body, at=stamp(city.now() - timedelta(hours=2)))
    assert (late.status_code, list(late.json()["errors"])) == (422, ["at"])
    assert call(city, hina, "POST", "/v1/escorts", destination=body["destination"]).status_code == 422
    mine = asks(city, hina)["id"]
    assert call(city, other, "GET", f"/v1/escorts/{mine}").status_code == 404
    assert call(city, other, "POST", f"/v1/escorts/{mine}/cancel").status_code == 404
    for _ in range(2):
        asks(city, hina)
    assert call(city, hina, "POST", "/v1/escorts", **body).json()["code"] == "too_many_escorts"
