"""Which pictures are kept, and that none of them leaves unredacted.

Kept are those that show the findings, the most people, and the sharpest of each stretch. Everything that the neighbouring
samples know about faces and heads is blurred in each, and the picture itself is searched for faces once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workers.vision.config import VisionConfig
from workers.vision.cv import Image, cv2, narrowed
from workers.vision.faces import FaceDetector
from workers.vision.observation import Box, Finding, Still
from workers.vision.redact import NEIGHBOURS, redacted, regions

QUALITY = 82  # JPEG
PER_BATCH = 4


@dataclass
class Shot:
    """One sample as the gallery needs it. ``full`` is None where only the small picture was kept."""

    t: float
    small: Image
    full: Image | None
    faces: Sequence[Box]
    heads: Sequence[Box]
    people: Sequence[Box]


class Gallery:
    """Takes batches of shots in order of time, keeps a few pictures of each, redacted at once."""

    def __init__(self, config: VisionConfig, faces: FaceDetector) -> None:
        self._config = config
        self._faces = faces
        self._kept: list[tuple[int, float, Still]] = []  # people in it, sharpness, the still

    def add(self, shots: Sequence[Shot]) -> None:
        whole = [index for index, shot in enumerate(shots) if shot.full is not None]
        if not whole:
            return
        most = max(whole, key=lambda index: (len(shots[index].people), _sharpness(shots[index].small)))
        last = whole[-1]
        sharpest = sorted(whole, key=lambda index: -_sharpness(shots[index].small))
        picked = list(dict.fromkeys([most, last, *sharpest]))[:PER_BATCH]
        for index in picked:
            why = "most_people" if index == most and shots[index].people else "sharpest"
            self._keep(shots, index, why)

    def _keep(self, shots: Sequence[Shot], index: int, why: str) -> None:
        shot = shots[index]
        assert shot.full is not None
        near = shots[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1]
        boxes = regions((other.faces, other.people) for other in near)
        boxes += [head for other in near for head in other.heads]
        boxes += regions((([one.bbox for one in self._faces.detect(other.small)], ()) for other in self._beside(shots, index)))
        image = redacted(narrowed(shot.full, self._config.still_width), boxes)
        good, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if good:
            still = Still(shot.t, data.tobytes(), image.shape[1], image.shape[0], len(boxes), why)
            self._kept.append((len(shot.people), _sharpness(shot.small), still))

    def _beside(self, shots: Sequence[Shot], index: int) -> Sequence[Shot]:
        """The samples next to it, searched for faces too: one missed in the picture is mostly found in them."""
        return [shots[i] for i in (index - 1, index + 1) if 0 <= i < len(shots)]

    def kept(self, findings: Sequence[Finding]) -> list[Still]:
        """At most ``stills_max``, in order of time: first what shows a finding, then the most people, then the sharpest."""

        def rank(entry: tuple[int, float, Still]) -> tuple[bool, int, float]:
            return any(f.t - 0.5 <= entry[2].t <= f.t + f.seconds + 0.5 for f in findings), entry[0], entry[1]

        best = sorted(self._kept, key=rank, reverse=True)[: self._config.stills_max]
        stills = []
        for _, _, still in sorted(best, key=lambda entry: entry[2].t):
            shown = next((f.kind for f in findings if f.t - 0.5 <= still.t <= f.t + f.seconds + 0.5), still.why)
            stills.append(Still(still.t, still.jpeg, still.width, still.height, still.blurred, shown))
        return stills


def _sharpness(image: Image) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.CV_32F).var())
