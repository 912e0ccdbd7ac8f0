"""A machine whose cities lie elsewhere: whatever process connects to the store knows them, and nobody has to think of it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import cli.store
from app import create_app, create_streams
from cli.store import connected
from domain.cities import agencies, atlas, queries
from domain.cities.presets import PRESETS
from runtime import mongo
from runtime.settings import Settings
from tests.factories.people import SECRET
from tests.factories.stores import settings_for
from workers.context import build


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder with one city that is nowhere else: Islamabad's files, named Quetta."""
    shutil.copytree(PRESETS / "shared", tmp_path / "shared")
    for kind in ("toml", "boundary.geojson", "places.json"):
        text = (PRESETS / f"islamabad.{kind}").read_text(encoding="utf-8")
        if kind == "toml":
            text = text.replace('id = "islamabad"', 'id = "quetta"').replace("islamabad.", "quetta.")
        (tmp_path / f"quetta.{kind}").write_text(text, encoding="utf-8")
    yield tmp_path
    mongo.disconnect()
    atlas.use()
    queries.forget()


def test_whoever_connects_knows_the_cities_of_its_settings(elsewhere: Path, mongodb_url: str) -> None:
    assert "lahore" in queries.known()
    mongo.connect(settings_for(mongodb_url, cities_dir=elsewhere))
    assert queries.known() == ["quetta"]
    assert queries.city_at(33.7215, 73.0433) == "quetta"
    assert agencies.standing("quetta")[1] == 0
    assert queries.current("quetta").id == "quetta"
    mongo.connect(settings_for(mongodb_url))
    assert "lahore" in queries.known()
    assert "quetta" not in queries.known()


@pytest.mark.parametrize("starts", [create_app, create_streams, build, lambda settings: connected()])
def test_every_kind_of_process_does(
    elsewhere: Path, mongodb_url: str, starts: Callable[[Settings], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API, the event streams, workers and the sweeper, commands."""
    settings = settings_for(mongodb_url, cities_dir=elsewhere, redis_url="redis://127.0.0.1:9/0")
    monkeypatch.setattr(cli.store, "load", lambda: settings)
    monkeypatch.setattr(cli.store, "environment", lambda: {"AMAAN_SECRET": SECRET})
    starts(settings)
    assert queries.known() == ["quetta"]
