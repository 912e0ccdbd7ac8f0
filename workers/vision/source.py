"""Footage as one sequence of pictures, whatever it comes from, with a time on each and an end that always comes.

A source is named by a dict: ``{"kind": "file", "path": …, "recorded_at": ISO 8601?}``, ``{"kind": "segments", "path":
folder}``, ``{"kind": "mjpeg", "url": …}``, and ``rtsp`` and ``hls`` likewise. Segments are files whose name carries the
time of their first picture in UTC (``…20260131T235900Z….mp4``). What may be opened at all is decided by ``admit``.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult

import numpy as np

from runtime import recording
from workers.vision import admit
from workers.vision.admit import Unseen
from workers.vision.config import VisionConfig, Window
from workers.vision.cv import Image, cv2
from workers.vision.hls import HlsStream
from workers.vision.mjpeg import MjpegStream
from workers.vision.observation import Status
from workers.vision.resolve import resolved
from workers.vision.rtsp import RtspRelay

LIVE = ("mjpeg", "rtsp", "hls")
_LAST_SEGMENT = timedelta(seconds=300)  # how long the newest segment may be, since no later name tells
_HOLE_S = 2.5  # seconds without a picture from which something is missing, in a recording
_COMPLETE = 0.9  # decoded of declared, from which a file counts as whole


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
            segments = _Segments(_chosen(folder, window, config), window, config)
            stack.callback(segments.close)
            yield segments
        elif kind == "mjpeg":
            parts, ip = _admitted(source, config, {"http", "https"})
            stream = MjpegStream(parts, ip, config.open_timeout_s, config.read_timeout_s)
            yield _Mjpeg(stack.enter_context(stream), config)
        elif kind == "hls":
            parts, ip = _admitted(source, config, {"http", "https"})
            yield _Hls(HlsStream(parts, ip, config.open_timeout_s, config.read_timeout_s), config, stack)
        elif kind == "rtsp":
            parts, ip = _admitted(source, config, {"rtsp"})
            relay = stack.enter_context(RtspRelay(parts, ip, config.open_timeout_s))
            yield _Rtsp(relay, config, stack)
        else:
            raise Unseen(Status.UNSUPPORTED, "unknown_source")


def _admitted(source: Mapping[str, Any], config: VisionConfig, schemes: set[str]) -> tuple[SplitResult, str]:
    """(the address, the IP address that its name is here and now)."""
    parts = admit.admit_url(str(source.get("url", "")), config.allowed_addresses)
    if parts.scheme not in schemes:
        raise Unseen(Status.UNSUPPORTED, "address_malformed", not_allowed=True)
    ip, _ = resolved(parts, config.allowed_networks, config.open_timeout_s)
    return parts, ip


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
        self.read = 0  # pictures
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
            moment = self._last + 1.0 / self.rate if self.read else 0.0  # a file without usable times
        self._last = moment
        self.read += 1
        return moment

    def retrieve(self) -> Image | None:
        good, image = self._capture.retrieve()
        return image if good else None


class _Rtsp(_Video):
    live = True

    def __init__(self, relay: RtspRelay, config: VisionConfig, stack: ExitStack) -> None:
        self._relay = relay
        super().__init__(relay.url, config, stack, protocols="rtsp,rtp,tcp")
        if relay.redirected:
            raise Unseen(Status.UNSUPPORTED, "redirected", not_allowed=True)
        if not self.opened:
            raise Unseen(Status.TIMEOUT, "no_answer", down=True)

    @property
    def clock_offset_s(self) -> float | None:
        """By how many seconds the camera's clock is ahead of ours; None where it does not say."""
        return self._relay.clock_offset_s


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
        self.clock_offset_s = stream.clock_offset_s
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

    def jpeg(self) -> tuple[bytes, tuple[int, int]] | None:
        """The picture last grabbed as it came, and its (width, height); None when it has no header of a picture."""
        size = admit.image_size(self._jpeg)
        return (self._jpeg, size) if size is not None and min(size) > 0 and max(size) <= self._max_side else None

    def retrieve(self) -> Image | None:
        size = admit.image_size(self._jpeg)
        if size is not None and max(size) > self._max_side:
            raise Unseen(Status.UNSUPPORTED, "too_many_pixels")
        return _decoded(self._jpeg) if size is not None else None


class _Hls:
    """The segments of a playlist one after another. ``lag_s``: how long ago the first picture was before the camera."""

    declared: int | None = None
    sha256: str | None = None
    live = True

    def __init__(self, stream: HlsStream, config: VisionConfig, stack: ExitStack) -> None:
        self._stream, self._config = stream, config
        self._stack = ExitStack()
        stack.callback(stream.release)
        stack.callback(self._stack.close)
        self._video: _Video | None = None
        self._offset = self._seconds = 0.0
        self.gap = False
        self.lag_s = stream.behind_s

    @property
    def clock_offset_s(self) -> float | None:
        """By how many seconds the camera's clock is ahead of ours; None where the playlist does not say."""
        return self._stream.clock_offset_s

    def grab(self) -> float | None:
        while True:
            if self._video is not None:
                moment = self._video.grab()
                if moment is not None:
                    return self._offset + moment
                if self._video.read < _COMPLETE * (self._video.declared or 0):
                    self.gap = True
                self._video = None
            piece = self._stream.next_piece()
            if piece is None:
                return None
            path, seconds = piece
            self._offset, self._seconds = self._offset + self._seconds, seconds
            self._stack.close()
            try:
                self._video = _Video(path, self._config, self._stack, protocols="file")
            except Unseen as unseen:
                if unseen.reason == "too_many_pixels":
                    raise
                self.gap = True

    def retrieve(self) -> Image | None:
        return self._video.retrieve() if self._video is not None else None


class _Segments:
    """Recorded files one after another, times running through; what is broken, missing or too short is a gap.

    How many pictures there must be is known of each file, and judged file by file: the first and the last are not read
    whole, so the sum says nothing.
    """

    live = False
    sha256: str | None = None
    declared: int | None = None

    def __init__(self, chosen: list[tuple[Path, float, float]], window: Window, config: VisionConfig) -> None:
        self._left = iter(chosen)
        self._config = config
        self._seconds = min(window.seconds, config.max_seconds)
        self._stack = ExitStack()
        self._video: _Video | None = None
        self._offset = 0.0
        self._reached = 0.0  # seconds of the look that were read
        self.gap = False

    def grab(self) -> float | None:
        while True:
            if self._video is not None:
                moment = self._video.grab()
                if moment is not None:
                    moment += self._offset
                    self._holds_until(moment)
                    return moment
                declared = self._video.declared or 0  # of the first file only about: it is begun in its middle
                if self._video.read < _COMPLETE * declared and declared - self._video.read > 2:
                    self.gap = True
            if not self._next():
                self._holds_until(self._seconds)
                return None

    def _holds_until(self, moment: float) -> None:
        if moment - self._reached > _HOLE_S:
            self.gap = True
        self._reached = max(self._reached, moment)

    def _next(self) -> bool:
        for path, offset, skip in self._left:
            self._stack.close()  # one file is open at a time
            try:
                admit.admit_file(path, self._config.max_bytes)
                video = _Video(str(path), self._config, self._stack, protocols="file")
                video.seek(skip)
            except (Unseen, FileNotFoundError):  # a recorder's oldest files go while they are read
                self.gap = True
                continue
            self._video, self._offset = video, offset
            return True
        self._video = None
        return False

    def retrieve(self) -> Image | None:
        return self._video.retrieve() if self._video is not None else None

    def close(self) -> None:
        """End the file that is open."""
        self._stack.close()


def _chosen(folder: Path, window: Window, config: VisionConfig) -> list[tuple[Path, float, float]]:
    """The segments that cover the window: (file, its offset in the look, seconds to skip). Raises ``Unseen`` when none does."""
    if not folder.is_dir():
        raise Unseen(Status.UNSUPPORTED, "not_a_folder")
    found = recording.listed(folder)
    if not found:
        raise Unseen(Status.UNSUPPORTED, "no_recording", down=True)
    last = found[-1].end or found[-1].start
    start = window.start or max(found[0].start, last - timedelta(seconds=window.seconds))
    end = start + timedelta(seconds=window.seconds)
    chosen: list[tuple[Path, float, float]] = []
    for each, after in zip(found, [*found[1:], None], strict=True):
        until = each.end or (after.start if after else each.start + _LAST_SEGMENT)
        if each.start < end and until > start:
            offset = (each.start - start).total_seconds()
            path = admit.admit_path(str(each.path), config.allowed_roots)
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
