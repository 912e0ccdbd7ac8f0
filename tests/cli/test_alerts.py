"""`amaan alerts`: a warning from a terminal, and its end."""

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
from domain.alerts import queries
from domain.audit.documents import AuditDoc
from runtime import mongo
from runtime.settings import Settings
from tests.factories.people import SECRET

Amaan = Callable[..., Result]
SQUARE = [[74.32, 31.49], [74.37, 31.49], [74.37, 31.53], [74.32, 31.53], [74.32, 31.49]]
WORDS = (
    "--event", "Flood", "سیلاب", "--headline", "Flood in Gulberg", "گلبرگ میں سیلاب", "--category", "Met",
    "--severity", "Severe", "--urgency", "Immediate", "--certainty", "Observed", "--reason", "the canal",
)  # fmt: skip


@pytest.fixture
def amaan(
    mongodb_url: str, mongo_client: MongoClient[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Amaan]:
    """The command `amaan` on a database of the test's own, without a queue."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    settings = Settings(
        secret=SecretStr(SECRET), mongodb_url=f"{mongodb_url.rstrip('/')}/{name}", redis_url="redis://127.0.0.1:9/0"
    )
    monkeypatch.setattr(cli.store, "load", lambda: settings)
    monkeypatch.setattr(cli.store, "environment", lambda: {"AMAAN_SECRET": SECRET})
    mongo.connect(settings)
    create_indexes()
    yield lambda *words: CliRunner().invoke(group, list(words))
    mongo.disconnect()
    mongo_client.drop_database(name)


def test_an_alert_is_issued_watched_and_withdrawn(amaan: Amaan, tmp_path: Path) -> None:
    area = tmp_path / "area.geojson"
    area.write_text(json.dumps({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}))
    said = amaan("alerts", "issue", "lahore", *WORDS, "--area", str(area), "--no-watch")
    assert said.exit_code == 0, said.output
    alert_id = said.output.strip()
    alert = queries.get(alert_id)
    assert (alert["status"], alert["broadcast"]["state"]) == ("issued", "finding")
    assert f"{alert_id}\tissued\tAlert\tSevere" in amaan("alerts", "list", "lahore").output
    over = {"broadcast.state": "told", "broadcast.people": 3}
    queries.alerts().update_one({"_id": alert_id}, {"$set": {**over, "progress": {"sent": 3, "unknown": 1}}})
    watched = amaan("alerts", "watch", alert_id).output
    assert "3/3" in watched
    assert "issued, told: 0 failed, 0 retrying, 1 unknown, 0 repeated" in watched
    cancel = amaan("alerts", "cancel", alert_id, "--reason", "the water has gone")
    assert cancel.exit_code == 0, cancel.output
    assert queries.get(alert_id)["status"] == "cancelled"
    again = amaan("alerts", "cancel", queries.get(alert_id)["followed_by"], "--reason", "twice")
    assert again.exit_code == 1
    assert "not in force" in again.output
    actions = sorted(entry["action"] for entry in AuditDoc._get_collection().find({"actor": "system:cli"}))
    assert actions == ["alert.cancelled", "alert.cancelled", "alert.issued"]


@pytest.mark.parametrize("content", ["not json", '{"type": "Point", "coordinates": [74.3, 31.5]}', "[]"])
def test_an_area_that_is_none_is_one_line(amaan: Amaan, tmp_path: Path, content: str) -> None:
    area = tmp_path / "area.geojson"
    area.write_text(content)
    said = amaan("alerts", "issue", "lahore", *WORDS, "--area", str(area), "--no-watch")
    assert said.exit_code in (1, 2)
    assert "Traceback" not in said.output
    assert queries.listed("lahore", before=None, limit=5) == []
