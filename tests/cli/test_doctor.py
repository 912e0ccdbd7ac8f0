"""`amaan doctor`: what is well is said, what is ill is said with what to do, and a test message really arrives."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from pymongo import MongoClient
from redis import Redis

import cli.doctor
from cli import group, indexes
from cli.checks import DEPTHS, State, clock, findings, sms_gateways
from domain.clock import utc_now
from domain.incidents import service as incidents
from runtime import mongo
from runtime.queues import QUEUES
from runtime.settings import Settings
from tests import local_servers
from tests.factories.incidents import NOON, SECRET, incident
from tests.factories.people import phone
from tests.factories.stores import settings_for
from tests.fakes.carriers_process import CarriersProcess
from tests.fakes.smsc_process import SmscProcess
from tests.invariants.sources import ROOT

NOWHERE = "127.0.0.1:9"


@pytest.fixture(scope="module")
def redis_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """No other test's jobs wait on its queues: doctor says when too many do."""
    with local_servers.redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def settings(
    mongodb_url: str,
    redis_of_its_own: str,
    carriers: CarriersProcess,
    mongo_client: MongoClient[dict[str, Any]],
    tmp_path: Path,
) -> Iterator[Settings]:
    """A whole city's, with its indexes."""
    tmp_path.chmod(0o700)
    made = settings_for(
        mongodb_url,
        var_dir=tmp_path,
        redis_url=redis_of_its_own,
        twilio_account_sid=carriers.account_sid,
        twilio_auth_token=SecretStr(carriers.auth_token),
        twilio_from=carriers.number,
        twilio_base_url=carriers.url,
        fcm_project=carriers.project,
        fcm_credentials=str(carriers.service_account),
        fcm_base_url=carriers.url,
    )
    mongo.connect(made)
    indexes.create()
    yield made
    name = mongo.database().name
    mongo.disconnect()
    mongo_client.drop_database(name)


@pytest.fixture
def doctor(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, with these settings."""
    monkeypatch.setattr(cli.doctor, "environment", lambda: {"AMAAN_SECRET": SECRET})
    monkeypatch.setattr(cli.doctor, "load", lambda: settings)
    return lambda *words: CliRunner().invoke(group, ["doctor", *words])


def ill(settings: Settings) -> dict[str, str]:
    """What must be mended: about → text."""
    return {each.about: each.text for each in findings(settings) if each.state == State.ILL}


def test_a_city_that_is_well(doctor: Callable[..., Result]) -> None:
    said = doctor("--json")
    found = json.loads(said.output)
    assert [each for each in found if each["state"] == "ill"] == []
    assert said.exit_code == 0
    assert {each["about"] for each in found} >= {
        *("settings", "document store", "clock", "indexes", "events", "redis", "queues", "twilio", "fcm"),
        *("message by fcm", "message by sms", "message by voice"),
    }


def test_a_message_by_each_channel_arrives(doctor: Callable[..., Result], carriers: CarriersProcess) -> None:
    number, token = phone(), f"device-{uuid.uuid4().hex}"
    carriers.register(token, number)
    said = doctor("--sms", number, "--call", number, "--push", token)
    assert said.exit_code == 0, said.output
    inbox = carriers.inbox(number)
    assert "this is a test" in inbox["sms"][0]["body"]
    assert len(inbox["calls"]) == 1
    assert carriers.device(token)["pushes"][0]["data"]["type"] == "drill.ping"
    assert number not in said.output
    assert token not in said.output


def test_a_message_that_does_not_arrive_is_said(doctor: Callable[..., Result], carriers: CarriersProcess) -> None:
    token = f"device-{uuid.uuid4().hex}"
    carriers.set_switch("fcm", token, status=500)
    said = doctor("--push", token)
    assert said.exit_code == 1
    assert "carrier_down" in said.output


def test_what_is_down_is_one_line_each_and_the_rest_is_looked_at(settings: Settings) -> None:
    down = settings.model_copy(
        update={
            "mongodb_url": f"mongodb://{NOWHERE}/amaan",
            "redis_url": f"redis://{NOWHERE}/0",
            "twilio_base_url": f"http://{NOWHERE}",
        }
    )
    found = ill(down)
    assert set(found) == {"document store", "redis", "twilio"}
    assert found["document store"].startswith("does not answer")
    mongo.connect(settings)


def test_a_missing_index_is_named(settings: Settings) -> None:
    mongo.database()["incidents"].drop_index("outbox_due_1")
    assert ill(settings) == {"indexes": "incidents (outbox_due) is missing: run `amaan indexes`"}
    assert indexes.missing() == [("incidents", "outbox_due")]
    indexes.create()
    assert indexes.missing() == []


def test_events_that_nobody_handles_are_said(settings: Settings) -> None:
    incidents.incidents().insert_one(incident(_id=f"inc_{uuid.uuid4().hex}", outbox_due=NOON))
    assert "1 of incidents wait" in ill(settings)["events"]


def test_events_that_keep_failing_are_said(settings: Settings) -> None:
    subject = f"inc_{uuid.uuid4().hex}"
    due = utc_now() + timedelta(minutes=1)
    incidents.incidents().delete_many({})
    incidents.incidents().insert_one(incident(_id=subject, outbox_due=due, outbox_tries=9))
    assert f"{subject} (incidents) keeps failing" in ill(settings)["events"]
    incidents.incidents().delete_one({"_id": subject})


def test_jobs_that_pile_up_are_said(settings: Settings) -> None:
    waiting = [f"job-{number}" for number in range(60)]
    with Redis.from_url(settings.redis_url) as client:
        client.rpush("rq:queue:urgent", *waiting)
        try:
            assert "wait on urgent" in ill(settings)["queues"]
        finally:
            for job in waiting:
                client.lrem("rq:queue:urgent", 1, job)


def test_a_clock_that_is_wrong_is_said() -> None:
    assert clock("redis", utc_now()).state == State.WELL
    wrong = clock("redis", NOON)
    assert wrong.state == State.ILL
    assert "synchronise" in wrong.text


def test_data_that_others_can_read_is_said(settings: Settings) -> None:
    settings.var_dir.chmod(0o755)
    assert "chmod 700" in ill(settings)["settings"]


def test_real_carriers_need_addresses_that_phones_may_trust(settings: Settings) -> None:
    real = settings.model_copy(update={"twilio_base_url": "", "public_url": "http://amaan.example"})
    from cli.checks import settings_are_safe

    assert [each.state for each in settings_are_safe(real)].count(State.ILL) == 2


def test_each_sms_gateway_of_the_table_is_asked(
    settings: Settings, carriers: CarriersProcess, smsc: SmscProcess, tmp_path: Path
) -> None:
    def said(table: str) -> list[tuple[State, str]]:
        file = tmp_path / f"{uuid.uuid4().hex}.toml"
        file.write_text(table)
        asked = sms_gateways(settings.model_copy(update={"sms_gateways": str(file)}))
        return [(each.state, each.text) for each in asked]

    example = (ROOT / "deploy" / "sms-gateways.toml").read_text().replace("port = 2775", f"port = {smsc.port}")
    working = example.replace("http://127.0.0.1:8089", carriers.url)
    working = working.replace("local-carriers-auth-token", carriers.auth_token)
    assert said(working) == [(State.WELL, "local_smpp lets us in"), (State.WELL, "local_http answers")]
    broken = working.replace("smsc-pw", "wrong").replace(f"Bearer {carriers.auth_token}", "Bearer wrong")
    assert said(broken) == [
        (State.ILL, "local_smpp does not let us in (0x0e)"),
        (State.ILL, "local_http does not answer, or does not let us in"),
    ]
    without = working.partition("[http.look_up]")[0] + "\n[[smpp]]" + working.partition("[[smpp]]")[2]
    assert [state for state, _ in said(without)] == [State.WELL, State.NOTE]


def test_each_queue_has_a_depth_that_is_too_deep() -> None:
    assert set(DEPTHS) == set(QUEUES)
