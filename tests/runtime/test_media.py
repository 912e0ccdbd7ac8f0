"""Media are named by what they are: stored once, never half, and what was changed is noticed."""

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.media import Media


@pytest.fixture(params=["file", "memory"])
def media(request: pytest.FixtureRequest, tmp_path: Path) -> Media:
    return Media(f"file://{tmp_path}" if request.param == "file" else f"memory://{uuid.uuid4().hex}")


def test_bytes_by_their_hash(media: Media) -> None:
    name = media.put(b"a picture")
    assert name == hashlib.sha256(b"a picture").hexdigest()
    assert media.put(b"a picture") == name
    assert media.get(name) == b"a picture"
    media.delete(name)
    media.delete(name)
    with pytest.raises(FileNotFoundError):
        media.get(name)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63 + "/", "a" * 65])
def test_only_a_hash_is_a_name(media: Media, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        media.get(name)


def test_many_writers_of_the_same_bytes(tmp_path: Path) -> None:
    media, data = Media(f"file://{tmp_path}"), b"x" * 3_000_000
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: media.put(data), range(8)))
    assert media.get(names.pop()) == data
    assert not names
    assert [path.name for path in tmp_path.rglob("*.part")] == []


def test_what_was_changed_is_not_given_out(tmp_path: Path) -> None:
    media = Media(f"file://{tmp_path}")
    name = media.put(b"a picture")
    (tmp_path / name[:2] / name).write_bytes(b"another")
    with pytest.raises(ValueError, match="do not match"):
        media.get(name)
