"""A place that is offered is taken by one, and nobody walks on two patrols at once, however many try at one moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from domain.errors import DomainError
from domain.patrols import queries, service

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("documents")


def patrol(name: str, *offering: str, capacity: int = 4) -> str:
    """A patrol tomorrow whose places these people have and offer, in this order."""
    starts = NOW + timedelta(days=1)
    places = {
        each: {"since": NOW, "offered_at": NOW + timedelta(seconds=number)} for number, each in enumerate(offering)
    }
    queries.patrols().insert_one(
        {
            "_id": name, "city": "lahore", "group": "wgr_1", "beat": "bea_1", "starts_at": starts,
            "ends_at": starts + timedelta(hours=2), "capacity": capacity, "places": places, "people": sorted(places),
            "status": "planned", "created_at": NOW, "changed_at": NOW, "version": 1,
        }
    )  # fmt: skip
    return name


def at_once(*steps: Callable[[], Any]) -> list[str]:
    """What each came to: "" for done, else the code of its error."""
    together = Barrier(len(steps))

    def run(step: Callable[[], Any]) -> str:
        together.wait(10)
        try:
            step()
        except DomainError as error:
            return error.error_code
        return ""

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(run, steps))


def taking(name: str, person: str) -> Callable[[], Any]:
    return lambda: service.take(name, person, now=NOW)


def test_one_offered_place_goes_to_one_of_eight() -> None:
    name = patrol("ptl_1", "per_offers")
    said = at_once(*(taking(name, f"per_{number}") for number in range(8)))
    assert sorted(said) == [""] + ["nothing_offered"] * 7
    doc = queries.get(name)
    winner = f"per_{said.index('')}"
    assert (list(doc["places"]), doc["people"]) == ([winner], [winner])
    assert [(each["type"], each["person"]) for each in doc["pending_events"]] == [("patrol.taken", "per_offers")]
    assert service.take(name, winner, now=NOW)["version"] == doc["version"], "again is harmless"


def test_two_offered_places_go_to_two_of_eight_and_whoever_takes_theirs_back_meanwhile_keeps_it() -> None:
    name = patrol("ptl_1", "per_first", "per_second", "per_third")
    back = [lambda: service.offer(name, "per_third", offered=False, now=NOW)]
    said = at_once(*(taking(name, f"per_{number}") for number in range(8)), *back)
    doc = queries.get(name)
    won = {f"per_{number}" for number in range(8) if not said[number]}
    kept = {"per_third"} if not said[8] else set()
    assert (len(won), set(doc["places"])) == (3 - len(kept), won | kept)


def test_who_takes_two_at_one_moment_has_one_at_most_and_the_other_stays_with_whoever_offered_it() -> None:
    for number in range(6):
        names = [patrol(f"ptl_{number}{side}", f"per_{side}") for side in "ab"]
        said = at_once(*(taking(name, "per_takes") for name in names))
        held = [set(queries.get(name)["places"]) for name in names]
        assert sum("per_takes" in each for each in held) == said.count("") <= 1
        for side, each in zip("ab", held, strict=True):
            assert each in ({"per_takes"}, {f"per_{side}"})
            if each == {f"per_{side}"}:
                assert queries.get(f"ptl_{number}{side}")["places"][f"per_{side}"]["offered_at"]
        queries.patrols().delete_many({})
