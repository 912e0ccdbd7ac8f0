"""Geometry of boxes ``(x, y, w, h)``: overlap, merging, zones. Pure, in whatever unit the caller uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workers.vision.config import Polygon
from workers.vision.observation import Box


def intersection(a: Box, b: Box) -> float:
    """The area that two boxes share, in the square of their unit."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1."""
    shared = intersection(a, b)
    union = a[2] * a[3] + b[2] * b[3] - shared
    return shared / union if union > 0 else 0.0


def within(a: Box, b: Box) -> float:
    """The share of ``a`` that lies in ``b``."""
    area = a[2] * a[3]
    return intersection(a, b) / area if area > 0 else 0.0


def clipped(box: Box, width: float = 1.0, height: float = 1.0) -> Box:
    """The part of the box inside a picture of that size."""
    x, y = min(max(box[0], 0.0), width), min(max(box[1], 0.0), height)
    right, bottom = min(max(box[0] + box[2], 0.0), width), min(max(box[1] + box[3], 0.0), height)
    return x, y, right - x, bottom - y


def grown(box: Box, share: float) -> Box:
    """The box with ``share`` of its size added on every side."""
    x, y, w, h = box
    return x - w * share, y - h * share, w * (1 + 2 * share), h * (1 + 2 * share)


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of them (at least one)."""
    x, y = min(b[0] for b in boxes), min(b[1] for b in boxes)
    return x, y, max(b[0] + b[2] for b in boxes) - x, max(b[1] + b[3] for b in boxes) - y


def strongest(scored: Iterable[tuple[float, Box]], overlap: float) -> list[tuple[float, Box]]:
    """Non-maximum suppression: of boxes that overlap more than ``overlap`` (IoU, or one inside the other) the best stays."""
    kept: list[tuple[float, Box]] = []
    for score, box in sorted(scored, key=lambda entry: -entry[0]):
        if all(
            iou(box, other) <= overlap and within(box, other) < 0.8 and within(other, box) < 0.8 for _, other in kept
        ):
            kept.append((score, box))
    return kept


def inside(point: tuple[float, float], polygon: Polygon) -> bool:
    """Even-odd rule."""
    x, y = point
    odd = False
    for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd


def zone_of(box: Box, zones: Mapping[str, Polygon]) -> str | None:
    """The first zone that holds the middle of the box's lower edge: where a person stands."""
    foot = (box[0] + box[2] / 2, box[1] + box[3])
    return next((name for name, polygon in zones.items() if inside(foot, polygon)), None)
