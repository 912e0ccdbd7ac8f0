"""How much may be asked for at once, what a recorder's files cover, and why the rest is missing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import Invalid
from domain.evidence import rules
from domain.evidence.rules import Recording, Segment, answer
from domain.evidence.states import Found, Why

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=10)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def held(*spans: tuple[float, float]) -> tuple[Segment, ...]:
    return tuple(Segment(Path(f"{start}.mp4"), at(start), seconds) for start, seconds in spans)


def said(recording: Recording, seconds: float = 60.0, now: datetime = LATER) -> tuple[str, list[tuple[float, float, str]]]:
    found = answer(recording, NOON, seconds, now=now)
    missing = [((each["start"] - NOON).total_seconds(), each["seconds"], each["why"]) for each in found.missing]
    return str(found.found), missing


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        (Recording(held((0, 30), (30, 30)), at(-600)), ("whole", [])),
        (Recording(held((-5, 30), (26, 40)), at(-600)), ("whole", [])),  # recorders close a file and open the next
        (Recording(held((20, 40)), at(20)), ("part", [(0, 20, "overwritten")])),
        (Recording(held((0, 20), (40, 20)), at(-600)), ("part", [(20, 20, "unknown")])),
        (Recording(held((0, 20)), at(-9), down=((at(20), at(900)),)), ("part", [(20, 40, "down")])),
        (
            Recording(held((0, 10), (50, 10)), at(-9), down=((at(5), at(30)),)),
            ("part", [(10, 20, "down"), (30, 20, "unknown")]),
        ),
        (
            Recording(held((40, 20)), at(40), down=((at(-50), at(20)),)),
            ("part", [(0, 40, "overwritten")]),
        ),
        (Recording(why=Why.NOT_RECORDED), ("nothing", [(0, 60, "not_recorded")])),
        (Recording(held((120, 20)), at(120)), ("nothing", [(0, 60, "overwritten")])),
    ],
)
def test_what_is_there_and_why_the_rest_is_not(recording: Recording, expected: tuple[str, list[object]]) -> None:
    assert said(recording) == expected


def test_the_last_seconds_may_be_in_a_file_that_is_still_written() -> None:
    recording = Recording(held((0, 50)), at(-9))
    assert said(recording, now=at(61)) == ("part", [(50, 10, "not_yet")])
    assert said(recording, now=at(90)) == ("part", [(50, 10, "unknown")])


def test_only_files_of_the_time_are_taken() -> None:
    recording = Recording(held((-20, 20), (-0.5, 10), (59, 10), (60, 10)), at(-20))
    assert [str(each.path) for each in answer(recording, NOON, 60.0, now=LATER).take] == ["-0.5.mp4", "59.mp4"]
    assert answer(recording, NOON, 60.0, now=LATER).found is Found.PART
    assert rules.offsets(recording.segments, NOON) == [-20.0, -0.5, 59.0, 60.0]


@pytest.mark.parametrize(
    ("start", "seconds", "field"),
    [
        (0, 0, "until"),
        (0, -1, "until"),
        (0, rules.MOST_SECONDS + 1, "until"),
        (580, 60, "until"),  # has not come yet
        (-rules.BEFORE.total_seconds() - 1, 60, "since"),
        (rules.AFTER.total_seconds(), 60, "since"),
    ],
)
def test_a_time_is_short_and_near_the_incident(start: float, seconds: float, field: str) -> None:
    now = LATER if start < 600 else NOON + rules.AFTER * 2
    with pytest.raises(Invalid) as refused:
        rules.check_time(at(start), seconds, raised_at=NOON, now=now)
    assert list(refused.value.data["errors"]) == [field]


def test_what_is_within_the_bounds_is_fine() -> None:
    rules.check_time(at(0), rules.MOST_SECONDS, raised_at=NOON, now=LATER)
    rules.check_place(rules.MOST_AWAY_M, rules.MOST_RADIUS_M)


@pytest.mark.parametrize(("away", "radius", "field"), [(0, 301, "radius_m"), (0, 0, "radius_m"), (1001, 50, "position")])
def test_an_area_is_small_and_near_the_incident(away: float, radius: float, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check_place(away, radius)
    assert list(refused.value.data["errors"]) == [field]
