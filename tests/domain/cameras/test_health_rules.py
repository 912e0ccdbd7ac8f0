"""What is said of a camera's health does not flicker, and many blind cameras do not ring hundreds of times."""

import random
from datetime import timedelta
from typing import Any

import pytest

from domain.cameras import coverage, health_rules
from domain.cameras.health_rules import Sample, after, of_report, resemblance, to_tell
from domain.cameras.states import HealthState
from domain.notices.states import NoticeKind
from tests.factories.cameras import NOON

OK, DOWN, IMPAIRED = HealthState.OK, HealthState.DOWN, HealthState.IMPAIRED
S = timedelta(seconds=1)


def scene(seed: int) -> list[int]:
    return [random.Random(seed * 1000 + index).randrange(256) for index in range(192)]


def lived(*samples: tuple[float, HealthState]) -> list[str]:
    """The state that is shown after each of (second, state)."""
    record: dict[str, Any] = {}
    shown = []
    for second, state in samples:
        record |= after(record, Sample(NOON + second * S, state, () if state is OK else ("dark",)))
        shown.append(str(record["state"]))
    return shown


@pytest.mark.parametrize(
    ("samples", "shown"),
    [
        ([(0, OK)], ["ok"]),
        ([(0, DOWN)], ["down"]),
        ([(0, OK), (4, DOWN), (8, OK), (12, DOWN), (16, OK)], ["ok"] * 5),
        ([(0, OK), (4, DOWN), (8, DOWN)], ["ok", "ok", "down"]),
        ([(0, OK), (4, IMPAIRED), (8, IMPAIRED), (12, IMPAIRED), (16, IMPAIRED)], ["ok"] * 4 + ["impaired"]),
        ([(0, OK), (4, IMPAIRED), (8, OK), (12, IMPAIRED), (16, OK), (20, IMPAIRED)], ["ok"] * 6),
        ([(0, DOWN), (4, OK), (8, OK), (12, OK), (16, OK)], ["down"] * 4 + ["ok"]),
        ([(0, OK), (60, IMPAIRED), (120, IMPAIRED), (180, IMPAIRED)], ["ok"] * 3 + ["impaired"]),
    ],
)
def test_a_state_is_believed_when_it_stays(samples: Any, shown: list[str]) -> None:
    assert lived(*samples) == shown


def test_since_is_when_it_began_and_not_when_it_was_believed() -> None:
    record: dict[str, Any] = {}
    for second in (0, 4, 8):
        record |= after(record, Sample(NOON + second * S, OK if second == 0 else DOWN, ("no_answer",)))
    assert (record["state"], record["reasons"], record["since"]) == ("down", ["no_answer"], NOON + 4 * S)
    assert record["last_frame_at"] == NOON
    assert not health_rules.is_to_be_told(record, NOON + 63 * S)
    assert health_rules.is_to_be_told(record, NOON + 64 * S)


def test_a_connection_that_was_just_lost_says_nothing_yet() -> None:
    lost = {"lost": "stream_ended"}
    assert of_report(lost, NOON, NOON + 19 * S) is None
    for last in (None, NOON - 1 * S):
        found = of_report(lost, last, NOON + 20 * S)
        assert found is not None
        assert (found.state, found.reasons) == (DOWN, ("stream_ended",))
    slow = of_report({"fps": 0.4, "luma": 90.0, "flags": ["dark"], "scene": None, "full": True}, NOON, NOON)
    assert slow is not None
    assert (slow.state, slow.reasons) == (IMPAIRED, ("dark", "slow", "disk_full"))


def test_a_turned_camera_is_moved_until_somebody_says_that_it_may() -> None:
    record: dict[str, Any] = {}
    street, wall = scene(1), scene(2)
    seen = []
    for second in range(0, 80, 4):
        looks_at = wall if second >= 20 else [max(0, value - second) for value in street]
        record |= after(record, Sample(NOON + second * S, OK, (), 12.0, 100.0, looks_at))
        seen.append((record["state"], record["reasons"]))
    assert seen[4] == ("ok", [])
    assert seen[5][0] == "ok", "one sample is a lorry"
    assert seen[-1] == ("impaired", ["moved"])
    record |= after(record, Sample(NOON + 90 * S, OK, (), 12.0, 30.0, scene(3)))
    assert record["reasons"] == ["moved"], "night is no reason to learn the wall"
    record |= {"scenes": {}}
    for second in range(100, 140, 4):
        record |= after(record, Sample(NOON + second * S, OK, (), 12.0, 100.0, wall))
    assert (record["state"], record["reasons"]) == ("ok", [])


def test_day_and_night_are_two_scenes() -> None:
    record: dict[str, Any] = {}
    for second, luma, seed in ((0, 100.0, 1), (4, 30.0, 2), (8, 100.0, 1), (12, 30.0, 2)):
        record |= after(record, Sample(NOON + second * S, OK, (), 12.0, luma, scene(seed)))
        assert record["reasons"] == []
        assert record["turning"] is None


def test_resemblance() -> None:
    assert resemblance(scene(1), scene(1)) == pytest.approx(1.0)
    assert abs(resemblance(scene(1), scene(2))) < 0.3
    assert resemblance([0] * 192, scene(1)) == 0.0
    assert resemblance([], scene(1)) == 0.0


def test_a_turned_camera_never_says_that_a_street_is_clear() -> None:
    clear = {"verdict": "clear", "health": {"reason": ""}}
    assert health_rules.judged(clear, {"reasons": ["dark"]}) == clear
    turned = health_rules.judged(clear, {"reasons": ["moved"]})
    assert (turned["verdict"], turned["health"]["moved"]) == ("cannot_tell", True)
    assert health_rules.judged({**clear, "verdict": "seen"}, {"reasons": ["moved"]})["verdict"] == "seen"


def test_a_hundred_cameras_that_go_dark_are_six_notices() -> None:
    blind = [("lahore", f"cam_{number}") for number in range(100)] + [("karachi", "cam_k")]
    found = to_tell(blind, (), open_ones=())
    assert len(found) == 7
    assert found[(NoticeKind.CAMERAS_BLIND, "lahore", "lahore")] == {"cameras": 95}
    assert (NoticeKind.CAMERA_BLIND, "cam_k", "karachi") in found
    told = {cause for kind, cause, _ in found if kind is NoticeKind.CAMERA_BLIND}
    assert to_tell(blind, told, open_ones=told) == found, "again is the same"
    seen_to = to_tell(blind, told, open_ones=told - {"cam_0"})
    assert len(seen_to) == 8, "one that somebody sees to makes room for the next"
    assert to_tell(blind[:3], told, open_ones=told).keys() == {
        (NoticeKind.CAMERA_BLIND, f"cam_{number}", "lahore") for number in range(3)
    }


def test_what_nobody_samples_is_unknown() -> None:
    record = {"_id": "cam", "state": "ok", "reasons": [], "since": NOON, "at": NOON}
    assert health_rules.as_known(record, NOON + 299 * S)["state"] == "ok"
    assert health_rules.as_known(record, NOON + 301 * S) | {"_id": ""} == {
        "_id": "", "state": "unknown", "reasons": ["not_watched"], "since": NOON, "at": NOON,
    }  # fmt: skip


def test_the_map_says_who_else_sees_the_place() -> None:
    def cam(name: str, bearing: float, lon: float) -> dict[str, Any]:
        from domain import geo

        return {
            "_id": name, "name": name, "position": {"lat": 31.51, "lon": lon}, "bearing_deg": bearing, "fov_deg": 60.0,
            "range_m": 100.0, "cells": geo.cells(31.51, lon)._asdict(),
        }  # fmt: skip

    cameras = [cam("down", 90.0, 74.34), cam("sound", 270.0, 74.341), cam("away", 90.0, 74.341), cam("new", 0.0, 74.4)]
    records: list[dict[str, Any]] = [
        {"_id": "down", "state": "down", "reasons": ["no_answer"], "since": NOON, "at": NOON},
        *({"_id": name, "state": "ok", "reasons": [], "since": NOON, "at": NOON} for name in ("sound", "away")),
    ]
    found = coverage.collection(cameras, records, NOON, blind_only=True)
    down, new = found["features"]
    assert (down["properties"]["also_seen_by"], new["properties"]["also_seen_by"]) == (1, 0)
    assert (down["properties"]["state"], new["properties"]["state"]) == ("down", "unknown")
    [ring] = down["geometry"]["coordinates"]
    assert ring[0] == ring[-1] == [74.34, 31.51]
    assert len(coverage.collection(cameras, records, NOON, blind_only=False)["features"]) == 4
