"""A city measures its own footage: what is compared, how it is counted, and what is wrong with a truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.vision import vision
from sandbox.footage import draw_clip
from tests.factories.onnx_files import bright_spot, described
from workers.vision.evaluate import BadTruth, Clip, Moment, Score, add, lines, matched, read_truth


def answer(
    *counts: tuple[float, int], findings: tuple[str, ...] = (), verdict: str = "seen", **more: Any
) -> dict[str, Any]:
    return {
        "verdict": verdict,
        "counts": [list(each) for each in counts],
        "detections": [],
        "summary": {"findings": [{"kind": kind} for kind in findings]},
        "health": {"reason": ""},
        "timings_ms": {"people": 300.0},
        "frames": {"judged": 10},
        **more,
    }


def test_a_person_is_matched_by_one_box_only() -> None:
    box = (0.4, 0.4, 0.1, 0.2)
    assert matched([(0.45, 0.5), (0.46, 0.5)], [box]) == 1
    assert matched([(0.45, 0.5), (0.9, 0.9)], [box, (0.42, 0.42, 0.1, 0.2)]) == 1
    assert matched([], [box]) == 0


def test_counts_and_findings_are_compared_with_the_truth() -> None:
    score = Score()
    clip = Clip("a.mp4", 0, 10, "aside", (Moment(2.0, 3), Moment(4.1, 1), Moment(9.0, 1)), frozenset({"fall"}))
    add(score, clip, answer((2.0, 2), (4.0, 1), findings=("lying", "fall")))
    add(score, Clip("b.mp4", 0, 10, "aside", (), frozenset({"fall"})), answer(verdict="cannot_tell"))
    add(
        score, Clip("c.mp4", 0, 10, "aside"), answer(findings=("hands_up",))
    )  # nothing was said of it: nothing is judged
    assert (score.moments, score.unseen, score.error, score.exact) == (2, 1, 1.0, 1)
    assert score.findings == {"fall": [1, 1, 0], "lying": [0, 0, 1]}
    assert score.blind == ["b.mp4: cannot_tell"]
    said = dict(lines(score))
    assert said["fall"] == "1 of 2 found, 0 false"
    assert said["people, count error"] == "0.50 a moment"
    assert said["cost"] == "30 ms of one core a judged picture"


def test_marked_places_give_precision_and_recall() -> None:
    score = Score()
    boxes = [(0.4, 0.4, 0.1, 0.2), (0.0, 0.0, 0.1, 0.1)]
    seen = [{"kind": "person", "t": 2.0, "track": i, "bbox": box} for i, box in enumerate(boxes)]
    seen.append({"kind": "person", "t": 2.0, "track": None, "bbox": [0.8, 0.8, 0.1, 0.1]})  # a city's own model's
    clip = Clip("a.mp4", 0, 10, "tune", (Moment(2.1, 2, ((0.45, 0.5), (0.85, 0.85))),))
    add(score, clip, answer((2.0, 2), detections=seen))
    assert (score.met, score.found, score.there) == (1, 2, 2)
    assert dict(lines(score))["people, where marked"] == "precision 0.50, recall 0.50, F1 0.50"


WRONG: dict[str, tuple[Any, str]] = {
    "no list": ({"clips": {}}, "at least one"),
    "no file": ({"clips": [{"seconds": 3}]}, "file is missing"),
    "absent": ({"clips": [{"file": "absent.mp4"}]}, "there is no absent.mp4"),
    "outside": ({"clips": [{"file": "../a.mp4"}]}, "below the folder"),
    "mistyped": ({"clips": [{"file": "a.mp4", "finding": []}]}, "unknown key 'finding'"),
    "another set": ({"clips": [{"file": "a.mp4", "set": "test"}]}, "set must be one of"),
    "too late": ({"clips": [{"file": "a.mp4", "seconds": 3, "people": [{"t": 5, "count": 1}]}]}, "outside the part"),
    "no count": ({"clips": [{"file": "a.mp4", "people": [{"t": 1}]}]}, "count is missing"),
    "too long": ({"clips": [{"file": "a.mp4", "seconds": 9999}]}, "up to 120"),
    "text": ({"clips": ["a.mp4"]}, "clips[0]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_truth_says_where(case: str, tmp_path: Path) -> None:
    told, text = WRONG[case]
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "truth.json").write_text(json.dumps(told))
    with pytest.raises(BadTruth) as caught:
        read_truth(tmp_path)
    assert text in str(caught.value)


def test_no_truth_is_said(tmp_path: Path) -> None:
    said = CliRunner().invoke(vision, ["evaluate", str(tmp_path)])
    assert said.exit_code == 1
    assert "truth.json" in said.output


def test_a_city_measures_its_own_clips(tmp_path: Path) -> None:
    for scene in ("fall", "walk"):
        draw_clip(tmp_path / f"{scene}.mp4", scene, 6.0, (640, 360), 8)
    (tmp_path / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42 and then nothing")
    clips = [
        {
            "file": "fall.mp4",
            "seconds": 6,
            "set": "aside",
            "people": [{"t": 2.0, "count": 1}],
            "findings": ["fall", "lying"],
        },
        {"file": "walk.mp4", "start": 1, "seconds": 4, "people": [{"t": 2.0, "count": 1}], "findings": []},
        {"file": "broken.mp4", "findings": []},
    ]
    (tmp_path / "truth.json").write_text(json.dumps({"clips": clips}))
    said = CliRunner().invoke(vision, ["evaluate", str(tmp_path), "--json"])
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout.splitlines()[-1])
    assert told["aside"]["findings"]["fall"] == [1, 0, 0]
    assert told["aside"]["exact"] == 1
    assert told["tune"]["findings"] == {}
    assert (told["tune"]["moments"], told["tune"]["error"]) == (1, 0.0)
    assert told["tune"]["blind"] == ["broken.mp4: not_decodable"]


def test_models_are_tried_before_they_are_relied_on(tmp_path: Path) -> None:
    good = described(tmp_path, bright_spot([[32, 16, 16, 8, 1.0, 0.9, 0.0]]))
    said = CliRunner().invoke(vision, ["models", str(good)])
    assert said.exit_code == 0
    assert "finds knife, bag; asks about knife; CC0-1.0" in said.output
    (tmp_path / "spot.onnx").write_bytes(b"another file")
    said = CliRunner().invoke(vision, ["models", str(good)])
    assert said.exit_code == 1
    assert "model_wrong_hash" in said.output


def test_the_detectors_are_listed() -> None:
    said = CliRunner().invoke(vision, ["detectors"])
    assert said.exit_code == 0
    for name in ("people", "pose", "faces", "light", "motion", "crowd"):
        assert name in said.output
