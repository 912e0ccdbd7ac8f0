"""Many people close together, and when they suddenly run from each other.

Movement is measured by dense inverse search (T. Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016;
OpenCV's DIS) on a picture 240 pixels wide, half a millisecond each: how fast the fastest tenth of what moves is, and whether
it moves away from the middle of the people. A crowd that walks by is fast in one direction; one that disperses is suddenly
faster than it was, outwards, and fewer are left. No footage of a real dispersal was there to measure with: the rule is shown
on drawn scenes and by the absence of false ones, and a human is always asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from workers.vision.boxes import around, grown, intersection
from workers.vision.cv import Image, cv2, narrowed
from workers.vision.detector import Region, part_of
from workers.vision.observation import Box, Detection
from workers.vision.pose import Spell

VERSION = "1"
PARAMETERS: dict[str, float] = {
    "width": 240.0,  # pixels on which flow is measured
    "least_flow": 0.6,  # of those pixels from one sample to the next, from which one moves
    "least_moving": 0.002,  # share of the picture that must move before its direction is told
    "crowd": 5.0,  # people near each other, from which they are a crowd
    "near": 0.5,  # of a person's size on each side: two whose surroundings meet stand together
    "before_s": 2.5,
    "after_s": 1.5,
    "wait_s": 4.0,  # until the count must have fallen
    "gathered": 3.0,  # people, on average, before they disperse
    "faster": 2.0,  # times what it was
    "fast": 0.10,  # picture heights a second
    "outward": 0.3,  # -1 to 1: mean cosine between movement and the way out, by speed
    "left": 0.7,  # of those who were there
}


@dataclass(frozen=True)
class Stir:
    """How a picture moves against the one before. ``flow``: picture heights a second, of the fastest tenth of what moves."""

    t: float
    people: int
    density: float  # people for each square of a person's height, where they stand closest; 0 without a crowd
    flow: float
    outward: float  # -1 inward to 1 outward


@dataclass(frozen=True)
class Glimpse:
    """A picture and the one before, from which its movement can be measured later, or never (``stirs``)."""

    t: float
    people: tuple[Box, ...]
    density: float
    grey: Image  # as wide as ``width`` has it
    before: tuple[float, Image] | None

    def still(self) -> Stir:
        """What it says while its movement is not measured."""
        return Stir(self.t, len(self.people), self.density, 0.0, 0.0)

    def stir(self, flow: Any) -> Stir:
        """What it says, by OpenCV's DIS."""
        before, grey = self.before, self.grey
        if before is None or before[1].shape != grey.shape or not self.t > before[0] or min(grey.shape) < 16:
            return self.still()
        moved = flow.calc(before[1], grey, None)
        speed = np.hypot(moved[..., 0], moved[..., 1])
        rows, columns = np.nonzero(speed > PARAMETERS["least_flow"])
        if len(rows) < PARAMETERS["least_moving"] * speed.size:
            return self.still()
        fast, height = speed[rows, columns], grey.shape[0]
        middle = (
            _middle(self.people, grey.shape[1], height) if self.people else (float(columns.mean()), float(rows.mean()))
        )
        out = np.stack([columns - middle[0], rows - middle[1]])
        along = (moved[rows, columns] * out.T).sum(axis=1) / np.maximum(np.hypot(*out), 1.0)
        return Stir(
            self.t,
            len(self.people),
            self.density,
            float(np.percentile(fast, 90)) / height / (self.t - before[0]),
            float(along.sum() / max(1e-9, float(fast.sum()))),
        )


class CrowdDetector:
    """A ``Detector`` of crowds, for one look.

    Set before each ``detect``: ``people``, their boxes (fractions), and ``t``. Read after it: ``glimpse``, or ``stir``.
    """

    name = "crowd"
    version = VERSION
    labels: Sequence[str] = ("crowd",)

    def __init__(self) -> None:
        self.people: Sequence[Box] = ()
        self.t = 0.0
        self.glimpse: Glimpse | None = None
        self._loaded = False

    @property
    def stir(self) -> Stir | None:
        """How the last picture moves, measured now."""
        return self.glimpse.stir(optical_flow()) if self.glimpse is not None else None

    def load(self, config: Mapping[str, Any]) -> None:
        self._loaded, self.glimpse = True, None

    def detect(self, frame: Image, roi: Region | None = None) -> list[Detection]:
        if not self._loaded:
            raise ValueError("load comes first")
        height, width = frame.shape[:2]
        part = part_of(frame, roi)[1]
        here = tuple(box for box in self.people if intersection(box, part) > 0)
        groups = [group for group in gathered(here) if len(group) >= PARAMETERS["crowd"]]
        densities = [density(group, width / height) for group in groups]
        small = narrowed(frame, int(PARAMETERS["width"]))
        grey = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        before = (self.glimpse.t, self.glimpse.grey) if self.glimpse is not None else None
        self.glimpse = Glimpse(self.t, here, max(densities, default=0.0), grey, before)
        return [Detection("crowd", min(1.0, len(group) / (2 * PARAMETERS["crowd"])), around(group)) for group in groups]

    def close(self) -> None:
        self._loaded, self.glimpse = False, None


def optical_flow() -> Any:
    """OpenCV's DIS, the quickest preset."""
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)


def _middle(people: Sequence[Box], width: int, height: int) -> tuple[float, float]:
    return (
        float(np.mean([x + w / 2 for x, _, w, _ in people])) * width,
        float(np.mean([y + h / 2 for _, y, _, h in people])) * height,
    )


def gathered(people: Sequence[Box]) -> list[list[Box]]:
    """People in groups: two belong together when the surroundings of their boxes meet, and so whoever is near either."""
    left, groups = list(people), []
    while left:
        group = [left.pop()]
        for one in group:  # grows while it is walked through
            near = [other for other in left if _meet(one, other)]
            left = [other for other in left if other not in near]
            group += near
        groups.append(group)
    return groups


def _meet(a: Box, b: Box) -> bool:
    return intersection(grown(a, PARAMETERS["near"]), grown(b, PARAMETERS["near"])) > 0


def density(group: Sequence[Box], shape: float) -> float:
    """People for each square of their median height, on the box around them; ``shape`` is the picture's width by height."""
    _, _, w, h = around(group)
    tall = median(box[3] for box in group)
    return len(group) * tall * tall / max(w * shape * h, tall * tall)


def chances(stirs: Sequence[Stir]) -> Iterator[tuple[Stir, list[Stir], list[Stir]]]:
    """The moments at which people may have dispersed, by their number alone, each with what was before and after. Pure."""
    for now in stirs:
        before = [s for s in stirs if 0 < now.t - s.t <= PARAMETERS["before_s"]]
        if sum(s.people for s in before) < PARAMETERS["gathered"] * len(before) or len(before) < 4:
            continue
        after = [s for s in stirs if 0 <= s.t - now.t < PARAMETERS["after_s"]]
        later = [s for s in stirs if PARAMETERS["after_s"] / 2 <= s.t - now.t < PARAMETERS["wait_s"]]
        if len(after) < 4 or not later or before[0].t > now.t - PARAMETERS["before_s"] / 2:
            continue
        there = sum(s.people for s in before) / len(before)
        if min(s.people for s in later) <= PARAMETERS["left"] * there:
            yield now, before, after


def dispersal(stirs: Sequence[Stir]) -> Spell | None:
    """The first time that people who stood together suddenly move fast and outwards, and are fewer after it. Pure."""
    for now, before, after in chances(stirs):
        usual, flow = median(s.flow for s in before), median(s.flow for s in after)
        outward = median(s.outward for s in after)
        sudden = flow >= max(PARAMETERS["faster"] * usual, PARAMETERS["fast"])
        if sudden and outward >= PARAMETERS["outward"]:
            sure = min(0.9, 0.5 + 0.4 * (outward - PARAMETERS["outward"]) / (1 - PARAMETERS["outward"]))
            return Spell(now.t, after[-1].t, sure)
    return None
