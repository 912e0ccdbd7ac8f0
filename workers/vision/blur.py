"""The redacted copy of a recording: every face, head and number plate in every picture blurred, no sound, a few stills.

Two passes over the same pictures: a look finds faces, heads and plates a few times a second, then each picture is blurred
by what was found just before and just after it, and over the way between. Detectors miss faces, so what is blurred is
generous; of a clip in which nothing at all can be decoded, or that could not be looked at whole in time, there is no copy.
"""

from __future__ import annotations

import hashlib
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from workers.vision import boxes as geometry
from workers.vision.admit import Unseen
from workers.vision.boxes import around, grown
from workers.vision.config import VisionConfig, Window
from workers.vision.cv import Image, cv2, narrowed
from workers.vision.decode import Sample
from workers.vision.detector import described
from workers.vision.frames import Piece, Recorded, frames
from workers.vision.look import look_at
from workers.vision.models import loaded
from workers.vision.motion import looked_at
from workers.vision.observation import Box, Status
from workers.vision.plates import PlateDetector
from workers.vision.plates_hidden import PARAMETERS as HIDDEN
from workers.vision.plates_hidden import PlatesHidden
from workers.vision.redact import NEIGHBOURS, around_face, redacted
from workers.vision.stills import QUALITY, hidden

CONFIG: dict[str, Any] = {"sample_hz": 6.0, "faces_hz": 3.0, "stills_max": 0, "max_seconds": 600.0, "poses_per_look": 8}
"""How a look for faces differs from one that an SOS waits for."""
WIDEST = 1280
FACE_REACH = 2.5  # face widths that somebody moves between two samples
_MS = Fraction(1, 1000)
_NOTHING: Image = np.zeros((1, 1), np.uint8)


@dataclass(frozen=True)
class Blurred:
    """What came of it. ``first``: seconds from the beginning of what was asked to the first picture; ``regions``: blurred
    boxes over all pictures; ``broken``: one word for each file that did not read; ``cut``: there are pictures beyond what was
    asked for, and none of them is in it.
    """

    path: Path
    first: float
    frames: int
    seconds: float
    regions: int
    stills: list[dict[str, Any]]
    detectors: list[dict[str, str]]
    broken: list[str]
    cut: bool


def blur(
    pieces: Sequence[Piece], seconds: float, out: Path, config: VisionConfig, *, stills: int, budget_s: float
) -> Blurred:
    """Write the redacted copy to ``out`` (MP4, H.264) and stills ``still-N.jpg`` beside it. Raises ``Unseen``."""
    samples: list[Sample] = []
    plates = PlatesHidden(loaded().plates(""))

    def keep(sample: Sample) -> None:
        if sample.full is not None:
            plates.see(sample.t, sample.full)
        bare = Sample(sample.t, _NOTHING, _NOTHING, None, sample.tumult, sample.faces, sample.heads, sample.people)
        samples.append(bare)

    began = time.monotonic()
    recorded = Recorded(pieces, seconds, config)
    seen = look_at(recorded, Window(seconds), config, began, seen=keep)
    if not samples:
        raise Unseen(Status.CORRUPT, recorded.broken[0] if recorded.broken else "no_pictures")
    if seen.health.reason == "out_of_time":  # what nobody looked at would leave unblurred
        raise Unseen(Status.TIMEOUT, "out_of_time")
    shown, regions, first, last = 0, 0, 0.0, 0.0
    kept: list[dict[str, Any]] = []
    times = [(index + 0.5) * samples[-1].t / stills for index in range(stills)] if stills else []
    broken: list[str] = []
    beyond: list[float] = []
    with _Writer(out) as writer:
        for frame in frames(pieces, seconds, config, broken, beyond):
            if time.monotonic() - began > budget_s:
                raise Unseen(Status.TIMEOUT, "out_of_time")
            found = at_time(samples, frame.t) + plates.at(frame.t)
            image = frame.image()
            if config.masks:
                image = cv2.bitwise_and(image, image, mask=looked_at((image.shape[1], image.shape[0]), config.masks))
            image = redacted(narrowed(image, WIDEST), found)
            writer.add(image, frame.t)
            first = frame.t if not shown else first
            shown, regions, last = shown + 1, regions + len(found), frame.t
            if times and frame.t >= times[0]:
                times = [each for each in times if each > frame.t]
                kept.append(_still(image, frame.t, len(found), out.with_name(f"still-{len(kept)}.jpg")))
    if not shown:
        raise Unseen(Status.CORRUPT, "no_pictures")
    detectors = [each.to_document() for each in (*seen.detectors, described("plates", PlateDetector.version, HIDDEN))]
    return Blurred(
        out, first, shown, last, regions, kept, detectors, sorted({*broken, *recorded.broken}), cut=bool(beyond)
    )


def at_time(samples: Sequence[Sample], t: float) -> list[Box]:
    """What must be blurred in the picture of a time: all that the samples before and after it hide, and the way between."""
    after = bisect_right([sample.t for sample in samples], t)
    near = [index for index in (after - 1, after) if 0 <= index < len(samples)]
    found = [box for index in near for box in hidden(samples, index)]
    if len(near) == 2:
        one, two = (samples[index] for index in near)
        later = dict(_heads(two))
        found += [around([box, later[track]]) for track, box in _heads(one) if track and track in later]
        found += _ways(samples, near[0])
    return list(dict.fromkeys(found))


def _heads(sample: Sample) -> list[tuple[int, Box]]:
    return list(sample.heads)


def _ways(samples: Sequence[Sample], index: int) -> list[Box]:
    """Faces have no tracks: one seen before is taken over to the nearest one seen after, and all between is blurred."""
    before = next((s.faces for s in reversed(samples[max(0, index - NEIGHBOURS) : index + 1]) if s.faces), [])
    after = next((s.faces for s in samples[index + 1 : index + 1 + NEIGHBOURS] if s.faces), [])
    ways = []
    for face in before:
        close = [each for each in after if geometry.intersection(grown(face, FACE_REACH), each) > 0]
        ways += [around_face(around([face, each])) for each in close]
    return ways


def _still(image: Image, t: float, blurred: int, path: Path) -> dict[str, Any]:
    good, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not good:
        raise Unseen(Status.CORRUPT, "not_encodable")
    path.write_bytes(data.tobytes())
    return {
        "file": path.name,
        "t": round(t, 3),
        "width": image.shape[1],
        "height": image.shape[0],
        "blurred": blurred,
        "sha256": hashlib.sha256(data.tobytes()).hexdigest(),
    }


class _Writer:
    """H.264 at the times that the pictures have; one encoding thread. Pictures of another size are made to fit."""

    def __init__(self, path: Path) -> None:
        self._container: Any = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        self._stream: Any = None
        self._last = -1

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None and self._stream is not None:
            self._container.mux(self._stream.encode(None))
        if self._stream is not None:
            self._container.close()

    def add(self, image: Image, t: float) -> None:
        if self._stream is None:
            height, width = image.shape[:2]
            self._stream = self._container.add_stream("libx264", rate=25)
            self._stream.width, self._stream.height = width // 2 * 2, height // 2 * 2
            self._stream.pix_fmt, self._stream.time_base = "yuv420p", _MS
            self._stream.codec_context.time_base = _MS
            self._stream.options = {"preset": "veryfast", "crf": "25", "bf": "0"}
            self._stream.codec_context.thread_count = 1
        if image.shape[:2] != (self._stream.height, self._stream.width):
            image = cv2.resize(image, (self._stream.width, self._stream.height), interpolation=cv2.INTER_AREA)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
        self._last = max(self._last + 1, round(t * 1000))
        frame.pts, frame.time_base = self._last, _MS
        self._container.mux(self._stream.encode(frame))
