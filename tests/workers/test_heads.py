"""Each day of the audit chain is signed once it is over, kept elsewhere, and found out when it is rewritten afterwards."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pymongo import MongoClient

import cli.store
from cli import group
from cli.indexes import create as create_indexes
from domain.audit import chain
from runtime import mongo
from runtime.heads import Heads
from tests.factories.people import SECRET
from tests.factories.stores import settings_for
from workers.context import Context
from workers.heads import audit_heads

MORNING = datetime(2026, 3, 1, 9, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
Sweep = Callable[[datetime], int]
nothing: Any = None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the heads go."""
    return tmp_path / "media" / "audit-heads"


@pytest.fixture
def sweep(
    mongodb_url: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sweep]:
    """The sweep, at a time."""
    settings = settings_for(mongodb_url, media_url=f"file://{tmp_path}/media", redis_url="redis://127.0.0.1:9/0")
    monkeypatch.setattr(cli.store, "load", lambda: settings)
    monkeypatch.setattr(cli.store, "environment", lambda: {"AMAAN_SECRET": SECRET})
    mongo.connect(settings)
    create_indexes()
    yield lambda at: audit_heads(Context(settings, lambda: at, lambda *_: True, nothing, {}), nothing)
    name = mongo.database().name
    mongo.disconnect()
    mongo_client.drop_database(name)


def fill(at: datetime = MORNING, count: int = 3, city: str = "lahore") -> None:
    for number in range(count):
        chain.append(city, "per_1", "evidence.viewed", f"evd_{number}", now=at)


def amaan(*words: str) -> Result:
    return CliRunner().invoke(group, ["audit", *words])


def verify(*words: str) -> Result:
    return amaan("verify", "lahore", "--day", "2026-03-01", *words)


def test_a_day_is_signed_when_it_is_over_and_once(sweep: Sweep, folder: Path) -> None:
    fill()
    fill(city="")
    fill(MIDNIGHT)
    assert sweep(MIDNIGHT + timedelta(minutes=9, seconds=59)) == 0
    assert sweep(MIDNIGHT + timedelta(minutes=10)) == 2
    assert sweep(MIDNIGHT + timedelta(minutes=11)) == 0
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert written == ["-/2026-03-01.json", "lahore/2026-03-01.json"]
    head = json.loads((folder / "lahore" / "2026-03-01.json").read_text())
    assert (head["chain"], head["seq"]) == ("lahore:2026-03-01", 3)
    assert verify().output == "lahore:2026-03-01: 3 entries hold, as the kept head says\n"


def test_days_that_nobody_swept_are_signed_later_and_a_quiet_day_is_one_too(sweep: Sweep, folder: Path) -> None:
    fill()
    fill(MORNING + timedelta(days=2))
    assert sweep(MORNING + timedelta(days=4)) == 4
    days = sorted(path.stem for path in (folder / "lahore").iterdir())
    assert days == ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]
    assert sweep(MORNING + timedelta(days=60)) == 31


def test_what_is_rewritten_afterwards_is_found_out(sweep: Sweep, folder: Path) -> None:
    fill()
    assert verify().output == "lahore:2026-03-01: 3 entries hold; no head was kept yet\n"
    sweep(MIDNIGHT + timedelta(hours=1))
    kept = list(mongo.database().audit.find({}))
    mongo.database().audit.delete_many({})  # whoever holds the store makes a day that holds in itself
    fill(count=2)
    assert verify().exit_code == 1
    assert "it was rewritten" in verify().output
    mongo.database().audit.delete_many({})
    assert verify().exit_code == 1  # the whole day is gone
    mongo.database().audit.insert_many(kept)
    assert verify().exit_code == 0
    fill(count=1)  # slipped in behind the end
    assert "has 4 entries and had 3" in verify().output
    forged = {**json.loads((folder / "lahore" / "2026-03-01.json").read_text()), "seq": 4}
    (folder / "lahore" / "2026-03-01.json").write_text(json.dumps(forged))
    assert "not ours" in verify().output
    (folder / "lahore" / "2026-03-01.json").write_text("{")
    assert "cannot be read" in verify().output


def test_a_day_whose_time_is_over_is_told_from_one_that_was_taken_away(sweep: Sweep) -> None:
    assert "no head was kept" in verify().output
    assert "its time is over" in amaan("verify", "lahore", "--day", "2001-03-01").output


def test_a_kept_head_stays_whatever_comes_after_it(sweep: Sweep, folder: Path) -> None:
    fill()
    sweep(MIDNIGHT + timedelta(hours=1))
    before = (folder / "lahore" / "2026-03-01.json").read_text()
    fill(count=1)
    sweep(MIDNIGHT + timedelta(hours=2))
    assert not Heads(f"file://{folder}").put("lahore", MORNING, "another")
    assert (folder / "lahore" / "2026-03-01.json").read_text() == before
    assert [path.name for path in (folder / "lahore").iterdir()] == ["2026-03-01.json"]


def test_a_copy_that_was_kept_elsewhere_is_asked_as_well(sweep: Sweep, folder: Path, tmp_path: Path) -> None:
    fill()
    sweep(MIDNIGHT + timedelta(hours=1))
    folder.rename(tmp_path / "elsewhere")
    assert "no head was kept" in verify().output
    assert "as the kept head says" in verify("--heads", f"file://{tmp_path / 'elsewhere'}").output


@pytest.mark.usefixtures("our_own_log")
def test_a_day_that_does_not_hold_is_an_alarm_and_is_not_signed(
    sweep: Sweep, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill()
    mongo.database().audit.delete_one({"seq": 2})
    assert sweep(MIDNIGHT + timedelta(hours=1)) == 0
    assert "audit_chain_broken" in capsys.readouterr().err
    assert not (folder / "lahore").exists()
    assert amaan("head", "lahore", "--day", "2026-03-01").exit_code == 1
    assert amaan("verify", "lahore", "--day", "2026-03-01").exit_code == 1
