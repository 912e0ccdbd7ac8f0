"""What every route has: problem documents, strict reading, ETag, compression, a store that may be away."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pymongo import MongoClient
from pymongo.errors import AutoReconnect
from werkzeug.exceptions import TooManyRequests

from api.blueprint import Blueprint, Call
from api.paging import Listed, decode_cursor, encode_cursor
from api.schemas import Schema, Text, Time
from app import DOCUMENTED, create_app
from domain import errors
from runtime import mongo
from runtime.mongo import breaker
from runtime.settings import Settings
from tests.factories.people import signed_in

blp = Blueprint("samples", __name__, url_prefix="/v1/samples", description="Only in tests.")


class Sample(Schema):
    name = Text(10, required=True)
    at = Time()


@blp.endpoint("POST ", public="A sample.", body=Sample, answer=Sample, status=201, creates=True)
def take(call: Call) -> Any:
    """Take a sample."""
    return call.body


@blp.endpoint("POST /any", public="A sample.", body=Sample, lenient=True, status=201, creates=True)
def take_any(call: Call) -> Any:
    """Take whatever comes."""
    return {"key": call.key, "sent_at": call.sent_at}


@blp.endpoint("GET /list", permission="me.read", answer=Sample, paged=True)
def listing(call: Call) -> Any:
    """Numbers, by pages."""
    start = (call.after(int) or [0])[0]
    rows = [{"name": str(number)} for number in range(start, start + call.limit)]
    return Listed(rows, [start + call.limit] if start + call.limit < 45 else None)


@blp.endpoint("GET /one/<name>", public="A sample.", answer=Sample, etag=True)
def one(call: Call, name: str) -> Any:
    """One that can be polled."""
    return {"name": name * 400}


@blp.endpoint("GET /broken/<how>", public="A sample.")
def broken(call: Call, how: str) -> Any:
    """Every way to fail."""
    raise {
        "store": AutoReconnect("gone"),
        "bug": ZeroDivisionError("a secret detail"),
        "limit": errors.LimitReached("slow down", retry_after=7.2),
        "werkzeug": TooManyRequests(retry_after=9),
        "conflict": errors.Conflict("not now", current="closed"),
        "gone": errors.Gone(),
        "large": errors.TooLarge(),
        "match": errors.Precondition(),
    }[how]


@pytest.fixture(scope="module")
def app(settings: Settings, clock: Any, enqueued: Any, mongo_client: MongoClient[dict[str, Any]]) -> Iterator[Flask]:
    DOCUMENTED.append(blp)
    try:
        yield create_app(settings, clock=clock, enqueue=enqueued)
    finally:
        DOCUMENTED.remove(blp)
        mongo_client.drop_database(mongo.database().name)
        mongo.disconnect()


@pytest.fixture(autouse=True)
def _store_is_there() -> Iterator[None]:
    yield
    breaker.succeeded(None)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    body = answer.get_json(force=True)
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer.mimetype == "application/problem+json"
    assert body["status"] == status
    assert body["title"]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return dict(body)


def post(api: FlaskClient, data: str | bytes, content_type: str = "application/json") -> Any:
    return api.post("/v1/samples", data=data, content_type=content_type)


def test_a_body_is_read_strictly(api: FlaskClient) -> None:
    problem(post(api, "{"), 400, "malformed_request")
    problem(post(api, b"\xff\xfe"), 400, "malformed_request")
    problem(post(api, "[" * 200_000), 400, "malformed_request")
    problem(post(api, '{"name": ' + "9" * 5000 + "}"), 400, "malformed_request")
    problem(post(api, "name=a", "application/x-www-form-urlencoded"), 415, "wrong_content_type")
    problem(post(api, "{}"), 422, "invalid")
    assert problem(post(api, '{"name": "a\\u0000b"}'), 422, "invalid")["errors"]["name"]
    assert problem(post(api, '{"name": "\\ud800"}'), 422, "invalid")["errors"]["name"]
    ignored = post(api, '{"name": "a", "x\\u0000": "\\ud800"}')
    assert (ignored.status_code, ignored.get_json()) == (201, {"name": "a"})
    assert problem(post(api, '{"name": "a", "at": "2026-01-01T00:00:00"}'), 422, "invalid")["errors"]["at"]
    assert problem(post(api, '{"name": "a", "at": "0001-01-01T00:00:00+14:00"}'), 422, "invalid")["errors"]["at"]
    assert problem(post(api, "[1]"), 422, "invalid")["errors"]
    problem(post(api, b"x" * 300_000), 413, "too_large")


def test_unknown_fields_pass_and_unknown_parameters_do_not(api: FlaskClient) -> None:
    assert post(api, '{"name": " a ", "colour": 1}').get_json() == {"name": "a"}
    refused = api.post("/v1/samples?colour=red", json={"name": "a"})
    assert problem(refused, 422, "invalid")["errors"] == {"colour": ["Unknown parameter."]}
    problem(api.get("/v1/samples/one/a?%00=1"), 422, "invalid")


def test_times_are_read_with_any_offset_and_written_in_utc(api: FlaskClient) -> None:
    answer = post(api, '{"name": "a", "at": "2026-01-01T05:00:00.1239+05:00"}')
    assert answer.get_json()["at"] == "2026-01-01T00:00:00.123Z"


def test_a_lenient_route_refuses_nothing(api: FlaskClient) -> None:
    for data, kind in [("{{", "application/json"), (b"\xff", "text/plain"), ("[1]", "application/json"), ("", "")]:
        answer = api.post("/v1/samples/any?colour=red", data=data, content_type=kind, headers={"Sent-At": "never"})
        assert (answer.status_code, answer.get_json()) == (201, {"key": None, "sent_at": None})
    answer = api.post("/v1/samples/any", data='{"a": 1}', headers={"Sent-At": "2026-01-01T00:00:00Z"})
    assert answer.get_json() == {"key": None, "sent_at": "2026-01-01T00:00:00.000Z"}


def test_errors_keep_the_headers_that_say_what_to_do(api: FlaskClient) -> None:
    refused = api.put("/v1/samples")
    problem(refused, 405, "method_not_allowed")
    assert set(refused.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert problem(api.get("/v1/samples/broken/limit"), 429, "limit_reached")
    assert api.get("/v1/samples/broken/limit").headers["Retry-After"] == "7"
    assert api.get("/v1/samples/broken/werkzeug").headers["Retry-After"] == "9"
    unknown = api.get("/v1/samples/list")
    problem(unknown, 401, "unauthenticated")
    assert unknown.headers["WWW-Authenticate"].startswith("Bearer")
    problem(api.get("/v1/nowhere"), 404, "not_found")
    problem(api.get("/v1/samples/one/%00"), 404, "not_found")


def test_domain_errors_have_one_table(api: FlaskClient) -> None:
    assert problem(api.get("/v1/samples/broken/conflict"), 409, "conflict")["current"] == "closed"
    problem(api.get("/v1/samples/broken/gone"), 410, "gone")
    problem(api.get("/v1/samples/broken/large"), 413, "too_large")
    problem(api.get("/v1/samples/broken/match"), 412, "precondition_failed")


def test_a_bug_is_told_without_a_trace(api: FlaskClient) -> None:
    answer = api.get("/v1/samples/broken/bug", headers={"X-Request-ID": "phone-1234"})
    assert problem(answer, 500, "internal_error")["request_id"] == "phone-1234"
    assert b"secret detail" not in answer.data
    assert b"Traceback" not in answer.data


def test_a_dead_store_answers_503_at_once(api: FlaskClient) -> None:
    gone = api.get("/v1/samples/broken/store")
    problem(gone, 503, "store_unavailable")
    assert gone.headers["Retry-After"] == "1"
    problem(api.get("/v1/samples/one/a"), 503, "store_unavailable")
    assert api.get("/healthz").status_code == 200


def test_what_did_not_change_is_304_also_compressed(api: FlaskClient) -> None:
    first = api.get("/v1/samples/one/ab", headers={"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(first.data)) == {"name": "ab" * 400}
    again = api.get("/v1/samples/one/ab", headers={"If-None-Match": first.headers["ETag"], "Accept-Encoding": "gzip"})
    assert (again.status_code, again.data) == (304, b"")
    plain = api.get("/v1/samples/one/ab")
    assert plain.headers["ETag"] == first.headers["ETag"]
    assert "Accept-Encoding" in plain.headers["Vary"]


def test_lists_come_by_pages(api: FlaskClient, clock: Any) -> None:
    who = signed_in(clock())
    names: list[str] = []
    where = "/v1/samples/list"
    while True:
        page = api.get(where, headers=who.headers).get_json()
        names += [item["name"] for item in page["items"]]
        if "next" not in page:
            break
        where = f"/v1/samples/list?cursor={page['next']}"
    assert names == [str(number) for number in range(60)]
    for bad in ("x", "é", encode_cursor(["a"]), encode_cursor([1, 2]), "W10", "e30", "W3sidCI6MWU5OX1d"):
        problem(api.get(f"/v1/samples/list?cursor={bad}", headers=who.headers), 422, "cursor_invalid")
    problem(api.get("/v1/samples/list?limit=101", headers=who.headers), 422, "invalid")


def test_cursors_keep_their_values(clock: Any) -> None:
    values = [clock(), "inc_1", 3]
    assert decode_cursor(encode_cursor(values), [type(value) for value in values]) == values


def test_a_route_without_a_permission_or_a_reason_is_not_accepted() -> None:
    with pytest.raises(TypeError, match="permission"):
        blp.endpoint("GET /free")
    with pytest.raises(TypeError, match=r"me\.fly"):
        blp.endpoint("GET /free", permission="me.fly")


def test_ready_when_the_store_answers(api: FlaskClient) -> None:
    answer = api.get("/readyz")
    assert (answer.status_code, answer.get_json()["store"]) == (200, "ok")
