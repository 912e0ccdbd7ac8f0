"""Running by a track's way, crowds and their dispersal: pure tables, and the flow measured on drawn dots."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workers.vision.crowd import CrowdDetector, Stir, density, dispersal, gathered
from workers.vision.cv import Image, cv2
from workers.vision.observation import Box
from workers.vision.running import running

Look = Callable[..., dict[str, Any]]


def way(speed: float, seconds: float = 3.0, hz: float = 2.0, tall: float = 0.2) -> list[tuple[float, Box, float]]:
    """A track that goes right at ``speed`` heights a second, in a square picture."""
    times = [i / hz for i in range(int(seconds * hz))]
    return [(t, (0.1 + speed * tall * t, 0.5, tall / 3, tall), 0.8) for t in times]


def test_a_runner_runs_and_a_walker_does_not() -> None:
    spell = running(way(2.2), 1.0)
    assert spell is not None
    assert spell.seconds >= 1.5
    assert spell.confidence > 0.5
    assert running(way(0.9), 1.0) is None
    assert running(way(2.2, tall=0.05), 1.0) is not None  # far away is the same
    assert running(way(1.2), 16 / 9) is not None  # a share of a wide picture's width is more than one of its height


def test_what_jumps_shrinks_or_is_too_short_does_not_run() -> None:
    jumping = [(t, (0.3 + 0.4 * (i % 2), 0.5, 0.07, 0.2), 0.8) for i, (t, _, _) in enumerate(way(0.0))]
    assert running(jumping, 1.0) is None
    shrinking = [(t, (x, y, w / (1 + t), h / (1 + t)), s) for t, (x, y, w, h), s in way(2.2)]
    assert running(shrinking, 1.0) is None
    assert running(way(3.0, seconds=1.0), 1.0) is None
    torn = [(t if i < 2 else t + 5, box, s) for i, (t, box, s) in enumerate(way(2.2, seconds=2.0))]
    assert running(torn[:4], 1.0) is None
    assert running([], 1.0) is None
    cut = [(t, (x, 0.8, w, h), s) for t, (x, _, w, h), s in way(2.2)]  # his legs are below the picture
    assert running(cut, 1.0) is None


def stirs(
    flow: tuple[float, float] = (0.03, 0.3),
    outward: tuple[float, float] = (0.0, 0.7),
    people: tuple[int, int] = (6, 1),
) -> list[Stir]:
    """Four seconds of one, then four of the other, at 6 Hz; people leave one second later."""
    times = [i / 6 for i in range(48)]
    return [Stir(t, people[t >= 5.0], 1.0, flow[t >= 4.0], outward[t >= 4.0]) for t in times]


def test_people_who_run_from_each_other_disperse() -> None:
    spell = dispersal(stirs())
    assert spell is not None
    assert 3.0 <= spell.start <= 4.6
    assert spell.confidence > 0.6


@pytest.mark.parametrize(
    "calm",
    [
        stirs(flow=(0.3, 0.3)),  # a busy street is always fast
        stirs(flow=(0.01, 0.06)),  # they go home
        stirs(outward=(0.0, 0.1)),  # all in one direction: a bus came
        stirs(people=(6, 6)),  # they dance
        stirs(people=(1, 0)),  # one walks away
        stirs()[:30],  # it ends before anybody could have left
        [],
    ],
)
def test_other_crowds_do_not(calm: list[Stir]) -> None:
    assert dispersal(calm) is None


def test_people_near_each_other_are_one_crowd() -> None:
    row: list[Box] = [(0.1 + 0.08 * i, 0.5, 0.05, 0.2) for i in range(5)]
    far: Box = (0.8, 0.5, 0.05, 0.2)
    assert sorted(len(group) for group in gathered([*row, far])) == [1, 5]
    assert gathered([]) == []
    assert density(row, 1.0) > density([(x * 2, y, w, h) for x, y, w, h in row], 1.0)


def dots(spread: float, seed: int = 3, size: tuple[int, int] = (480, 270)) -> Image:
    """Blobs at ``spread`` times their distance from the middle."""
    rng = np.random.default_rng(seed)
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        middle = (int(240 + 60 * spread * np.cos(angle)), int(135 + 60 * spread * np.sin(angle)))
        cv2.circle(image, middle, 9, tuple(int(v) for v in rng.integers(140, 255, 3)), -1)
    return image


@pytest.mark.parametrize(("way", "sign"), [((1.0, 1.12, 1.24, 1.36), 1), ((1.36, 1.24, 1.12, 1.0), -1)])
def test_flow_tells_outward_from_inward(way: tuple[float, ...], sign: int) -> None:
    detector = CrowdDetector()
    detector.load({})
    measured = []
    for index, spread in enumerate(way):
        detector.t, detector.people = index / 6, [(0.4, 0.3, 0.2, 0.4)]
        detector.detect(dots(spread))
        assert detector.stir is not None
        measured.append(detector.stir)
    assert (measured[0].flow, measured[0].outward) == (0.0, 0.0)  # nothing to compare the first with
    for before, now in pairwise(measured):
        assert now.t > before.t
        assert now.flow > 0.05
        assert now.outward * sign > 0.4
    detector.t = 1.0
    detector.detect(dots(way[-1]))
    assert detector.stir == Stir(1.0, 1, 0.0, 0.0, 0.0)  # they stand


def test_a_drawn_crowd_that_runs_apart_is_a_dispersal_and_one_that_walks_is_not(
    look: Look, clip: Callable[..., Path]
) -> None:
    kinds = {}
    for scene in ("scatter", "crowd"):
        answer = look(kind="file", path=str(clip(scene, 8.0)))
        kinds[scene] = {finding["kind"]: finding for finding in answer["summary"]["findings"]}
    assert kinds["scatter"]["dispersal"]["ask"] is True
    assert 2.0 < kinds["scatter"]["dispersal"]["t"] < 5.5
    assert "dispersal" not in kinds["crowd"]
    assert "running" not in kinds["crowd"]
