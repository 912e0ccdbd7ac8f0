"""From footage to the pictures that are judged: a few a second, small, with a full one now and then.

Decoding all pictures and converting few is what makes ten seconds of 720p affordable: ``grab`` costs 2.5 ms, the
conversion and the resizing as much again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from workers.vision.admit import Unseen
from workers.vision.config import VisionConfig
from workers.vision.cv import Image, cv2, narrowed
from workers.vision.motion import looked_at
from workers.vision.observation import Box, Status
from workers.vision.source import Footage

MOTION_WIDTH = 480
WIDEST = 1920  # full pictures are kept at most so wide


@dataclass
class Sample:
    """One judged picture, and what was seen in it. ``small`` is for people and poses, ``grey`` for motion and light."""

    t: float
    small: Image
    grey: Image
    full: Image | None  # at the rate of faces
    tumult: bool = False  # somebody goes down in it: joints, and so heads, are not where they seem
    faces: list[Box] = field(default_factory=list)
    heads: list[tuple[int, Box]] = field(default_factory=list)  # track and head, by joints
    people: list[tuple[int, Box]] = field(default_factory=list)  # track and box of those whose joints were not read
    plates: list[Box] | None = None  # number plates; None where nobody looked for them


class Decoder:
    """Iterate once. Afterwards ``decoded``, ``last_t``, ``size`` and ``failed`` (one word, or empty) say how it went."""

    def __init__(self, footage: Footage, seconds: float, config: VisionConfig, deadline: float) -> None:
        self._footage, self._seconds, self._config, self._deadline = footage, seconds, config, deadline
        self._looked: Image | None = None
        self.decoded = 0
        self.last_t = 0.0
        self.size = (0, 0)
        self.failed = ""

    def __iter__(self) -> Iterator[Sample]:
        """Raises ``Unseen`` when the source fails before its first picture."""
        step, next_t, next_full = 1 / self._config.sample_hz, 0.0, 0.0
        while True:
            if time.monotonic() > self._deadline:
                self.failed = "out_of_time"
                return
            try:
                t = self._footage.grab()
                if t is None or t >= self._seconds:
                    return
                self.decoded += 1
                self.last_t = t
                if t + 1e-3 < next_t:
                    continue
                image = self._footage.retrieve()
            except Unseen as unseen:
                if self.size == (0, 0) and not (self._footage.live and unseen.status is Status.TIMEOUT):
                    raise
                self.failed = unseen.reason
                return
            if image is None:
                self.failed = "not_decodable"
                continue
            next_t = max(next_t + step, t + step / 2)
            whole = t + 1e-3 >= next_full
            if whole:
                next_full = t + 1 / self._config.faces_hz
            yield self._sample(t, image, whole)

    def _sample(self, t: float, image: Image, whole: bool) -> Sample:
        size = (image.shape[1], image.shape[0])
        if self._config.masks:
            if self._looked is None or size != self.size:
                self._looked = looked_at(size, self._config.masks)
            image = cv2.bitwise_and(image, image, mask=self._looked)
        self.size = size
        small = narrowed(image, self._config.width)
        grey: Image = cv2.cvtColor(narrowed(small, MOTION_WIDTH), cv2.COLOR_BGR2GRAY)
        return Sample(t, small, grey, narrowed(image, WIDEST) if whole else None)


def batches(samples: Iterator[Sample], size: int) -> Iterator[Sequence[Sample]]:
    """Samples by ``size``: what is in memory at once."""
    batch: list[Sample] = []
    for sample in samples:
        batch.append(sample)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
