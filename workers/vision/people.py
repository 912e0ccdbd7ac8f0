"""People, near and far: the pose detector for those who are near, HOG on what moves for those who are far.

The pose detector sees a picture at 224 px, so whoever takes less than a fifth of its height escapes it; a closer look at
what moves brings the second of two within its sight, and a lone face is somebody seated. HOG (Dalal and Triggs, 2005;
OpenCV's default detector wants a person of 96 px in a window of 64x128) is affordable only where something moves, and
there it tells a walker from a car or a shadow, and two walkers from one. What moves, is shaped like a person and is not
confirmed, carries a track on, but opens none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workers.vision.boxes import clipped, grown, intersection, iou, strongest, within
from workers.vision.cv import Image, cv2
from workers.vision.graphs import Body, BodyFinder, Circle, to_rgb
from workers.vision.observation import Box, Detection

VERSION = "3"
PARAMETERS: dict[str, float] = {
    "hog_least": -0.5,  # the SVM's margin, from which a moving shape is a person …
    "hog_sure": 0.5,  # … and from which it is believed at once
    "hog_person": 96.0,  # px that a person takes in HOG's window
    "shape_least": 0.18,  # width by height of one moving person
    "shape_most": 0.75,
    "shape_group": 2.6,  # wider is a vehicle
    "least_px": 14.0,
    "unconfirmed": 0.35,  # score of a shape that only moves
    "near": 0.2,  # of the picture's height, from which the pose detector is given a closer look
    "closer_most": 3.0,
    "face_alone": 0.6,
    "seated_in": 0.8,  # of a lone face's box within a body's, from which overlap does not make them one
    "overlap": 0.35,
}


class PersonDetector:
    """A ``Detector`` of people.

    Set before each ``detect``: ``moving``, the regions that move, ``faces`` that were found (fractions), and whether they
    are ``fresh``, found in this very picture.
    Read after it: ``bodies``, what the pose detector found, in pixels of the frame, and ``others``, what faces and HOG
    found beside it, as scores and fractions.
    """

    name = "people"
    version = VERSION
    labels: Sequence[str] = ("person",)

    def __init__(self) -> None:
        self.moving: Sequence[Box] = ()
        self.faces: Sequence[Box] = ()
        self.fresh = False
        self.bodies: list[Body] = []
        self.others: list[tuple[float, Box]] = []
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
        self.bodies = self._bodies(frame, roi or (0, 0, width, height))
        scored = [(body.score, to_shares(body_box(body), width, height)) for body in self.bodies]
        scored = strongest(scored, PARAMETERS["overlap"])
        alone = self._faces_alone(scored, [to_shares(body.face, width, height) for body in self.bodies])
        walkers = self._walkers(frame, scored + alone)
        self.others = alone + walkers
        apart = [one for one in alone if any(within(one[1], box) >= PARAMETERS["seated_in"] for _, box in scored)]
        scored = strongest(scored + [one for one in self.others if one not in apart], PARAMETERS["overlap"])
        return [Detection("person", score, box) for score, box in scored + apart]

    def _bodies(self, frame: Image, roi: tuple[int, int, int, int]) -> list[Body]:
        assert self._finder is not None
        x, y, w, h = roi
        rgb = to_rgb(frame[y : y + h, x : x + w])
        found = [_moved(body, x, y) for body in self._finder.find(rgb)]
        for left, top, right, bottom in self._closer(frame, found):
            near = self._finder.find(to_rgb(frame[top:bottom, left:right]))
            found += [_moved(body, left, top) for body in near if not _cut_off(body, right - left, bottom - top)]
        kept: list[Body] = []
        for body in sorted(found, key=lambda one: -one.score):
            box = body_box(body)
            if all(iou(box, body_box(other)) < 0.5 and iou(body.face, other.face) < 0.3 for other in kept):
                kept.append(body)
        return kept

    def _closer(self, frame: Image, found: Sequence[Body]) -> list[tuple[int, int, int, int]]:
        """Where a closer look may find somebody whom the whole picture did not show: left, top, right, bottom."""
        height, width = frame.shape[:2]
        known = [to_shares(body_box(body), width, height) for body in found]
        squares: list[tuple[float, float, float]] = []  # middle and side, in pixels
        for box in self.moving:
            if box[3] > PARAMETERS["near"] and not any(within(box, other) > 0.5 for other in known):
                side = 1.5 * max(box[2] * width, box[3] * height)
                squares.append(((box[0] + box[2] / 2) * width, (box[1] + box[3] / 2) * height, side))
        cuts = []
        for x, y, side in sorted(squares, key=lambda square: -square[2])[: int(PARAMETERS["closer_most"])]:
            left, top = max(0, int(x - side / 2)), max(0, int(y - side / 2))
            right, bottom = min(width, int(x + side / 2)), min(height, int(y + side / 2))
            if min(right - left, bottom - top) >= 48:
                cuts.append((left, top, right, bottom))
        return cuts

    def _faces_alone(self, known: Sequence[tuple[float, Box]], heads: Sequence[Box]) -> list[tuple[float, Box]]:
        """Faces without a body are people too: the seated, and those at the picture's edge. Head and shoulders.

        A body has one face, where its head is. A second one within its box is somebody who sits beside or before it, unless
        the face was found a while ago and something moves there: then it is the same body's, who went on.
        """
        alone = []
        for face in self.faces:
            x, y, w, h = face
            theirs = any(within(face, box) > 0.6 for _, box in known)
            own = any(within(face, grown(head, 0.1)) > 0.5 for head in heads)
            settled = self.fresh or not any(intersection(face, box) > 0 for box in self.moving)
            if not theirs or (settled and not own):
                alone.append((PARAMETERS["face_alone"], clipped((x - 0.8 * w, y - 0.4 * h, 2.6 * w, 3.6 * h))))
        return alone

    def _walkers(self, frame: Image, known: Sequence[tuple[float, Box]]) -> list[tuple[float, Box]]:
        height, width = frame.shape[:2]
        found: list[tuple[float, Box]] = []
        for region in self.moving:
            high, wide = region[3] * height, region[2] * width
            if high < PARAMETERS["least_px"] or wide > PARAMETERS["shape_group"] * high:
                continue
            if any(within(region, box) > 0.6 or iou(region, box) > PARAMETERS["overlap"] for _, box in known):
                continue
            hits = self._scan(frame, (region[0] * width, region[1] * height, wide, high))
            if len(hits) == 1 and wide <= PARAMETERS["shape_most"] * high:
                found.append((hits[0][0], region))
            elif hits:
                found += [(score, to_shares(box, width, height)) for score, box in hits]
            elif PARAMETERS["shape_least"] <= wide / high <= PARAMETERS["shape_most"]:
                found.append((PARAMETERS["unconfirmed"], region))
        return found

    def _scan(self, frame: Image, region: Box) -> list[tuple[float, Box]]:
        """People of about the region's height in it, by HOG: scores, and boxes in pixels of the frame."""
        x, y, w, h = region
        scale = PARAMETERS["hog_person"] / h
        cut_w, cut_h = max(w + 0.4 * h, h * 0.75), h * 1.6
        left, top = x + w / 2 - cut_w / 2, y + h / 2 - cut_h / 2
        size = (max(64, round(cut_w * scale)), max(128, round(cut_h * scale)))
        cut = cv2.warpAffine(
            frame,
            np.array([[scale, 0, -scale * left], [0, scale, -scale * top]], np.float32),
            size,
            borderMode=cv2.BORDER_REPLICATE,
        )
        boxes, weights = self._hog.detectMultiScale(
            cut, hitThreshold=PARAMETERS["hog_least"], winStride=(4, 4), padding=(0, 0), scale=1.1, groupThreshold=0
        )
        scored: list[tuple[float, Box]] = []
        for (bx, by, bw, bh), weight in zip(boxes, weights, strict=True):
            sure = (float(weight) - PARAMETERS["hog_least"]) / (PARAMETERS["hog_sure"] - PARAMETERS["hog_least"])
            person = (bx + bw * 0.17, by + bh * 0.125, bw * 0.66, bh * 0.75)  # the window less its margin
            scored.append(
                (
                    min(0.95, 0.5 + 0.2 * sure),
                    (left + person[0] / scale, top + person[1] / scale, person[2] / scale, person[3] / scale),
                )
            )
        return strongest(scored, 0.3)

    def close(self) -> None:
        if self._finder is not None:
            self._finder.close()
            self._finder = None


def body_box(body: Body) -> Box:
    """The person's box in pixels, from the circle around the body, whose rim lies about a hand above the crown."""
    (hx, hy), radius = body.circle.hips, body.circle.radius
    dx, dy = (body.circle.rim[0] - hx) / max(radius, 1e-6), (body.circle.rim[1] - hy) / max(radius, 1e-6)
    # Along the body: hips to crown 0.85 r, hips to soles 0.95 r; across: 0.35 r either side.
    corners = [
        (hx + along * radius * dx - across * radius * dy, hy + along * radius * dy + across * radius * dx)
        for along in (0.85, -0.95)
        for across in (-0.35, 0.35)
    ]
    left, top = min(c[0] for c in corners), min(c[1] for c in corners)
    return left, top, max(c[0] for c in corners) - left, max(c[1] for c in corners) - top


def to_shares(box: Box, width: float, height: float) -> Box:
    """Pixels → fractions of the picture, clipped to it."""
    return clipped((box[0] / width, box[1] / height, box[2] / width, box[3] / height))


def _cut_off(body: Body, width: int, height: int) -> bool:
    """Whether the head touches the cut's edge, where the detector guesses."""
    x, y, w, h = body.face
    return x < 1 or y < 1 or x + w > width - 1 or y + h > height - 1


def _moved(body: Body, left: float, top: float) -> Body:
    if not left and not top:
        return body
    x, y, w, h = body.face
    hips, rim = body.circle.hips, body.circle.rim
    circle = Circle((hips[0] + left, hips[1] + top), (rim[0] + left, rim[1] + top))
    return Body(body.score, (x + left, y + top, w, h), circle)
