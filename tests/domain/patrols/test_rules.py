"""When a patrol is, who is at its beat, when people are reminded, and where nobody walks, as tables."""

import contextlib
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import geo
from domain.campaigns import rules as campaigns
from domain.campaigns.errors import CampaignInvalid
from domain.cities import queries as cities
from domain.patrols import rules
from domain.patrols.errors import BeatInvalid, PatrolInvalid
from domain.patrols.states import BeatKind, PlaceStatus

KARACHI, BERLIN = ZoneInfo("Asia/Karachi"), ZoneInfo("Europe/Berlin")
PLACE = (31.5102, 74.3441)
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # noon in Lahore


def square(half_m: float) -> dict[str, Any]:
    corners = [geo.destination(*PLACE, bearing, half_m * 1.4142) for bearing in (45.0, 135.0, 225.0, 315.0, 45.0)]
    return {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in corners]]}


AREA = square(500.0)
ROUTE = {
    "type": "LineString",
    "coordinates": [list(geo.destination(*PLACE, 90.0, metres))[::-1] for metres in (-200.0, 0.0, 200.0)],
}


@pytest.mark.parametrize(
    ("since", "until", "hours"), [("22:00", "23:30", 1.5), ("22:00", "01:00", 3.0), ("23:59", "00:14", 0.25)]
)
def test_a_patrol_may_pass_midnight(since: str, until: str, hours: float) -> None:
    starts, ends = rules.span(date(2026, 11, 24), time.fromisoformat(since), time.fromisoformat(until), KARACHI)
    assert (ends - starts) == timedelta(hours=hours)
    assert f"{starts.astimezone(KARACHI):%Y-%m-%d %H:%M}" == f"2026-11-24 {since}"


@pytest.mark.parametrize(("since", "until"), [("22:00", "22:10"), ("08:00", "20:30"), ("08:00", "08:00")])
def test_neither_too_short_nor_too_long(since: str, until: str) -> None:
    with pytest.raises(PatrolInvalid):
        rules.span(date(2026, 11, 24), time.fromisoformat(since), time.fromisoformat(until), KARACHI)


def test_where_clocks_are_changed_an_hour_that_is_left_out_is_refused() -> None:
    with pytest.raises(PatrolInvalid) as refused:
        rules.span(date(2027, 3, 28), time(2, 30), time(5, 0), BERLIN)
    assert list(refused.value.data["errors"]) == ["since"]
    starts, ends = rules.span(date(2026, 10, 25), time(1, 0), time(4, 0), BERLIN)
    assert ends - starts == timedelta(hours=4), "the night has an hour more"


@pytest.mark.parametrize(
    ("begins", "reminded"),
    [
        ("2026-11-23 18:00", "2026-11-23 16:00"),
        ("2026-11-24 03:00", "evening before"),
        ("2026-11-23 13:00", None),  # less than two hours ahead: who signs up now knows
    ],
)
def test_nobody_is_reminded_in_the_middle_of_the_night(begins: str, reminded: str | None) -> None:
    config = cities.current("lahore")
    starts = datetime.fromisoformat(begins).replace(tzinfo=KARACHI).astimezone(UTC)
    at = rules.reminder_at(starts, config, now=NOW)
    if reminded == "evening before":
        sleeps = datetime.combine(date(2026, 11, 23), config.quiet.since, KARACHI)
        assert at == sleeps - rules.BEFORE_SLEEP
    else:
        assert (at and f"{at.astimezone(KARACHI):%Y-%m-%d %H:%M}") == reminded


@pytest.mark.parametrize(
    ("shape", "metres", "accuracy_m", "at_it"),
    [
        (square(100.0), 0.0, 5.0, True),
        (square(100.0), 140.0, 5.0, True),
        (square(100.0), 170.0, 5.0, False),
        (square(100.0), 230.0, 90.0, True),
        (square(100.0), 300.0, 190.0, False),
        (square(100.0), 0.0, 250.0, False),  # a phone that knows nothing
        (ROUTE, 200.0, 5.0, True),
        (ROUTE, 240.0, 5.0, True),
        (ROUTE, 270.0, 5.0, False),
    ],
)
def test_who_is_at_the_beat(shape: dict[str, Any], metres: float, accuracy_m: float, at_it: bool) -> None:
    lat, lon = geo.destination(*PLACE, 90.0, metres)
    assert rules.is_at(shape, lat, lon, accuracy_m) is at_it


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ({}, PlaceStatus.SIGNED_UP),
        ({"offered_at": NOW}, PlaceStatus.OFFERED),
        ({"missed_at": NOW}, PlaceStatus.MISSED),
        ({"checked_in_at": NOW, "on_time": True}, PlaceStatus.CHECKED_IN),
        ({"checked_in_at": NOW, "on_time": False}, PlaceStatus.LATE),
    ],
)
def test_how_somebody_stands_to_a_patrol(place: dict[str, Any], status: PlaceStatus) -> None:
    assert rules.place_status(place) == status


def test_hours_with_nobody_are_those_on_which_nobody_signed_up() -> None:
    def patrol(key: str, day: int, hour: int, people: list[str]) -> dict[str, Any]:
        starts = datetime(2026, 11, 23 + day, hour, tzinfo=KARACHI).astimezone(UTC)
        return {"_id": key, "starts_at": starts, "ends_at": starts + timedelta(hours=2), "people": people}

    patrols = [patrol("a", 0, 20, ["x"]), patrol("b", 1, 20, ["y"]), patrol("c", 1, 23, []), patrol("d", 0, 6, ["x"])]
    found = rules.coverage(patrols, NOW, 2, KARACHI)
    assert (found.planned_h, found.covered_h, found.empty) == (8.0, 6.0, ("c",))
    assert set(range(24)) - set(found.never) == {6, 7, 20, 21}
    assert found.sometimes == (6, 7)


def test_a_beat_is_kept_as_it_was_drawn() -> None:
    assert rules.beat_shape(ROUTE, AREA)[0] == BeatKind.ROUTE
    kind, kept = rules.beat_shape(square(50.0), AREA)
    assert (kind, kept["type"], len(kept["coordinates"][0])) == (BeatKind.AREA, "Polygon", 5)


_number = st.one_of(st.floats(), st.integers(-400, 400), st.just("x"), st.none(), st.floats(74.339, 74.349))
_corners = st.lists(st.lists(_number, max_size=4), max_size=8)


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(["Polygon", "LineString", "Point", None]), corners=_corners, nested=st.booleans())
def test_whatever_is_drawn_it_is_a_beat_or_is_refused(kind: Any, corners: Any, nested: bool) -> None:
    with contextlib.suppress(BeatInvalid):
        assert rules.beat_shape({"type": kind, "coordinates": [corners] if nested else corners}, AREA)[0] in BeatKind


@pytest.mark.parametrize(("count", "told"), [(0, 0), (4, 0), (5, 5), (9, 5), (10, 10), (1234, 1230)])
def test_no_number_tells_of_fewer_than_k(count: int, told: int) -> None:
    assert campaigns.told(count, 5) == told


@pytest.mark.parametrize("hours", [[-1], [24 * 200], [5, 6], [48, 24]])
def test_a_series_is_ahead_in_order_and_pesters_nobody(hours: list[int]) -> None:
    with pytest.raises(CampaignInvalid):
        campaigns.check_times([NOW + timedelta(hours=each) for each in hours], now=NOW)
