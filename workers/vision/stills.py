"""Which pictures are kept, and that none of them leaves unredacted.

Kept are those that show the findings, the most people, and the sharpest of each stretch. Of every person the head is
blurred, where the joints have it or where it must be; every face that this picture or its neighbours show as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workers.vision.boxes import around, grown
from workers.vision.config import VisionConfig
from workers.vision.cv import Image, cv2, narrowed
from workers.vision.decode import Sample
from workers.vision.faces import FaceDetector
from workers.vision.observation import Box, Finding, Still
from workers.vision.redact import NEIGHBOURS, around_face, head_of, redacted

QUALITY = 82  # JPEG
PER_BATCH = 4
SETTLED_S = 0.7


class Gallery:
    """Takes batches of samples in order of time, keeps a few pictures of each, redacted at once."""

    def __init__(
        self, config: VisionConfig, faces: FaceDetector, plates: Callable[[Image], list[Box]] | None = None
    ) -> None:
        self._config = config
        self._plates = plates
        self._faces = faces
        self._kept: list[tuple[int, float, Still]] = []  # people in it, sharpness, the still

    def add(self, samples: Sequence[Sample]) -> None:
        whole = [index for index, sample in enumerate(samples) if sample.full is not None]
        # People are not all found in the first pictures of a look, so a head there may stay bare: kept only if alone.
        whole = [index for index in whole if samples[index].t >= SETTLED_S] or whole
        # And while somebody goes down, joints lag behind the head: such pictures only if there are no others.
        whole = [index for index in whole if not any(near.tumult for near in _around(samples, index))] or whole
        if not whole:
            return
        crowd = {index: len(samples[index].people) + len(samples[index].heads) for index in whole}
        sharp = {index: _sharpness(samples[index].small) for index in whole}
        most = max(whole, key=lambda index: (crowd[index], sharp[index]))
        for index in list(dict.fromkeys([most, whole[-1], *sorted(whole, key=lambda index: -sharp[index])]))[
            :PER_BATCH
        ]:
            why = "most_people" if index == most and crowd[index] else "sharpest"
            still = self._redacted(samples, index, why)
            if still is not None:
                self._kept.append((crowd[index], sharp[index], still))

    def _redacted(self, samples: Sequence[Sample], index: int, why: str) -> Still | None:
        full = samples[index].full
        assert full is not None
        boxes = hidden(samples, index)
        for beside in (index - 1, index + 1):  # a face missed in the picture is mostly found in the next
            if 0 <= beside < len(samples):
                boxes += [around_face(one.bbox) for one in self._faces.detect(samples[beside].small)]
        if self._plates is not None:
            known = samples[index].plates
            boxes += [grown(box, 0.15) for box in (self._plates(full) if known is None else known)]
        image = redacted(narrowed(full, self._config.still_width), boxes)
        good, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not good:
            return None
        return Still(samples[index].t, data.tobytes(), image.shape[1], image.shape[0], len(boxes), why)

    def kept(self, findings: Sequence[Finding]) -> list[Still]:
        """At most ``stills_max``, in order of time: what shows a finding, then the most people, then the sharpest."""

        def shown(still: Still) -> str | None:
            return next((f.kind for f in findings if f.t - 0.5 <= still.t <= f.t + f.seconds + 0.5), None)

        ranked = sorted(self._kept, key=lambda entry: (shown(entry[2]) is not None, entry[0], entry[1]), reverse=True)
        best = [still for _, _, still in ranked[: self._config.stills_max]]
        return [
            Still(still.t, still.jpeg, still.width, still.height, still.blurred, shown(still) or still.why)
            for still in sorted(best, key=lambda still: still.t)
        ]


def hidden(samples: Sequence[Sample], index: int) -> list[Box]:
    """What must be blurred in one picture (fractions): its faces, and each person's head in it and beside it.

    Whose head this sample does not have, his is blurred over all of the way between where it was before and after, up to
    ``NEIGHBOURS`` samples away, the more widely the longer ago that was.
    """
    close = samples[max(0, index - 1) : index + 2]
    boxes = [around_face(face) for near in close for face in near.faces]
    boxes += [head for near in close for _, head in _heads(near)]
    here = {track for track, _ in _heads(samples[index])}
    elsewhere: dict[int, list[Box]] = {}
    for step in (-1, 1):
        met: set[int] = set()
        for distance in range(1, NEIGHBOURS + 1):
            if not 0 <= index + step * distance < len(samples):
                break
            for track, head in _heads(samples[index + step * distance]):
                if track not in here and track not in met and track != 0:
                    met.add(track)
                    elsewhere.setdefault(track, []).append(grown(head, 0.4 * distance))
    return boxes + [around(way) for way in elsewhere.values()]


def _around(samples: Sequence[Sample], index: int) -> Sequence[Sample]:
    return samples[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1]


def _heads(sample: Sample) -> list[tuple[int, Box]]:
    return [*sample.heads, *((track, head_of(person)) for track, person in sample.people)]


def _sharpness(image: Image) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.CV_32F).var())
