"""Bodies followed from picture to picture by their own joints, which is how a person who falls is not lost.

The pose detector knows upright people. Who was found upright is followed by the joints of the picture before (the model
turns its window with the body); who is first met lying is found by turning the picture by a quarter, either way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workers.vision.boxes import clipped, grown, iou, within
from workers.vision.cv import Image, cv2
from workers.vision.graphs import Body, BodyFinder, Circle, JointReader, Joints
from workers.vision.observation import Box
from workers.vision.people import body_box as people_box
from workers.vision.pose import Attitude, Posture, attitude, body_box, head_box

UNCONFIRMED_S = 2.5  # joints alone are believed so long; then a detector must find the body again
READS = 2  # bodies whose joints are read in one picture (14 ms each); more take turns
TURNS_PER_S = 2.0  # turned searches (16 ms each) that a look affords in the long run, …
TURNS_SAVED = 12.0  # … and at once, when somebody is lost
SAME = 0.3  # overlap from which two bodies are one


@dataclass
class Followed:
    """One body in the latest picture. Boxes are fractions of the picture."""

    circle: Circle
    t: float  # when its joints were read
    confirmed: float  # when a detector last found it
    box: Box
    head: Box
    attitude: Attitude
    score: float
    confirmations: int  # how often a detector found it, and not its own joints alone


class Follower:
    """Feed pictures in order of time. At most ``most`` bodies are followed at once."""

    def __init__(self, reader: JointReader, finder: BodyFinder, most: int) -> None:
        self._reader = reader
        self._finder = finder
        self._most = most
        self._turns, self._last = TURNS_SAVED, 0.0
        self.bodies: list[Followed] = []

    def see(self, rgb: Image, t: float, found: Sequence[Body] | None, suspects: Sequence[Box]) -> list[Followed]:
        """The bodies in this picture; one whose ``t`` is older was not read this time and stands as it was.

        ``found``: what the pose detector found in it, or None when it was not asked. ``suspects``: boxes where somebody
        should be (fractions); the largest that no body explains is searched with the picture turned, as often as is affordable.
        """
        patient = [body for body in self.bodies if t - body.confirmed <= _patience(body)]
        in_turn = sorted(patient, key=lambda body: body.t)[:READS]
        seen: list[Followed] = [body for body in patient if body not in in_turn]
        for body in in_turn:
            self._take(seen, self._read(rgb, body.circle, t, body.confirmed, body.confirmations))
        for one in found or ():
            box = _shares(people_box(one), rgb.shape[1], rgb.shape[0])
            known = next((body for body in seen if explains(body.box, box)), None)
            if known is not None and known.attitude.posture in (Posture.UPRIGHT, Posture.BENT):
                known.confirmed, known.confirmations = t, known.confirmations + 1
                continue
            read = self._read(rgb, one.circle, t, t, 1)
            if known is not None and read is not None and same(known.box, read.box):
                seen.remove(known)  # what is found in this picture says more than what was followed into it
                read.confirmations += known.confirmations
            self._take(seen, read)
        self._turns = min(TURNS_SAVED, self._turns + TURNS_PER_S * max(0.0, t - self._last))
        self._last = t
        self._search_turned(rgb, t, seen, suspects)
        self.bodies = seen
        return seen

    def _take(self, seen: list[Followed], body: Followed | None) -> None:
        """Add a body, unless it is one that is there already."""
        if body is None:
            return
        twin = next((other for other in seen if explains(other.box, body.box)), None)
        if twin is not None:
            twin.confirmations += body.confirmations
            twin.confirmed = max(twin.confirmed, body.confirmed)
        elif len(seen) < self._most:
            seen.append(body)

    def _search_turned(self, rgb: Image, t: float, seen: list[Followed], suspects: Sequence[Box]) -> None:
        stale = [body.box for body in seen if t - body.confirmed > UNCONFIRMED_S / 2]
        lost = [
            box for box in suspects if not any(within(box, body.box) > 0.3 or explains(body.box, box) for body in seen)
        ]
        for box in sorted(stale, key=_area)[-1:] + sorted(lost, key=_area)[-1:]:
            if self._turns < 1:
                return
            self._turns -= 1
            for circle in self._turned(rgb, box):
                self._take(seen, self._read(rgb, circle, t, t, 1))

    def _read(self, rgb: Image, circle: Circle, t: float, confirmed: float, confirmations: int) -> Followed | None:
        joints = self._reader.read(rgb, circle)
        if joints is None or float(np.median(joints.visible[[11, 12, 23, 24]])) < 0.4:
            return None
        return _followed(joints, rgb.shape[1], rgb.shape[0], t, confirmed, confirmations)

    def _turned(self, rgb: Image, box: Box) -> list[Circle]:
        """Bodies in the box that are upright once the picture is turned by ±90°, in the picture's own pixels."""
        height, width = rgb.shape[:2]
        x, y, w, h = box[0] * width, box[1] * height, box[2] * width, box[3] * height
        side = max(w, h) * 1.6
        left, top = max(0, int(x + w / 2 - side / 2)), max(0, int(y + h / 2 - side / 2))
        cut = rgb[top : min(height, int(top + side)), left : min(width, int(left + side))]
        if min(cut.shape[:2]) < 32:
            return []
        circles: list[Circle] = []
        for quarter, turn in ((1, cv2.ROTATE_90_COUNTERCLOCKWISE), (3, cv2.ROTATE_90_CLOCKWISE)):
            for body in self._finder.find(cv2.rotate(cut, turn)):
                hips, rim = (
                    _back(point, quarter, cut.shape[1], cut.shape[0]) for point in (body.circle.hips, body.circle.rim)
                )
                circles.append(Circle((hips[0] + left, hips[1] + top), (rim[0] + left, rim[1] + top)))
        return circles


def _back(point: tuple[float, float], quarter: int, width: int, height: int) -> tuple[float, float]:
    """A point of ``np.rot90(image, quarter)`` in the image itself, of that width and height."""
    x, y = point
    return (width - y, x) if quarter == 1 else (y, height - x)


def _followed(joints: Joints, width: int, height: int, t: float, confirmed: float, confirmations: int) -> Followed:
    return Followed(
        joints.circle,
        t,
        confirmed,
        _shares(body_box(joints.points, joints.visible), width, height),
        _shares(head_box(joints.points), width, height),
        attitude(joints.points, joints.visible),
        float(np.mean(joints.visible[[11, 12, 23, 24]])),
        confirmations,
    )


def _shares(box: Box, width: float, height: float) -> Box:
    return clipped((box[0] / width, box[1] / height, box[2] / width, box[3] / height))


def _patience(body: Followed) -> float:
    return UNCONFIRMED_S if body.confirmations > 1 else UNCONFIRMED_S / 2


def same(a: Box, b: Box) -> bool:
    """Two boxes of one body: they overlap, or their middles are nearer than half their size."""
    apart = math.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2)
    return iou(a, b) > SAME or (apart < 0.2 * (a[2] + b[2] + a[3] + b[3]) / 2 and within(a, grown(b, 0.2)) > 0.6)


def explains(body: Box, other: Box) -> bool:
    """Whether the other box is of the same person: the same, a part of it, or the shape around it."""
    return same(body, other) or within(other, body) > 0.8 or within(body, other) > 0.7


def _area(box: Box) -> float:
    return box[2] * box[3]
