"""The API under gunicorn with people, a unit, a camera and an SOS in it, and schemathesis let loose on it.

    python -m tests.contract.fuzz --examples 100      # by hand: the whole contract, for as long as it takes

The test runs the same with few examples. The document that schemathesis reads lacks the `default` answers of
openapi.json: they say what a phone does with a status that it does not know, and would hide one that is undocumented.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from pydantic import SecretStr

from api.contract.examples import BODIES, PARAMETERS
from cli.indexes import create as create_indexes
from domain.clock import utc_now
from domain.dispatch import queries as dispatch_queries
from domain.people import sign_in
from domain.people.sign_in import Lifetimes
from runtime import mongo
from runtime.settings import Settings
from tests import local_servers
from tests.factories.people import SECRET, signed_in

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path(__file__).with_name("schemathesis.toml")
ROLES = ("responder", "supervisor", "operator", "analyst", "auditor", "admin", "camera_owner")
DESK = ("counsellor", "helpline_supervisor")
STANDS_FOR = {
    PARAMETERS["sos_id"]: "CONTRACT_SOS",
    PARAMETERS["assignment_id"]: "CONTRACT_ASSIGNMENT",
    PARAMETERS["unit_id"]: "CONTRACT_UNIT",
    PARAMETERS["camera_id"]: "CONTRACT_CAMERA",
    PARAMETERS["person_id"]: "CONTRACT_COLLEAGUE",
    PARAMETERS["request_id"]: "CONTRACT_HELPLINE",
    PARAMETERS["case_id"]: "CONTRACT_CASE",
    PARAMETERS["journey_id"]: "CONTRACT_JOURNEY",
    PARAMETERS["escort_id"]: "CONTRACT_ESCORT",
    PARAMETERS["audit_id"]: "CONTRACT_AUDIT",
    PARAMETERS["group_id"]: "CONTRACT_GROUP",
    PARAMETERS["report_id"]: "CONTRACT_REPORT",
    PARAMETERS["comment_id"]: "CONTRACT_COMMENT",
    PARAMETERS["beat_id"]: "CONTRACT_BEAT",
    PARAMETERS["patrol_id"]: "CONTRACT_PATROL",
    PARAMETERS["gathering_id"]: "CONTRACT_GATHERING",
    PARAMETERS["campaign_id"]: "CONTRACT_CAMPAIGN",
    PARAMETERS["call_id"]: "CONTRACT_CALL",
    PARAMETERS["message_id"]: "CONTRACT_MESSAGE",
}
"""Ids of the document's examples → what is there, so that they reach something."""
HERE = {"lat": 31.5102, "lon": 74.3441, "accuracy_m": 12.0}


@dataclass(frozen=True)
class Served:
    """A running API: where it is, and what schemathesis.toml takes from the environment."""

    url: str
    environment: Mapping[str, str]
    log: Path


@contextmanager
def served(mongodb_url: str, redis_url: str, directory: Path) -> Iterator[Served]:
    """The API on a free port with a database of its own."""
    database = f"{mongodb_url.rstrip('/')}/t_{uuid.uuid4().hex[:12]}"
    media = f"file://{directory}/media"
    port, log = local_servers.free_port(), directory / "api.log"
    url = f"http://127.0.0.1:{port}"
    mongo.connect(Settings(secret=SecretStr(SECRET), mongodb_url=database, redis_url=redis_url))
    try:
        create_indexes()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AMAAN_")},
            "AMAAN_SECRET": SECRET,
            "AMAAN_PUBLIC_URL": url,
            "AMAAN_STREAMS_URL": "http://127.0.0.1:9",
            "AMAAN_MEDIA_URL": media,
            "AMAAN_LOG_LEVEL": "error",
            "MONGODB_URL": database,
            "REDIS_URL": redis_url,
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "warning", "-k", "gthread"]
        command += ["-w", "2", "--threads", "4", "-b", f"127.0.0.1:{port}", "app:serve()"]
        with local_servers.running(command, log, cwd=ROOT, env=environment) as process:
            local_servers.wait_for_port(port, process, log)
            yield Served(url, {**environment, **_furnish(url)}, log)
    finally:
        store = mongo.database()
        store.client.drop_database(store.name)
        mongo.disconnect()


def _furnish(url: str) -> dict[str, str]:
    """Somebody with every role, on a unit; a camera with a gateway; an SOS that the unit is asked for."""
    now = utc_now()
    unit = "unt_contract"
    dispatch_queries.units().insert_one(
        {"_id": unit, "city": "lahore", "agency": "punjab_police", "name": "Dolphin 1", "services": ["police"]}
        | {"skills": [], "status": "available", "position": {**HERE, "at": now}, "cells": {}, "version": 1}
        | {"created_at": now, "responders": []}
    )
    held = [{"role": role, "city": "lahore", "agency_id": "punjab_police", "group_id": ""} for role in (*ROLES, *DESK)]
    person = signed_in(now, name="Ayesha", roles=held, second_factor_given=True, unit_id=unit, duty="available")

    colleague = signed_in(now, name="Bilal", roles=[held[0]])
    tokens = sign_in.tokens_for(SECRET, person.person_id, person.session_id, Lifetimes(access_s=6 * 3600), now=now)

    def post(path: str, body: Any, headers: Mapping[str, str] = person.headers) -> dict[str, Any]:
        answer = requests.post(url + path, json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    camera = post("/v1/cameras", BODIES["cameras_add_camera"]["of a gateway"])
    sos = post("/v1/sos", {"position": HERE, "device": "phone-of-the-contract"}, {})  # nobody works on their own
    incident = post(f"/v1/incidents/{sos['id']}/assign", {"unit": unit})
    requests.put(url + "/v1/helpline/duty", json={"state": "available"}, headers=person.headers, timeout=30)
    asked = post(
        "/v1/helpline/requests",
        BODIES["helpline_ask"]["silently, from a phone without an account"] | {"city": "lahore", "wanted": "anyone"},
    )
    post(f"/v1/helpline/requests/{asked['id']}/claim", {})
    case = post(f"/v1/helpline/requests/{asked['id']}/case", {"consent": "chat"})
    message = post(f"/v1/helpline/requests/{asked['id']}/messages", {"text": "I am here."})
    group = post("/v1/watch/groups", BODIES["watch_found"]["a block"])["id"]
    report = post("/v1/watch/reports", {"category": "fire", "position": HERE})["id"]
    later = {"expected_arrival": (now + timedelta(hours=2)).isoformat(), "destination": HERE}
    return {
        "CONTRACT_JOURNEY": post("/v1/journeys", later)["id"],
        "CONTRACT_ESCORT": post("/v1/escorts", {"position": HERE, "destination": HERE})["id"],
        "CONTRACT_AUDIT": post("/v1/place-audits", BODIES["place_audits_add"]["a dark lane"])["id"],
        "CONTRACT_GROUP": group,
        "CONTRACT_REPORT": report,
        "CONTRACT_COMMENT": post(f"/v1/watch/reports/{report}/comments", {"text": "I see it too."})["id"],
        **_planned(post, group),
        "CONTRACT_CALL": post("/v1/fake-calls", {"in_s": 3600})["id"],
        "CONTRACT_HELPLINE": asked["id"],
        "CONTRACT_HELPLINE_TOKEN": asked["helpline_token"],
        "CONTRACT_CASE": case["id"],
        "CONTRACT_MESSAGE": message["id"],
        "CONTRACT_PERSON": person.person_id,
        "CONTRACT_COLLEAGUE": colleague.person_id,
        "CONTRACT_TOKEN": tokens.access_token,
        "CONTRACT_SOS": sos["id"],
        "CONTRACT_SOS_TOKEN": sos["sos_token"],
        "CONTRACT_ASSIGNMENT": incident["assignments"][0]["id"],
        "CONTRACT_UNIT": unit,
        "CONTRACT_CAMERA": camera["id"],
        "CONTRACT_GATEWAY_KEY": camera["gateway_key"],
    }


def _planned(post: Any, group: str) -> dict[str, str]:
    """What a watch group has planned."""
    day = utc_now() + timedelta(days=3)
    beat = post("/v1/watch/beats", BODIES["patrols_draw_beat"]["an area"] | {"group": group})["id"]
    patrol = {"beat": beat, "dates": [day.date().isoformat()], "since": "20:00", "until": "21:00"}
    times = {"starts_at": day.isoformat(), "ends_at": (day + timedelta(hours=1)).isoformat()}
    messages = [{"at": day.isoformat(), "texts": {"en": {"headline": "Lock your gate."}}}]
    meeting = BODIES["gatherings_plan"]["a workshop"] | {"group": group} | times
    return {
        "CONTRACT_BEAT": beat,
        "CONTRACT_PATROL": post("/v1/watch/patrols", patrol)["items"][0]["id"],
        "CONTRACT_GATHERING": post("/v1/watch/gatherings", meeting)["id"],
        "CONTRACT_CAMPAIGN": post("/v1/watch/campaigns", {"name": "Gates", "groups": [group], "messages": messages})[
            "id"
        ],
    }


def run(
    api: Served, directory: Path, *, examples: int, arguments: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Schemathesis over the committed contract, with the configuration and its reasons in schemathesis.toml."""
    document = json.loads((ROOT / "mobile-contract" / "openapi.json").read_text(encoding="utf-8"))
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation["responses"].pop("default", None)
    text = json.dumps(document)
    for example, name in STANDS_FOR.items():
        text = text.replace(example, api.environment[name])
    strict = directory / "openapi.json"
    strict.write_text(text, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("st")), "--config-file", str(CONFIG), "run", str(strict)]
    command += ["--url", api.url, "--max-examples", str(examples), "--no-color", *arguments]
    return subprocess.run(
        command, cwd=directory, env=dict(api.environment), capture_output=True, text=True, check=False
    )


def main() -> None:
    """Serve, run, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="for each operation")
    known, arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with (
            local_servers.embedded_docstore(directory) as (mongodb_url, _),
            local_servers.redis_server(directory) as redis_url,
            served(mongodb_url, redis_url, directory) as api,
        ):
            done = run(api, directory, examples=known.examples, arguments=arguments)
            sys.stdout.write(done.stdout + done.stderr)
            sys.stdout.write(api.log.read_text(encoding="utf-8", errors="replace")[-8000:])
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
