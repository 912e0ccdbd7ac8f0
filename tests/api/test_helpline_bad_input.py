"""Whatever is sent to the helpline is answered with what is wrong and by field, loses nothing, and stands in no log and no
answer as it came.
"""

import logging
import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.helpline import service as helpline
from domain.incidents.calls import address_hash
from domain.limits import service as limits
from runtime import logging as ours
from tests.api.conftest import Hand
from tests.factories.people import SECRET as KEY
from tests.factories.people import Signed, staff

SECRET = "وہ مجھے مارتا ہے"
NUMBER = "+923009988776"


def ask(api: FlaskClient, **body: Any) -> Any:
    return api.post("/v1/helpline/requests", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})


@pytest.fixture
def counsellor(api: FlaskClient, clock: Hand) -> Signed:
    who = staff(clock(), "counsellor", gender="female")
    api.put("/v1/helpline/duty", json={"state": "available"}, headers=who.headers)
    return who


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "mode"),
        ({"mode": "shout"}, "mode"),
        ({"mode": "chat", "message": SECRET * 200}, "message"),
        ({"mode": "chat", "message": f"{SECRET}\x00"}, "message"),
        ({"mode": "chat", "phone": f"{NUMBER}99999999"}, "phone"),
        ({"mode": "chat", "codeword": "x"}, "codeword"),
        ({"mode": "chat", "position": {"lat": 231.51, "lon": 74.3}}, "position.lat"),
        ({"mode": "call_back", "phone": NUMBER}, "safe_to_call"),
        ({"mode": "call_back", "safe_to_call": [{"days": ["mon"], "from": "10:00", "until": "11:00"}]}, "safe_to_call"),
        (
            {"mode": "chat", "safe_to_call": [{"days": ["day"], "from": "10:00", "until": "11:00"}]},
            "safe_to_call.0.days.0",
        ),
        (
            {"mode": "chat", "safe_to_call": [{"days": ["mon"], "from": "25:00", "until": "11:00"}]},
            "safe_to_call.0.from",
        ),
        ({"mode": "chat", "safe_to_call": [{"days": ["mon"], "from": "10:00", "until": "11:00"}] * 15}, "safe_to_call"),
        ({"mode": "chat", "anonymous": "no"}, "anonymous"),
        ({"mode": "chat", "wanted": "cat"}, "wanted"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_echoed(
    api: FlaskClient,
    body: dict[str, Any],
    field: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    ours.configure("debug")
    before = helpline.requests().estimated_document_count()
    answer = ask(api, **body)
    assert answer.status_code == 422
    assert field in answer.get_json()["errors"], answer.get_json()
    assert helpline.requests().estimated_document_count() == before
    out, err = capfd.readouterr()
    for text in (answer.get_data(as_text=True), out, err, caplog.text):
        assert SECRET not in text
        assert NUMBER[1:] not in text
        assert "231.51" not in text


def test_a_closed_door_says_nothing_of_what_is_behind_it(api: FlaskClient, clock: Hand, counsellor: Signed) -> None:
    made = ask(api, mode="chat", anonymous=True, city="lahore", message=SECRET).get_json()
    path = f"/v1/helpline/requests/{made['id']}"
    there, gone = api.get(path), api.get("/v1/helpline/requests/hlp_00000000000")
    assert there.status_code == gone.status_code == 401
    assert {**there.get_json(), "request_id": ""} == {**gone.get_json(), "request_id": ""}
    wrong = api.get(path, headers={"Helpline-Token": "0" * 24})
    assert wrong.status_code == 401
    other_city = staff(clock(), "counsellor", city="karachi")
    assert api.post(f"{path}/claim", headers=other_city.headers).status_code == 404
    without = staff(clock(), "operator")
    assert api.get(f"{path}/file", headers=without.headers).status_code == 403
    assert api.post(f"{path}/claim", headers=counsellor.headers).status_code == 200
    assert api.get(path, headers=counsellor.headers).status_code == 404  # what she sees is hers alone
    assert api.post(f"{path}/notes", json={}, headers=counsellor.headers).status_code == 422


def test_whoever_is_not_on_shift_takes_nobody_and_a_break_ends_by_itself(
    api: FlaskClient, clock: Hand, counsellor: Signed
) -> None:
    made = ask(api, mode="chat", anonymous=True, city="lahore").get_json()
    claim = f"/v1/helpline/requests/{made['id']}/claim"
    api.put("/v1/helpline/duty", json={"state": "break"}, headers=counsellor.headers)
    refused = api.post(claim, headers=counsellor.headers)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "not_on_shift")
    held = api.get("/v1/helpline/duty", headers=counsellor.headers).get_json()
    assert held["state"] == "break"
    assert held["until"] > held["since"]


def test_a_shift_that_is_over_before_it_begins_is_refused(api: FlaskClient, clock: Hand, counsellor: Signed) -> None:
    before = api.get("/v1/helpline/duty", headers=counsellor.headers).get_json()
    for state in ("available", "break"):
        body = {"state": state, "until": (clock() - timedelta(minutes=1)).isoformat()}
        refused = api.put("/v1/helpline/duty", json=body, headers=counsellor.headers)
        assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["until"])
    assert api.get("/v1/helpline/duty", headers=counsellor.headers).get_json() == before


def test_too_many_from_one_network_are_put_off(api: FlaskClient, clock: Hand) -> None:
    address = "203.0.113.9"
    for _ in range(60):
        limits.count(KEY, "helpline", address_hash(KEY, address), window_s=3600, now=clock())
    body = {"mode": "chat", "anonymous": True, "city": "lahore"}
    late = api.post("/v1/helpline/requests", json=body, environ_base={"REMOTE_ADDR": address})
    assert late.status_code == 429
    assert 0 < int(late.headers["Retry-After"]) <= 3600
    assert ask(api, **body).status_code == 201
