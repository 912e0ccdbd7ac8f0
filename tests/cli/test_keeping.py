"""The commands that keep a city: the first admin, agencies, units, staff, and their line on the chain."""

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from pymongo import MongoClient

import cli.store
from cli import group
from cli.indexes import create as create_indexes
from domain.audit.documents import AuditDoc
from domain.people import queries, second_factor
from runtime import mongo
from runtime.settings import Settings
from tests.factories.people import SECRET, phone

Amaan = Callable[..., Result]
NO_REDIS = "redis://127.0.0.1:9/0"


@pytest.fixture
def amaan(
    mongodb_url: str, mongo_client: MongoClient[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Amaan]:
    """The command `amaan` on a database of the test's own."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    settings = Settings(secret=SecretStr(SECRET), mongodb_url=f"{mongodb_url.rstrip('/')}/{name}", redis_url=NO_REDIS)
    monkeypatch.setattr(cli.store, "load", lambda: settings)
    monkeypatch.setattr(cli.store, "environment", lambda: {"AMAAN_SECRET": SECRET})
    mongo.connect(settings)
    create_indexes()
    yield lambda *words: CliRunner().invoke(group, list(words))
    mongo.disconnect()
    mongo_client.drop_database(name)


def test_a_counsellor_is_added_as_whom_the_helpline_offers_first(amaan: Amaan) -> None:
    words = ("--role", "counsellor", "--gender", "female", "--speaks", "ur", "--speaks", "en")
    said = amaan("staff", "add", "lahore", phone(), *words)
    assert said.exit_code == 0, said.output
    person = queries.get(said.output.splitlines()[0])
    assert (person.gender, list(person.languages)) == ("female", ["ur", "en"])
    assert amaan("staff", "add", "lahore", phone(), "--role", "counsellor", "--gender", "cat").exit_code == 2


def test_the_first_admin_can_enrol(amaan: Amaan) -> None:
    number = phone()
    said = amaan("staff", "add", "lahore", number, "--role", "admin", "--name", "Saima")
    assert said.exit_code == 0, said.output
    person_id, code = said.output.splitlines()[0], said.output.split()[-1]
    assert re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code)
    person = queries.get(person_id)
    assert [(held.role, held.city) for held in person.roles] == [("admin", "lahore")]
    now = person.enrolment.expires_at.replace(year=2026, month=1, day=1)
    assert second_factor.begin(person, code, secret=SECRET, now=now).startswith("otpauth://totp/")
    listed = amaan("staff", "list", "lahore").output
    assert person_id in listed
    assert number not in listed


def test_units_and_responders(amaan: Amaan) -> None:
    unit = amaan("units", "add", "lahore", "Car 7", "--agency", "punjab_police", "--service", "police").output.strip()
    assert amaan("staff", "add", "lahore", phone(), "--role", "responder").exit_code == 1
    added = amaan("staff", "add", "lahore", phone(), "--role", "responder", "--agency", "punjab_police")
    person_id = added.output.strip()
    assert amaan("units", "put-on", unit, person_id).exit_code == 0
    assert queries.get(person_id).unit_id == unit
    assert unit in amaan("units", "list", "lahore").output
    assert amaan("units", "retire", unit, "--reason", "sold").exit_code == 0
    assert amaan("units", "list", "lahore").output == ""
    assert not queries.get(person_id).unit_id
    assert amaan("staff", "dismiss", "lahore", person_id).exit_code == 0
    assert amaan("staff", "list", "lahore").output == ""


def test_agencies_and_cities(amaan: Amaan) -> None:
    words = ("agencies", "put", "lahore", "canal_patrol", "--reason", "new")
    refused = amaan(*words)
    assert refused.exit_code == 1
    assert "name_en" in refused.output
    facts = (
        "--name-en",
        "Canal Patrol",
        "--name-ur",
        "نہر گشت",
        "--kind",
        "police",
        "--service",
        "police",
        "--phone",
        "15",
    )
    assert amaan(*words, *facts).output == "canal_patrol added\n"
    assert amaan(*words, "--phone", "1122").output == "canal_patrol changed\n"
    assert "canal_patrol\tCanal Patrol\tpolice\tpolice\t1122" in amaan("agencies", "list", "lahore").output
    assert len(amaan("cities", "history", "lahore").output.splitlines()) == 2
    assert "lahore\tLahore\t2" in amaan("cities", "list").output
    assert '"canal_patrol"' in amaan("cities", "show", "lahore").output
    assert amaan("cities", "show", "atlantis").exit_code == 1


def test_what_was_done_is_on_the_chain(amaan: Amaan) -> None:
    amaan("units", "add", "lahore", "Car 7", "--agency", "punjab_police", "--service", "police")
    assert "1 entries hold" in amaan("audit", "verify", "lahore").output
    assert '"signature"' in amaan("audit", "head", "lahore").output
    AuditDoc._get_collection().update_one({}, {"$set": {"actor": "per_somebody"}})
    broken = amaan("audit", "verify", "lahore")
    assert (broken.exit_code, "does not hold" in broken.output) == (1, True)


def test_a_store_that_is_away_is_one_line(amaan: Amaan, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Settings(secret=SecretStr(SECRET), mongodb_url="mongodb://127.0.0.1:9/amaan", redis_url=NO_REDIS)
    monkeypatch.setattr(cli.store, "load", lambda: away)
    said = amaan("units", "list", "lahore")
    assert said.exit_code == 1
    assert said.output.splitlines() == ["Error: the document server does not answer (MONGODB_URL)"]
