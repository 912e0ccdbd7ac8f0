"""Tracks: in any order, some of it twice, from clocks that are wrong, and however much of it."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import bson
import pytest

from domain.tracks import service as tracks
from tests.factories.incidents import NOON

pytestmark = pytest.mark.usefixtures("documents")


def point(at: datetime | None, lat: float = 31.5) -> dict[str, Any]:
    return {"lat": lat, "lon": 74.3, "accuracy_m": 12.5, "captured_at": at}


def test_points_in_any_order_and_again_are_one_track() -> None:
    times = [NOON + timedelta(seconds=7.25 * number) for number in range(150)]
    points = [point(at, 31.5 + number / 10_000) for number, at in enumerate(times)]
    chance = random.Random(1)
    for _ in range(3):
        batch = points[:]
        chance.shuffle(batch)
        for start in range(0, 150, 50):
            tracks.add("lahore", "inc_1", batch[start : start + 50], now=NOON + timedelta(hours=1))
    found = tracks.read("inc_1")
    assert [each["captured_at"] for each in found] == times  # to the millisecond
    assert [each["lat"] for each in found] == [each["lat"] for each in points]
    late = point(NOON - timedelta(hours=20))
    tracks.add("lahore", "inc_1", [late], now=NOON + timedelta(hours=2))
    assert tracks.read("inc_1")[0]["captured_at"] == late["captured_at"]
    assert [each["captured_at"] for each in tracks.read("inc_1", after=times[-3])] == times[-2:]


def test_points_without_a_time_are_as_many_as_came() -> None:
    tracks.add("lahore", "inc_1", [point(None, 31.5 + n / 1000) for n in range(100)], now=NOON)
    found = tracks.read("inc_1")
    assert len(found) == 100
    assert (found[-1]["captured_at"], found[-1]["lat"]) == (NOON, 31.599)


def test_a_quarter_of_an_hour_is_a_small_document_whatever_is_sent() -> None:
    """A thousand times as many as a phone sends: the same second is the same point, the last of it stands."""
    chance = random.Random(2)
    for number in range(60):
        batch = [point(NOON + timedelta(seconds=chance.uniform(0, 899))) for _ in range(100)]
        tracks.add("lahore", "inc_1", batch, now=NOON + timedelta(seconds=number))
    (row,) = tracks.tracks().find({"subject": "inc_1"})
    assert 850 < len(row["points"]) <= 900
    assert len(bson.encode(row)) < 100_000
    twice = [point(NOON + timedelta(milliseconds=100)), point(NOON + timedelta(milliseconds=900), 31.6)]
    tracks.add("lahore", "unt_1", twice, now=NOON)
    (kept,) = tracks.read("unt_1")
    assert (kept["lat"], kept["captured_at"]) == (31.6, NOON + timedelta(milliseconds=900))


def test_a_day_has_so_many_new_quarters_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times made up over ten years: what is over is let go, and what was there goes on."""
    monkeypatch.setattr(tracks, "QUARTERS_A_DAY", 20)
    chance = random.Random(3)
    tracks.add("lahore", "inc_1", [point(NOON)], now=NOON)
    for _ in range(5):
        batch = [point(NOON - timedelta(hours=chance.uniform(1, 90_000))) for _ in range(100)]
        tracks.add("lahore", "inc_1", batch, now=NOON)
    assert len(list(tracks.tracks().find({"subject": "inc_1"}))) == 20
    last = NOON + timedelta(minutes=3)
    tracks.add("lahore", "inc_1", [point(NOON - timedelta(days=999)), point(last)], now=last)
    assert tracks.read("inc_1")[-1]["captured_at"] == last
    tomorrow = NOON + timedelta(hours=25)
    tracks.add("lahore", "inc_1", [point(tomorrow)], now=tomorrow)
    assert tracks.read("inc_1")[-1]["captured_at"] == tomorrow
    tracks.add("lahore", "inc_2", [point(NOON)], now=NOON)  # each track has a day of its own
    assert len(tracks.read("inc_2")) == 1


def test_many_batches_at_once_lose_nothing() -> None:
    batches = [[point(NOON + timedelta(seconds=n * 100 + each)) for each in range(100)] for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda batch: tracks.add("lahore", "inc_1", batch, now=NOON), batches * 2))
    assert len(tracks.read("inc_1", limit=5000)) == 1600


def test_a_copy_has_the_same_points_and_again_adds_none() -> None:
    tracks.add("lahore", "jrn_1", [point(NOON + timedelta(seconds=n)) for n in range(3)], now=NOON)
    for _ in range(2):
        tracks.copy("jrn_1", "inc_1", city="lahore")
    assert tracks.read("inc_1") == tracks.read("jrn_1")
