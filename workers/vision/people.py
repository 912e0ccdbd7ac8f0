"""People, near and far: the pose detector for those who are near, HOG on what moves for those who are far.

The pose detector sees the picture at 224 px, so a person of less than a fifth of its height escapes it; HOG (Dalal and
Triggs, 2005, OpenCV's default detector) finds walkers of 96 px and more, and is affordable only where something moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.vision.boxes import clipped, grown, iou, strongest, within
from workers.vision.cv import Image, cv2
from workers.vision.graphs import Body, BodyFinder, to_rgb
from workers.vision.observation import Box, Detection

PARAMETERS: dict[str, float] = {
    "hog_scale_to": 128.0,  # px that a moving region's height is brought to, so that a person in it is HOG's 96
    "hog_hit": 0.0,
    "hog_believe": 0.35,
    "overlap": 0.35,
    "largest_region": 0.5,  # of the picture's height: what is taller is the pose detector's
}


class PersonDetector:
    """A ``Detector`` of people. ``moving`` (set before each ``detect``) are the regions that HOG is given, as fractions."""

    name = "people"
    version = "1"
    labels: Sequence[str] = ("person",)

    def __init__(self) -> None:
        self.moving: Sequence[Box] = ()
        self.bodies: list[Body] = []
        self._finder: BodyFinder | None = None
        self._hog: Any = None

    def load(self, config: Mapping[str, Any]) -> None:
        self._finder = BodyFinder()
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())

    def detect(self, frame: Image, roi: tuple[int, int, int, int] | None = None) -> list[Detection]:
        if self._finder is None:
            raise ValueError("load comes first")
        height, width = frame.shape[:2]
        left, top = (roi[0], roi[1]) if roi else (0, 0)
        part = frame if roi is None else frame[top : top + roi[3], left : left + roi[2]]
        self.bodies = self._finder.find(to_rgb(part))
        scored: list[tuple[float, Box]] = [
            (body.score, shifted(body_box(body), left, top, width, height)) for body in self.bodies
        ]
        scored += self._walkers(frame, scored)
        return [Detection("person", score, box) for score, box in strongest(scored, PARAMETERS["overlap"])]

    def _walkers(self, frame: Image, known: Sequence[tuple[float, Box]]) -> list[tuple[float, Box]]:
        height, width = frame.shape[:2]
        found: list[tuple[float, Box]] = []
        for region in self.moving:
            if region[3] > PARAMETERS["largest_region"] or region[3] * height < 12:
                continue
            if any(within(region, box) > 0.7 for _, box in known):
                continue
            x, y, w, h = clipped(grown(region, 0.35))
            cut = frame[int(y * height) : int((y + h) * height), int(x * width) : int((x + w) * width)]
            if min(cut.shape[:2]) < 8:
                continue
            scale = min(4.0, max(PARAMETERS["hog_scale_to"] * 1.3 / cut.shape[0], 1.0))
            large = cv2.resize(cut, None, fx=max(scale, 68 / cut.shape[1]), fy=max(scale, 132 / cut.shape[0]))
            boxes, weights = self._hog.detectMultiScale(
                large, hitThreshold=PARAMETERS["hog_hit"], winStride=(8, 8), padding=(8, 8), scale=1.08
            )
            for (bx, by, bw, bh), weight in zip(boxes, weights, strict=True):
                score = min(1.0, 0.5 + 0.5 * float(weight) / (2 * PARAMETERS["hog_believe"]))
                # HOG's window has a margin of about an eighth around the person.
                box = (
                    x + (bx + 0.12 * bw) * w / large.shape[1],
                    y + (by + 0.06 * bh) * h / large.shape[0],
                    0.76 * bw * w / large.shape[1],
                    0.88 * bh * h / large.shape[0],
                )
                if not any(iou(box, other) > PARAMETERS["overlap"] for _, other in known):
                    found.append((score, clipped(box)))
        return found

    def close(self) -> None:
        if self._finder is not None:
            self._finder.close()
            self._finder = None


def body_box(body: Body) -> Box:
    """The person's box in pixels from the circle around the body: BlazePose's rim lies about a head above the crown."""
    (hx, hy), radius = body.circle.hips, body.circle.radius
    dx, dy = (body.circle.rim[0] - hx) / max(radius, 1e-6), (body.circle.rim[1] - hy) / max(radius, 1e-6)
    # Along the body: hips to crown 0.85 r, hips to feet 0.95 r; across: 0.35 r either side.
    corners = [
        (hx + along * radius * dx - across * radius * dy, hy + along * radius * dy + across * radius * dx)
        for along in (0.85, -0.95)
        for across in (-0.35, 0.35)
    ]
    left, top = min(c[0] for c in corners), min(c[1] for c in corners)
    return left, top, max(c[0] for c in corners) - left, max(c[1] for c in corners) - top


def shifted(box: Box, left: float, top: float, width: float, height: float) -> Box:
    """Pixels of a part that begins at (left, top) → fractions of the picture."""
    return clipped(((box[0] + left) / width, (box[1] + top) / height, box[2] / width, box[3] / height))
