"""Could the camera see at all? Light, sharpness, and whether the picture lives.

All figures are of a grey picture brought to at most 320 pixels' width, so that they mean the same for every camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from workers.vision.cv import Image, cv2, narrowed

DARK_LUMA = 28.0  # mean below this, and …
DARK_BRIGHT = 70.0  # … its brightest hundredth below this: no lamp, no screen, nothing lit
FLAT_BLOCKS = 0.92  # share of blocks without any texture: something lies on the lens
FLAT_DEVIATION = 4.5  # grey levels within a block that count as no texture
BLURRED = 12.0  # variance of the Laplacian
FROZEN_CHANGE = 0.02  # mean absolute change between samples; a live sensor's noise alone makes more
FROZEN_SECONDS = 3.0
WIDTH = 320  # pixels
BLOCK = 8  # pixels


@dataclass(frozen=True)
class Quality:
    """One picture. ``change`` is the mean absolute difference to the sample before, in grey levels; None for the first."""

    luma: float
    bright: float  # 99th percentile
    blur: float  # variance of the Laplacian; small means blurred
    flat: float  # share of 8x8-pixel blocks without texture
    change: float | None


def measure(grey: Image, before: Image | None) -> Quality:
    """Measure one grey picture, HxW uint8. Every figure is the exact one, by the cheapest way to it."""
    grey, before = narrowed(grey, WIDTH), None if before is None else narrowed(before, WIDTH)
    deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1]
    change = None if before is None or before.shape != grey.shape else cv2.norm(grey, before, cv2.NORM_L1) / grey.size
    return Quality(cv2.mean(grey)[0], _percentile(grey, 0.99), float(deviation[0, 0]) ** 2, _flat(grey), change)


def _percentile(grey: Image, share: float) -> float:
    """The grey level below which that share of the pixels lies, between two by a straight line, as ``numpy.percentile``."""
    below = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256])[:, 0].astype(np.int64))
    place = share * (grey.size - 1)
    low, high = (
        int(np.searchsorted(below, index, side="right")) for index in (int(place), min(int(place) + 1, grey.size - 1))
    )
    return low + (high - low) * (place - int(place))


def _flat(grey: Image) -> float:
    """The share of 8x8 blocks whose grey levels hardly differ: their variance is the mean square less the squared mean."""
    height, width = grey.shape[0] // BLOCK * BLOCK, grey.shape[1] // BLOCK * BLOCK
    if not height or not width:
        return 1.0
    values = grey[:height, :width].astype(np.float32)  # sums of 64 squares of a byte are exact in it
    size = (width // BLOCK, height // BLOCK)
    mean, square = (
        cv2.resize(each, size, interpolation=cv2.INTER_AREA).astype(np.float64) for each in (values, values * values)
    )
    return float((square - mean * mean < FLAT_DEVIATION**2).mean())


def troubles(measured: Quality) -> list[str]:
    """What is wrong with one picture: dark, covered or blurred, the first that holds. Pure."""
    if measured.luma < DARK_LUMA and measured.bright < DARK_BRIGHT:
        return ["dark"]
    if measured.flat >= FLAT_BLOCKS:
        return ["covered"]
    return ["blurred"] if measured.blur < BLURRED else []


@dataclass(frozen=True)
class Verdicts:
    """The same over the whole look."""

    luma: float = 0.0
    dark: bool = False
    covered: bool = False
    blurred: bool = False
    frozen: bool = False


def judge(measured: Sequence[Quality], seconds_between: float) -> Verdicts:
    """What most of the pictures say; frozen needs at least ``FROZEN_SECONDS`` of samples. Pure."""
    if not measured:
        return Verdicts()
    half = len(measured) / 2
    dark = sum(q.luma < DARK_LUMA and q.bright < DARK_BRIGHT for q in measured) > half
    covered = not dark and sum(q.flat >= FLAT_BLOCKS for q in measured) > half
    changes = [q.change for q in measured if q.change is not None]
    still = sum(change <= FROZEN_CHANGE for change in changes)
    frozen = bool(changes) and still * seconds_between >= FROZEN_SECONDS and still > 0.9 * len(changes)
    return Verdicts(
        luma=sum(q.luma for q in measured) / len(measured),
        dark=dark,
        covered=covered,
        blurred=not dark and not covered and median(q.blur for q in measured) < BLURRED,
        frozen=frozen,
    )
