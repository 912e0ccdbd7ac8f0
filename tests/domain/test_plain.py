"""Small pure parts that much stands on: phones, sealing, tokens."""

import contextlib
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.people import tokens
from domain.phones import masked, parse_phone
from domain.sealing import NotSealed, seal, unseal

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECRET = "s" * 40


@pytest.mark.parametrize(
    "text",
    [
        "+923001234567",
        "03001234567",
        "0300 1234567",
        "0300-123 4567",
        "00923001234567",
        "۰۳۰۰۱۲۳۴۵۶۷",
        "+92 (300) 1234567",
    ],
)
def test_pakistani_numbers_however_written(text: str) -> None:
    assert parse_phone(text) == "+923001234567"


@pytest.mark.parametrize(
    "text", ["", "12", "hello", "+92300123456789012", "9" * 5000, "\x00", "+1", "0300 1234567x" * 4]
)
def test_what_no_phone_has(text: str) -> None:
    with pytest.raises(Invalid):
        parse_phone(text)


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert parse_phone(text).startswith("+")


def test_masked_numbers_tell_three_digits() -> None:
    assert masked("+923001234567") == "…567"
    assert masked("15") == "…"


@given(st.text(max_size=200))
def test_what_is_sealed_opens_only_in_its_place(text: str) -> None:
    sealed = seal(SECRET, "note", "per_1", text)
    assert unseal(SECRET, "note", "per_1", sealed) == text
    assert sealed != seal(SECRET, "note", "per_1", text)
    for secret, purpose, where in [("t" * 40, "note", "per_1"), (SECRET, "blood", "per_1"), (SECRET, "note", "per_2")]:
        with pytest.raises(NotSealed):
            unseal(secret, purpose, where, sealed)


@pytest.mark.parametrize("sealed", ["", "v1.", "v1.AAAA", "é", "v1.%%%"])
def test_what_was_never_sealed(sealed: str) -> None:
    with pytest.raises(NotSealed):
        unseal(SECRET, "note", "per_1", sealed)


def test_an_access_token_says_three_things() -> None:
    token = tokens.access_token(SECRET, "per_1", "ses_1", now=NOW, ttl_s=900)
    assert set(jwt.decode(token, options={"verify_signature": False})) == {"sub", "sid", "exp"}
    read = tokens.read_access_token(SECRET, token, now=NOW)
    assert read == tokens.Claims("per_1", "ses_1", expired=False)
    late = tokens.read_access_token(SECRET, token, now=NOW + timedelta(days=400))
    assert late == tokens.Claims("per_1", "ses_1", expired=True)


def test_a_token_that_we_did_not_sign_says_nothing() -> None:
    other = tokens.access_token("t" * 40, "per_1", "ses_1", now=NOW, ttl_s=900)
    unsigned = jwt.encode({"sub": "per_1", "sid": "ses_1", "exp": 9e9}, "", algorithm="none")
    forged = [other, unsigned, "", "a.b.c", other[:-2], "x" * 3000]
    assert [tokens.read_access_token(SECRET, token, now=NOW) for token in forged] == [None] * 6
    refresh = tokens.refresh_token(SECRET, "per_1", "ses_1", 3)
    assert tokens.read_access_token(SECRET, refresh, now=NOW) is None
    assert tokens.read_refresh_token(SECRET, refresh) == ("per_1", "ses_1", 3)
    assert tokens.read_refresh_token(SECRET, refresh.replace(".3.", ".4.")) is None
