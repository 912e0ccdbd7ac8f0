"""The ladder against a real store: who is asked when, that it never ends in silence, and that it does not grow for ever."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import geo
from domain.cities import queries as cities
from domain.dispatch import leases, queries, service, steering
from domain.dispatch.service import Desk
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.states import AssignmentStatus
from domain.ports import Candidate, Positions, PositionsUnavailable
from tests.factories.incidents import NOON, SECRET, incident

pytestmark = pytest.mark.usefixtures("documents")

PLACE = (31.5102, 74.3441)


class NoPositions(Positions):
    """Redis has forgotten: the documents' last known cells are asked."""

    def put(self, *args: Any, **named: Any) -> None:
        raise PositionsUnavailable

    def remove(self, *args: Any, **named: Any) -> None:
        raise PositionsUnavailable

    def nearest(self, *args: Any, **named: Any) -> list[Candidate]:
        raise PositionsUnavailable


@pytest.fixture
def desk() -> Desk:
    """Lahore's."""
    return Desk(cities.current("lahore"), NoPositions(), SECRET)


def unit(metres: float, *, services: tuple[str, ...] = ("police",), **fields: Any) -> str:
    """An available unit, so far east of PLACE."""
    name = f"unt_{uuid.uuid4().hex[:8]}"
    lat, lon = geo.destination(*PLACE, 90.0, metres)
    cells = geo.cells(lat, lon)
    queries.units().insert_one(
        {
            "_id": name,
            "city": "lahore",
            "agency": "punjab_police",
            "services": list(services),
            "status": "available",
            "position": {"lat": lat, "lon": lon, "at": NOON},
            "cells": {"r5": cells.r5, "r7": cells.r7, "r9": cells.r9},
            **fields,
        }
    )
    return name


def raised(*services: str, **fields: Any) -> str:
    """An incident at PLACE whose ladders have not begun."""
    doc = incident(*services, position={"lat": PLACE[0], "lon": PLACE[1], "captured_at": NOON}, **fields)
    doc["_id"] = f"inc_{uuid.uuid4().hex[:12]}"
    incidents.incidents().insert_one(doc)
    return str(doc["_id"])


def asked(doc: dict[str, Any], status: str = "offered") -> set[str]:
    """The units whose offers are in this state."""
    return {each["unit"] for each in doc["assignments"].values() if each["status"] == status}


def until_due(doc: dict[str, Any]) -> datetime:
    """When the police's ladder moves again."""
    due: datetime = doc["slots"]["police"]["due_at"]
    return due


def test_the_nearest_are_asked_first_then_a_wider_ring_then_everybody(desk: Desk) -> None:
    near = [unit(metres) for metres in (200, 500, 900, 1500)]
    wide, far, off = unit(6000), unit(30_000), unit(100, status="off_duty")
    unit(100, services=("medical",))
    doc = service.start(raised(), desk, now=NOON)
    assert asked(doc) == set(near[:3])
    rung_two = until_due(doc)
    assert rung_two == NOON + timedelta(seconds=30)
    doc = service.timers(doc["_id"], desk, now=rung_two)
    assert asked(doc) == {*near, wide}
    doc = service.timers(doc["_id"], desk, now=until_due(doc))
    assert doc["slots"]["police"]["rung"] == 2
    assert doc["pending_events"][-1]["type"] == "slot.supervisors"
    doc = service.timers(doc["_id"], desk, now=until_due(doc))
    assert far in asked(doc)
    assert off not in doc["asked_units"]
    assert "unanswered" not in doc["flags"]


def test_a_responder_who_calls_for_help_is_not_sent_to_herself(desk: Desk) -> None:
    unit(50, responders=["per_her"])
    together, other = unit(100, responders=["per_her", "per_2"]), unit(300)
    doc = service.start(raised(citizen={"person": "per_her"}), desk, now=NOON)
    assert asked(doc) == {together, other}


def test_a_rung_that_finds_nobody_is_passed_at_once(desk: Desk) -> None:
    wide = unit(6000)
    doc = service.start(raised(), desk, now=NOON)
    assert asked(doc) == {wide}
    assert doc["slots"]["police"]["rung"] == 1


def test_where_nobody_is_on_duty_the_supervisors_are_called_at_once(desk: Desk) -> None:
    doc = service.start(raised(), desk, now=NOON)
    assert doc["slots"]["police"]["rung"] == 2
    assert [event["type"] for event in doc["pending_events"]] == ["slot.supervisors"]


def test_it_never_ends_in_silence_and_never_grows_for_ever(desk: Desk) -> None:
    units = {unit(metres) for metres in range(200, 2200, 100)}
    doc = service.start(raised(), desk, now=NOON)
    sizes, notices = [], 0
    for _ in range(40):
        doc = service.timers(doc["_id"], desk, now=until_due(doc))
        notices += sum(event["type"] == "slot.unanswered" for event in doc["pending_events"])
        incidents.incidents().update_one({"_id": doc["_id"]}, {"$set": {"pending_events": []}})
        sizes.append((len(doc["assignments"]), len(doc["links"])))
    assert "unanswered" in doc["flags"]
    assert notices > 30
    assert asked(doc) == units
    assert max(sizes) <= (2 * len(units), 2 * len(units))
    # Whoever comes at last is taken, also by the offer before the last.
    last_but_one = next(found for found, each in doc["assignments"].items() if each["status"] == "expired")
    doc = service.accept(doc["_id"], last_but_one, desk, by="res", via="app", now=until_due(doc))
    assert doc["status"] == "acknowledged"


def test_the_same_timer_twice_climbs_one_rung(desk: Desk) -> None:
    unit(200)
    doc = service.start(raised(), desk, now=NOON)
    due = until_due(doc)
    once = service.timers(doc["_id"], desk, now=due)
    again = service.climb(doc["_id"], "police", desk, now=due, from_rung=0)
    assert again["version"] == once["version"]


@pytest.mark.parametrize("how", ["stalled", "declined"])
def test_whoever_gave_up_is_asked_again_only_when_everybody_is(desk: Desk, how: str) -> None:
    near, other = unit(200), unit(6000)
    doc = service.start(raised(), desk, now=NOON)
    (first,) = doc["assignments"]
    service.accept(doc["_id"], first, desk, by="res", via="app", now=NOON)
    later = NOON + timedelta(minutes=5)
    if how == "stalled":
        doc = service.timers(doc["_id"], desk, now=later)
    else:
        doc = service.decline(doc["_id"], first, by="res", reason="flat tyre", now=later)
    assert doc["status"] == "open"
    assert queries.unit(near).get("lease") is None
    doc = service.start(doc["_id"], desk, now=later)
    assert asked(doc) == {other}
    while doc["slots"]["police"]["rung"] < 3:
        doc = service.timers(doc["_id"], desk, now=until_due(doc))
    assert near in asked(doc)


def test_a_unit_that_moves_on_while_its_stall_is_checked_keeps_its_slot(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit(200)
    doc = service.start(raised(), desk, now=NOON)
    (first,) = doc["assignments"]
    service.accept(doc["_id"], first, desk, by="res", via="app", now=NOON)
    later = NOON + timedelta(minutes=5)
    look = queries.unit

    def arrive_meanwhile(unit_id: str) -> dict[str, Any]:
        service.progress(doc["_id"], first, AssignmentStatus.ON_SCENE, by="res", now=later)
        return look(unit_id)

    monkeypatch.setattr(queries, "unit", arrive_meanwhile)
    found = service.timers(doc["_id"], desk, now=later)
    assert found["status"] == "on_scene"


def test_a_unit_that_said_yes_is_looked_at_until_it_says_more(desk: Desk) -> None:
    near = unit(3000)
    doc = service.start(raised(), desk, now=NOON)
    (first,) = doc["assignments"]
    service.accept(doc["_id"], first, desk, by="res", via="app", now=NOON)
    began = queries.unit(near)["position"]
    driven = NOON + timedelta(minutes=1)
    service.moved(near, began["lat"] + 0.002, began["lon"], desk.positions, at=driven)
    doc = service.timers(doc["_id"], desk, now=until_due(incidents.get(doc["_id"])))
    assert doc["status"] == "acknowledged"
    assert doc["slots"]["police"]["due_at"] is not None
    # It has stood still since: the yes is worth nothing any more.
    stood = until_due(doc)
    service.moved(near, began["lat"] + 0.002, began["lon"], desk.positions, at=stood)
    doc = service.timers(doc["_id"], desk, now=stood)
    assert doc["assignments"][first]["status"] == "withdrawn"
    assert doc["assignments"][first]["stalled"] is True


def under_way(desk: Desk, *, seen: bool = True) -> tuple[dict[str, Any], str, str]:
    """(incident, assignment, unit): a unit 3 km away that said yes and at once that it is on the way."""
    near = unit(3000)
    if not seen:
        queries.units().update_one({"_id": near}, {"$set": {"position.at": NOON - timedelta(minutes=20)}})
    doc = service.start(raised(), desk, now=NOON)
    (first,) = doc["assignments"]
    service.accept(doc["_id"], first, desk, by="res", via="app", now=NOON)
    doc = service.progress(doc["_id"], first, AssignmentStatus.EN_ROUTE, by="res", now=NOON)
    return doc, first, near


def drive(desk: Desk, unit_id: str, metres: float, at: datetime) -> None:
    """The unit is so many metres from the place, on the same road."""
    lat, lon = geo.destination(*PLACE, 90.0, metres)
    service.moved(unit_id, lat, lon, desk.positions, at=at)


def test_a_unit_under_way_is_looked_at_until_it_is_there_and_one_that_stands_is_stalled(desk: Desk) -> None:
    doc, first, near = under_way(desk)
    metres = 3000.0
    for _ in range(4):
        due = until_due(doc)
        metres -= 400
        drive(desk, near, metres, due - timedelta(seconds=5))
        doc = service.timers(doc["_id"], desk, now=due)
        assert doc["assignments"][first]["status"] == "en_route"
        assert until_due(doc) > due
    due = until_due(doc)
    drive(desk, near, metres - 20, due)  # it has stood since the last look
    doc = service.timers(doc["_id"], desk, now=due)
    assert doc["assignments"][first]["status"] == "withdrawn"
    assert doc["assignments"][first]["stalled"] is True
    assert doc["status"] == "open"
    assert queries.unit(near).get("lease") is None
    assert {"slot.reopened", "assignment.withdrawn"} <= {event["type"] for event in doc["pending_events"]}
    assert asked(service.start(doc["_id"], desk, now=due)) <= {near}  # the ladder begins anew; nobody else is there


def test_a_unit_that_is_near_the_place_and_never_says_so_is_asked_before_its_slot_is_offered_again(desk: Desk) -> None:
    """A phone may lie in a station next door."""
    doc, first, near = under_way(desk)
    drive(desk, near, 90, NOON + timedelta(minutes=2))
    while not any(event["type"] == "assignment.doubted" for event in doc["pending_events"]):
        at = until_due(doc)
        doc = service.timers(doc["_id"], desk, now=at)
    assert at - NOON >= 4 * timedelta(minutes=3), "it is believed for long: it is where it should be"
    assert doc["assignments"][first]["status"] == "en_route"
    asked = at
    while doc["assignments"][first]["status"] == "en_route":
        at = until_due(doc)
        doc = service.timers(doc["_id"], desk, now=at)
    assert at - asked == timedelta(minutes=3)
    assert doc["assignments"][first]["stalled"] is True


def test_a_unit_that_nobody_sees_is_believed_then_asked_and_then_given_up(desk: Desk) -> None:
    doc, first, _ = under_way(desk, seen=False)
    looks: list[datetime] = []
    while not any(event["type"] == "assignment.doubted" for event in doc["pending_events"]):
        looks.append(until_due(doc))
        doc = service.timers(doc["_id"], desk, now=looks[-1])
    assert looks[-1] - NOON == 4 * timedelta(minutes=3)
    assert doc["assignments"][first]["status"] == "en_route"
    # It says that it still comes: believed for as long again.
    doc = service.progress(doc["_id"], first, AssignmentStatus.EN_ROUTE, by="res", now=looks[-1] + timedelta(minutes=1))
    said = looks[-1] + timedelta(minutes=1)
    doubts = 1
    while doc["assignments"][first]["status"] == "en_route":
        at = until_due(doc)
        doc = service.timers(doc["_id"], desk, now=at)
        doubts = sum(event["type"] == "assignment.doubted" for event in doc["pending_events"])
    assert doubts == 2
    assert at - said == 5 * timedelta(minutes=3)
    assert doc["assignments"][first]["stalled"] is True


def test_the_same_timer_twice_asks_once_whether_it_still_comes(desk: Desk) -> None:
    doc, _, _ = under_way(desk, seen=False)
    while not any(event["type"] == "assignment.doubted" for event in doc["pending_events"]):
        at = until_due(doc)
        doc = service.timers(doc["_id"], desk, now=at)
    incidents.incidents().update_one({"_id": doc["_id"]}, {"$set": {"slots.police.due_at": at}})
    doc = service.timers(doc["_id"], desk, now=at)
    assert sum(event["type"] == "assignment.doubted" for event in doc["pending_events"]) == 1


def test_a_lease_without_a_slot_is_swept_and_one_that_is_taken_anew_is_not(desk: Desk) -> None:
    name = unit(200)
    doc = service.start(raised(), desk, now=NOON)
    (assignment,) = doc["assignments"]
    leases.take(name, assignment, doc["_id"], now=NOON)  # and then the process died
    assert list(leases.orphans(now=NOON + timedelta(seconds=4))) == []
    ((unit_id, found, taken_at),) = leases.orphans(now=NOON + timedelta(seconds=6))
    # The responder says yes once more just before the sweeper gives it back.
    service.accept(doc["_id"], assignment, desk, by="res", via="app", now=NOON + timedelta(seconds=6))
    assert not leases.give_back(unit_id, found, taken_at=taken_at)
    assert queries.unit(name)["lease"]["assignment"] == assignment
    assert list(leases.orphans(now=NOON + timedelta(minutes=1))) == []


def test_a_pause_holds_the_ladder_and_ends_by_itself(desk: Desk) -> None:
    unit(200)
    doc = service.start(raised(), desk, now=NOON)

    def pause(draft: Draft) -> None:
        steering.pause(draft, "police", by="op", reason="I am on the phone with her")

    doc = incidents.change(doc["_id"], pause, now=NOON)
    assert service.timers(doc["_id"], desk, now=NOON + timedelta(minutes=9))["slots"]["police"]["rung"] == 0
    doc = service.timers(doc["_id"], desk, now=NOON + timedelta(minutes=10))
    assert doc["slots"]["police"]["paused"] is False
    doc = service.timers(doc["_id"], desk, now=NOON + timedelta(minutes=10))
    assert doc["slots"]["police"]["rung"] > 0


def test_a_city_larger_than_one_asking_is_asked_whole_round_by_round(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_ALL", 3)
    units = {unit(20_000 + 100 * number) for number in range(7)}
    doc = service.start(raised(), desk, now=NOON)
    for _ in range(6):
        doc = service.timers(doc["_id"], desk, now=until_due(doc))
    assert set(doc["asked_units"]) == units


def test_leases_that_stand_hide_no_orphan(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BATCH", 2)
    held = incident(assignments={f"asg_{n}": {"status": "accepted"} for n in range(4)}) | {"_id": "inc_held"}
    incidents.incidents().insert_one(held)
    for number in range(5):
        lease = {"assignment": f"asg_{number}", "incident": "inc_held", "at": NOON + timedelta(milliseconds=number)}
        unit(100, lease=lease)
    assert [found for _, found, _ in leases.orphans(now=NOON + timedelta(minutes=1))] == ["asg_4"]
