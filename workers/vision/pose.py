"""What a body's joints say: upright, lying, hands up. Pure geometry on 33x2 pixel coordinates, and the fall rule in time.

Joints are numbered as BlazePose does: 0 nose, 7 and 8 ears, 11 and 12 shoulders, 13 and 14 elbows, 15 and 16 wrists,
23 and 24 hips, 25 and 26 knees, 27 and 28 ankles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from workers.vision.observation import Box

Points = npt.NDArray[np.float64]

VERSION = "1"
PARAMETERS: dict[str, float] = {
    "lying_angle": 50.0,  # degrees between torso and vertical, from which a body lies
    "upright_angle": 35.0,  # and up to which it stands or sits
    "head_angle": 30.0,  # of the face from the vertical, which a lying one exceeds
    "least_visible": 0.5,
    "fall_s": 3.0,  # upright, then lying within
    "lying_s": 1.0,  # or lying for at least
    "hands_s": 0.5,
    "share": 0.7,  # of the samples in a stretch that must agree
}


class Posture(StrEnum):
    """How a body is held in one picture."""

    UPRIGHT = "upright"
    """Torso near the vertical: standing, walking, sitting."""
    LYING = "lying"
    """Torso more than 50° from the vertical, or hips above shoulders."""
    BENT = "bent"
    """In between."""
    UNCLEAR = "unclear"
    """Shoulders or hips are not in view."""


@dataclass(frozen=True)
class Attitude:
    """One body in one picture. ``angle``: of the torso from the vertical, 0–180°."""

    posture: Posture
    hands_up: bool
    confidence: float
    angle: float = 0.0


def attitude(points: Points, visible: Points) -> Attitude:
    """Judge 33x2 points in pixels (y grows downwards) with 33 visibilities in 0–1."""
    torso = [11, 12, 23, 24]
    confidence = float(np.min(visible[torso]))
    if confidence < PARAMETERS["least_visible"]:
        return Attitude(Posture.UNCLEAR, False, confidence)
    shoulders, hips = points[[11, 12]].mean(axis=0), points[[23, 24]].mean(axis=0)
    along = hips - shoulders
    length = float(np.hypot(*along))
    across = float(np.hypot(*(points[11] - points[12])))
    if length < 0.35 * across or length < 2:
        return Attitude(Posture.UNCLEAR, False, confidence)  # seen along the spine: no angle to measure
    angle = math.degrees(math.atan2(abs(float(along[0])), float(along[1])))
    if angle > PARAMETERS["lying_angle"]:
        posture = Posture.LYING if _laid_out(points, visible) else Posture.UNCLEAR
        return Attitude(posture, False, confidence, angle)
    if angle > PARAMETERS["upright_angle"]:
        return Attitude(Posture.BENT, False, confidence, angle)
    return Attitude(Posture.UPRIGHT, _hands_up(points, visible, length), confidence, angle)


def _laid_out(points: Points, visible: Points) -> bool:
    """The rest of the body agrees: a knee is in view, and the face, from eyes to mouth, is not held upright.

    Of somebody who sits behind a desk the model invents the hips, sometimes beside the shoulders.
    """
    if float(np.max(visible[[25, 26]])) < PARAMETERS["least_visible"]:
        return False
    face = points[[9, 10]].mean(axis=0) - points[[2, 5]].mean(axis=0)
    return math.degrees(math.atan2(abs(float(face[0])), float(face[1]))) > PARAMETERS["head_angle"]


def _hands_up(points: Points, visible: Points, torso: float) -> bool:
    """Both wrists above the ears and both elbows above the chest, clearly seen."""
    if float(np.min(visible[[13, 14, 15, 16]])) < PARAMETERS["least_visible"]:
        return False
    head = float(points[[0, 7, 8], 1].mean())
    chest = float(points[[11, 12], 1].mean()) + 0.15 * torso
    wrists, elbows = points[[15, 16], 1], points[[13, 14], 1]
    return bool((wrists < head).all() and (elbows < chest).all())


def body_box(points: Points, visible: Points) -> Box:
    """The box of a body in pixels: its joints, and a little more for crown and soles."""
    seen = points[visible > 0.3] if int((visible > 0.3).sum()) >= 4 else points
    left, top = seen.min(axis=0)
    right, bottom = seen.max(axis=0)
    width, height = float(right - left), float(bottom - top)
    margin = 0.08 * max(width, height)
    return float(left) - margin, float(top) - margin, width + 2 * margin, height + 2 * margin


def head_box(points: Points) -> Box:
    """Where the head is, in pixels: around nose, eyes, ears and mouth, wide enough for hair and chin."""
    marks = points[:11]
    centre = marks.mean(axis=0)
    spread = float(np.abs(marks - centre).max())
    torso = float(np.hypot(*(points[[11, 12]].mean(axis=0) - points[[23, 24]].mean(axis=0))))
    radius = max(1.7 * spread, 0.3 * torso, 3.0)
    return float(centre[0]) - radius, float(centre[1]) - radius, 2 * radius, 2 * radius


@dataclass(frozen=True)
class Spell:
    """A stretch of time in which something held. Seconds."""

    start: float
    end: float
    confidence: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def spells(samples: Sequence[tuple[float, bool, float]], least_s: float, step_s: float) -> list[Spell]:
    """Stretches of ``(t, holds, confidence)`` that hold for at least ``least_s``, one sample in three forgiven.

    ``step_s`` is the time between samples: n samples in a row span n steps.
    """
    found: list[Spell] = []
    run: list[tuple[float, bool, float]] = []

    def flush() -> None:
        while run and not run[-1][1]:
            run.pop()
        held = [entry for entry in run if entry[1]]
        if held and len(held) >= PARAMETERS["share"] * len(run):
            spell = Spell(run[0][0], run[-1][0] + step_s, sum(entry[2] for entry in held) / len(held))
            if spell.seconds >= least_s - 1e-6:
                found.append(spell)
        run.clear()

    for entry in samples:
        if run and (entry[0] - run[-1][0] > 4 * step_s):
            flush()
        if entry[1] or run:
            run.append(entry)
        if len(run) >= 3 and not any(held for _, held, _ in run[-3:]):
            flush()
    flush()
    return found


def fall(samples: Sequence[tuple[float, Posture, float]], step_s: float) -> Spell | None:
    """The first time that a body was upright and lay within 3 s, each for two samples at least; None otherwise."""
    upright: list[float] = []
    for index, (t, posture, confidence) in enumerate(samples):
        upright = [before for before in upright if t - before <= PARAMETERS["fall_s"]]
        if posture is Posture.UPRIGHT:
            upright.append(t)
        elif posture is Posture.LYING and len(upright) >= 2:
            after = samples[index : index + 3]
            lying = [entry for entry in after if entry[1] is Posture.LYING]
            if len(lying) >= 2:
                return Spell(t, lying[-1][0] + step_s, confidence)
    return None
