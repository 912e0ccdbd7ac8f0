"""Recorded files as one sequence of pictures with the time of each, read by PyAV: the same pictures in the same order
however often they are read, which is what finding faces first and blurring them afterwards needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import av

from workers.vision import admit
from workers.vision.admit import Unseen
from workers.vision.config import VisionConfig
from workers.vision.cv import Image
from workers.vision.observation import Status

LONGEST_STEP_S = 60.0
"""A picture that claims to come later than this after the one before it has a broken time."""


class Piece(NamedTuple):
    """One recorded file, and where its first picture stands in the whole, in seconds (negative: it begins before)."""

    path: Path
    offset: float


class Frame(NamedTuple):
    """A picture and its seconds from the beginning of what was asked for."""

    t: float
    picture: Any

    def image(self) -> Image:
        """HxWx3 BGR."""
        image: Image = self.picture.to_ndarray(format="bgr24")
        return image


def frames(
    pieces: Sequence[Piece],
    seconds: float,
    config: VisionConfig,
    broken: list[str],
    beyond: list[float] | None = None,
) -> Iterator[Frame]:
    """The pictures from 0 to ``seconds``. A file that cannot be read, or ends too soon, is named in ``broken`` and left; of
    one that goes on for longer, ``beyond`` gets the time of the first picture that is left out.

    Raises ``Unseen`` for pictures larger than ``config.max_side``.
    """
    last = -1e-3
    for piece in pieces:
        try:
            admit.admit_file(piece.path, config.max_bytes)
            with av.open(str(piece.path), options={"protocol_whitelist": "file"}) as container:
                if not container.streams.video:
                    broken.append("no_picture")
                    continue
                stream = container.streams.video[0]
                stream.codec_context.thread_count = 1
                if max(stream.codec_context.width, stream.codec_context.height) > config.max_side:
                    raise Unseen(Status.UNSUPPORTED, "too_many_pixels")
                first: float | None = None
                for picture in container.decode(stream):
                    time = picture.time
                    first = time if first is None else first
                    t = piece.offset + (time - first if time is not None and first is not None else 0.0)
                    if t < 0 or t > last + LONGEST_STEP_S + max(0.0, piece.offset):
                        continue  # before the window, or with a time that cannot be
                    t = max(t, last + 1e-3)  # files that overlap, or a picture without a time of its own
                    if t >= seconds:
                        if beyond is not None:
                            beyond.append(t)
                        break
                    if max(picture.width, picture.height) > config.max_side:
                        raise Unseen(Status.UNSUPPORTED, "too_many_pixels")
                    last = t
                    yield Frame(t, picture)
        except Unseen as unseen:
            if unseen.reason == "too_many_pixels":
                raise
            broken.append(unseen.reason)
        except (av.FFmpegError, OSError, ValueError, OverflowError):
            broken.append("not_decodable")


def length_of(path: Path) -> float:
    """How long a file says that it is, in seconds; 0 for what cannot be read, or does not say."""
    try:
        admit.admit_file(path, VisionConfig.max_bytes)
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            return max(0.0, container.duration / av.time_base) if container.duration else 0.0
    except (Unseen, av.FFmpegError, OSError, ValueError):
        return 0.0


class Recorded:
    """``frames`` as a ``Footage`` that a look can be taken at."""

    declared: int | None = None
    sha256: str | None = None
    live = False
    gap = False

    def __init__(self, pieces: Sequence[Piece], seconds: float, config: VisionConfig) -> None:
        self.broken: list[str] = []
        self._frames = frames(pieces, seconds, config, self.broken)
        self._now: Frame | None = None

    def grab(self) -> float | None:
        """Go to the next picture."""
        self._now = next(self._frames, None)
        self.gap = bool(self.broken)
        return self._now.t if self._now else None

    def retrieve(self) -> Image | None:
        """The picture last grabbed."""
        return self._now.image() if self._now else None
