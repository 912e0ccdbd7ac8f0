"""Clips with the viewer's mark in every picture, encoded in a process of their own while they are sent, and kept nowhere.

The web process loads no camera library: it starts `workers/vision/marking.py` by name, feeds it and passes on what comes.
A few at a time, each with bounded memory and time; who goes away in the middle ends its process.
"""

import contextlib
import importlib.util
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from domain.evidence.errors import ClipsUnavailable, TooManyViewers
from runtime import logging

AT_ONCE: Final = 2
"""Clips that one process sends at a time: each holds a thread of the server and most of a core."""
WIDEST: Final = 1280
MEMORY_MB: Final = 1536
LIMIT: Final = (30.0, 2.0)
"""Seconds that it may take: so many, and so many more for each second of the clip."""
_CHUNK: Final = 64 * 1024
_LAST_S: Final = 5.0
"""From a clip's last byte to the end of its process."""
_LENGTH: Final = struct.Struct(">Q")
_ROOT: Final = Path(__file__).resolve().parents[1]
_room = threading.BoundedSemaphore(AT_ONCE)

log = logging.get(__name__)

File = tuple[int, Iterable[bytes]]
"""A file's length, and its bytes in parts."""


def marked(
    files: Iterable[File],
    offsets: list[float],
    *,
    text: str,
    start: datetime,
    seconds: float,
    masks: list[Any] | None = None,
) -> "Clip":
    """The clip as fragmented MP4, in parts. `offsets`: where each file begins in it, in seconds.

    Raises TooManyViewers and ClipsUnavailable before anything is sent; what goes wrong later ends the clip early.
    """
    if importlib.util.find_spec("av") is None:
        raise ClipsUnavailable("the camera libraries are not installed on this machine", retry_after=3600)
    if not _room.acquire(blocking=False):
        raise TooManyViewers("too many clips are being sent", retry_after=10)
    limit = LIMIT[0] + LIMIT[1] * seconds
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "workers.vision.marking", str(MEMORY_MB), str(int(limit))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            start_new_session=True,
        )
    except BaseException:
        _room.release()
        raise
    asked = {
        "text": text,
        "start": start.isoformat(),
        "seconds": seconds,
        "offsets": offsets,
        "masks": masks or [],
        "width": WIDEST,
    }
    return Clip(child, asked, files, limit)


class Clip:
    """An iterator whose `close` (which the server calls, come what may) ends the process."""

    def __init__(
        self, child: "subprocess.Popen[bytes]", asked: dict[str, Any], files: Iterable[File], limit: float
    ) -> None:
        self._child = child
        self._over = threading.Lock()
        self._ended = False
        self.whole = False
        """Whether all of it was read, and the process that made it says that nothing broke off."""
        self._watch = threading.Timer(limit, self._kill)
        self._watch.daemon = True
        self._watch.start()
        threading.Thread(target=self._feed, args=(asked, files), name="clip-feed", daemon=True).start()

    def _feed(self, asked: dict[str, Any], files: Iterable[File]) -> None:
        pipe = self._child.stdin
        assert pipe is not None
        try:
            with contextlib.closing(pipe):
                pipe.write(json.dumps(asked).encode() + b"\n")
                for size, parts in files:
                    pipe.write(_LENGTH.pack(size))
                    for part in parts:
                        pipe.write(part)
        except OSError:
            return  # the process has ended: whoever looked has gone
        except Exception as error:  # what is stored is damaged, or its key is gone: the clip ends here, not whole
            log.error("clip_broke_off", kind=type(error).__name__)
            self._kill()

    def __iter__(self) -> "Clip":
        return self

    def __next__(self) -> bytes:
        pipe = self._child.stdout
        assert pipe is not None
        data = b"" if self._ended else os.read(pipe.fileno(), _CHUNK)
        if not data:
            if not self._ended:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.whole = self._child.wait(timeout=_LAST_S) == 0
            self.close()
            raise StopIteration
        return data

    def _kill(self) -> None:
        if self._child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process and give its place to the next viewer; again is harmless."""
        with self._over:
            if self._ended:
                return
            self._ended = True
        self._watch.cancel()
        self._kill()
        self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()
        _room.release()

    def __del__(self) -> None:
        self.close()
