"""Where the rolling recorder keeps its segments, and for how long: names, what covers a time, what has to go.

A camera's folder holds files `20260131T235900250Z-2000.mp4`: the UTC time of the first picture by the recorder's clock, to
the millisecond, and the length in milliseconds. A file appears under such a name only when it is whole; what is being
written ends in `.part`. Only the owner of the process can read folder and files.
"""

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

SEGMENT_S: Final = 2.0
"""How long a segment of ours is: so late, at most, a moment can be looked at, and so much a kill -9 loses."""
PART: Final = ".part"
MOST_BYTES_A_MINUTE: Final = 90_000_000
"""Of one camera: ten pictures a second of 150 kB. What is more goes before its time."""

_NAME: Final = re.compile(r"(\d{8}T\d{6})(\d{3})?Z(?:-(\d{1,7}))?")


class Segment(NamedTuple):
    """A recorded file. `seconds`: None where its name does not say (another recorder's)."""

    path: Path
    start: datetime
    seconds: float | None

    @property
    def end(self) -> datetime | None:
        """The time of its end; None where its name does not say."""
        return None if self.seconds is None else self.start + timedelta(seconds=self.seconds)


def folder_of(var: Path, camera_id: str) -> Path:
    """The folder of a camera's segments below the machine's `var`."""
    return recordings(var) / camera_id


def recordings(var: Path) -> Path:
    """The folder that has a folder for each recorded camera."""
    return var.absolute() / "recordings"


def name_of(start: datetime, seconds: float) -> str:
    """What a whole segment is called."""
    moment = start.astimezone(UTC)
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z-{round(seconds * 1000)}.mp4"


def parsed(path: Path) -> Segment | None:
    """The segment that a file's name tells of, another recorder's too (`cam-20260131T235900Z.mp4`); None for any other."""
    if path.name.startswith(".") or path.name.endswith(PART):
        return None
    found = _NAME.search(path.name)
    if found is None:
        return None
    try:
        start = datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None  # digits that are no time
    start += timedelta(milliseconds=int(found[2] or 0))
    return Segment(path, start, int(found[3]) / 1000 if found[3] else None)


def listed(folder: Path) -> list[Segment]:
    """The whole segments of a folder by their time; none where there is no folder."""
    try:
        entries = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted((found for entry in entries if (found := parsed(entry))), key=lambda each: each.start)


def covering(segments: Sequence[Segment], start: datetime, end: datetime) -> list[Segment]:
    """Those of our own segments that hold a part of the time from `start` to `end`."""
    return [each for each in segments if each.end is not None and each.start < end and each.end > start]


def prune(folder: Path, *, before: datetime, most_bytes: int) -> int:
    """Remove segments that ended before a time, and the oldest beyond `most_bytes`. Returns how many went."""
    sizes: list[tuple[Segment, int]] = []
    for each in listed(folder):
        with suppress(FileNotFoundError):  # somebody else removed it
            sizes.append((each, each.path.stat().st_size))
    gone, held = 0, sum(size for _, size in sizes)
    for each, size in sizes:
        if held <= most_bytes and (each.end or each.start) > before:
            break
        each.path.unlink(missing_ok=True)
        held -= size
        gone += 1
    return gone


def remove(folder: Path) -> None:
    """Remove a camera's folder with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)


def drop_parts(folder: Path) -> int:
    """Remove what a recorder that died was writing: nobody knows what is in it. Returns how many there were."""
    parts = list(folder.glob(f"*{PART}"))
    for each in parts:
        each.unlink(missing_ok=True)
    return len(parts)
