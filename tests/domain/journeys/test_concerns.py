"""What of a track worries: each concern begins once, and is over only when it clearly is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import geo
from domain.journeys import concerns
from domain.journeys.concerns import Point, Seen
from domain.journeys.states import Concern

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
START = (31.5102, 74.3441)
GOAL = geo.destination(*START, 0.0, 5000.0)
DESTINATION = {"lat": GOAL[0], "lon": GOAL[1]}
ROUTE = [list(START), list(GOAL)]


def point(minutes: float, north: float, *, east: float = 0.0, accuracy_m: float = 5.0) -> Point:
    lat, lon = geo.destination(*START, 0.0, north)
    lat, lon = geo.destination(lat, lon, 90.0, east)
    return Point(lat, lon, NOON + timedelta(minutes=minutes), accuracy_m)


def look(points: list[Point], *, before: Seen | None = None, active: tuple[str, ...] = (), **fields: Any) -> Seen:
    watch = before.watch if before else {}
    now = fields.pop("now", max(each.at for each in points))
    return concerns.look(
        points, watch=watch, active=active, destination=DESTINATION, route=fields.pop("route", []), now=now
    )


def test_a_steady_walk_worries_nobody() -> None:
    assert look([point(minute, 80 * minute) for minute in range(60)], route=ROUTE).begun == []


def test_a_halt_of_minutes_is_told_once_and_over_when_she_walks_on() -> None:
    seen = look([point(0, 0), point(1, 200), *(point(minute, 210) for minute in range(2, 12))])
    assert seen.begun == [Concern.STOPPED]
    drift = look([point(12, 290)], before=seen, active=("stopped",))
    assert (drift.begun, drift.over) == ([], []), "between the thresholds nothing changes"
    assert look([point(13, 400)], before=drift, active=("stopped",)).over == [Concern.STOPPED]


def test_who_has_not_set_out_has_not_stopped() -> None:
    assert look([point(minute, 3) for minute in range(30)]).begun == []


def test_standing_before_ones_own_door_is_no_halt() -> None:
    assert look([point(0, 0), *(point(minute, 4900) for minute in range(1, 30))]).begun == []


def test_a_red_light_is_no_halt() -> None:
    assert look([point(0, 0), point(1, 300), point(2, 300), point(4, 305), point(5, 700)]).begun == []


def test_leaving_the_route_needs_more_than_one_wild_position() -> None:
    assert look([point(0, 0), point(1, 500, east=2000), point(2, 700)], route=ROUTE).begun == []
    seen = look([point(0, 0), *(point(minute, 500, east=350 + 80 * minute) for minute in range(1, 4))], route=ROUTE)
    assert seen.begun == [Concern.OFF_ROUTE]
    near = look([point(4, 600, east=200)], before=seen, active=("off_route",), route=ROUTE)
    assert (near.begun, near.over) == ([], [])
    assert look([point(5, 700, east=100)], before=near, active=("off_route",), route=ROUTE).over == [Concern.OFF_ROUTE]


def test_without_a_route_nobody_leaves_it() -> None:
    far = [point(minute, 0, east=400.0 * minute) for minute in range(8)]
    assert look(far).begun == []


def test_a_vague_position_is_not_believed() -> None:
    wild = [point(minute, 500, east=500, accuracy_m=400) for minute in range(6)]
    assert Concern.OFF_ROUTE not in look(wild, route=ROUTE).begun


def test_a_batch_that_was_held_up_for_long_begins_nothing() -> None:
    track = [point(0, 0), point(1, 200), *(point(minute, 210) for minute in range(2, 12))]
    assert look(track, now=NOON + timedelta(hours=1)).begun == []


@given(st.permutations(range(10)))
def test_the_order_of_a_batch_does_not_matter(order: list[int]) -> None:
    track = [point(minute, 100.0 if minute else 0.0) for minute in range(10)]
    assert look([track[index] for index in order]).begun == look(track).begun


def test_points_that_were_looked_at_change_nothing() -> None:
    seen = look([point(0, 0), point(5, 400)])
    assert look([point(2, 0), point(5, 0)], before=seen, now=NOON + timedelta(minutes=6)).watch == seen.watch


@pytest.mark.parametrize(
    ("pct", "active", "found"),
    [(16, (), (False, False)), (15, (), (True, False)), (20, ("battery_low",), (False, False)),
     (25, ("battery_low",), (False, True)), (10, ("battery_low",), (False, False)), (None, (), (False, False))],
)  # fmt: skip
def test_a_battery_is_low_until_it_is_clearly_charged(
    pct: float | None, active: tuple[str, ...], found: tuple[bool, bool]
) -> None:
    assert concerns.battery(pct, active) == found


def test_the_distance_to_a_line() -> None:
    lat, lon = geo.destination(*START, 0.0, 2000.0)
    lat, lon = geo.destination(lat, lon, 90.0, 300.0)
    assert concerns.to_route_m(lat, lon, ROUTE) == pytest.approx(300, rel=0.01)
    beyond = geo.destination(*GOAL, 0.0, 400.0)
    assert concerns.to_route_m(*beyond, ROUTE) == pytest.approx(400, rel=0.01)
    assert concerns.to_route_m(*START, [ROUTE[0], ROUTE[0]]) == 0
