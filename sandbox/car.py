"""A car drawn from behind, with a number plate that a reader can read: for footage that is nobody's.

The number is invented and in the style of Punjab's; it belongs to no car that is meant.
"""

from __future__ import annotations

from typing import Any

import cv2 as _cv2
import numpy as np

from sandbox.figure import Image, Pose

cv2: Any = _cv2
PLATE = "LEA 4821"
_LENGTH, _HEIGHT = 1.05, 0.86  # of a person's height: a car's width from behind, and its height


class CarPainter:
    """Paints as ``figure.Painter`` does; a car has no pose."""

    def __init__(self, plate: str = PLATE, colour: tuple[int, int, int] = (92, 60, 44)) -> None:
        self._plate, self._colour = plate, colour
        self._drawn: dict[int, Image] = {}

    def paint(self, picture: Image, foot: tuple[float, float], height: float, pose: Pose, light: float = 1.0) -> None:
        """Draw onto ``picture`` (HxWx3): ``foot`` is the middle between the wheels on the ground."""
        car = self._car(round(height))
        tall, wide = car.shape[:2]
        left, top = round(foot[0] - wide / 2), round(foot[1] - tall)
        x0, y0, x1, y1 = (
            max(0, left),
            max(0, top),
            min(picture.shape[1], left + wide),
            min(picture.shape[0], top + tall),
        )
        if x1 <= x0 or y1 <= y0:
            return
        part = car[y0 - top : y1 - top, x0 - left : x1 - left]
        there = part.any(axis=2, keepdims=True)
        picture[y0:y1, x0:x1] = np.where(there, part, picture[y0:y1, x0:x1])

    def _car(self, height: int) -> Image:
        if height not in self._drawn:
            self._drawn[height] = self._draw(height)
        return self._drawn[height]

    def _draw(self, height: int) -> Image:
        wide, tall = int(height * _LENGTH * 1.25), int(height * _HEIGHT)
        car: Image = np.zeros((tall, wide, 3), np.uint8)
        body, dark = self._colour, tuple(int(value * 0.6) for value in self._colour)

        def box(x0: float, y0: float, x1: float, y1: float, colour: Any) -> None:
            cv2.rectangle(car, (int(x0 * wide), int(y0 * tall)), (int(x1 * wide), int(y1 * tall)), colour, -1)

        roof = [(0.2, 0.04), (0.8, 0.04), (0.92, 0.42), (0.08, 0.42)]
        cv2.fillPoly(car, [np.array([(int(x * wide), int(y * tall)) for x, y in roof], np.int32)], body)
        glass = [(0.24, 0.1), (0.76, 0.1), (0.84, 0.38), (0.16, 0.38)]
        cv2.fillPoly(car, [np.array([(int(x * wide), int(y * tall)) for x, y in glass], np.int32)], (66, 58, 50))
        box(0.04, 0.4, 0.96, 0.86, body)
        box(0.04, 0.76, 0.96, 0.86, dark)
        for x in (0.05, 0.83):
            box(x, 0.48, x + 0.12, 0.62, (40, 34, 190))
        for x in (0.08, 0.76):
            box(x, 0.84, x + 0.16, 0.995, (26, 24, 24))
        self._letter(car, (0.3, 0.6, 0.7, 0.78))
        return car

    def _letter(self, car: Image, place: tuple[float, float, float, float]) -> None:
        """The plate, black on white, its letters as wide as it is."""
        tall, wide = car.shape[:2]
        x0, y0, x1, y1 = (int(each * size) for each, size in zip(place, (wide, tall, wide, tall), strict=True))
        plate: Image = np.full((120, 480, 3), 236, np.uint8)
        cv2.rectangle(plate, (3, 3), (476, 116), (24, 24, 24), 4)
        (width, _), _ = cv2.getTextSize(self._plate, cv2.FONT_HERSHEY_SIMPLEX, 2.9, 9)
        cv2.putText(
            plate, self._plate, ((480 - width) // 2, 92), cv2.FONT_HERSHEY_SIMPLEX, 2.9, (18, 18, 18), 9, cv2.LINE_AA
        )
        if x1 > x0 + 4 and y1 > y0 + 2:
            car[y0:y1, x0:x1] = cv2.resize(plate, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
