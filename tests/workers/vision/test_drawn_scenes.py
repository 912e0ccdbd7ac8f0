"""What the real detectors say of drawn footage: the scenes of the demo show what they are named after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Look = Callable[..., dict[str, Any]]
Clip = Callable[..., Path]


def kinds(answer: dict[str, Any]) -> set[str]:
    return {finding["kind"] for finding in answer["summary"]["findings"]}


def test_a_person_who_falls_is_seen_lying(look: Look, clip: Clip) -> None:
    answer = look(kind="file", path=str(clip("fall")))
    assert (answer["status"], answer["verdict"]) == ("ok", "seen")
    assert answer["summary"]["people_max"] == 1
    lying = next(f for f in answer["summary"]["findings"] if f["kind"] == "lying")
    assert lying["confidence"] > 0.8
    assert lying["ask"] is True
    assert 2.0 < lying["t"] < 4.5  # goes down at 2.4 s
    assert "fall" in kinds(answer)
    assert any(still["why"] == "lying" for still in answer["still_details"])


def test_a_person_who_walks_is_seen_and_does_not_lie(look: Look, clip: Clip) -> None:
    answer = look(kind="file", path=str(clip("walk")))
    assert answer["verdict"] == "seen"
    assert answer["summary"]["people_max"] == 1
    assert kinds(answer) == set()
    assert answer["summary"]["motion"] > 0
    tracks = {d["track"] for d in answer["detections"] if d["kind"] == "person"}
    assert len(tracks) == 1  # one somebody, one number


def test_an_empty_street_is_clear(look: Look, clip: Clip) -> None:
    answer = look(kind="file", path=str(clip("empty")))
    assert (answer["status"], answer["verdict"]) == ("ok", "clear")
    assert answer["summary"]["people_max"] == 0
    assert kinds(answer) == set()


def test_raised_hands_are_seen(look: Look, clip: Clip) -> None:
    answer = look(kind="file", path=str(clip("hands_up")))
    assert "hands_up" in kinds(answer)
    assert "lying" not in kinds(answer)


def test_a_crowd_is_more_than_one(look: Look, clip: Clip) -> None:
    answer = look(kind="file", path=str(clip("crowd")))
    assert answer["summary"]["people_max"] >= 3
    assert "fall" not in kinds(answer)


@pytest.mark.parametrize("scene", ["dark", "covered", "frozen"])
def test_a_camera_that_cannot_see_never_says_clear(look: Look, clip: Clip, scene: str) -> None:
    answer = look(kind="file", path=str(clip(scene)))
    assert answer["verdict"] == "cannot_tell"
    flags = {name for name, value in answer["health"].items() if value is True}
    assert flags == {scene}


def test_people_are_placed_in_zones_by_their_feet(look: Look, clip: Clip) -> None:
    zones = {"sky": [[0, 0], [1, 0], [1, 0.4], [0, 0.4]], "road": [[0, 0.6], [1, 0.6], [1, 1], [0, 1]]}
    answer = look(kind="file", path=str(clip("walk")), config={"zones": zones})
    assert {d["zone"] for d in answer["detections"] if d["kind"] == "person"} == {"road"}


def test_nobody_is_seen_behind_a_mask(look: Look, clip: Clip) -> None:
    everything_below = [[[0, 0.2], [1, 0.2], [1, 1], [0, 1]]]
    answer = look(kind="file", path=str(clip("walk")), config={"masks": everything_below})
    assert answer["summary"]["people_max"] == 0


def test_the_document_is_json_with_all_that_was_promised(look: Look, clip: Clip) -> None:
    import hashlib
    import json

    path = clip("walk")
    answer = look(kind="file", path=str(path))
    stills = answer.pop("stills")
    json.dumps(answer)
    assert answer["frames"] == {"declared": 48, "decoded": 48, "judged": 36}
    assert answer["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert {d["name"] for d in answer["detectors"]} == {
        "people",
        "pose",
        "faces",
        "light",
        "motion",
        "crowd",
        "running",
    }
    assert all(len(d["parameters"]) == 12 for d in answer["detectors"])
    assert [hashlib.sha256(still).hexdigest() for still in stills] == [s["sha256"] for s in answer["still_details"]]
    assert {"decode", "motion", "people", "poses", "faces"} <= set(answer["timings_ms"])
    for detection in answer["detections"]:
        assert all(0 <= value <= 1 for value in detection["bbox"])
