"""`amaan vault`: a new master key is one that the settings take, and rotation leaves nothing to the older ones."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import SecretStr
from pymongo import MongoClient

import cli.vault
from cli import group
from cli.checks import State, vault_keys
from domain.clock import utc_now
from domain.vault.service import vault_keys as stored
from runtime import mongo
from runtime.settings import Settings
from runtime.vault import read_keys, vault
from tests.factories.stores import settings_for


@pytest.fixture
def settings(mongodb_url: str, mongo_client: MongoClient[dict[str, Any]]) -> Iterator[Settings]:
    made = settings_for(mongodb_url)
    mongo.connect(made)
    yield made
    name = mongo.database().name
    mongo.disconnect()
    mongo_client.drop_database(name)


def amaan(*words: str) -> str:
    done = CliRunner().invoke(group, words)
    assert done.exit_code == 0, done.output
    return str(done.output)


def test_a_key_is_made_set_and_takes_over(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = f"hlp_{uuid.uuid4().hex[:8]}"
    sealed = vault(settings).make(subject, "lahore", now=utc_now()).seal("x", "y")
    made = amaan("vault", "key", "k1").strip()
    assert list(read_keys(made)) == ["k1"]
    assert made != amaan("vault", "key", "k1").strip()
    later = settings.model_copy(update={"vault_keys": SecretStr(made)})
    monkeypatch.setattr(cli.vault, "connected", lambda: later)
    assert amaan("vault", "rotate").startswith("1 keys")
    assert amaan("vault", "rotate").startswith("0 keys")
    assert (stored().find_one({"_id": subject}) or {})["master"] == "k1"
    assert vault(later).box(subject).open("x", sealed) == "y"


def test_the_doctor_says_where_the_master_key_comes_from(settings: Settings) -> None:
    def state(**changed: Any) -> State:
        (found,) = vault_keys(settings.model_copy(update=changed))
        return found.state

    assert state() == State.NOTE
    real = {"twilio_account_sid": "AC1", "twilio_base_url": ""}
    assert state(**real) == State.ILL
    assert state(**real, vault_keys=SecretStr("k1:x")) == State.WELL
    assert state(**real, vault_kms="a:B") == State.WELL
