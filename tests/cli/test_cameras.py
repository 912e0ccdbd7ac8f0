"""The commands that keep cameras, and one look to see whether a camera shows anything."""

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from pymongo import MongoClient

import cli.store
from cli import group
from cli.indexes import create as create_indexes
from domain.audit.documents import AuditDoc
from domain.cameras import queries, registry
from domain.cities.config import CameraSource
from runtime import mongo
from runtime.settings import Settings
from sandbox.footage import draw_clip
from tests.factories.cameras import PLACE, SECRET, hold_city

Amaan = Callable[..., Result]


@pytest.fixture
def amaan(
    mongodb_url: str, mongo_client: MongoClient[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Amaan]:
    """The command `amaan` on a database of the test's own, in a city that allows the test's folder."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    settings = Settings(
        secret=SecretStr(SECRET), mongodb_url=f"{mongodb_url.rstrip('/')}/{name}", redis_url="redis://127.0.0.1:9/0"
    )
    monkeypatch.setattr(cli.store, "load", lambda: settings)
    monkeypatch.setattr(cli.store, "environment", lambda: {"AMAAN_SECRET": SECRET})
    mongo.connect(settings)
    create_indexes()
    hold_city(monkeypatch, CameraSource("file", "", f"{tmp_path}/"))
    yield lambda *words: CliRunner().invoke(group, list(words))
    mongo.disconnect()
    mongo_client.drop_database(name)


def add(amaan: Amaan, *more: str) -> Result:
    where = ("--at", str(PLACE[0]), str(PLACE[1]), "--bearing", "90")
    return amaan("cameras", "add", "lahore", "Gate", *where, *more)


def test_a_camera_is_added_listed_and_retired(amaan: Amaan) -> None:
    said = add(amaan, "--kind", "gateway", "--gateway", "--reason", "lent by the bank")
    assert said.exit_code == 0, said.output
    camera_id, _, key = said.output.partition("\ngateway key: ")
    assert registry.by_gateway(camera_id, key.strip())["name"] == "Gate"
    assert f"{camera_id}\tGate\tgateway\ton\tunknown" in amaan("cameras", "list", "lahore").output
    renewed = amaan("cameras", "key", camera_id).output.strip()
    assert renewed != key.strip()
    assert registry.by_gateway(camera_id, renewed)
    assert amaan("cameras", "check", camera_id).exit_code == 1
    assert amaan("cameras", "retire", camera_id).exit_code == 0
    assert amaan("cameras", "list", "lahore").output == ""
    assert "no such camera" in amaan("cameras", "retire", camera_id).output
    chain = [row["action"] for row in AuditDoc._get_collection().find({"subject": camera_id}).sort("seq", 1)]
    assert chain == ["camera.added", "camera.key_made", "camera.retired"]


def test_an_address_that_the_city_does_not_allow(amaan: Amaan) -> None:
    said = add(amaan, "--kind", "rtsp", "--url", "rtsp://10.0.0.1/x")
    assert said.exit_code == 1
    assert "Not on the city's list" in said.output
    assert amaan("cameras", "list", "lahore").output == ""


def test_one_look_says_what_a_camera_shows(amaan: Amaan, tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "walk.mp4", "walk", 3.0, (640, 360), 12, 11)
    camera_id = add(amaan, "--kind", "file", "--path", str(clip)).output.strip()
    said = amaan("cameras", "check", camera_id)
    assert said.exit_code == 0, said.output
    assert "view      seen" in said.output
    assert "people    1 at most" in said.output
    assert queries.camera(camera_id)["health"]["state"] == "ok"
    assert queries.observations().count_documents({}) == 0
    clip.unlink()
    gone = amaan("cameras", "check", camera_id, "--json")
    assert gone.exit_code == 1
    assert json.loads(gone.output)["verdict"] == "down"
    assert "down\tno_recording" in amaan("cameras", "list", "lahore").output
