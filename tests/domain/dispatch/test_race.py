"""Many yeses at once against the real store: no unit has two assignments, no slot has two units, and each loser is told.

The store is shared by all threads as it is by all processes: what decides is its conditional write alone.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from cli.indexes import create as create_indexes
from domain.cities import queries as cities
from domain.clock import utc_now
from domain.dispatch import leases, queries, service
from domain.dispatch.rules import Asked, offer
from domain.dispatch.service import Desk
from domain.errors import Conflict, DomainError
from domain.incidents import service as incidents
from domain.incidents.service import SosFacts
from domain.incidents.states import HOLDING, AssignmentStatus
from domain.ports import Candidate, Positions, PositionsUnavailable
from runtime import mongo
from tests.factories.stores import settings_for

SECRET = "for tests only: forty characters of key.."
SERVICES = ("police", "medical")


class NoPositions(Positions):
    """Redis is away: the documents say where units are."""

    def put(self, *args: Any, **named: Any) -> None:
        raise PositionsUnavailable

    def remove(self, *args: Any, **named: Any) -> None:
        raise PositionsUnavailable

    def nearest(self, *args: Any, **named: Any) -> list[Candidate]:
        raise PositionsUnavailable


@pytest.fixture(scope="module")
def desk(mongodb_url: str, mongo_client: MongoClient[dict[str, Any]]) -> Iterator[Desk]:
    """Lahore's desk over a database of the module's own."""
    mongo.connect(settings_for(mongodb_url), pool=40)
    create_indexes()
    yield Desk(cities.current("lahore"), NoPositions(), SECRET)
    name = mongo.database().name
    mongo.disconnect()
    mongo_client.drop_database(name)


@pytest.fixture(autouse=True)
def _nothing_left(desk: Desk) -> None:
    queries.units().delete_many({})
    incidents.incidents().delete_many({})


def add_units(count: int) -> list[str]:
    names = [f"unt_{number:03d}" for number in range(count)]
    queries.units().insert_many(
        {"_id": name, "city": "lahore", "services": list(SERVICES), "status": "available"} for name in names
    )
    return names


def raise_and_offer(units: list[str], services: tuple[str, ...] = SERVICES) -> list[tuple[str, str]]:
    """An incident in which every unit is asked for every slot: its (incident, assignment) pairs."""
    now = utc_now()
    facts = SosFacts("lahore", "threat", services, "Severe", "Immediate", "Likely", phone="+923000000000")
    doc = incidents.raise_sos(facts, now=now, secret=SECRET, link_ttl=timedelta(hours=1)).incident

    def ask(draft: Any) -> None:
        for each in services:
            asked = [Asked(unit, "agency", 100.0) for unit in units]
            offer(draft, each, asked, channels=("fcm",), ttl=timedelta(minutes=5), by="test", secret=SECRET)

    doc = incidents.change(doc["_id"], ask, now=now)
    return [(doc["_id"], assignment) for assignment in doc["assignments"]]


def at_once(steps: list[Callable[[], Any]], threads: int = 24) -> list[Any]:
    """What each step gave, an error as itself; all threads are let go together."""
    gate = threading.Barrier(min(threads, len(steps)))
    waited = threading.local()

    def run(step: Callable[[], Any]) -> Any:
        if not getattr(waited, "done", False):
            waited.done = True
            gate.wait(20)
        try:
            return step()
        except DomainError as error:
            return error

    with ThreadPoolExecutor(min(threads, len(steps))) as pool:
        return list(pool.map(run, steps))


def yes(pair: tuple[str, str], desk: Desk) -> Callable[[], Any]:
    incident, assignment = pair
    return lambda: service.accept(incident, assignment, desk, by=f"of {assignment}", via="app", now=utc_now())


def holding() -> list[tuple[str, str, str, str]]:
    """(unit, incident, service, assignment) of all that hold now."""
    return [
        (assignment["unit"], doc["_id"], assignment["service"], found)
        for doc in incidents.incidents().find({})
        for found, assignment in doc["assignments"].items()
        if assignment["status"] in HOLDING
    ]


def consistent() -> list[tuple[str, str, str, str]]:
    """Check every promise about units, slots and leases; returns who holds what."""
    held = holding()
    assert max(Counter(unit for unit, *_ in held).values(), default=0) <= 1, "a unit has two assignments"
    slots = Counter((incident, each) for _, incident, each, _ in held)
    assert max(slots.values(), default=0) <= 1, "a slot has two units"
    leased = {row["_id"]: row["lease"]["assignment"] for row in queries.units().find({"lease": {"$ne": None}})}
    assert leased == {unit: assignment for unit, _, _, assignment in held}
    for doc in incidents.incidents().find({}):
        for each, slot in doc["slots"].items():
            holder = next((found for _, incident, of, found in held if (incident, of) == (doc["_id"], each)), None)
            assert slot["assignment"] == holder
        assert doc.get("ladder_due") is not None, "an open or held slot has a timer"
    return held


def test_all_say_yes_to_everything_at_once(desk: Desk) -> None:
    """6 units, 4 incidents of 2 slots: 48 yeses at once. Six are enough for as many slots, and no loser is in doubt."""
    units = add_units(6)
    pairs = [pair for _ in range(4) for pair in raise_and_offer(units)]
    random.shuffle(pairs)
    results = at_once([yes(pair, desk) for pair in pairs])

    held = consistent()
    won = [pair for pair, result in zip(pairs, results, strict=True) if isinstance(result, dict)]
    assert sorted(won) == sorted((incident, assignment) for _, incident, _, assignment in held)
    losers = [result for result in results if not isinstance(result, dict)]
    assert {type(error).__name__ for error in losers} <= {"SlotTaken", "UnitTaken", "Conflict"}
    assert all(isinstance(error, Conflict) and error.data.get("current") for error in losers)
    # A loser is not lost: whoever has nothing yet may still say yes to a slot that nobody has.
    at_once([yes(pair, desk) for pair in pairs], threads=1)
    assert len(consistent()) == 6


def test_one_slot_has_one_winner_and_the_others_are_free_again(desk: Desk) -> None:
    units = add_units(16)
    pairs = raise_and_offer(units, ("police",))
    results = at_once([yes(pair, desk) for pair in pairs], threads=16)
    assert sum(isinstance(each, dict) for each in results) == 1
    ((unit, *_),) = consistent()
    assert {row["_id"] for row in queries.units().find({"lease": None})} == set(units) - {unit}


def test_one_unit_is_won_by_one_of_many_incidents(desk: Desk) -> None:
    (unit,) = add_units(1)
    pairs = [pair for _ in range(12) for pair in raise_and_offer([unit], ("police",))]
    results = at_once([yes(pair, desk) for pair in pairs], threads=12)
    assert sum(isinstance(each, dict) for each in results) == 1
    assert all(each.error_code == "unit_taken" for each in results if not isinstance(each, dict))
    assert len(consistent()) == 1


def test_the_same_yes_many_times_is_one(desk: Desk) -> None:
    """A double tap, a retry, and the link pressed meanwhile: all are told yes, and the unit keeps its lease."""
    (pair,) = raise_and_offer(add_units(1), ("police",))
    results = at_once([yes(pair, desk) for _ in range(12)], threads=12)
    assert all(isinstance(each, dict) for each in results)
    assert len(consistent()) == 1
    doc = incidents.get(pair[0])
    assert [each["kind"] for each in doc["timeline"]].count("accepted") == 1


def test_yes_and_no_and_taken_back_at_once_leave_no_lease_behind(desk: Desk) -> None:
    units = add_units(6)
    pairs = [pair for _ in range(2) for pair in raise_and_offer(units)]

    def no(pair: tuple[str, str]) -> Callable[[], Any]:
        return lambda: service.decline(*pair, by="x", reason="", now=utc_now())

    def back(pair: tuple[str, str]) -> Callable[[], Any]:
        return lambda: service.withdraw(*pair, by="x", reason="operator", now=utc_now())

    def off(unit: str) -> Callable[[], Any]:
        return lambda: service.end_offers(unit, by="x", now=utc_now())

    steps = [step(pair) for pair in pairs for step in (no, back)] + [yes(pair, desk) for pair in pairs]
    steps += [off(unit) for unit in units[:2]]
    random.shuffle(steps)
    at_once(steps)
    sweep_leases()
    consistent()


def sweep_leases() -> None:
    later = utc_now() + leases.SETTLE + timedelta(seconds=1)
    for unit, assignment, taken_at in leases.orphans(now=later):
        leases.give_back(unit, assignment, taken_at=taken_at)


def test_the_sweep_frees_what_a_dead_process_leased_and_nothing_else(desk: Desk) -> None:
    """Sweeps that think every lease is old run while units say yes; what a dead process leased is given back."""
    units = add_units(8)
    pairs = [pair for _ in range(3) for pair in raise_and_offer(units)]
    lost = pairs[0]
    unit = incidents.get(lost[0])["assignments"][lost[1]]["unit"]
    leases.take(unit, lost[1], lost[0], now=utc_now())  # and then it died
    random.shuffle(pairs)
    at_once([step for pair in pairs for step in (yes(pair, desk), sweep_leases)])
    for _, incident, _, assignment in holding():  # as each `assignment.accepted` does
        service.confirm(incident, assignment, now=utc_now())
    sweep_leases()
    consistent()


def test_an_acceptance_held_up_between_its_writes_never_doubles_a_unit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease is swept away and taken by another incident; its own event then gives the slot up, and all is offered
    again.
    """
    (unit,) = add_units(1)
    (first,), (second,) = raise_and_offer([unit], ("police",)), raise_and_offer([unit], ("police",))
    take = leases.take

    def held_up(*args: Any, now: datetime, **named: Any) -> Any:
        taken = take(*args, now=now, **named)
        if args[1] == first[1] and "gone" not in state:
            state["gone"] = True
            sweep_leases()  # longer than SETTLE has passed
            service.accept(*second, desk, by="b", via="app", now=utc_now())
        return taken

    state: dict[str, bool] = {}
    monkeypatch.setattr(leases, "take", held_up)
    service.accept(*first, desk, by="a", via="app", now=utc_now())
    assert len(holding()) == 2  # this is what must not last
    for incident, assignment in (first, second):  # as each `assignment.accepted` does
        service.confirm(incident, assignment, now=utc_now())
    assert consistent() == [(unit, second[0], "police", second[1])]
    doc = incidents.get(first[0])
    assert doc["assignments"][first[1]]["status"] == AssignmentStatus.WITHDRAWN
    assert doc["slots"]["police"]["status"] == "open"
    assert doc["ladder_due"] <= datetime.now(UTC)
    assert "slot.reopened" in [each["type"] for each in doc["pending_events"]]


def test_an_acceptance_whose_lease_was_swept_takes_it_back(desk: Desk) -> None:
    (pair,) = raise_and_offer(add_units(1), ("police",))
    service.accept(*pair, desk, by="a", via="app", now=utc_now())
    leases.give_back("unt_000", pair[1])
    service.confirm(*pair, now=utc_now())
    assert len(consistent()) == 1
