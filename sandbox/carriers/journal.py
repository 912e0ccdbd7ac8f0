"""Keeps the inboxes over a restart: one JSON line per change, appended by a thread, so that no request waits."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson


class Journal:
    """An append-only file of JSON lines: what is appended is in the file milliseconds after `append` returned."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: queue.SimpleQueue[bytes | threading.Event | None] = queue.SimpleQueue()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        threading.Thread(target=self._write, name="journal", daemon=True).start()

    def read(self) -> Iterator[dict[str, Any]]:
        """Every kept change in order; a last line that was cut off by a crash is left out."""
        if not self.path.exists():
            return
        with self.path.open("rb") as lines:
            for line in lines:
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue

    def append(self, entry: dict[str, Any]) -> None:
        """Keep one change (dataclasses are written as objects)."""
        self._lines.put(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))

    def clear(self) -> None:
        """Forget everything appended so far."""
        self._lines.put(None)

    def flush(self, timeout: float = 2.0) -> None:
        """Wait until everything appended so far is in the file."""
        done = threading.Event()
        self._lines.put(done)
        done.wait(timeout)

    def _write(self) -> None:
        with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0) as file:
            # A line cut off by a crash must not swallow the next one.
            if file.tell() and not self._ends_with_newline():
                file.write(b"\n")
            while True:
                waiting = [self._lines.get()]
                while not self._lines.empty():
                    waiting.append(self._lines.get())
                if None in waiting:
                    file.truncate(0)
                    kept = len(waiting) - waiting[::-1].index(None)
                    waiting = [*(line for line in waiting[:kept] if isinstance(line, threading.Event)), *waiting[kept:]]
                file.write(b"".join(line for line in waiting if isinstance(line, bytes)))
                for line in waiting:
                    if isinstance(line, threading.Event):
                        line.set()

    def _ends_with_newline(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
