"""Where something moves: a KNN background on a small grey picture, with what lies outside the zones masked out.

Z. Zivkovic and F. van der Heijden, "Efficient adaptive density estimation per image pixel", 2006, as in OpenCV's
``createBackgroundSubtractorKNN``. A lamp that goes on or a camera that is knocked changes the whole picture at once: that
is no motion, and the background is learned anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workers.vision.boxes import within
from workers.vision.config import Polygon
from workers.vision.cv import Image, cv2
from workers.vision.detector import Region, part_of
from workers.vision.observation import Box, Detection

WHOLE_FRAME = 0.5  # share of the picture that cannot be people
HISTORY = 500
DISTANCE = 400.0  # squared, in grey levels
SMALLEST = 0.0006  # share of the picture: below it a blob is noise
SHADOW = 127
PRIMING = 20  # pictures
LEAST_PX = 8
VERSION = "1"
PARAMETERS: dict[str, float] = {
    "whole_frame": WHOLE_FRAME,
    "history": HISTORY,
    "distance": DISTANCE,
    "smallest": SMALLEST,
    "priming": PRIMING,
}


@dataclass(frozen=True)
class Motion:
    """One picture's motion. ``share`` is 0 when the whole picture changed (``whole``)."""

    share: float
    boxes: tuple[Box, ...]
    whole: bool
    mask: Image  # HxW, 255 where it moves


def usual_view(pictures: Sequence[Image]) -> Image:
    """The median of grey pictures of one size, pixel by pixel, as ``numpy.median`` has it but in a thirtieth of its time.

    Whole pictures are brought in order two at a time, by Batcher's merge exchange (Knuth, TAOCP 3, algorithm 5.2.2M).
    """
    rows, count, step = list(pictures), len(pictures), 1
    while step < count:
        gap = step
        while gap >= 1:
            for start in range(gap % step, count - gap, 2 * gap):
                for low in range(start, min(start + gap, count - gap)):
                    if low // (2 * step) == (low + gap) // (2 * step):
                        a, b = rows[low], rows[low + gap]
                        rows[low], rows[low + gap] = cv2.min(a, b), cv2.max(a, b)
            gap //= 2
        step *= 2
    if count % 2:
        return rows[count // 2]
    below, above = rows[count // 2 - 1].astype(np.uint16), rows[count // 2]
    middle: Image = ((below + above) >> 1).astype(np.uint8)
    return middle


class MotionGate:
    """Feed pictures in order; ``size`` is (width, height) of the grey pictures."""

    def __init__(self, size: tuple[int, int], masks: Sequence[Polygon] = ()) -> None:
        self._size = size
        self._looked = looked_at(size, masks)
        self._area = max(1, int(np.count_nonzero(self._looked)))
        self._background = self._fresh()

    def _fresh(self) -> object:
        return cv2.createBackgroundSubtractorKNN(HISTORY, DISTANCE, True)

    def prime(self, greys: Sequence[Image]) -> None:
        """Learn the background from pictures of the same look before judging any: a short clip has no other past.

        It is their median, pixel by pixel: whoever walks through covers no place for half of the time.
        """
        chosen = greys[:: max(1, len(greys) // PRIMING)]
        if chosen:
            usual = usual_view(chosen)
            for _ in range(PRIMING):
                self._apply(usual, 0.2)

    def _apply(self, grey: Image, rate: float) -> Image:
        background = self._background
        mask: Image = background.apply(cv2.GaussianBlur(grey, (5, 5), 0), None, rate)  # type: ignore[attr-defined]
        return mask

    def see(self, grey: Image) -> Motion:
        """The motion in the next picture, HxW uint8. In a picture of a few pixels nothing moves."""
        if min(grey.shape) < LEAST_PX:
            return Motion(0.0, (), False, np.zeros_like(grey))
        raw = self._apply(grey, -1.0)
        mask: Image = cv2.bitwise_and(cv2.compare(raw, SHADOW, cv2.CMP_GT), self._looked)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        share = float(np.count_nonzero(mask)) / self._area
        if share > WHOLE_FRAME:
            self._background = self._fresh()
            self._apply(grey, 1.0)
            return Motion(0.0, (), True, np.zeros_like(mask))
        joined = cv2.dilate(mask, np.ones((7, 3), np.uint8))  # a person's parts lie above each other
        return Motion(share, self._blobs(joined), False, mask)

    def _blobs(self, mask: Image) -> tuple[Box, ...]:
        width, height = self._size
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        boxes: list[Box] = []
        for index in range(1, count):
            x, y, w, h, area = (int(v) for v in stats[index])
            if area >= SMALLEST * width * height:
                boxes.append((x / width, y / height, w / width, h / height))
        return tuple(boxes)


class MotionDetector:
    """A ``Detector`` of what moves, for one look. ``load`` takes ``{"masks": […]}``; ``prime`` may come before the first
    picture. ``motion``, read after each, has the share and whether the whole picture changed; pictures of another size than
    the last begin anew.
    """

    name = "motion"
    version = VERSION
    labels: Sequence[str] = ("moving",)

    def __init__(self) -> None:
        self.motion: Motion | None = None
        self._gate: MotionGate | None = None
        self._masks: Sequence[Polygon] | None = None
        self._size = (0, 0)

    def load(self, config: Mapping[str, Any]) -> None:
        self._masks, self._gate = tuple(config.get("masks", ())), None

    def prime(self, greys: Sequence[Image]) -> None:
        """Learn the usual view from grey pictures of one size."""
        if greys:
            self._sized(greys[0]).prime([grey for grey in greys if grey.shape == greys[0].shape])

    def _sized(self, grey: Image) -> MotionGate:
        if self._masks is None:
            raise ValueError("load comes first")
        size = (grey.shape[1], grey.shape[0])
        if self._gate is None or size != self._size:
            self._gate, self._size = MotionGate(size, self._masks), size
        return self._gate

    def detect(self, frame: Image, roi: Region | None = None) -> list[Detection]:
        grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        self.motion = self._sized(grey).see(grey)
        part = part_of(frame, roi)[1]
        inside = [box for box in self.motion.boxes if within(box, part) >= 0.5]
        return [Detection("moving", min(1.0, box[2] * box[3]), box) for box in inside]

    def close(self) -> None:
        self._masks, self._gate = None, None


def looked_at(size: tuple[int, int], masks: Sequence[Polygon]) -> Image:
    """255 everywhere but in the masks; HxW for ``size`` = (width, height)."""
    width, height = size
    looked: Image = np.full((height, width), 255, np.uint8)
    for polygon in masks:
        corners = np.array([[round(x * width), round(y * height)] for x, y in polygon], np.int32)
        cv2.fillPoly(looked, [corners], 0)
    return looked
