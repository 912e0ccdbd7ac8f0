"""Footage as one sequence of pictures, whatever it comes from, with a time on each and an end that always comes.

A source is named by a dict: ``{"kind": "file", "path": …, "recorded_at": ISO 8601?}``, ``{"kind": "segments", "path":
folder}``, ``{"kind": "mjpeg", "url": …}`` or ``{"kind": "rtsp", "url": …}``. Segments are files whose name carries the
time of their first picture in UTC (``…20260131T235900Z….mp4``). What may be opened at all is decided by ``admit``.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from workers.vision import admit
from workers.vision.admit import Unseen
from workers.vision.config import VisionConfig, Window
from workers.vision.cv import Image, cv2
from workers.vision.mjpeg import MjpegStream
from workers.vision.observation import Status
from workers.vision.rtsp import RtspRelay

LIVE = ("mjpeg", "rtsp")
_STAMP = re.compile(r"(\d{8}T\d{6})Z")
_LAST_SEGMENT = timedelta(seconds=300)  # how long the newest segment may be, since no later name tells


class Footage(Protocol):
    """Pictures in order. ``declared`` is how many the source says it has (None: it cannot say)."""

    declared: int | None
    sha256: str | None
    live: bool
    gap: bool  # something of the window is known to be missing

    def grab(self) -> float | None:
        """Go to the next picture without converting it; its seconds from the first one, or None at the end."""

    def retrieve(self) -> Image | None:
        """The picture last grabbed, HxWx3 BGR; None when it cannot be decoded."""


@contextmanager
def opened(source: Mapping[str, Any], window: Window, config: VisionConfig) -> Iterator[Footage]:
    """Open what the dict names. Raises ``Unseen`` for what cannot or may not be looked at."""
    kind = source.get("kind")
    with ExitStack() as stack:
        if kind == "file":
            path = admit.admit_path(str(source.get("path", "")), config.allowed_roots)
            yield _file(path, source, window, config, stack)
        elif kind == "segments":
            folder = admit.admit_path(str(source.get("path", "")), config.allowed_roots)
            yield _Segments(_chosen(folder, window, config), config, stack)
        elif kind == "mjpeg":
            parts = admit.admit_url(str(source.get("url", "")), config.allowed_addresses)
            if parts.scheme == "rtsp":
                raise Unseen(Status.UNSUPPORTED, "address_malformed", not_allowed=True)
            yield _Mjpeg(stack.enter_context(MjpegStream(parts, config.open_timeout_s, config.read_timeout_s)), config)
        elif kind == "rtsp":
            parts = admit.admit_url(str(source.get("url", "")), config.allowed_addresses)
            if parts.scheme != "rtsp":
                raise Unseen(Status.UNSUPPORTED, "address_malformed", not_allowed=True)
            relay = stack.enter_context(RtspRelay(parts, config.open_timeout_s))
            yield _Rtsp(relay, config, stack)
        else:
            raise Unseen(Status.UNSUPPORTED, "unknown_source")


def _file(path: Path, source: Mapping[str, Any], window: Window, config: VisionConfig, stack: ExitStack) -> Footage:
    container = admit.admit_file(path, config.max_bytes)
    digest = admit.sha256(path)
    if container in ("jpeg", "png"):
        return _Still(path, config, digest)
    video = _Video(str(path), config, stack, protocols="file")
    video.sha256 = digest
    recorded = source.get("recorded_at")
    if recorded and window.start is not None:
        offset = (window.start - datetime.fromisoformat(str(recorded))).total_seconds()
        video.seek(offset)
    return video


class _Video:
    """One file or RTSP address through OpenCV and FFmpeg, one decoding thread."""

    live = False

    def __init__(self, target: str, config: VisionConfig, stack: ExitStack, *, protocols: str) -> None:
        # FFmpeg's options reach OpenCV only through the environment, read at each open; ours is a child process.
        # No protocol but these may be opened, whatever the bytes ask for.
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = f"protocol_whitelist;{protocols}" + (
            "|rtsp_transport;tcp" if self.live else ""
        )
        asked = [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(config.open_timeout_s * 1000)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(config.read_timeout_s * 1000)),
            *(cv2.CAP_PROP_N_THREADS, 1),
        ]
        self._capture = cv2.VideoCapture(target, cv2.CAP_FFMPEG, asked)
        stack.callback(self._capture.release)
        self.opened = bool(self._capture.isOpened())
        self.sha256: str | None = None
        self.gap = False
        self._read = 0
        self._first: float | None = None
        self._last = -1.0
        if not self.opened:
            if self.live:
                return
            raise Unseen(Status.CORRUPT, "not_decodable")
        width, height = (int(self._capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if max(width, height) > config.max_side:
            raise Unseen(Status.UNSUPPORTED, "too_many_pixels")
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.rate = rate if math.isfinite(rate) and 0.1 <= rate <= 240 else 25.0
        count = float(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.declared: int | None = int(count) if 0 < count < 1e8 and not self.live else None

    def seek(self, seconds: float) -> None:
        """Begin ``seconds`` into the file. Raises ``Unseen`` when the file was not yet, or no longer, recorded then."""
        length = (self.declared or 0) / self.rate
        if seconds >= length or seconds < -length:
            raise Unseen(Status.UNSUPPORTED, "no_recording", down=True)
        if seconds > 0:
            self._capture.set(cv2.CAP_PROP_POS_MSEC, seconds * 1000.0)
            if self.declared is not None:
                self.declared -= int(seconds * self.rate)

    def grab(self) -> float | None:
        if not self._capture.grab():
            return None
        moment = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
        if self._first is None:
            self._first = moment if math.isfinite(moment) else 0.0
        moment -= self._first
        if not math.isfinite(moment) or moment <= self._last or moment > self._last + 60:
            moment = self._last + 1.0 / self.rate if self._read else 0.0  # a file without usable times
        self._last = moment
        self._read += 1
        return moment

    def retrieve(self) -> Image | None:
        good, image = self._capture.retrieve()
        return image if good else None


class _Rtsp(_Video):
    live = True

    def __init__(self, relay: RtspRelay, config: VisionConfig, stack: ExitStack) -> None:
        super().__init__(relay.url, config, stack, protocols="rtsp,rtp,tcp")
        if relay.redirected:
            raise Unseen(Status.UNSUPPORTED, "redirected", not_allowed=True)
        if not self.opened:
            raise Unseen(Status.TIMEOUT, "no_answer", down=True)


class _Still:
    """A JPEG or PNG as footage of one picture."""

    declared: int | None = 1
    live = False
    gap = False

    def __init__(self, path: Path, config: VisionConfig, digest: str) -> None:
        self.sha256: str | None = digest
        self._data = path.read_bytes()
        admit.admit_image(self._data, config.max_side)
        self._left = 1

    def grab(self) -> float | None:
        self._left -= 1
        return 0.0 if self._left == 0 else None

    def retrieve(self) -> Image | None:
        return _decoded(self._data)


class _Mjpeg:
    """Times are arrival times: MJPEG carries none of its own."""

    declared: int | None = None
    sha256: str | None = None
    live = True
    gap = False

    def __init__(self, stream: MjpegStream, config: VisionConfig) -> None:
        self._stream = stream
        self._max_side = config.max_side
        self._jpeg = b""
        self._began: float | None = None

    def grab(self) -> float | None:
        jpeg = self._stream.next_jpeg()
        if jpeg is None:
            return None
        self._jpeg = jpeg
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        return now - self._began

    def retrieve(self) -> Image | None:
        size = admit.image_size(self._jpeg)
        if size is not None and max(size) > self._max_side:
            raise Unseen(Status.UNSUPPORTED, "too_many_pixels")
        return _decoded(self._jpeg) if size is not None else None


class _Segments:
    """Recorded files one after another, times running through; one that is broken or missing is a gap."""

    live = False
    sha256: str | None = None

    def __init__(self, chosen: list[tuple[Path, float, float]], config: VisionConfig, stack: ExitStack) -> None:
        self._left = iter(chosen)
        self._config = config
        self._stack = stack
        self._video: _Video | None = None
        self._offset = 0.0
        self.gap = False
        self.declared: int | None = 0

    def grab(self) -> float | None:
        while True:
            if self._video is not None:
                moment = self._video.grab()
                if moment is not None:
                    return self._offset + moment
            if not self._next():
                return None

    def _next(self) -> bool:
        for path, offset, skip in self._left:
            try:
                admit.admit_file(path, self._config.max_bytes)
                video = _Video(str(path), self._config, self._stack, protocols="file")
                video.seek(skip)
            except Unseen:
                self.gap = True
                continue
            self.declared = (self.declared or 0) + (video.declared or 0)
            self._video, self._offset = video, offset
            return True
        return False

    def retrieve(self) -> Image | None:
        return self._video.retrieve() if self._video is not None else None


def _chosen(folder: Path, window: Window, config: VisionConfig) -> list[tuple[Path, float, float]]:
    """The segments that cover the window: (file, its offset in the look, seconds to skip). Raises ``Unseen`` when none does."""
    if not folder.is_dir():
        raise Unseen(Status.UNSUPPORTED, "not_a_folder")
    stamped: list[tuple[datetime, Path]] = []
    for entry in folder.iterdir():
        match = _STAMP.search(entry.name)
        if match and not entry.name.startswith("."):
            moment = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            stamped.append((moment, admit.admit_path(str(entry), config.allowed_roots)))
    stamped.sort()
    if not stamped:
        raise Unseen(Status.UNSUPPORTED, "no_recording", down=True)
    start = window.start or max(stamped[0][0], stamped[-1][0] - timedelta(seconds=window.seconds))
    end = start + timedelta(seconds=window.seconds)
    chosen: list[tuple[Path, float, float]] = []
    for index, (moment, path) in enumerate(stamped):
        until = stamped[index + 1][0] if index + 1 < len(stamped) else moment + _LAST_SEGMENT
        if moment < end and until > start:
            offset = (moment - start).total_seconds()
            chosen.append((path, max(0.0, offset), max(0.0, -offset)))
    if not chosen:
        raise Unseen(Status.UNSUPPORTED, "no_recording", down=True)
    return chosen


def _decoded(data: bytes) -> Image | None:
    try:
        image: Image | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return image
