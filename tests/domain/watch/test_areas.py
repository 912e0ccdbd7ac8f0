"""Areas of groups, whatever somebody draws: taken as valid polygons of a city, or refused by name. And who succeeds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from domain import geo
from domain.alerts import area as areas
from domain.watch import founding, rules
from domain.watch.errors import GroupInvalid
from domain.watch.rules import Heir, Next
from domain.watch.states import GroupRole

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LAHORE = geo.Region.from_geojson(
    {"type": "Polygon", "coordinates": [[[74.2, 31.4], [74.5, 31.4], [74.5, 31.7], [74.2, 31.7], [74.2, 31.4]]]}
)


@pytest.fixture(autouse=True)
def one_city(monkeypatch: pytest.MonkeyPatch) -> None:
    """The boundary of a city that is not asked of the store."""
    monkeypatch.setattr("domain.cities.queries.boundary", lambda _: LAHORE)


def ring(*corners: tuple[float, float]) -> list[list[float]]:
    return [[lon, lat] for lon, lat in (*corners, corners[0])]


OUTER = ring((74.34, 31.50), (74.35, 31.50), (74.35, 31.51), (74.34, 31.51))
HOLE = ring((74.343, 31.503), (74.346, 31.503), (74.346, 31.506), (74.343, 31.506))
OUTSIDE = ring((74.36, 31.503), (74.37, 31.503), (74.37, 31.506), (74.36, 31.506))


def test_a_hole_stays_one() -> None:
    kept = founding.checked_area({"type": "Polygon", "coordinates": [OUTER, HOLE]}, "lahore")
    assert len(kept["coordinates"]) == 2


@pytest.mark.parametrize(
    "coordinates",
    [
        [ring((74.34, 31.5), (74.35, 31.51), (74.35, 31.5), (74.34, 31.51))],
        [OUTER, OUTSIDE],
        [OUTER, HOLE, HOLE],
        [ring((179.9, 31.5), (-179.9, 31.5), (-179.9, 31.6), (179.9, 31.6))],
        [ring(*((74.34 + n * 1e-6, 31.5 + n % 2 * 0.01) for n in range(10_000)))],
        [OUTER] * 10_000,
        [[[74.34, 31.5, 1e308], [74.35, 31.5], [74.35, 31.51]]],
    ],
    ids=["crosses itself", "hole outside", "a hole twice", "antimeridian", "10,000 corners", "10,000 rings", "mixed"],
)
def test_what_cannot_be_is_refused_by_name(coordinates: Any) -> None:
    with pytest.raises(GroupInvalid) as refused:
        founding.checked_area({"type": "Polygon", "coordinates": coordinates}, "lahore")
    assert list(refused.value.data["errors"]) == ["area"]


NUMBER = (
    st.floats(allow_nan=True, allow_infinity=True)
    | st.integers(-400, 400)
    | st.floats(74.3, 74.4)
    | st.floats(31.4, 31.5)
)
POINT = st.lists(NUMBER, max_size=4) | st.tuples(st.floats(74.30, 74.36), st.floats(31.48, 31.54)).map(list)
ANYTHING = st.none() | st.text(max_size=3) | st.booleans() | NUMBER


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["Polygon", "MultiPolygon"]),
    st.lists(st.lists(POINT, max_size=8), max_size=3)
    | st.recursive(ANYTHING, lambda inner: st.lists(inner, max_size=4)),
)
def test_whatever_is_drawn_is_an_area_or_refused(kind: str, coordinates: Any) -> None:
    try:
        kept = founding.checked_area({"type": kind, "coordinates": coordinates}, "lahore")
    except GroupInvalid:
        return
    found = shape(kept)
    assert found.is_valid
    assert areas.LEAST_M2 * 0.9 <= areas.square_metres(found) <= founding.MOST_M2 * 1.1


DAY = timedelta(days=1)


def heir(name: str, *, role: GroupRole = GroupRole.MEMBER, years: float = 1.0, seen: float | None = 1.0) -> Heir:
    return Heir(name, role, NOW - 365 * DAY * years, None if seen is None else NOW - DAY * seen)


HEIRS = [
    heir("newer"),
    heir("older", years=3),
    heir("deputy", role=GroupRole.DEPUTY, years=0.1),
    heir("gone", years=9, seen=None),
    heir("silent", role=GroupRole.DEPUTY, years=9, seen=31),
]


@pytest.mark.parametrize(
    ("succession", "seen", "expected", "person", "days"),
    [
        ({}, 29.0, Next.WAIT, "", 1.0),
        ({}, 31.0, Next.WARN, "", 3.0),
        ({"warned_at": NOW}, 1.0, Next.WAIT, "", 29.0),
        ({"warned_at": NOW}, 31.0, Next.ASK, "deputy", 3.0),
        ({"tried": ["deputy"]}, 31.0, Next.ASK, "older", 3.0),
        ({"tried": ["deputy", "older"]}, 31.0, Next.ASK, "newer", 3.0),
        ({"tried": ["deputy", "older", "newer"]}, 31.0, Next.NOBODY, "", 14.0),
        ({}, None, Next.ASK, "deputy", 3.0),
    ],
    ids=["here", "silent", "came back", "the deputy", "the longest-standing", "the next", "nobody", "erased"],
)
def test_who_is_asked(succession: dict[str, Any], seen: float | None, expected: Next, person: str, days: float) -> None:
    found = rules.look(succession, None if seen is None else NOW - DAY * seen, HEIRS, now=NOW)
    assert (found.next, found.person, found.due) == (expected, person, NOW + DAY * days)
