"""Number plates in one picture: found as text that may be a plate, read sign by sign. A ``Detector`` of plates.

Text is looked for in a small picture first (40 ms), in a larger one only where nothing there reads like a plate; what is
found is read from the full picture, a few milliseconds a line. What comes out is never an identity: see ``domain/plates``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.plates import rules
from domain.plates.countries import ANY, Country, country
from domain.plates.rules import Char
from workers.vision.boxes import clipped, iou, within
from workers.vision.cv import Image
from workers.vision.detector import Region
from workers.vision.observation import Box, Detection
from workers.vision.ocr import VERSION as MODELS
from workers.vision.ocr import Text, TextReader

PARAMETERS: dict[str, Any] = {
    "sides": (640, 1280),  # pixels: the second only where nothing was read in the first
    "same_place": 0.7,  # overlap (IoU) from which a text stands where one stood that is known
    "least_height": 8,  # pixels of the full picture
    "aspect": (1.2, 9.0),
    "most": 8,  # texts that are read of one picture
    "margins": (0.0, 0.06),  # of a text's height: it is read so often, and the readings vote
    "prune": (0.55, 0.45, 0.35),  # a first sign, one between, a last one below this: a flag's edge, a seal, a screw
    "zoom": 480,  # pixels: so wide the surroundings of a text are looked at again, for where it begins and ends
    "around": (1.0, 0.6),  # of its height, beside it and above it
    "worth": 0.3,  # what reads less like a plate is not looked at again
    "plausible": 0.5,  # from which a reading is a plate
    "sure": 0.9,  # from which the larger picture is not looked at
    "lengths": (5, 7),  # of most countries' plates
    "models": MODELS,
}


@dataclass(frozen=True)
class PlateRead:
    """One plate in one picture. ``bbox`` in fractions of it; ``score`` how much it reads like a plate, 0–1."""

    chars: tuple[Char, ...]
    bbox: Box
    score: float

    @property
    def text(self) -> str:
        return rules.written(self.chars)


class PlateDetector:
    """``detect`` says where plates are; ``read`` also what stands on them, which no observation may hold."""

    name = "plates"
    version = "1"
    labels: Sequence[str] = ("plate",)

    def __init__(self) -> None:
        self._reader: TextReader | None = None
        self.country: Country = ANY
        self.unread: list[Box] = []
        """Of the last picture, in fractions: what was read in part, and not well enough to be a plate."""
        self.dull: list[Box] = []
        """Of the last picture: texts that are none."""
        self._sides: Sequence[int] = PARAMETERS["sides"]

    def load(self, config: Mapping[str, Any]) -> None:
        self.country = country(str(config.get("country", "")))
        self._sides = tuple(int(side) for side in config.get("sides", PARAMETERS["sides"]))
        self._reader = TextReader()

    def detect(self, frame: Image, roi: Region | None = None) -> list[Detection]:
        return [Detection("plate", found.score, found.bbox) for found in self.read(frame, roi)]

    def read(self, frame: Image, roi: Region | None = None, known: Sequence[Box] = ()) -> list[PlateRead]:
        """The plates of a picture, the likeliest first, but for those at places that are ``known`` (without ``roi``)."""
        height, width = frame.shape[:2]
        x0, y0, w, h = roi if roi is not None else (0, 0, width, height)
        part = frame[y0 : y0 + h, x0 : x0 + w]
        found: list[tuple[PlateRead, Box]] = []
        self.dull = []
        looked = 0
        for side in self._sides:
            if min(side, max(w, h)) == looked:
                break
            looked = min(side, max(w, h))
            found += self._found(part, side, known)
            if any(each.score >= PARAMETERS["sure"] for each, _ in found):
                break
        best: list[PlateRead] = []
        self.unread = []
        for each, (x, y, wide, high) in sorted(found, key=lambda one: -one[0].score):
            bbox = clipped(((x + x0) / width, (y + y0) / height, wide / width, high / height))
            if any(iou(bbox, other.bbox) >= 0.3 for other in best):
                continue
            if each.score >= PARAMETERS["plausible"]:
                best.append(PlateRead(each.chars, bbox, round(each.score, 4)))
            else:
                self.unread.append(bbox)
        self.dull = [((x + x0) / width, (y + y0) / height, w_ / width, h_ / height) for x, y, w_, h_ in self.dull]
        return best

    def close(self) -> None:
        self._reader = None

    def lines(self, frame: Image, side: int, known: Sequence[Box] = ()) -> list[tuple[Box, tuple[Char, ...], float]]:
        """Texts that may be plates, after one quick reading: (box in pixels, reading, how much it reads like a plate).

        ``known``: boxes (fractions) that need no reading any more.
        """
        height, width = frame.shape[:2]
        pixels = [(x * width, y * height, w * width, h * height) for x, y, w, h in known]
        found = []
        for box in self.likely(frame, side)[: PARAMETERS["most"]]:
            if any(iou(box, other) > PARAMETERS["same_place"] for other in pixels):
                continue
            found.append((box, *self.first_reading(frame, box)))
        return found

    def likely(self, frame: Image, side: int) -> list[Box]:
        """Every text (box in pixels) that has a plate's shape, the surest and largest first."""
        return [text.box for text in _likely(self._texts(frame, side), frame)]

    def first_reading(self, frame: Image, box: Box) -> tuple[tuple[Char, ...], float]:
        """What one quick reading of a text says, and how much that is like a plate."""
        [chars] = self._readings(frame, box, PARAMETERS["margins"][:1])
        return chars, plausibility(chars, self.country)

    def _found(self, part: Image, side: int, known: Sequence[Box]) -> list[tuple[PlateRead, Box]]:
        found = []
        for box, first, like in self.lines(part, side, known):
            if like < PARAMETERS["worth"]:
                self.dull.append(box)
                continue
            readings = [first, *self._readings(part, box, PARAMETERS["margins"][1:])]
            closer = self._closer(part, box)
            if closer is not None:
                readings += self._readings(part, closer, PARAMETERS["margins"])
            chars = rules.vote(readings)
            where = closer or box
            found.append((PlateRead(chars, where, plausibility(chars, self.country)), where))
        return found

    def _texts(self, image: Image, side: int) -> list[Text]:
        return self._loaded().find(image, min(side, max(image.shape[:2])))

    def _loaded(self) -> TextReader:
        if self._reader is None:
            raise ValueError("load comes first")
        return self._reader

    def _readings(self, image: Image, box: Box, margins: Sequence[float]) -> list[tuple[Char, ...]]:
        read = (pruned(self._loaded().read(_cut(image, box, margin))) for margin in margins)
        return [rules.bare(chars, self.country) for chars in read]

    def _closer(self, image: Image, box: Box) -> Box | None:
        """Where the same line begins and ends, seen from near: a small picture loses its first and last signs."""
        beside, above = (share * box[3] for share in PARAMETERS["around"])
        height, width = image.shape[:2]
        left, top = max(0, int(box[0] - beside)), max(0, int(box[1] - above))
        right, bottom = min(width, int(box[0] + box[2] + beside) + 1), min(height, int(box[1] + box[3] + above) + 1)
        near = [
            (text.box[0] + left, text.box[1] + top, text.box[2], text.box[3])
            for text in self._loaded().find(image[top:bottom, left:right], PARAMETERS["zoom"])
        ]
        middle = box[1] + box[3] / 2
        line = [each for each in near if each[1] < middle < each[1] + each[3] and within(each, box) > 0.3]
        return max(line, key=lambda each: each[2], default=None)


def pruned(chars: Sequence[Char]) -> tuple[Char, ...]:
    """Without signs that are hardly seen, most of all at its ends: a frame, a screw, a seal, the edge of a flag."""
    first, between, last = PARAMETERS["prune"]
    kept = list(chars)
    while kept and kept[0].score < first:
        kept.pop(0)
    while kept and kept[-1].score < last:
        kept.pop()
    return tuple(each for at, each in enumerate(kept) if each.score >= between or at == len(kept) - 1)


def plausibility(chars: Sequence[Char], of: Country = ANY) -> float:
    """How much a reading is like a plate, 0–1: its confidence, its length, a digit in it, and a format of the country."""
    text = rules.written(chars)
    if not rules.is_plate(text):
        return 0.0
    least, most = PARAMETERS["lengths"]
    length = 1.0 - 0.1 * max(0, least - len(text), len(text) - most)
    digits = sum(each.isdigit() for each in text)
    mixed = 0.4 if not digits else 0.7 if digits == len(text) else 1.0  # a word; a date or a clock in the picture
    known = 1.0 if not of.formats or rules.fit(text, of).format else 0.8
    return float(rules.confidence(chars) * length * mixed * known)


def _likely(texts: Sequence[Text], image: Image) -> list[Text]:
    """Those of a plate's shape, the surest and largest first."""
    least, most = PARAMETERS["aspect"]
    kept = [
        text
        for text in texts
        if text.box[3] >= PARAMETERS["least_height"] and least <= text.box[2] / text.box[3] <= most
    ]
    return sorted(kept, key=lambda text: -text.score * (text.box[2] * text.box[3]) ** 0.25)


def _cut(image: Image, box: Box, margin: float) -> Image:
    height, width = image.shape[:2]
    x, y, w, h = box
    grow = margin * h
    left, top = max(0, int(x - grow)), max(0, int(y - grow))
    right, bottom = min(width, int(x + w + grow) + 1), min(height, int(y + h + grow) + 1)
    cut: Image = image[top:bottom, left:right]
    return cut
