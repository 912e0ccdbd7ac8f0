"""A ZIP that is written while it is sent: nothing of it is on disk, and a piece of one file is in memory at a time."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

_MODE: Final = 0o600 << 16


class _Sent(io.RawIOBase):
    """Takes what zipfile writes, until it is handed on."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        """Yes, and nothing else: so zipfile seeks nowhere."""
        return True

    def write(self, data: Any) -> int:
        """Hold it."""
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        found = bytes(self._held)
        self._held.clear()
        return found


def zipped(files: Iterable[tuple[str, Iterable[bytes]]], *, at: datetime) -> Iterator[bytes]:
    """The ZIP of these files (name, bytes in parts), uncompressed: footage is. What a part raises breaks it off in the middle,
    so that it cannot be taken for whole.
    """
    out = _Sent()
    archive = zipfile.ZipFile(out, "w", zipfile.ZIP_STORED)
    for name, parts in files:
        info = zipfile.ZipInfo(name, at.timetuple()[:6])
        info.external_attr = _MODE
        with archive.open(info, "w", force_zip64=True) as file:
            for part in parts:
                file.write(part)
                yield out.taken()
        yield out.taken()
    archive.close()
    yield out.taken()
