"""What every detector promises, ours and those that a city installs beside it: one table, all found by entry point."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.figure import Painter, Pose, look_of
from tests.factories.onnx_files import bright_spot, described
from workers.vision.cv import Image
from workers.vision.detector import Detector, found_here, installed
from workers.vision.motion import MotionDetector
from workers.vision.own_models import OURS

NAMES = sorted(found_here())
SLOW = frozenset({"plates"})  # reads characters: not for every promise


@cache
def street(seed: int = 1, size: tuple[int, int] = (640, 480)) -> Image:
    """Noise, and a person who stands in it."""
    image = np.random.default_rng(seed).normal(150, 6, (size[1], size[0], 3)).clip(0, 255).astype(np.uint8)
    Painter(look_of(3)).paint(image, (320, 440), 320, Pose(yaw=10))
    return image


def options(name: str, folder: Path) -> dict[str, Any]:
    if name != "own_model":
        return {}
    return {"model": str(described(folder, bright_spot([[32, 16, 16, 8, 2.0, 0.9, 0.0]])))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=NAMES)
def detector(request: pytest.FixtureRequest, folder: Path) -> Iterator[Detector]:
    made = installed(request.param, options(request.param, folder))
    yield made
    made.close()


def test_ours_are_all_there() -> None:
    assert {"people", "pose", "faces", "light", "motion", "crowd", "own_model"} <= set(NAMES)
    assert set(NAMES) - {"own_model"} >= OURS & set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_needs_to_be_loaded_and_can_be_closed_twice(name: str, folder: Path) -> None:
    made: Detector = found_here()[name]()
    with pytest.raises(ValueError, match=r"load|plates"):
        made.detect(street())
    if name in SLOW:
        return
    made.load(options(name, folder))
    made.close()
    made.close()
    with pytest.raises(ValueError):
        made.detect(street())


def test_it_says_who_it_is(detector: Detector) -> None:
    assert isinstance(detector, Detector)
    assert detector.name
    assert detector.version
    assert len(detector.labels) >= 1


def test_it_answers_boxes_within_the_picture_and_leaves_it_alone(detector: Detector) -> None:
    for seed in (1, 2):  # some compare a picture with the one before
        frame = street(seed)
        before = frame.copy()
        found = detector.detect(frame)
        assert (frame == before).all()
        for one in found:
            assert one.kind in detector.labels
            assert 0 <= one.score <= 1
            x, y, w, h = one.bbox
            assert min(x, y, w, h) >= 0
            assert x + w <= 1 + 1e-6
            assert y + h <= 1 + 1e-6


def test_a_part_of_the_picture_answers_in_fractions_of_the_whole(detector: Detector) -> None:
    for one in detector.detect(street(), (320, 0, 320, 480)):
        x, _, w, _ = one.bbox
        assert x + w / 2 >= 0.45, one


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (300, 2), (40, 30)])
def test_the_smallest_pictures_are_no_trouble(detector: Detector, size: tuple[int, int]) -> None:
    assert isinstance(detector.detect(np.full((size[1], size[0], 3), 130, np.uint8)), list)


def test_pictures_of_another_size_may_follow(detector: Detector) -> None:
    detector.detect(street())
    assert isinstance(detector.detect(street()[:240, :320].copy()), list)


def test_the_same_picture_twice_answers_the_same(folder: Path) -> None:
    for name in ("people", "pose", "faces", "light", "own_model"):
        made = installed(name, options(name, folder))
        first = [(one.kind, one.bbox) for one in made.detect(street())]
        assert [(one.kind, one.bbox) for one in made.detect(street())] == first, name
        if name in {"people", "pose", "faces"}:
            assert len(first) >= 1, name
        made.close()


def test_the_dark_and_the_covered_are_told_from_the_street() -> None:
    light = installed("light", {})
    assert light.detect(street()) == []
    dark = np.full((480, 640, 3), 9, np.uint8)
    assert [one.kind for one in light.detect(dark)] == ["dark"]
    assert [one.kind for one in light.detect(np.full((480, 640, 3), 130, np.uint8))] == ["covered"]


def test_what_comes_into_the_picture_moves() -> None:
    motion = MotionDetector()
    motion.load({})
    empty = np.random.default_rng(5).normal(120, 2, (135, 240, 3)).clip(0, 255).astype(np.uint8)
    motion.prime([empty[..., 0]] * 10)
    assert motion.detect(empty) == []
    walker = empty.copy()
    walker[60:100, 100:116] = 220
    (box,) = motion.detect(walker)
    assert box.kind == "moving"
    assert box.bbox[0] == pytest.approx(100 / 240, abs=0.03)


def test_one_who_lies_is_lying_and_one_who_stands_is_upright() -> None:
    pose = installed("pose", {})
    assert [one.kind for one in pose.detect(street())] == ["upright"]
    image = np.random.default_rng(1).normal(150, 6, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    Painter(look_of(3)).paint(image, (320, 440), 320, Pose(yaw=30, roll=86, lift=0.06))
    assert "lying" in [one.kind for one in pose.detect(image)]
    pose.close()
