"""The plates of one look: read in its full pictures as far as its time goes, the same plate put together, and what its
sharpest pictures say by vote. They leave the look beside the observation, never in it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from domain.plates import rules
from domain.plates.rules import Char
from workers.vision.boxes import clipped, iou
from workers.vision.cv import Image, cv2
from workers.vision.decode import Sample
from workers.vision.observation import Box, Detection, SeenPlate, at
from workers.vision.plates import PARAMETERS, PlateDetector, PlateRead, plausibility

SIDES: Final = (800,)  # of a picture of a look: a camera's plates are larger than those that a second pass would find
TIME_MS: Final = 600.0  # of processor time for the readings of one look
SHARPEST: Final = 3  # pictures of a plate that vote
SAME: Final = 2.0  # what may have to be forgiven between two readings of one plate
AROUND: Final = 0.4  # of a plate's height, in its crop
CROP_WIDTH: Final = 320
QUALITY: Final = 88  # JPEG


@dataclass(frozen=True)
class _Sight:
    t: float
    read: PlateRead
    sharp: float
    crop: bytes


@dataclass
class _Group:
    sights: list[_Sight] = field(default_factory=list)

    def best(self) -> list[_Sight]:
        return sorted(self.sights, key=lambda sight: -sight.sharp)[:SHARPEST]

    def is_settled(self) -> bool:
        """It stands still, and was read well often enough: nothing more is to be learnt of it."""
        last = [sight.read for sight in self.sights[-2:]]
        well = len(self.sights) >= SHARPEST and all(read.score >= PARAMETERS["sure"] for read in last)
        return well and iou(last[0].bbox, last[-1].bbox) > PARAMETERS["same_place"]

    def chars(self) -> tuple[Char, ...]:
        return rules.vote(sight.read.chars for sight in self.best())


class PlatesSeen:
    """Feed full pictures in order of time; then ``plates`` has each plate once."""

    def __init__(self, detector: PlateDetector) -> None:
        self._detector = detector
        self._groups: list[_Group] = []
        self._dull: list[Box] = []  # signs and other texts that are none, where the camera stands still
        self._spent = 0.0
        self.detections: list[Detection] = []

    def see(self, sample: Sample) -> None:
        """Read one picture, while there is time. What is to be blurred in it stands in ``sample.plates`` then."""
        if sample.full is None or self._spent > TIME_MS:
            return
        began = time.process_time()
        sample.plates = []
        taken: set[int] = set()
        settled = [group.sights[-1].read.bbox for group in self._groups if group.is_settled()]
        for read in self._detector.read(sample.full, known=[*settled, *self._dull]):
            sample.plates.append(read.bbox)
            self.detections.append(at(Detection("plate", read.score, read.bbox), sample.t))
            self._put(read, sample.t, sample.full, taken)
        sample.plates += [*settled, *self._detector.unread]
        self._dull += self._detector.dull
        self._spent += (time.process_time() - began) * 1000

    def to_blur(self, frame: Image) -> list[Box]:
        """Where plates are in a picture that is kept and was not read: whatever looks the least like one."""
        height, width = frame.shape[:2]
        lines = self._detector.lines(frame, SIDES[0], self._dull)
        return [
            clipped((x / width, y / height, w / width, h / height))
            for (x, y, w, h), _, like in lines
            if like >= PARAMETERS["worth"]
        ]

    def plates(self) -> list[SeenPlate]:
        """Each plate with its voted reading, the surest first."""
        found = []
        for number, group in enumerate(self._groups, start=1):
            chars = group.chars()
            if plausibility(chars, self._detector.country) < PARAMETERS["plausible"]:
                continue
            best = group.best()[0]
            found.append(
                SeenPlate(
                    chars=tuple((char.text, round(char.score, 4)) for char in chars),
                    t=best.t,
                    track=number,
                    bbox=best.read.bbox,
                    detector=f"{PlateDetector.name} {PlateDetector.version}",
                    crop=best.crop,
                )
            )
        return sorted(found, key=lambda plate: -sum(score for _, score in plate.chars) / len(plate.chars))

    def _put(self, read: PlateRead, t: float, frame: Image, taken: set[int]) -> None:
        near = [
            (rules.distance(read.chars, rules.written(group.chars())), number)
            for number, group in enumerate(self._groups)
            if number not in taken
        ]
        cost, number = min(near, default=(SAME + 1, 0))
        if cost > SAME:
            number = len(self._groups)
            self._groups.append(_Group())
        taken.add(number)
        cut = _cut(frame, read.bbox)
        grey = cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY)
        sharp = float(cv2.Laplacian(grey, cv2.CV_32F).var()) * read.score
        group = self._groups[number]
        group.sights.append(_Sight(t, read, sharp, _jpeg(cut)))
        if len(group.sights) > SHARPEST:
            group.sights.remove(min(group.sights, key=lambda sight: sight.sharp))  # no more crops are held than vote


def _cut(frame: Image, bbox: Box) -> Image:
    height, width = frame.shape[:2]
    margin = AROUND * bbox[3] * height
    x, y, w, h = clipped(
        (
            bbox[0] - margin / width,
            bbox[1] - margin / height,
            bbox[2] + 2 * margin / width,
            bbox[3] + 2 * margin / height,
        )
    )
    cut: Image = frame[int(y * height) : int((y + h) * height) + 1, int(x * width) : int((x + w) * width) + 1]
    return cut


def _jpeg(cut: Image) -> bytes:
    scale = CROP_WIDTH / cut.shape[1]
    shown = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale < 4 else cut
    good, data = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(data.tobytes()) if good else b""
