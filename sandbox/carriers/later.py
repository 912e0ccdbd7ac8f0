"""Work that happens after the answer: receipts, callbacks, calls that ring out. One timer, a small pool of threads."""

from __future__ import annotations

import heapq
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger("carriers")


class Later:
    """`after(seconds, work, *args)` runs `work(*args)` once, on a thread of the pool. Order is kept only by time."""

    def __init__(self, name: str, threads: int) -> None:
        self._due: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = itertools.count()
        self._wake = threading.Condition()
        self._ready: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.SimpleQueue()
        threading.Thread(target=self._tick, name=name, daemon=True).start()
        for number in range(threads):
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    def after(self, seconds: float, work: Callable[..., None], *args: Any) -> None:
        """Run `work` in `seconds` from now, or at once for 0."""
        if seconds <= 0:
            self._ready.put((work, args))
            return
        with self._wake:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._count), work, args))
            if self._due[0][2] is work:
                self._wake.notify()

    def forget(self) -> None:
        """Drop what is not yet due."""
        with self._wake:
            self._due.clear()

    def _tick(self) -> None:
        with self._wake:
            while True:
                now = time.monotonic()
                while self._due and self._due[0][0] <= now:
                    _, _, work, args = heapq.heappop(self._due)
                    self._ready.put((work, args))
                self._wake.wait(self._due[0][0] - now if self._due else None)

    def _work(self) -> None:
        while True:
            work, args = self._ready.get()
            try:
                work(*args)
            except Exception:
                # A pool thread that dies would silently end all receipts.
                log.exception("work after the answer failed: %s", getattr(work, "__qualname__", work))
