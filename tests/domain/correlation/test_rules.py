"""The score as a table: distance, time, category, what was seen, who told; the same from both sides."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import geo
from domain.cities import queries as cities
from domain.correlation import rules
from domain.correlation.rules import Subject, score

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = (31.5102, 74.3441)


def thing(name: str, *, metres: float = 0.0, seconds: float = 0.0, kind: str = "incident", **facts: Any) -> Subject:
    lat, lon = geo.destination(*PLACE, 30.0, metres)
    found: dict[str, Any] = {"kind": kind, "id": name, "city": "lahore", "lat": lat, "lon": lon}
    return Subject(**{**found, "at": NOON + timedelta(seconds=seconds), **facts})


def points(one: Subject, other: Subject) -> dict[str, float]:
    linked = score(one, other)
    found: dict[str, float] = {}
    for reason in linked.reasons if linked else ():
        found[reason["kind"]] = found.get(reason["kind"], 0.0) + reason["points"]
    return found


@pytest.mark.parametrize(
    ("metres", "seconds", "expected"),
    [
        (0, 0, {"distance": 0.4, "time": 0.3}),
        (150, 0, {"distance": 0.2, "time": 0.3}),
        (0, 300, {"distance": 0.4, "time": 0.15}),
        (150, 300, {"distance": 0.2, "time": 0.15}),
        (300, 0, {"distance": 0.1, "time": 0.3}),
        (1500, 0, {}),
        (0, 31 * 60, {}),
        (300, 600, {}),  # 0.1 + 0.075: noise
    ],
)
def test_distance_and_time(metres: float, seconds: float, expected: dict[str, float]) -> None:
    assert points(thing("a"), thing("b", metres=metres, seconds=seconds)) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("robbery", "robbery", 0.2),
        ("robbery", "shooting", 0.1),
        ("medical", "heart_or_breathing", 0.1),
        ("fire", "explosion", 0.1),
        ("robbery", "childbirth", None),
        ("unspecified", "unspecified", None),
        ("", "", None),
        ("robbery", "unspecified", None),
    ],
)
def test_category(one: str, other: str, expected: float | None) -> None:
    assert points(thing("a", category=one), thing("b", category=other)).get("category") == expected


@pytest.mark.parametrize(
    ("category", "findings", "people", "expected"),
    [
        ("medical", {"lying": 0.8}, 1, 0.2),
        ("unspecified", {"lying": 0.8}, 1, 0.2),
        ("stalking", {"lying": 0.8}, 1, 0.1),
        ("robbery", {"hands_up": 1.0}, 2, 0.25),
        ("medical", {"hands_up": 1.0}, 2, 0.125),
        ("road_accident", {"lying": 0.8, "fall": 0.4}, 1, 0.3),
        ("medical", {}, 3, 0.075),
        ("medical", {}, 0, None),
    ],
)
def test_what_was_seen(category: str, findings: dict[str, float], people: int, expected: float | None) -> None:
    sight = thing("obs", kind="observation", findings=findings, people=people)
    found = points(thing("inc", category=category), sight).get("seen")
    assert found == (pytest.approx(expected) if expected else None)


def test_who_told() -> None:
    one = thing("a", callers=frozenset({"per_1", "dev_1"}))
    assert points(one, thing("b", callers=frozenset({"dev_1"})))["person"] == 0.2
    assert "person" not in points(one, thing("b", callers=frozenset({"dev_2"})))
    assert "person" not in points(thing("a"), thing("b"))


def test_never_with_itself_or_another_city() -> None:
    assert score(thing("a"), thing("a")) is None
    assert score(thing("a"), thing("b", city="kasur")) is None


def test_a_score_is_the_sum_of_its_reasons_and_at_most_one() -> None:
    one = thing("a", category="robbery", callers=frozenset({"p"}))
    other = thing("b", category="robbery", callers=frozenset({"p"}))
    assert score(one, other) == rules.Linked(
        1.0,
        (
            {"kind": "distance", "points": 0.4, "metres": 0},
            {"kind": "time", "points": 0.3, "seconds": 0},
            {"kind": "category", "points": 0.2, "categories": ["robbery"]},
            {"kind": "person", "points": 0.2},
        ),
    )


subjects = st.builds(
    thing,
    st.text("abc", min_size=1, max_size=3),
    metres=st.floats(0, 1500),
    seconds=st.floats(-2000, 2000),
    kind=st.sampled_from(["incident", "observation", "report"]),
    category=st.sampled_from(["", "unspecified", "robbery", "medical", "assault"]),
    callers=st.frozensets(st.sampled_from("xy")),
    findings=st.dictionaries(st.sampled_from(["lying", "fall", "hands_up"]), st.floats(0, 1)),
    people=st.integers(0, 9),
)


@given(subjects, subjects)
def test_the_same_from_both_sides(one: Subject, other: Subject) -> None:
    found = score(one, other)
    assert found == score(other, one)
    if found:
        assert rules.MINIMUM <= found.score <= 1.0
        assert all(reason["points"] > 0 for reason in found.reasons)


@pytest.mark.parametrize("city", ["lahore", "karachi", "islamabad"])
def test_the_tables_speak_of_categories_that_the_city_has(city: str) -> None:
    known = set(cities.current(city).categories)
    named = set().union(*rules.SPEAKS_FOR.values(), *rules.KIN, rules.UNSAID - {""})
    assert named <= known
    assert all(len(kin) > 1 for kin in rules.KIN)
    assert not any(one == other for one, other in combinations(rules.KIN, 2))
