"""A street for drawn footage: wall, shutters, signs, a striped kerb and asphalt, with the noise and clock of a camera.

Invented; no place is meant. Deterministic by its seed.
"""

from __future__ import annotations

from typing import Any

import cv2 as _cv2
import numpy as np
import numpy.typing as npt

cv2: Any = _cv2
Image = npt.NDArray[np.uint8]

HORIZON = 0.22  # of the picture's height, where a person's height would be 0
WALL = 0.46  # of the picture's height, where the wall meets the pavement


def person_height(foot_y: float, height: int) -> float:
    """Pixels that a grown person takes whose soles are at ``foot_y`` (pixels): perspective on flat ground."""
    return max(4.0, 0.86 * (foot_y - HORIZON * height))


def background(size: tuple[int, int], seed: int) -> Image:
    """HxWx3 for ``size`` = (width, height), in daylight, without noise."""
    width, height = size
    rng = np.random.default_rng(seed)
    picture: Image = np.zeros((height, width, 3), np.uint8)
    wall = int(WALL * height)
    picture[:wall] = np.array([118, 142, 164]) + rng.integers(-12, 12, 3)
    _bricks(picture[:wall], rng)
    _shopfronts(picture, wall, rng)
    pavement, kerb = int(0.56 * height), int(0.59 * height)
    picture[wall:pavement] = (146, 152, 156)
    for x in range(0, width, max(8, width // 28)):
        cv2.line(
            picture, (x, wall), (int((x - width / 2) * 1.25 + width / 2), pavement), (128, 134, 138), 1, cv2.LINE_AA
        )
    stripe = max(10, width // 24)
    for index, x in enumerate(range(0, width, stripe)):
        picture[pavement:kerb, x : x + stripe] = (40, 44, 46) if index % 2 else (70, 190, 214)
    road = np.linspace(96, 122, height - kerb)[:, None, None] * np.array([1.0, 0.985, 0.97])
    picture[kerb:] = np.broadcast_to(road, (height - kerb, width, 3)).astype(np.uint8)
    for x in range(-width // 6, width, width // 3):
        corners = [(x, 0.74), (x + width // 7, 0.74), (x + width // 7 - width // 40, 0.755), (x - width // 40, 0.755)]
        cv2.fillPoly(
            picture, [np.array([(cx, int(cy * height)) for cx, cy in corners], np.int32)], (190, 196, 198), cv2.LINE_AA
        )
    grain = sum(
        (
            cv2.resize(
                rng.normal(0, strength, (max(2, height // cell), max(2, width // cell))).astype(np.float32), size
            )
            for cell, strength in ((2, 5.0), (8, 3.0), (48, 5.0))
        ),
        np.zeros((height, width), np.float32),
    )
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    edge = 1 - 0.22 * (((xx / width - 0.5) * 2) ** 2 + ((yy / height - 0.5) * 2) ** 2) / 2
    lit = (picture.astype(np.float32) + grain[..., None]) * edge[..., None]
    soft: Image = cv2.GaussianBlur(np.clip(lit, 0, 255).astype(np.uint8), (3, 3), 0)
    return soft


def _bricks(wall: Image, rng: np.random.Generator) -> None:
    height, width = wall.shape[:2]
    row = max(5, height // 32)
    for index, y in enumerate(range(0, height, row)):
        cv2.line(wall, (0, y), (width, y), (104, 126, 146), 1)
        for x in range((index % 2) * row, width, row * 2):
            cv2.line(wall, (x, y), (x, y + row), (104, 126, 146), 1)
            if rng.random() < 0.2:
                wall[y : y + row, x : x + row * 2] = np.clip(wall[y : y + row, x : x + row * 2].astype(int) - 9, 0, 255)


def _shopfronts(picture: Image, wall: int, rng: np.random.Generator) -> None:
    width = picture.shape[1]
    shop = width // 4
    for index in range(4):
        left = index * shop + shop // 10
        right, top = left + int(shop * 0.8), int(wall * 0.38)
        if index % 2:
            picture[top:wall, left:right] = (92, 84, 70)
            for y in range(top, wall, max(3, wall // 40)):
                cv2.line(picture, (left, y), (right, y), (126, 116, 100), 1)  # a rolled-down shutter
        else:
            picture[top:wall, left:right] = (52, 50, 46)
            for x in range(left, right, max(10, shop // 7)):
                tone = rng.integers(40, 150, 3).tolist()
                cv2.rectangle(picture, (x, wall - shop // 6), (x + shop // 10, wall - 4), tone, -1)
        sign = rng.integers(60, 200, 3).tolist()
        cv2.rectangle(picture, (left, top - wall // 7), (right, top - 4), sign, -1)
        for x in range(left + shop // 12, right - shop // 12, max(6, shop // 14)):
            cv2.ellipse(
                picture,
                (x, top - wall // 14),
                (shop // 40, wall // 40),
                int(rng.integers(180)),
                0,
                260,
                (236, 236, 236),
                2,
            )
    pole = int(width * 0.93)
    cv2.rectangle(picture, (pole, 0), (pole + max(3, width // 110), int(0.57 * picture.shape[0])), (72, 76, 78), -1)


class Sensor:
    """A camera's noise, different in each picture, and its burnt-in clock."""

    def __init__(self, size: tuple[int, int], seed: int, strength: float = 3.0) -> None:
        self._rng = np.random.default_rng(seed + 7)
        self._bank = self._rng.normal(0, strength, (size[1] + 64, size[0] + 64)).astype(np.float32)
        self._size = size

    def expose(self, picture: Image) -> Image:
        dx, dy = (int(v) for v in self._rng.integers(0, 64, 2))
        noise = self._bank[dy : dy + self._size[1], dx : dx + self._size[0]]
        flicker = float(self._rng.normal(1.0, 0.004))
        noisy: Image = np.clip(picture.astype(np.float32) * flicker + noise[..., None], 0, 255).astype(np.uint8)
        return noisy


def stamp(picture: Image, text: str) -> None:
    """The line that cameras burn into the upper left corner. Writes to the picture."""
    scale = picture.shape[0] / 900
    place = (int(14 * scale) + 4, int(30 * scale) + 6)
    cv2.putText(
        picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (20, 20, 20), max(1, round(4 * scale)), cv2.LINE_AA
    )
    cv2.putText(
        picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (240, 240, 240), max(1, round(1.6 * scale)), cv2.LINE_AA
    )
