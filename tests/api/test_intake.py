"""An SOS is never refused for its shape: each thing that can be wrong with one, and what is made of it."""

import gzip
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from pymongo.errors import ServerSelectionTimeoutError

from app import create_app
from domain.incidents import queries
from domain.incidents import service as incidents
from domain.limits import service as limits
from domain.people.tokens import access_token
from runtime import mongo
from runtime.settings import Settings
from tests.api.conftest import Enqueued, Hand
from tests.factories.people import SECRET, signed_in
from tests.local_servers import free_port
from workers import dispatch
from workers.context import Context

HERE = {"lat": 31.5204, "lon": 74.3587, "accuracy_m": 12}


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def send(api: FlaskClient, body: Any, headers: dict[str, str] | None = None, *, expected: int = 201) -> dict[str, Any]:
    """The stored incident behind an SOS."""
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    answer = api.post("/v1/sos", data=data, content_type="application/json", headers={**key(), **(headers or {})})
    assert answer.status_code == expected, answer.get_data(as_text=True)
    return incidents.get(answer.get_json()["id"]) if expected < 300 else answer.get_json()


# Who sends it


def test_without_a_token_it_is_taken_as_unverified(api: FlaskClient) -> None:
    doc = send(api, {"position": HERE})
    assert "unverified" in doc["flags"]
    assert doc["city"] == "lahore"
    assert list(doc["slots"]) == ["police"]


def test_a_good_token_names_the_person_and_verifies(api: FlaskClient, clock: Hand) -> None:
    citizen = signed_in(clock())
    doc = send(api, {"position": HERE}, citizen.headers)
    assert doc["citizen"]["person"] == citizen.person_id
    assert "unverified" not in doc["flags"]


def test_an_expired_token_still_names_the_person(api: FlaskClient, clock: Hand) -> None:
    citizen = signed_in(clock())
    old = access_token(SECRET, citizen.person_id, citizen.session_id, now=clock() - timedelta(days=40), ttl_s=900)
    doc = send(api, {"position": HERE}, {"Authorization": f"Bearer {old}"})
    assert doc["citizen"]["person"] == citizen.person_id
    assert "unverified" in doc["flags"]


@pytest.mark.parametrize("token", ["Bearer rubbish", "Bearer ", "Basic eDp5", "Bearer " + "a." * 3000, "\u00fc"])
def test_a_garbage_token_is_no_token(api: FlaskClient, token: str) -> None:
    assert "person" not in send(api, {"position": HERE}, {"Authorization": token})["citizen"]


def test_half_a_profile_is_enough(api: FlaskClient, clock: Hand) -> None:
    citizen = signed_in(clock(), city="", language="")
    assert send(api, {"category": "medical"}, citizen.headers)["category"] == "medical"


# What is in it


def test_unknown_fields_are_ignored(api: FlaskClient) -> None:
    doc = send(api, {"position": HERE, "mood": "bad", "nested": {"a": [1]}})
    assert "unreadable" not in doc["flags"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", 923001234567),
        ("phone", "call me"),
        ("category", {"code": "medical"}),
        ("services", "police please"),
        ("services", 7),
        ("silent", "perhaps"),
        ("practice", "true"),
        ("battery_pct", "full"),
        ("battery_pct", -3),
        ("note", ["help"]),
        ("language", 12),
        ("device", {"id": None}),
    ],
)
def test_wrong_types_are_kept_and_flagged(api: FlaskClient, field: str, value: Any) -> None:
    doc = send(api, {"position": HERE, field: value})
    assert "unreadable" in doc["flags"]
    assert [each["field"] for each in doc["unreadable"]] == [field]
    assert "practice" not in doc["flags"]


def test_something_unreadable_in_silent_means_silence(api: FlaskClient) -> None:
    assert "silent" in send(api, {"position": HERE, "silent": "shh"})["flags"]


@pytest.mark.parametrize(
    "position",
    [
        {"lat": "31.5204", "lon": "74.3587"},
        {"latitude": 31.5204, "longitude": 74.3587},
        {"lat": 31.5204, "lng": 74.3587, "accuracy_m": "poor", "captured_at": "yesterday"},
        "31.5204,74.3587",
        [31.5204, 74.3587],
    ],
)
def test_a_position_is_read_however_it_is_written(api: FlaskClient, position: Any) -> None:
    doc = send(api, {"position": position})
    assert (doc["position"]["lat"], doc["position"]["lon"]) == (31.5204, 74.3587)


@pytest.mark.parametrize(
    "position", [{"lat": 0, "lon": 0}, {"lat": 91, "lon": 0}, {"lat": None}, "here", {"lat": 1e400}]
)
def test_no_position_but_a_phone_is_enough(api: FlaskClient, position: Any) -> None:
    doc = send(api, {"position": position, "phone": "0300 1234567"})
    assert "position" not in doc
    assert doc["citizen"]["phone"] == "+923001234567"
    assert "unreadable" in doc["flags"]


@pytest.mark.parametrize(
    "body",
    [
        '{"position": {"lat": 31.5204, "lon": 74.3587, "accur',
        "lat=31.5204&lon=74.3587&phone=03001234567",
        "geo:31.5204,74.3587",
        "SOS 31.5204, 74.3587",
        b'\xff\xfe{"latitude": 31.5204, "longitude": 74.3587',
        '[{"lat": 31.5204, "lon": 74.3587}]',
    ],
)
def test_a_body_that_is_not_json_is_fished_for_its_position(api: FlaskClient, body: Any) -> None:
    doc = send(api, body)
    assert (doc["position"]["lat"], doc["position"]["lon"]) == (31.5204, 74.3587)
    assert doc["unreadable"][0]["field"] == "body"


def test_a_body_too_large_is_cut_not_refused(api: FlaskClient) -> None:
    body = json.dumps({"position": HERE, "note": "x" * 400_000})
    assert send(api, body)["position"]["lat"] == 31.5204


def test_what_no_store_can_keep_is_replaced(api: FlaskClient) -> None:
    doc = send(api, b'{"position": {"lat": 31.52, "lon": 74.35}, "note": "a\\u0000b\\ud800c", "phone": "\\ud800"}')
    assert doc["citizen"]["note"] == "a\ufffdb\ufffdc"


@pytest.mark.parametrize("cut", [0, 12])
def test_a_packed_body_is_unpacked_even_if_it_breaks_off(api: FlaskClient, cut: int) -> None:
    packed = gzip.compress(json.dumps({"position": HERE, "note": str(list(range(400)))}).encode())
    assert send(api, packed[: len(packed) - cut])["position"]["lat"] == 31.5204


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"\x00", b'{"note": "help"}', b'{"position": {}}', b"[" * 5000])
def test_only_with_nothing_to_go_by_it_is_422(api: FlaskClient, body: bytes) -> None:
    problem = send(api, body, expected=422)
    assert problem["code"] == "nobody_to_help"


# Where and when


def test_outside_every_city_the_nearest_takes_it(api: FlaskClient) -> None:
    doc = send(api, {"position": {"lat": 31.1, "lon": 74.9}})
    assert doc["city"] == "lahore"
    assert "outside" in doc["flags"]


def test_a_clock_wrong_by_days_does_not_make_it_late(api: FlaskClient, clock: Hand) -> None:
    wrong = clock() - timedelta(days=9)
    position = {**HERE, "captured_at": (wrong - timedelta(seconds=20)).isoformat()}
    doc = send(api, {"position": position}, {"Sent-At": wrong.isoformat()})
    assert "late" not in doc["flags"]
    assert doc["raised_at"] == clock() - timedelta(seconds=20)


def test_what_waited_on_the_phone_is_late(api: FlaskClient, clock: Hand) -> None:
    position = {**HERE, "captured_at": (clock() - timedelta(minutes=40)).isoformat()}
    doc = send(api, {"position": position}, {"Sent-At": clock().isoformat()})
    assert "late" in doc["flags"]
    assert doc["raised_at"] == clock() - timedelta(minutes=40)
    assert doc["received_at"] == clock()


@pytest.mark.parametrize("sent_at", ["soon", "2026-13-45T99:00:00Z", "\u00e9"])
def test_a_sent_at_that_is_none_is_left_out(api: FlaskClient, sent_at: str) -> None:
    assert "late" not in send(api, {"position": HERE}, {"Sent-At": sent_at})["flags"]


# Twice


def test_a_retry_with_a_fresher_position_is_the_same_sos(api: FlaskClient, clock: Hand) -> None:
    headers = key()
    first = {"position": {**HERE, "captured_at": clock().isoformat()}, "device": "ph-1"}
    later = {"position": {**HERE, "lat": 31.6, "captured_at": (clock() + timedelta(seconds=9)).isoformat()}}
    one = api.post("/v1/sos", json=first, headers=headers)
    two = api.post("/v1/sos", json={**later, "device": "ph-1", "phone": "03001234567"}, headers=headers)
    assert (one.status_code, two.status_code) == (201, 200)
    assert one.get_json() == two.get_json()
    doc = incidents.get(one.get_json()["id"])
    assert doc["position"]["lat"] == 31.6
    assert doc["citizen"]["phone"] == "+923001234567"
    stale = api.post("/v1/sos", json=first, headers=headers)
    assert stale.status_code == 200
    assert incidents.get(doc["_id"])["position"]["lat"] == 31.6


def test_a_retry_after_signing_in_is_the_same_sos(api: FlaskClient, clock: Hand) -> None:
    headers, body = key(), {"position": HERE, "device": "ph-2"}
    one = api.post("/v1/sos", json=body, headers=headers)
    two = api.post("/v1/sos", json=body, headers={**headers, **signed_in(clock()).headers})
    assert one.get_json()["id"] == two.get_json()["id"]


def test_a_poor_key_never_makes_one_sos_of_two_people(api: FlaskClient) -> None:
    headers = {"Idempotency-Key": "1"}
    one = api.post("/v1/sos", json={"position": HERE}, headers=headers, environ_base={"REMOTE_ADDR": "203.0.113.1"})
    two = api.post("/v1/sos", json={"position": HERE}, headers=headers, environ_base={"REMOTE_ADDR": "203.0.113.2"})
    assert one.get_json()["id"] != two.get_json()["id"]


def test_without_a_key_each_is_its_own(api: FlaskClient) -> None:
    sent = [api.post("/v1/sos", json={"position": HERE, "device": "ph-3"}).get_json()["id"] for _ in range(2)]
    assert len(set(sent)) == 2


def test_the_same_sos_many_times_at_once_is_stored_once(app: Flask) -> None:
    headers, numbers = key(), range(16)

    def tap(number: int) -> tuple[int, str]:
        position = {**HERE, "lat": 31.5 + number / 1000}
        body = {"position": position, "device": "ph-7", "note": f"note {number}.", "battery_pct": number}
        answer = app.test_client().post("/v1/sos", json=body, headers=headers)
        return answer.status_code, answer.get_json()["id"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(tap, numbers))
    assert sorted({status for status, _ in answers}) == [200, 201]
    assert [status for status, _ in answers].count(201) == 1
    assert len({found for _, found in answers}) == 1
    doc = incidents.get(answers[0][1])
    kept = doc["citizen"]["note"] + str(doc.get("facts"))
    assert all(f"note {number}." in kept for number in numbers)


# Practice


def test_a_practice_reaches_nobody(api: FlaskClient, clock: Hand) -> None:
    answer = api.post("/v1/sos", json={"position": HERE, "practice": True}, headers=key())
    doc = incidents.get(answer.get_json()["id"])
    assert answer.get_json()["status"] == "open"
    assert (doc["slots"], doc.get("pending_events"), doc.get("ladder_due")) == ({}, None, None)
    listed = queries.newest(queries.Wanted("lahore", ("open", "closed")), after=None)
    assert doc["_id"] not in [row["_id"] for row in listed]
    token = {"Sos-Token": answer.get_json()["sos_token"]}
    seen = []
    for _ in range(6):
        seen.append(api.get(f"/v1/sos/{doc['_id']}", headers=token).get_json()["status"])
        clock.forward(seconds=10)
    assert seen == ["open", "acknowledged", "en_route", "on_scene", "closed", "closed"]


# What is around it is down


@pytest.fixture
def lonely(settings: Settings, clock: Hand, app: Flask) -> Iterator[FlaskClient]:
    """The API with a real queue on a Redis that is not there."""
    alone = Settings(
        secret=SecretStr(SECRET),
        mongodb_url=settings.mongodb_url,
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    yield create_app(alone, clock=clock).test_client()
    mongo.connect(settings)


def test_with_redis_down_it_is_taken_and_the_sweeper_will_find_it(lonely: FlaskClient, clock: Hand) -> None:
    doc = send(lonely, {"position": HERE})
    assert doc["outbox_due"] <= clock() + timedelta(seconds=2)
    assert doc["pending_events"]


def test_with_the_limits_store_down_it_is_taken_and_ranked(
    api: FlaskClient, settings: Settings, clock: Hand, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> int:
        raise ServerSelectionTimeoutError("away")

    monkeypatch.setattr(limits, "count", away)
    doc = send(api, {"position": HERE, "device": "ph-4"})
    dispatch.rank({"subject": doc["_id"], "city": "lahore"}, _context(settings, clock, enqueued))
    assert incidents.get(doc["_id"])["trust"]["score"] > 0


def test_many_from_one_device_are_flagged_after_they_are_stored_never_refused(
    api: FlaskClient, settings: Settings, clock: Hand, enqueued: Enqueued
) -> None:
    context = _context(settings, clock, enqueued)
    docs = [send(api, {"position": HERE, "device": "ph-5"}) for _ in range(8)]
    for doc in docs:
        dispatch.rank({"subject": doc["_id"], "city": "lahore"}, context)
    after = [incidents.get(doc["_id"]) for doc in docs]
    assert ["repeated" in doc["flags"] for doc in after] == [False] * 6 + [True] * 2
    assert after[-1]["trust"]["score"] < after[0]["trust"]["score"]
    assert all(doc["slots"]["police"]["status"] == "open" for doc in after)


@pytest.mark.parametrize(
    ("body", "minutes_old", "first"),
    [
        ({"phone": "03001234567"}, 40, True),
        ({"phone": "03001234567", "silent": True}, 40, False),
        ({"device": "ph-6"}, 40, False),
        ({"phone": "03001234567"}, 1, False),
    ],
)
def test_what_came_late_is_called_back_first_where_something_may_ring(
    api: FlaskClient, settings: Settings, clock: Hand, enqueued: Enqueued, body: Any, minutes_old: int, first: bool
) -> None:
    position = {**HERE, "captured_at": (clock() - timedelta(minutes=minutes_old)).isoformat()}
    doc = send(api, {**body, "position": position}, {"Sent-At": clock().isoformat()})
    dispatch.rank({"subject": doc["_id"], "city": "lahore"}, _context(settings, clock, enqueued))
    assert incidents.get(doc["_id"])["trust"]["callback_first"] is first


def _context(settings: Settings, clock: Hand, enqueued: Enqueued) -> Context:
    return Context(settings, clock, enqueued, positions=None, channels={})  # type: ignore[arg-type]  # not needed to rank
