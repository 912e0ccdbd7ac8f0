"""Numbers that are none, notes without end, emoji and tricks with direction: an SOS is taken with them, all else says what
is wrong; and what goes on to others is safe to read.
"""

from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.incidents import service as incidents
from tests.api.conftest import Hand
from tests.factories.people import Signed, signed_in, staff

HERE = {"lat": 31.5204, "lon": 74.3587}
NOT_NUMBERS = [
    "+92",
    "92300123456789012",
    "+",
    "+92 (300) abc",
    "",
    "٣",
    "\u202e+92300",
    923,
]
LONG = {"letters": "a" * 5000, "urdu": "مدد " * 1250, "emoji": "🚨" * 5000, "family": "👨‍👩‍👧" * 1000}


@pytest.fixture
def operator(api: FlaskClient, clock: Hand) -> Signed:
    """Somebody at the control room's desk."""
    return staff(clock(), "operator")


def problem(answer: Any, field: str) -> None:
    """422 in the house's form, which names the field."""
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    assert field in answer.get_json()["errors"]


@pytest.mark.parametrize("number", NOT_NUMBERS)
def test_a_number_that_is_none_is_said_so(api: FlaskClient, operator: Signed, clock: Hand, number: Any) -> None:
    problem(api.post("/v1/auth/otp", json={"phone": number}), "phone")
    citizen = signed_in(clock())
    problem(api.post("/v1/me/guardians", json={"name": "Sana", "phone": number}, headers=citizen.headers), "phone")
    body = {"category": "police", "position": HERE, "phone": number}
    problem(api.post("/v1/incidents", json=body, headers=operator.headers), "phone")


@pytest.mark.parametrize("number", NOT_NUMBERS)
def test_an_sos_with_such_a_number_is_taken(api: FlaskClient, number: Any) -> None:
    answer = api.post("/v1/sos", json={"position": HERE, "phone": number})
    assert answer.status_code == 201
    assert not (incidents.get(answer.get_json()["id"])["citizen"] or {}).get("phone")


@pytest.mark.parametrize("kind", LONG)
def test_a_note_without_end_is_cut_on_an_sos_and_refused_on_a_desk(
    api: FlaskClient, operator: Signed, kind: str
) -> None:
    answer = api.post("/v1/sos", json={"position": HERE, "note": LONG[kind]})
    assert answer.status_code == 201
    raised = answer.get_json()["id"]
    note = incidents.get(raised)["citizen"]["note"]
    assert 0 < len(note) <= 2000
    assert LONG[kind].startswith(note)
    problem(api.post(f"/v1/incidents/{raised}/notes", json={"text": LONG[kind]}, headers=operator.headers), "text")
    problem(api.post(f"/v1/incidents/{raised}/messages", json={"text": LONG[kind]}, headers=operator.headers), "text")


def test_emoji_and_urdu_come_back_as_they_were(api: FlaskClient, operator: Signed) -> None:
    raised = api.post("/v1/sos", json={"position": HERE}).get_json()["id"]
    words = "🚨 مدد کریں \u200cکار\u200cکن — 5 منٹ"
    answer = api.post(f"/v1/incidents/{raised}/notes", json={"text": words}, headers=operator.headers)
    assert answer.status_code == 201
    assert [each["text"] for each in answer.get_json()["notes"]] == [words.strip()]
