"""The control room takes an assignment back, and a unit under way stops: who is told, and who is asked next.

Through the API, the jobs, the sweeper and the carriers, with hours that pass quickly.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from domain import geo
from domain.dispatch import queries as dispatch
from domain.dispatch import service as dispatching
from domain.incidents import service as incidents
from tests.factories.people import Signed, staff
from tests.fakes.small_city import PLACE, SmallCity

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def city(small_city: SmallCity) -> Iterator[SmallCity]:
    """The city with nothing told yet."""
    small_city.carriers.clear_switches()
    small_city.store.deliveries.delete_many({})
    yield small_city
    small_city.settle()


@pytest.fixture
def operator(city: SmallCity) -> Signed:
    """The control room."""
    return staff(city.now(), "operator")


def post(city: SmallCity, path: str, who: Signed, body: Any = None, expected: int = 200) -> dict[str, Any]:
    """A request of a member of staff or a responder, and all that follows from it."""
    answer = requests.post(f"{city.url}/v1{path}", json=body, headers=who.headers, timeout=10)
    assert answer.status_code == expected, answer.text
    city.settle()
    found: dict[str, Any] = answer.json()
    return found


def unit_of(who: Signed) -> str:
    """The unit that a responder is on."""
    found = dispatch.units().find_one({"responders": who.person_id})
    assert found is not None
    return str(found["_id"])


def assignment_of(incident: str, who: Signed, *statuses: str) -> str:
    """Their unit's assignment."""
    unit = unit_of(who)
    return next(
        str(found)
        for found, each in incidents.get(incident)["assignments"].items()
        if each["unit"] == unit and (not statuses or each["status"] in statuses)
    )


def coming(city: SmallCity) -> tuple[str, Signed, str]:
    """(incident, responder, assignment): somebody is on the way."""
    responder = city.responder(metres=3000 - 20)
    incident = city.sos()["id"]
    city.settle()
    assignment = assignment_of(incident, responder)
    post(city, f"/assignments/{assignment}/accept", responder)
    post(city, f"/assignments/{assignment}/en_route", responder)
    return incident, responder, assignment


def drive(city: SmallCity, who: Signed, metres: float) -> None:
    """The responder's phone says where they are."""
    lat, lon = geo.destination(*PLACE, 90.0, metres)
    dispatching.moved(unit_of(who), lat, lon, city.context.positions, at=city.now())


def test_an_assignment_is_taken_back_by_hand_and_others_are_asked(city: SmallCity, operator: Signed) -> None:
    incident, responder, assignment = coming(city)
    other = city.responder(metres=2000)
    body = {"assignment": assignment, "reason": "a nearer one is free"}
    view = post(city, f"/incidents/{incident}/withdraw", operator, body)
    assert view["status"] == "open"
    assert any("other hands" in text for text in city.texts(responder.phone))
    doc = incidents.get(incident)
    assert doc["assignments"][assignment]["status"] == "withdrawn"
    assert dispatch.unit(unit_of(responder)).get("lease") is None
    # The ladder asks anew, and not the one that was taken off it.
    assert assignment_of(incident, other, "offered")
    assert [each["unit"] for each in doc["assignments"].values() if each["status"] == "offered"] == [unit_of(other)]
    told, version = len(city.texts(responder.phone)), doc["version"]
    assert post(city, f"/incidents/{incident}/withdraw", operator, body)["version"] == version
    assert len(city.texts(responder.phone)) == told
    (entry,) = city.store.audit.find({"subject": incident, "action": "assignment.withdrawn"})
    assert (entry["actor"], entry["reason"]) == (operator.person_id, "a nearer one is free")
    assert entry["refs"] == {"assignment": assignment}


def test_another_unit_is_asked_first_and_the_ladder_when_it_does_not_answer(city: SmallCity, operator: Signed) -> None:
    incident, _, assignment = coming(city)
    near, chosen = city.responder(metres=300), city.responder(metres=2500)
    body = {"assignment": assignment, "reason": "they know the house", "instead": unit_of(chosen)}
    post(city, f"/incidents/{incident}/withdraw", operator, body)
    assert assignment_of(incident, chosen, "offered")
    assert unit_of(near) not in incidents.get(incident)["asked_units"]
    city.skip(45)
    assert unit_of(near) not in incidents.get(incident)["asked_units"]
    city.skip(16)
    assert assignment_of(incident, near, "offered")


def test_where_the_chosen_one_says_no_the_ladder_begins_at_once(city: SmallCity, operator: Signed) -> None:
    incident, _, assignment = coming(city)
    near, chosen = city.responder(metres=300), city.responder(metres=2500)
    body = {"assignment": assignment, "reason": "they know the house", "instead": unit_of(chosen)}
    post(city, f"/incidents/{incident}/withdraw", operator, body)
    post(city, f"/assignments/{assignment_of(incident, chosen)}/decline", chosen, {})
    city.skip(1)
    assert assignment_of(incident, near, "offered")


def test_what_cannot_be_taken_back(city: SmallCity, operator: Signed) -> None:
    incident, responder, assignment = coming(city)
    path = f"/incidents/{incident}/withdraw"
    assert post(city, path, operator, {"assignment": assignment, "reason": "  "}, 422)["errors"]["reason"]
    post(city, path, operator, {"assignment": "asg_none", "reason": "x"}, 404)
    post(city, path, operator, {"assignment": assignment, "reason": "x", "instead": "unt_none"}, 404)
    assert incidents.get(incident)["assignments"][assignment]["status"] == "en_route"  # all of it or nothing
    post(city, f"/assignments/{assignment}/decline", responder, {})
    found = post(city, path, operator, {"assignment": assignment, "reason": "x"}, 409)
    assert (found["code"], found["current"]) == ("wrong_transition", "declined")
    post(city, f"/incidents/{incident}/resolve", operator, {"resolution": "unfounded"})
    assert post(city, path, operator, {"assignment": assignment, "reason": "x"}, 409)["code"] == "incident_closed"


def test_a_supervisor_sends_and_takes_back_units_of_their_own_agency_alone(city: SmallCity) -> None:
    ours, theirs = city.responder(service="police"), city.responder(service="medical")
    incident = city.sos(services={"police": True, "medical": True})["id"]
    city.settle()
    agency = incidents.get(incident)["assignments"][assignment_of(incident, ours)]["agency"]
    chief = staff(city.now(), "supervisor", agency_id=agency)
    post(city, f"/incidents/{incident}/assign", chief, {"unit": unit_of(theirs)}, 404)
    post(city, f"/incidents/{incident}/assign", chief, {"unit": unit_of(ours)})
    path = f"/incidents/{incident}/withdraw"
    post(city, path, chief, {"assignment": assignment_of(incident, theirs), "reason": "x"}, 404)
    body = {"assignment": assignment_of(incident, ours), "reason": "x", "instead": unit_of(theirs)}
    post(city, path, chief, body, 404)
    post(city, path, chief, {"assignment": assignment_of(incident, ours), "reason": "x"})
    assert incidents.get(incident)["assignments"][assignment_of(incident, theirs)]["status"] == "offered"


def test_a_unit_that_stops_on_the_way_loses_its_slot_and_one_that_goes_on_does_not(city: SmallCity) -> None:
    incident, responder, assignment = coming(city)
    for metres in (2400, 1800):
        city.skip(175)
        drive(city, responder, metres)
        city.skip(10)
    assert incidents.get(incident)["status"] == "en_route"
    other = city.responder(metres=500)
    for _ in range(12):  # it stands, and its phone says so every half minute
        city.skip(30)
        drive(city, responder, 1800)
    doc = incidents.get(incident)
    assert doc["assignments"][assignment]["stalled"] is True
    assert any("no movement" in text for text in city.texts(responder.phone))
    assert assignment_of(incident, other, "offered", "expired")


def test_one_that_stands_where_the_place_may_be_is_asked_first(city: SmallCity) -> None:
    incident, responder, assignment = coming(city)
    where = incidents.get(incident)["position"] | {"accuracy_m": 2500.0}  # a cell of the network, no more is known
    incidents.change(incident, lambda draft: draft.set("position", where), now=city.now())
    for _ in range(14):
        city.skip(30)
        drive(city, responder, 1800)
    asked = incidents.get(incident)["assignments"][assignment]
    assert (asked["status"], "asked_at" in asked) == ("en_route", True)
    assert any("still on the way" in text for text in city.texts(responder.phone))


def test_a_unit_that_nobody_sees_is_asked_by_sms_and_says_so_on_its_page(city: SmallCity, operator: Signed) -> None:
    incident, responder, assignment = coming(city)
    for _ in range(4):
        city.skip(185)
    doc = incidents.get(incident)
    assert doc["assignments"][assignment]["status"] == "en_route"
    (asked,) = [text for text in city.texts(responder.phone) if "still on the way" in text]
    assert any("not seen to come" in text for text in city.texts(operator.phone))
    link = next(line for line in asked.splitlines() if "/a/" in line)
    page = requests.get(link, timeout=10).text
    assert 'value="still_coming"' in page
    requests.post(link, data={"do": "still_coming"}, timeout=10).raise_for_status()
    assert incidents.get(incident)["assignments"][assignment]["word_at"] is not None
    city.skip(600)
    assert incidents.get(incident)["status"] == "en_route"
