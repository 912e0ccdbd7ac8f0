"""Where number plates must be blurred in a clip or a photograph that leaves.

A plate is hidden that could be one, not only one that is read: what looks the least like a plate, the row above or below
it, and texts of a plate's shape beyond those that there is time to read. Text is looked for a few times a second; between
two of these pictures the way of each plate is blurred, and one that stands is hidden where it was missed for a while, too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from workers.vision.boxes import around, clipped, grown, iou
from workers.vision.cv import Image
from workers.vision.observation import Box
from workers.vision.plates import PARAMETERS as READING
from workers.vision.plates import PlateDetector

PARAMETERS: dict[str, Any] = {
    "sides": (1280, 640, 640, 640),  # pixels, in turn: what is near moves fast and is large, what is far the other way
    "reads": 10,  # texts that are read of one picture; those beyond are hidden unread
    "worth": READING["worth"],  # what reads so much like a plate is hidden
    "margin": 0.25,  # of a plate's size, on every side
    "near": 2,  # pictures before and after
    "reach": 5.0,  # plate widths that a car moves between two pictures
    "stands": 15,  # pictures over which one that stands is still the same
    "again": 12,  # pictures after which a text that was none is read again
}


class PlatesHidden:
    """Feed pictures in order of time with ``see``; then ``at`` has what to blur in the picture of a time."""

    def __init__(self, detector: PlateDetector) -> None:
        self._detector = detector
        self._times: list[float] = []
        self._plates: list[list[Box]] = []
        self._dull: list[tuple[int, Box]] = []  # texts that were read and are none, and in which picture

    def see(self, t: float, frame: Image) -> None:
        """Look for plates in one picture (BGR)."""
        found = self._found(frame)
        now = len(self._plates)
        for box in found:
            for before in range(now - 1, max(-1, now - 1 - PARAMETERS["stands"]), -1):
                if any(iou(box, other) > 0.5 for other in self._plates[before]):
                    for missed in range(before + 1, now):
                        self._plates[missed].append(box)
                    break
        self._times.append(t)
        self._plates.append(found)

    def at(self, t: float) -> list[Box]:
        """What must be blurred: the plates of the pictures just before and after, and the ways between them."""
        middle, near = bisect_right(self._times, t), PARAMETERS["near"]
        before = [box for boxes in self._plates[max(0, middle - near) : middle] for box in boxes]
        after = [box for boxes in self._plates[middle : middle + near] for box in boxes]
        ways = [around([one, two]) for one in before for two in after if _may_be_one(one, two)]
        return list(dict.fromkeys(grown(box, PARAMETERS["margin"]) for box in (*before, *after, *ways)))

    def _found(self, frame: Image) -> list[Box]:
        height, width = frame.shape[:2]
        number = len(self._plates)
        self._dull = [each for each in self._dull if number - each[0] < PARAMETERS["again"]]
        dull = [box for _, box in self._dull]
        plates: list[Box] = []
        others: list[Box] = []
        reads = 0
        for pixels in self._detector.likely(frame, PARAMETERS["sides"][number % len(PARAMETERS["sides"])]):
            box = clipped((pixels[0] / width, pixels[1] / height, pixels[2] / width, pixels[3] / height))
            if any(iou(box, other) > READING["same_place"] for other in dull):
                others.append(box)
                continue
            reads += 1
            if reads > PARAMETERS["reads"] or self._detector.first_reading(frame, pixels)[1] >= PARAMETERS["worth"]:
                plates.append(box)
            else:
                others.append(box)
                self._dull.append((number, box))
        return plates + [box for box in others if any(_is_row_of(box, plate) for plate in plates)]


def _may_be_one(one: Box, two: Box) -> bool:
    """Whether a car can have moved so far between two pictures, and came as much nearer."""
    across = abs(one[0] + one[2] / 2 - two[0] - two[2] / 2)
    down = abs(one[1] + one[3] / 2 - two[1] - two[3] / 2)
    reach = PARAMETERS["reach"] * max(one[2], two[2])
    return across < reach and down < reach and 0.5 < one[3] / max(two[3], 1e-6) < 2.0


def _is_row_of(box: Box, plate: Box) -> bool:
    """Whether a text stands right above or below another of its size: plates of motorcycles have two rows."""
    across = abs(box[0] + box[2] / 2 - plate[0] - plate[2] / 2)
    gap = max(box[1], plate[1]) - min(box[1] + box[3], plate[1] + plate[3])
    return across < 0.6 * max(box[2], plate[2]) and gap < max(box[3], plate[3]) and 0.4 < box[3] / plate[3] < 2.5


def in_photograph(frame: Image, detector: PlateDetector) -> Sequence[Box]:
    """What must be blurred in a picture of its own (BGR)."""
    hidden = PlatesHidden(detector)
    hidden.see(0.0, frame)
    return hidden.at(0.0)
