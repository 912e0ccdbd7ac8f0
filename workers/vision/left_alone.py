"""A city's own detector that hangs is left alone for a while, so that it costs one look some seconds and not every look all.

The child writes down which detector is at work and until when it may be (``Note``): it can hang where none of its own threads
would run. Whoever waits for the child reads that, ends the child, looks again without that detector, and remembers
(``LeftAlone``). Twice, and it is not asked for ten minutes; then it is tried again.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOAD_S = 20.0  # to be loaded, on a busy machine
HANGS = 2  # in a row, from which it is left alone, …
ALONE_S = 600.0  # … so long
_NOTE = struct.Struct("<id")
_NOBODY = -1


def shown(added: str) -> str:
    """How reasons and notices name what a city added: a detector's name, or a ``model.toml``'s without its folder."""
    return Path(added).stem if added.endswith(".toml") else added


class Note:
    """Which of the city's detectors works until when, in a file that both processes have open. Times are monotonic."""

    def __init__(self, file: int) -> None:
        self._file = file

    @contextmanager
    def at_work(self, number: int, seconds: float) -> Iterator[None]:
        """While the block runs, detector ``number`` is at work, for at most so long."""
        self._write(number, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._write(_NOBODY, 0.0)

    def _write(self, number: int, until: float) -> None:
        os.pwrite(self._file, _NOTE.pack(number, until), 0)

    def clear(self) -> None:
        """Nobody is at work: the child is gone."""
        self._write(_NOBODY, 0.0)

    def hangs(self, now: float) -> int | None:
        """The number of the detector that is at work longer than it may; None for none."""
        data = os.pread(self._file, _NOTE.size, 0)
        number, until = _NOTE.unpack(data) if len(data) == _NOTE.size else (_NOBODY, 0.0)
        return number if number != _NOBODY and now > until else None


class Hangs(Exception):
    """A detector of the city's is at work longer than it may; ``number`` counts them as the config names them."""

    def __init__(self, number: int) -> None:
        super().__init__(f"detector {number} hangs")
        self.number = number


@dataclass
class _Known:
    times: int = 0
    until: float = 0.0


class LeftAlone:
    """Which detectors hang, of those that a process has asked. Times are an argument."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def hung(self, name: str, now: float) -> None:
        """It hung; one that was left alone and hangs when it is tried again is left alone again at once."""
        known = self._known.setdefault(name, _Known())
        known.times += 1
        if known.times >= HANGS:
            known.until = now + ALONE_S

    def worked(self, names: Iterable[str]) -> None:
        """They answered: what was before is forgotten."""
        for name in names:
            self._known.pop(name, None)

    def among(self, names: Sequence[str], now: float) -> list[str]:
        """Those of the names that are not to be asked now."""
        return [name for name in names if name in self._known and now < self._known[name].until]
