"""A machine whose cities lie elsewhere: whatever process connects to the store knows them, and nobody has to think of it."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.cities import agencies, atlas, queries
from domain.cities.presets import PRESETS
from runtime import mongo
from tests.factories.people import SECRET
from tests.factories.stores import settings_for

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.mark.parametrize(
    "starts",
    [
        "from app import create_app; create_app(load())",
        "from app import create_streams; create_streams(load())",
        "from workers.context import build; build(load())",
        "from cli.store import connected; connected()",
    ],
)
def test_every_kind_of_process_does(elsewhere: Path, mongodb_url: str, starts: str) -> None:
    environment = {
        **os.environ,
        "AMAAN_SECRET": SECRET,
        "AMAAN_CITIES_DIR": str(elsewhere),
        "MONGODB_URL": f"{mongodb_url.rstrip('/')}/t_{uuid.uuid4().hex[:12]}",
        "REDIS_URL": "redis://127.0.0.1:9/0",
    }
    code = f"from runtime.settings import load; {starts}; from domain.cities import queries; print(queries.known())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1:] == ["['quetta']"], done.stderr
