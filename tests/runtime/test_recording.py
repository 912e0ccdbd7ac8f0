"""Names, ages and sizes of recorded segments: files alone, no camera."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from runtime import recording

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def made(folder: Path, *seconds: float, length: float = 2.0, size: int = 10) -> None:
    for offset in seconds:
        (folder / recording.name_of(NOON + timedelta(seconds=offset), length)).write_bytes(b"x" * size)


def test_a_name_says_when_and_how_long(tmp_path: Path) -> None:
    made(tmp_path, 0.0, length=2.042)
    (tmp_path / "writing.part").touch()
    (tmp_path / ".20260301T120000Z.mp4").touch()
    (tmp_path / "20261399T120000Z.mp4").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "cam-20260301T130000Z.mp4").touch()
    ours, theirs = recording.listed(tmp_path)
    assert (ours.start, ours.seconds) == (NOON, 2.042)
    assert ours.path.name == "20260301T120000250Z-2042.mp4"
    assert (theirs.start, theirs.seconds) == (datetime(2026, 3, 1, 13, tzinfo=UTC), None)
    assert recording.listed(tmp_path / "nowhere") == []


def test_what_covers_a_time(tmp_path: Path) -> None:
    made(tmp_path, 0, 2, 4, 6)
    found = recording.covering(recording.listed(tmp_path), NOON + timedelta(seconds=2), NOON + timedelta(seconds=4.5))
    assert [(each.start - NOON).total_seconds() for each in found] == [2, 4]


def test_what_is_too_old_or_too_much_goes_the_oldest_first(tmp_path: Path) -> None:
    made(tmp_path, 0, 2, 4, 6, 8, size=100)
    assert recording.prune(tmp_path, before=NOON + timedelta(seconds=4), most_bytes=10_000) == 2
    assert recording.prune(tmp_path, before=NOON, most_bytes=150) == 2
    [left] = recording.listed(tmp_path)
    assert left.start == NOON + timedelta(seconds=8)
    assert recording.prune(tmp_path, before=NOON, most_bytes=150) == 0


def test_what_was_being_written_is_dropped(tmp_path: Path) -> None:
    made(tmp_path, 0)
    (tmp_path / "writing.part").write_bytes(b"half")
    assert recording.drop_parts(tmp_path) == 1
    assert len(recording.listed(tmp_path)) == 1
