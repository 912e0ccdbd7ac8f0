"""Writing pictures into short files that are whole or not there at all.

JPEGs go into MP4 as they are (PyAV writes the container and encodes nothing): each with its own time, so a camera that
sends unevenly is recorded unevenly, and a reader knows how many pictures there must be.
"""

from __future__ import annotations

import os
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av

from runtime.recording import PART, name_of
from workers.vision.admit import Unseen

_MS = Fraction(1, 1000)
HOLE_S = 1.5
"""A pause after which the next picture begins a new file, so that no file claims a time that it did not see."""


class SegmentWriter:
    """``add`` pictures: every ``seconds`` a file appears in ``folder``, and ``add`` answers its path."""

    def __init__(self, folder: Path, seconds: float, note: str = "") -> None:
        self._folder, self._seconds, self._note = folder, seconds, note
        self._container: Any = None
        self._stream: Any = None
        self._file: Any = None
        self._part = folder / f"writing{PART}"
        self._size = (0, 0)
        self._start: datetime | None = None
        self._last = 0

    def add(self, jpeg: bytes, size: tuple[int, int], at: datetime) -> Path | None:
        """Write one JPEG of ``size`` (width, height) taken ``at``. Returns the file that became whole before it, if any."""
        done = None
        if self._start is not None:
            since = (at - self._start).total_seconds()
            if since >= self._seconds or size != self._size or since - self._last / 1000 > HOLE_S or since < 0:
                done = self.close(at)
        if self._start is None:
            self._open(size, at)
        assert self._start is not None
        self._last = max(self._last + 1, round((at - self._start).total_seconds() * 1000))
        packet = av.Packet(jpeg)
        packet.stream = self._stream
        packet.pts = packet.dts = self._last
        packet.time_base = _MS
        packet.is_keyframe = True
        self._container.mux(packet)
        return done

    def _open(self, size: tuple[int, int], at: datetime) -> None:
        descriptor = os.open(self._part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._container = av.open(self._file, "w", format="mp4")
        self._container.metadata["comment"] = self._note
        self._stream = self._container.add_stream("mjpeg", rate=10)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt, self._stream.time_base = "yuvj420p", _MS
        self._start, self._size, self._last = at, size, -1

    def close(self, now: datetime | None = None) -> Path | None:
        """End the file that is being written, if any; it ends at ``now`` when the next picture is known to come then."""
        if self._start is None:
            return None
        start, self._start = self._start, None
        self._container.close()
        self._file.flush()
        os.fsync(self._file.fileno())  # a name must never stand for bytes that a power cut took
        self._file.close()
        seconds = (self._last + 1) / 1000
        if now is not None and 0 < (now - start).total_seconds() - seconds <= HOLE_S:
            seconds = (now - start).total_seconds()
        path = self._folder / name_of(start, seconds)
        self._part.rename(path)
        return path

    def drop(self) -> None:
        """Give up the file that is being written."""
        if self._start is not None:
            self._start = None
            self._file.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> SegmentWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What was before the camera when it fell silent is what somebody asks for first: only a file that could not be
        # written is given up.
        self.close() if error is None or isinstance(error, Unseen) else self.drop()
