"""Which box in this picture is which in the last: greedy overlap, two scores.

A box needs ``START`` to open a track and ``BELIEVE`` once, or three pictures, before the track counts as somebody
(the two thresholds are Frigate's idea); a track that is not seen for ``PATIENCE_S`` ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workers.vision.boxes import iou
from workers.vision.observation import Box, Detection

START = 0.5
BELIEVE = 0.7
SIGHTINGS = 3
PATIENCE_S = 1.5
OVERLAP = 0.2
EDGE = 0.02  # of the picture
LEAVING = 0.5


@dataclass
class Track:
    """One somebody. Changes as the look goes on; lives inside one look only."""

    number: int
    box: Box
    t: float
    best: float
    seen: list[tuple[float, Box, float]] = field(default_factory=list)  # t, box, score

    @property
    def believed(self) -> bool:
        return self.best >= BELIEVE or sum(score >= START for _, _, score in self.seen) >= SIGHTINGS


class Tracker:
    """Feed detections picture by picture, in order of time."""

    def __init__(self) -> None:
        self.all: list[Track] = []
        self._live: list[Track] = []

    def live(self, t: float) -> list[Track]:
        """Tracks that are not over at ``t``."""
        return [track for track in self._live if t - track.t <= PATIENCE_S]

    def update(self, t: float, detections: Sequence[Detection]) -> list[Track | None]:
        """The track of each detection, in their order; None for one too weak to open a track."""
        self._live = self.live(t)
        pairs = sorted(
            (
                (overlap(track.box, found.bbox), i, j)
                for i, track in enumerate(self._live)
                for j, found in enumerate(detections)
            ),
            reverse=True,
        )
        owner: list[Track | None] = [None] * len(detections)
        taken: set[int] = set()
        for score, i, j in pairs:
            if score >= OVERLAP and i not in taken and owner[j] is None:
                taken.add(i)
                owner[j] = self._live[i]
        for j, found in enumerate(detections):
            track = owner[j]
            if track is None and found.score >= START:
                track = Track(len(self.all) + 1, found.bbox, t, 0.0)
                self.all.append(track)
                self._live.append(track)
                owner[j] = track
            if track is not None:
                track.box, track.t, track.best = found.bbox, t, max(track.best, found.score)
                track.seen.append((t, found.bbox, found.score))
        return owner

    def carry(self, track: Track, t: float, box: Box) -> None:
        """Keep a track alive whose somebody was not detected at ``t``, but whose place is known."""
        track.box, track.t = box, t


def gone(track: Track, outline: Box) -> bool:
    """Whether what moves at the picture's edge is but the last of somebody who leaves: less than half of what he was."""
    sizes = sorted(box[2] * box[3] for _, box, _ in track.seen)
    x, y, w, h = outline
    at_edge = x < EDGE or y < EDGE or x + w > 1 - EDGE or y + h > 1 - EDGE
    return bool(sizes) and at_edge and w * h < LEAVING * sizes[len(sizes) // 2]


def overlap(a: Box, b: Box) -> float:
    """IoU, or for boxes that moved apart at a low sampling rate, how near their middles are for their size."""
    near = 0.0
    size = (a[2] + b[2] + a[3] + b[3]) / 4
    if size > 0:
        dx = (a[0] + a[2] / 2) - (b[0] + b[2] / 2)
        dy = (a[1] + a[3] / 2) - (b[1] + b[3] / 2)
        near = max(0.0, 0.5 - (dx * dx + dy * dy) ** 0.5 / (2 * size))
    return max(iou(a, b), near)
