"""A city with one recorder's folder, for footage that is taken: real stores, no picture is decoded."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from cli.indexes import create as create_indexes
from domain.cities.config import CameraSource
from domain.evidence import footage, retention, taking
from domain.evidence.retention import Bytes
from domain.evidence.states import Kind, RequestState
from domain.incidents import service as incidents
from runtime import mongo
from runtime.media import Media
from runtime.sealed import SealedFiles
from runtime.vault import vault
from tests.factories.cameras import NOON, camera, hold_city, sos
from tests.factories.stores import settings_for
from workers import footage as job
from workers.context import Context


class World:
    """A city with one recorder's folder, and a clock that is moved by hand."""

    def __init__(self, settings: Any, folder: Path) -> None:
        self.now, self.folder = NOON + timedelta(minutes=5), folder
        self.jobs: list[tuple[Any, ...]] = []
        nothing: Any = None
        self.context = Context(settings, lambda: self.now, self._enqueue, nothing, {})
        self.media = Media(settings.media_url)
        self.store = SealedFiles(vault(settings), self.media)
        self.ends = Bytes(self.media.delete, vault(settings))
        self.incident = sos("footage")

    def _enqueue(self, job: str, *args: str | int | float | None) -> bool:
        self.jobs.append((job, *args))
        return True

    def recorded(self, *seconds: int) -> None:
        """A file of ten seconds begins so long after the tap."""
        for each in seconds:
            at = (NOON + timedelta(seconds=each)).astimezone(UTC)
            (self.folder / f"cam-{at:%Y%m%dT%H%M%SZ}.mp4").write_bytes(f"footage of {each}".encode() * 99)

    def ask(self, key: str = "1") -> dict[str, Any]:
        asked = {"reason": "FIR 1/26", "since": NOON, "until": NOON + timedelta(seconds=30), "radius_m": 150.0}
        doc = incidents.get(self.incident)
        made, _ = footage.ask(f"ftr_{key}", doc, asked, by="per_sara", fingerprint="f", now=self.now)
        return made

    def taken(self, key: str = "1") -> dict[str, Any]:
        """The evidence of a request that was asked and answered."""
        request = self.ask(key)
        job.take_with(self.context, request["_id"])
        said = footage.get(request["_id"])
        assert said["state"] == RequestState.ANSWERED
        (answer,) = said["cameras"].values()
        return taking.get(answer["evidence"])

    def objects(self) -> int:
        """How many objects lie in the store."""
        return sum(1 for file in (self.folder.parent / "media").rglob("*") if file.is_file())

    def expire(self, keep: frozenset[str] = frozenset()) -> int:
        return retention.expire("lahore", Kind.FOOTAGE, self.now, keep=keep, ends=self.ends, now=self.now, limit=10)


@pytest.fixture
def world(
    mongodb_url: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    folder = tmp_path / "recorder"
    folder.mkdir()
    settings = settings_for(
        mongodb_url, redis_url="redis://127.0.0.1:9/0", media_url=f"file://{tmp_path}/media", var_dir=tmp_path / "var"
    )
    mongo.connect(settings)
    create_indexes()
    config = hold_city(monkeypatch, CameraSource("file", "", f"{folder}/"))
    camera("Gate", source={"kind": "segments", "path": str(folder), "segment_s": 10}, config=config)
    yield World(settings, folder)
    name = mongo.database().name
    mongo.disconnect()
    mongo_client.drop_database(name)
