"""What `/metrics` says of requests, queues and ladders: of all processes, by template and class, and at next to no cost."""

import os
import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pymongo import MongoClient
from redis import Redis

from api import timing
from api.timing import Timings
from app import create_app
from domain.cities import queries as cities
from domain.dispatch import service as dispatch
from domain.dispatch.service import Desk
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.insights import requests
from runtime import mongo, queues
from runtime.settings import Settings
from tests.api.conftest import Hand
from tests.factories.people import SECRET
from tests.factories.stores import settings_for

HERE = {"lat": 31.5204, "lon": 74.3587}
nothing: Any = None


@pytest.fixture
def cold(redis_url: str, mongodb_url: str, mongo_client: MongoClient[dict[str, Any]]) -> Iterator[Settings]:
    """Settings with a store in which nothing was counted yet."""
    settings = settings_for(mongodb_url, redis_url=redis_url)
    yield settings
    name = mongo.database().name
    mongo.disconnect()
    mongo_client.drop_database(name)


def figure(api: FlaskClient, name: str, **labels: str) -> float:
    """One line of `/metrics`."""
    text = api.get("/metrics").get_data(as_text=True)
    for line in text.splitlines():
        found = re.fullmatch(rf"{name}\{{(.*)\}} (\S+)", line)
        if found and dict(re.findall(r'(\w+)="([^"]*)"', found[1])) == labels:
            return float(found[2])
    return 0.0


def counted(api: FlaskClient, route: str, status: str, method: str = "POST") -> float:
    return figure(api, "amaan_http_request_seconds_count", method=method, route=route, status=status)


def test_requests_are_counted_by_template_and_class(cold: Settings) -> None:
    api = create_app(cold, enqueue=lambda *_: True).test_client()
    for number in range(3):
        api.post("/v1/sos", json={"position": HERE, "device": f"phone-{number}"})
    for number in range(4):
        api.get(f"/v1/sos/inc_{number}")  # no token
        api.get(f"/no/such/page/{number}")
    assert counted(api, "/v1/sos", "2xx") == 3
    assert counted(api, "/v1/sos/<sos_id>", "4xx", "GET") == 4
    assert counted(api, "-", "4xx", "-") == 4  # whoever guesses addresses makes no new line
    text = api.get("/metrics").get_data(as_text=True)
    assert "inc_1" not in text
    assert 'amaan_http_request_seconds_bucket{le="+Inf",method="POST",route="/v1/sos",status="2xx"} 3.0' in text
    assert 0 < figure(api, "amaan_http_request_seconds_sum", method="POST", route="/v1/sos", status="2xx") < 30


def test_whichever_process_answers_says_the_same_and_a_restart_resets_nothing(cold: Settings) -> None:
    """Two applications are two workers of gunicorn; a third comes after them."""
    one, other = (create_app(cold, enqueue=lambda *_: True) for _ in range(2))
    for number in range(2):
        one.test_client().post("/v1/sos", json={"position": HERE, "device": f"a-{number}"})
    other.test_client().post("/v1/sos", json={"position": HERE, "device": "b"})
    for app in (one, other):
        app.extensions["amaan_timings"].flush()  # as its own thread does every few seconds
    assert counted(one.test_client(), "/v1/sos", "2xx") == 3
    assert counted(other.test_client(), "/v1/sos", "2xx") == 3
    assert counted(create_app(cold, enqueue=lambda *_: True).test_client(), "/v1/sos", "2xx") == 3


def test_what_waits_is_written_by_itself_and_what_the_store_refuses_waits_on(
    cold: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo.connect(cold)
    monkeypatch.setattr(timing, "FLUSH_S", 0.05)
    add, refused = requests.add, threading.Event()

    def away(kind: requests.Kind, *_: Any) -> None:
        if kind.route == "/x":  # another application of this process may be writing its own
            refused.set()
        raise ConnectionError

    monkeypatch.setattr(requests, "add", away)
    counts = Timings()
    counts.count("GET", "/x", 200, 0.004)
    assert refused.wait(5)
    counts.count("GET", "/x", 204, 0.3)
    monkeypatch.setattr(requests, "add", add)
    end = time.monotonic() + 5
    while not (rows := [each for each in requests.ever() if each["route"] == "/x"]) and time.monotonic() < end:
        time.sleep(0.01)
    (row,) = rows
    assert (row["n"], row["le"]) == (2, {"5": 1, "500": 1})
    assert row["sum"] == pytest.approx(0.304)


def test_counting_costs_a_request_next_to_nothing() -> None:
    """An SOS takes some two milliseconds of a core: one per cent of that is twenty microseconds."""
    counts = Timings()
    counts._writes = True  # no thread: the counting alone
    best = min(_seconds(counts) for _ in range(5))
    assert best < 10e-6, f"{best * 1e6:.1f} µs a request"


def _seconds(counts: Timings) -> float:
    rounds = 2000
    began = time.process_time()
    for number in range(rounds):
        counts.count("POST", "/v1/sos", 201, number / rounds)
    return (time.process_time() - began) / rounds


def test_queues_are_shown_by_the_application_that_is_served(cold: Settings, redis_url: str) -> None:
    app: Flask = create_app(cold)  # with its own way to Redis, as gunicorn has it
    api = app.test_client()
    before = figure(api, "amaan_queue_jobs", queue="bulk")
    with Redis.from_url(redis_url) as redis:
        redis.rpush("rq:queue:bulk", f"job-of-{os.getpid()}")
        try:
            assert figure(api, "amaan_queue_jobs", queue="bulk") == before + 1
            assert set(
                re.findall(r'amaan_queue_jobs\{queue="(\w+)"\}', api.get("/metrics").get_data(as_text=True))
            ) == set(queues.QUEUES)
        finally:
            redis.lrem("rq:queue:bulk", 1, f"job-of-{os.getpid()}")


def test_a_ladder_that_has_to_climb_is_counted_once_a_step(cold: Settings) -> None:
    clock, app = Hand(), create_app(cold, enqueue=lambda *_: True)
    api = app.test_client()
    call = CallForHelp("app", position=dict(HERE), device="phone-9")
    raised = incidents.raise_sos(facts(call, now=clock()), now=clock(), secret=SECRET, link_ttl=timedelta(hours=6))
    incident = str(raised.incident["_id"])
    desk = Desk(cities.current("lahore"), nothing, SECRET)
    labels = {"city": "lahore", "service": "police"}
    with app.app_context():
        doc = dispatch.climb(incident, "police", _away(desk), now=clock())
        rung = doc["slots"]["police"]["rung"]
        for _ in range(2):  # the same timer twice
            dispatch.climb(incident, "police", _away(desk), now=clock(), from_rung=rung)
    assert figure(api, "amaan_ladder_steps_total", **labels, who="supervisors") == 1
    assert figure(api, "amaan_ladder_steps_total", **labels, who="all_on_duty") == 1
    assert figure(api, "amaan_ladder_steps_total", **labels, who="units") == 0


def _away(desk: Desk) -> Desk:
    from tests.domain.dispatch.test_ladder import NoPositions

    return Desk(desk.config, NoPositions(), desk.secret)
