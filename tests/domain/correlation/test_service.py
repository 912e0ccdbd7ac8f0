"""Links are made at once when either side arrives, are read from both, and merge nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from domain.cameras import observations
from domain.correlation import rules, service
from domain.incidents import service as incidents
from tests.factories.cameras import NOON, camera, seen, sos

pytestmark = pytest.mark.usefixtures("documents")


def others(incident_id: str) -> list[str]:
    return [each["other"]["id"] for each in incidents.get(incident_id).get("correlations") or []]


def sight(key: str, *findings: tuple[str, float], at: Any = NOON) -> str:
    made = camera("one", source={"kind": "gateway"})
    return str(observations.of_gateway(made, key, "f", seen("seen", *findings), at=at, now=at)[0]["_id"])


def test_two_incidents_are_linked_when_the_second_arrives() -> None:
    first = sos("a")
    service.link_incident(first, now=NOON)
    assert others(first) == []
    second = sos("b", metres=40, at=NOON + timedelta(minutes=1))
    service.link_incident(second, now=NOON)
    assert (others(first), others(second)) == ([second], [first])
    [link] = incidents.get(first)["correlations"]
    assert link["other"] == {"kind": "incident", "id": second}
    assert {reason["kind"] for reason in link["reasons"]} == {"distance", "time", "category"}
    assert service.of(second)[0]["score"] == link["score"]
    assert incidents.get(first)["status"] == incidents.get(second)["status"] == "open"
    assert incidents.get(second).get("merged_into") is None


@pytest.mark.parametrize("incident_first", [True, False])
def test_an_observation_and_an_incident_in_either_order(incident_first: bool) -> None:
    steps: list[Callable[[], Any]] = [
        lambda: service.link_incident(sos("a", category="medical"), now=NOON),
        lambda: service.link_observation(sight("key-1", ("lying", 0.9)), now=NOON),
    ]
    for step in steps if incident_first else reversed(steps):
        step()
    observation = sight("key-1", ("lying", 0.9))
    incident = sos("a", category="medical")
    assert others(incident) == [observation]
    assert [each["other"]["id"] for each in service.of(observation)] == [incident]
    assert "lying" in [reason.get("finding") for reason in incidents.get(incident)["correlations"][0]["reasons"]]


def test_both_arriving_at_once_are_linked_once() -> None:
    ids = [sos(f"k{n}", metres=n) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: service.link_incident(each, now=NOON), ids))
    assert service.links().count_documents({}) == 15
    assert all(set(others(each)) == set(ids) - {each} for each in ids)


def test_again_changes_nothing() -> None:
    first, second = sos("a"), sos("b")
    service.link_incident(second, now=NOON)
    version = incidents.get(first)["version"]
    assert service.link_incident(second, now=NOON + timedelta(minutes=1)) == 1
    assert incidents.get(first)["version"] == version


def test_an_incident_keeps_its_best_twenty() -> None:
    middle = sos("m")
    near = [sos(f"n{n}", metres=5 + n) for n in range(22)]
    far = [sos(f"f{n}", metres=200 + n) for n in range(5)]
    service.link_incident(middle, now=NOON)
    assert others(middle) == near[:20]
    assert not set(others(far[0])) & {middle}
    scores = [each["score"] for each in incidents.get(middle)["correlations"]]
    assert scores == sorted(scores, reverse=True)
    version = incidents.get(middle)["version"]
    service.link_incident(sos("far", metres=300), now=NOON)
    assert incidents.get(middle)["version"] == version  # twenty better ones: nothing that a viewer sees has changed
    late = sos("late", metres=1)
    service.link_incident(late, now=NOON)
    assert others(middle)[0] == late
    assert len(others(middle)) == rules.KEPT


def test_a_category_that_becomes_known_changes_the_score_on_both_sides() -> None:
    first, second = sos("a", category="unspecified"), sos("b")
    service.link_incident(first, now=NOON)
    before = service.of(second)[0]["score"]
    incidents.incidents().update_one({"_id": first}, {"$set": {"category": "robbery"}})
    service.link_incident(first, now=NOON)
    after = service.of(second)[0]["score"]
    assert after > before
    assert [incidents.get(each)["correlations"][0]["score"] for each in (first, second)] == [after, after]
    assert len(incidents.get(second)["correlations"]) == 1


def test_a_practice_and_a_place_unknown_are_linked_with_nothing() -> None:
    real = sos("a")
    for other in (sos("p", flags=("practice",)), sos("q", position=None)):
        assert service.link_incident(other, now=NOON) == 0
    service.link_incident(real, now=NOON)
    assert others(real) == []


def test_links_of_what_is_no_longer_kept_go_with_it() -> None:
    incident = sos("a")
    observation = sight("key-1", ("fall", 0.9))
    service.link_observation(observation, now=NOON)
    assert service.forget([observation]) == 1
    assert service.of(incident) == []
    assert service.forget([]) == 0
