"""Event streams from a real gevent server: what changes arrives within a second or two, and only what one may see."""

import json
import os
import queue
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from api.streams import routes
from domain.clock import utc_now
from domain.incidents import rules, seen
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.incidents.states import Resolution
from runtime.settings import Settings
from tests.factories.people import SECRET, Signed, staff
from tests.local_servers import die_with_parent, free_port, wait_for_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def streams(app: Any, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real `gunicorn -k gevent` that serves the module's database."""
    port, log = free_port(), tmp_path_factory.mktemp("streams") / "log"
    env = os.environ | {
        "MONGODB_URL": settings.mongodb_url,
        "REDIS_URL": settings.redis_url,
        "AMAAN_SECRET": SECRET,
        "PYTHONPATH": str(ROOT),
    }
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--no-control-socket",
        "--graceful-timeout",
        "1",
        "-k",
        "gevent",
        "-b",
        f"127.0.0.1:{port}",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "app:serve_streams()"], cwd=ROOT, env=env, stdout=out, stderr=out, preexec_fn=die_with_parent
        )
        wait_for_port(port, process, log)
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(30)


class Stream:
    """A client that listens: `next()` gives {event, id, data}."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.answer = requests.get(url, headers=headers, stream=True, timeout=60)
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        event: dict[str, Any] = {}
        try:
            for line in self.answer.iter_lines(chunk_size=1, decode_unicode=True):
                name, _, value = line.partition(": ")
                if line == "" and "data" in event:
                    self.events.put(event)
                    event = {}
                elif name in {"event", "id", "data"}:
                    event[name] = json.loads(value) if name == "data" else value
        except (requests.RequestException, AttributeError, ValueError):
            return  # closed by the test

    def next(self, timeout: float = 30) -> dict[str, Any]:
        return self.events.get(timeout=timeout)

    def ended(self, timeout: float = 30) -> bool:
        """Whether the server ends it."""
        self.thread.join(timeout)
        return not self.thread.is_alive()

    def close(self) -> None:
        self.answer.close()


def sos(**fields: Any) -> dict[str, Any]:
    found = facts(
        CallForHelp("app", position={"lat": 31.52, "lon": 74.35}, device=uuid.uuid4().hex, **fields), now=utc_now()
    )
    return incidents.raise_sos(found, now=utc_now(), secret=SECRET, link_ttl=timedelta(hours=6)).incident


def test_a_citizen_sees_each_change_once_and_resumes(streams: str) -> None:
    doc = sos()
    headers = {"Sos-Token": incidents.sos_token(SECRET, doc["_id"])}
    url = f"{streams}/v1/sos/{doc['_id']}/events"
    stream = Stream(url, headers)
    assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
    assert stream.next()["data"]["status"] == "open"
    incidents.change(doc["_id"], lambda draft: rules.close(draft, Resolution.HELPED, by="per_1"), now=utc_now())
    closed = stream.next()
    assert closed["data"]["status"] == "closed"
    stream.close()
    again = Stream(url, {**headers, "Last-Event-ID": closed["id"]})
    with pytest.raises(queue.Empty):
        again.next(timeout=1.5)
    again.close()


def test_strangers_get_no_stream(streams: str) -> None:
    doc = sos()
    url = f"{streams}/v1/sos/{doc['_id']}/events"
    assert requests.get(url, timeout=30).status_code == 401
    assert requests.get(url, headers={"Sos-Token": "guess"}, timeout=30).status_code == 401


def test_an_operator_sees_what_is_raised_in_the_city(streams: str) -> None:
    operator: Signed = staff(utc_now(), "operator")
    stream = Stream(f"{streams}/v1/incidents/events?city=lahore", operator.headers)
    elsewhere = incidents.raise_sos(
        facts(CallForHelp("app", position={"lat": 24.86, "lon": 67.01}, device="far"), now=utc_now()),
        now=utc_now(),
        secret=SECRET,
        link_ttl=timedelta(hours=6),
    ).incident
    doc = sos()
    assert elsewhere["city"] == "karachi"
    seen = [stream.next()]
    while seen[-1]["data"]["id"] != doc["_id"]:  # what other tests raised a moment ago comes too
        seen.append(stream.next())
    assert {each["event"] for each in seen} == {"incident"}
    assert {each["data"]["city"] for each in seen} == {"lahore"}
    stream.close()


def test_a_practice_plays_by_itself(streams: str) -> None:
    doc = sos(practice=True)
    headers = {"Sos-Token": incidents.sos_token(SECRET, doc["_id"])}
    stream = Stream(f"{streams}/v1/sos/{doc['_id']}/events", headers)
    assert [stream.next()["data"]["status"] for _ in range(2)] == ["open", "acknowledged"]
    stream.close()


def test_a_stream_after_a_duress_cancel_says_no_more_than_after_a_safe_one(streams: str) -> None:
    heard = []
    for rule in (rules.cancel, rules.duress):
        doc = sos()
        headers = {"Sos-Token": incidents.sos_token(SECRET, doc["_id"])}
        stream = Stream(f"{streams}/v1/sos/{doc['_id']}/events", headers)
        first = stream.next()["data"]
        incidents.change(doc["_id"], lambda draft, rule=rule: rule(draft, by=None), now=utc_now())  # type: ignore[misc]
        frozen = stream.next()["data"]
        incidents.change(doc["_id"], lambda draft: draft.entry("note", by="per_1"), now=utc_now())
        with pytest.raises(queue.Empty):
            stream.next(timeout=2)
        stream.close()
        heard.append((first["status"], frozen["status"], frozen["resolution"], frozen["version"] - first["version"]))
    assert heard[0] == heard[1] == ("open", "closed", "cancelled_by_citizen", 1)


def test_what_happens_behind_a_cancel_makes_no_line_and_moves_no_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bell rings whenever the incident changes; a stream that beat at each ring would tell of a duress cancel."""
    now, waited = [0.0], []

    class Rings:
        def wait(self, timeout_s: float) -> bool:
            waited.append(timeout_s)
            now[0] += min(timeout_s, 4.0)  # rung every four seconds
            return True

    @contextmanager
    def incident(_: str) -> Iterator[Rings]:
        yield Rings()

    monkeypatch.setattr(routes, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(incidents, "get", lambda _: {"citizen": {"cancel": {}}})
    monkeypatch.setattr(seen, "by_citizen", lambda doc, at: {"version": 5, "status": "closed"})
    source: Any = SimpleNamespace(hub=SimpleNamespace(incident=incident), clock=utc_now)
    lines = routes._sos_lines(source, "inc_1", 5)
    beats = [(now[0], line) for line, _ in zip(lines, range(5), strict=False)]
    assert [line for _, line in beats[1:]] == [routes._BEAT] * 4
    assert [at for at, _ in beats[1:]] == [15.0, 30.0, 45.0, 60.0]
    assert len(waited) > 2 * len(beats)


def test_a_talk_says_that_there_is_something_and_not_what(streams: str, app: Any) -> None:
    http, body = app.test_client(), {"mode": "silent", "anonymous": True, "city": "lahore", "message": "he is at home"}
    asked = http.post("/v1/helpline/requests", json=body, headers={"Idempotency-Key": str(uuid.uuid4())}).json
    where, hers = f"/v1/helpline/requests/{asked['id']}", {"Helpline-Token": asked["helpline_token"]}
    nadia, other = staff(utc_now(), "counsellor", gender="female"), staff(utc_now(), "counsellor", gender="female")
    http.put("/v1/helpline/duty", json={"state": "available"}, headers=nadia.headers)
    assert http.post(f"{where}/claim", headers=nadia.headers).status_code == 200
    for strangers in ({}, {"Helpline-Token": "0" * 24}, other.headers):
        assert requests.get(f"{streams}{where}/events", headers=strangers, timeout=20).status_code in (401, 404)

    phone, desk = Stream(f"{streams}{where}/events", hers), Stream(f"{streams}{where}/events", nadia.headers)
    before = {int(each.next()["id"]) for each in (phone, desk)}
    answer = {"text": "I am here."}
    assert http.post(f"{where}/messages", json=answer, headers=nadia.headers).status_code == 201
    for each in (phone, desk):
        event = each.next()
        assert (event["event"], event["data"]) == ("changed", {"id": asked["id"], "v": int(event["id"])})
        assert int(event["id"]) > max(before)
    # Whoever had it hears nothing more; she hears that it is over, and the stream ends with it.
    http.put("/v1/helpline/duty", json={"state": "off"}, headers=nadia.headers)
    phone.next()
    assert http.post(f"{where}/close", json={}, headers=hers).status_code == 200
    phone.next()
    assert (desk.ended(), phone.ended(), desk.events.empty()) == (True, True, True)
