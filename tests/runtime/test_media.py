"""Media are named by what they are: stored once, never half, and what was changed is noticed."""

import hashlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from runtime.evidence import FileEvidence
from runtime.media import Media, store_of
from tests.factories.stores import settings_for


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """A local S3, where it and the real client are installed (`pyproject.toml`, extra s3)."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture
def bucket(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a bucket of the test's own, over the network."""
    name = f"amaan-{uuid.uuid4().hex}"
    for variable, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "ENDPOINT_URL_S3": s3_address}.items():
        monkeypatch.setenv(f"AWS_{variable}", value)
    store_of(f"s3://{name}")[0].mkdir(name)
    return f"s3://{name}/media"


@pytest.fixture(params=["file", "memory", "s3"])
def media(request: pytest.FixtureRequest, tmp_path: Path) -> Media:
    if request.param == "s3":
        return Media(request.getfixturevalue("bucket"))
    return Media(f"file://{tmp_path}" if request.param == "file" else f"memory://{uuid.uuid4().hex}")


def test_a_bucket_shows_what_another_process_stored_since(bucket: str) -> None:
    """Bytes of many parts, an upload's parts, and nothing remembered of how the bucket was."""
    store, elsewhere = FileEvidence(bucket), type(store_of(bucket)[0])(skip_instance_cache=True)
    name = store.put_part("upl_1", 0, b"abc")
    folder = f"{bucket.removeprefix('s3://')}/parts/upl_1"
    assert store.parts_of("upl_1") == [name]
    elsewhere.pipe_file(f"{folder}/000000000003-other", b"def")
    assert store.parts_of("upl_1") == [name, "000000000003-other"]
    kept = store.keep(store.read_parts("upl_1", store.parts_of("upl_1")))
    assert store.media.get(kept.sha256) == b"abcdef"
    store.drop_parts("upl_1")
    assert store.parts_of("upl_1") == []
    sha256, size = store.media.put_parts([b"x" * 6_000_000, b"y"])
    assert (size, store.media.head(sha256, 3)) == (6_000_001, b"xxx")
    assert [each for each in elsewhere.find(bucket, refresh=True) if each.endswith(".part")] == []


def test_an_address_that_nothing_here_can_open_stops_the_start() -> None:
    with pytest.raises(ValidationError, match="Protocol not known: nowhere"):
        settings_for("mongodb://127.0.0.1:9/x", redis_url="redis://127.0.0.1:9/0", media_url="nowhere://media")


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
