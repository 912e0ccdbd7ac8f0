"""Reply codes of a phone: small, its own, the same for the same offer, whoever asks at once."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from domain.lines import service as lines
from runtime import mongo
from runtime.settings import Settings

SECRET = "for tests only: forty characters of key.."
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LATER = NOW + lines.CODE_LIVES + timedelta(seconds=1)


@pytest.fixture(scope="module", autouse=True)
def connected(mongodb_url: str, mongo_client: MongoClient[dict[str, Any]]) -> Iterator[None]:
    """A database of the module's own."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    url = f"{mongodb_url.rstrip('/')}/{name}"
    mongo.connect(Settings(secret=SecretStr(SECRET), mongodb_url=url, redis_url="redis://127.0.0.1:1/0"))
    yield
    mongo.disconnect()
    mongo_client.drop_database(name)


@pytest.fixture
def phone() -> str:
    return f"+92300{uuid.uuid4().int % 10_000_000:07d}"


def code(phone: str, delivery: str, now: datetime = NOW) -> str:
    return lines.code_for(SECRET, phone, delivery, now=now)


def test_each_offer_has_its_own_number_and_keeps_it(phone: str) -> None:
    assert [code(phone, each) for each in ("dlv_a", "dlv_b", "dlv_a", "dlv_c", "dlv_b")] == ["1", "2", "1", "3", "2"]
    assert lines.delivery_of(SECRET, phone, "2", now=NOW) == ("dlv_b", False)
    assert lines.delivery_of(SECRET, phone, "2", now=LATER) == ("dlv_b", True), "its time is over"
    assert lines.delivery_of(SECRET, phone, "4", now=NOW) is None


def test_another_phone_has_numbers_of_its_own(phone: str) -> None:
    code(phone, "dlv_a")
    assert code(phone + "1", "dlv_b") == "1"
    assert lines.delivery_of(SECRET, phone, "1", now=NOW) == ("dlv_a", False)


def test_a_number_is_given_again_only_when_it_is_over(phone: str) -> None:
    assert (code(phone, "dlv_a"), code(phone, "dlv_b", NOW + timedelta(hours=5))) == ("1", "2")
    assert code(phone, "dlv_c", LATER) == "1"
    assert lines.delivery_of(SECRET, phone, "1", now=LATER) == ("dlv_c", False)


def test_jobs_at_the_same_time_agree(phone: str) -> None:
    offers = [f"dlv_{number % 4}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda each: (each, code(phone, each)), offers))
    assert len(set(given)) == 4
    assert {number for _, number in given} == {"1", "2", "3", "4"}


def test_when_every_number_is_taken_none_is_given(phone: str) -> None:
    held = {str(n): {"delivery": f"dlv_{n}", "until": LATER} for n in range(1, lines.MOST_CODES + 1)}
    lines.lines().insert_one({"_id": lines.line_id(SECRET, phone), "version": 1, "codes": held, "until": LATER})
    assert code(phone, "dlv_another") == ""
    assert code(phone, "dlv_7") == "7"


def test_no_number_stands_in_the_store_and_what_is_over_is_swept(phone: str) -> None:
    code(phone, "dlv_a")
    lines.remember_sos(SECRET, phone, "inc_a", now=NOW)
    assert phone[-7:] not in str(list(lines.lines().find({})))
    assert lines.recent_sos(SECRET, phone, now=NOW + timedelta(minutes=29)) == "inc_a"
    assert lines.recent_sos(SECRET, phone, now=NOW + timedelta(minutes=31)) is None
    assert lines.sweep(now=NOW + timedelta(hours=1)) == 0
    lines.sweep(now=LATER + timedelta(days=1))
    assert not lines.has_codes(SECRET, phone)


def test_what_was_answered_is_remembered_for_the_newest_messages(phone: str) -> None:
    assert lines.answer_to(SECRET, phone, "SM1") is None
    for number in range(lines.ANSWERS_KEPT + 1):
        lines.remember_answer(SECRET, phone, f"SM{number}", {"said": f"reply_{number}"}, now=NOW)
    assert lines.answer_to(SECRET, phone, "SM0") is None
    assert lines.answer_to(SECRET, phone, "SM1") == {"said": "reply_1"}
    lines.sweep(now=NOW + lines.ANSWER_LIVES)
    assert lines.answer_to(SECRET, phone, "SM1") is None


def test_who_wants_no_sms_is_never_forgotten_until_they_want_them_again(phone: str) -> None:
    guardian = {"kind": "guardian", "id": "grd_1", "of": "per_1"}
    assert not lines.opted_out(SECRET, phone)
    assert lines.opt_out(SECRET, phone, None, now=NOW)
    assert not lines.opt_out(SECRET, phone, guardian, now=NOW)
    lines.sweep(now=NOW + timedelta(days=3650))
    assert lines.opted_out(SECRET, phone)
    assert lines.opt_in(SECRET, phone, now=NOW) == [guardian]
    assert not lines.opted_out(SECRET, phone)
    assert lines.opt_in(SECRET, phone, now=NOW) == []
    lines.sweep(now=NOW + timedelta(days=2))
    assert lines.lines().find_one({"_id": lines.line_id(SECRET, phone)}) is None, "nothing of it is kept for ever"
