"""A clip with the viewer's mark in every picture, encoded anew and handed on while it is made.

    python -m workers.vision.marking MEMORY_MB SECONDS < files > clip.mp4

On stdin: one JSON line `{text, start, seconds, offsets, masks, width}`, then each file as its length (8 bytes, big endian)
and its bytes. On stdout: fragmented MP4 (H.264, no sound). Started by `runtime/clips.py`, which speaks to it and ends it;
files stay in this process's memory, which is bounded, and are never on disk.
"""

from __future__ import annotations

import io
import json
import logging
import os
import resource
import signal
import struct
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, BinaryIO

import av
import numpy as np

from runtime import watermark
from workers.vision.child import follow_parent
from workers.vision.cv import MAX_PIXELS, Image, cv2, narrowed
from workers.vision.motion import looked_at

NICE = 5
NOTHING_ELSE = {"protocol_whitelist": "none"}
"""No protocol is called so: what citizens send may be a list or a description that would have FFmpeg open other things."""
_LENGTH = struct.Struct(">Q")
_MS = Fraction(1, 1000)
_log = logging.getLogger(__name__)


class Marks:
    """What is put into every picture of one size: the veil as the few pixels that it changes, and the line below."""

    def __init__(self, width: int, height: int, text: str) -> None:
        self.width, self.height, self.under = width, height, watermark.band_height(height)
        self._text = text
        veil = np.asarray(watermark.veil(width, height, text)).reshape(-1, 4)
        self._where = np.flatnonzero(veil[:, 3])
        alpha = veil[self._where, 3:].astype(np.uint16)
        self._keep = 255 - alpha
        self._add = veil[self._where, 2::-1].astype(np.uint16) * alpha
        self._said = ""
        self._band: Image = np.zeros((self.under, width, 3), np.uint8)

    def on(self, image: Image, taken_at: datetime) -> Image:
        """The picture with veil and line, higher by the line. The line says when the picture was taken, too."""
        out: Image = np.empty((self.height + self.under, self.width, 3), np.uint8)
        flat = image.reshape(-1, 3).copy()
        marked = (flat[self._where].astype(np.uint16) * self._keep + self._add) // 255
        flat[self._where] = marked.astype(np.uint8)
        out[: self.height] = flat.reshape(self.height, self.width, 3)
        said = f"{self._text} | {taken_at:%Y-%m-%dT%H:%M:%SZ}"
        if said != self._said:
            self._said = said
            self._band = np.asarray(watermark.band(self.width, self.under, said))[:, :, ::-1]
        out[self.height :] = self._band
        return out


def pictures(files: Iterator[tuple[bytes, float]], seconds: float) -> Iterator[tuple[float, Image]]:
    """(seconds from the start, HxWx3 BGR). A file that cannot be read is left out."""
    last = -1e-3
    for data, offset in files:
        try:
            with av.open(io.BytesIO(data), "r", options=NOTHING_ELSE) as container:
                stream = container.streams.video[0]
                stream.codec_context.thread_count = 1
                first: float | None = None
                for picture in container.decode(stream):
                    if picture.width * picture.height > MAX_PIXELS:
                        break
                    first = picture.time if first is None else first
                    t = offset + ((picture.time or 0.0) - (first or 0.0))
                    if t < 0:
                        continue
                    t = max(t, last + 1e-3)
                    if t >= seconds:
                        break
                    last = t
                    image: Any = picture.to_ndarray(format="bgr24")
                    yield t, image
        except (av.FFmpegError, OSError, ValueError, IndexError):
            _log.warning("a file cannot be read")


def mark(asked: dict[str, Any], files: Iterator[tuple[bytes, float]], out: BinaryIO) -> None:
    """Write the marked clip to ``out``."""
    start, width = datetime.fromisoformat(asked["start"]), int(asked["width"])
    masks = tuple(tuple((float(x), float(y)) for x, y in corners) for corners in asked.get("masks") or [])
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "1000000"}
    container: Any = av.open(_Out(out), "w", format="mp4", options=flags)
    stream: Any = None
    marks: Marks | None = None
    written = -1
    for t, image in pictures(files, float(asked["seconds"])):
        if masks:
            image = cv2.bitwise_and(image, image, mask=looked_at((image.shape[1], image.shape[0]), masks))
        image = narrowed(image, width)
        if marks is None:
            marks = Marks(image.shape[1] // 2 * 2, image.shape[0] // 2 * 2, asked["text"])
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height = marks.width, marks.height + marks.under
            stream.pix_fmt, stream.time_base = "yuv420p", _MS
            stream.codec_context.time_base = _MS
            stream.codec_context.thread_count = 1
            stream.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "24", "g": "25"}
        if image.shape[:2] != (marks.height, marks.width):
            image = cv2.resize(image, (marks.width, marks.height), interpolation=cv2.INTER_AREA)
        frame = av.VideoFrame.from_ndarray(marks.on(image, start + timedelta(seconds=t)), format="bgr24")
        written = max(written + 1, round(t * 1000))
        frame.pts, frame.time_base = written, _MS
        container.mux(stream.encode(frame))
    if stream is not None:
        container.mux(stream.encode(None))
    container.close()
    out.flush()


class _Out:
    """A pipe for PyAV: it may write, and not go back."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        self._out.write(data)
        return len(data)


def _files(source: BinaryIO, offsets: list[float]) -> Iterator[tuple[bytes, float]]:
    for offset in offsets:
        head = source.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return
        yield source.read(_LENGTH.unpack(head)[0]), offset


def main(arguments: list[str]) -> int:
    """Mark what comes on stdin; memory in MiB and seconds are the arguments."""
    logging.basicConfig(stream=sys.stderr)
    threading.Thread(target=follow_parent, args=(os.getppid(),), daemon=True).start()
    memory = int(arguments[0]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(int(arguments[1]))
    os.nice(NICE)
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    asked = json.loads(sys.stdin.buffer.readline())
    try:
        mark(asked, _files(sys.stdin.buffer, asked["offsets"]), out)
    except BrokenPipeError:
        return 0  # whoever looked has gone
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
