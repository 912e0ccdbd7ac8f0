"""People for tests: signed-in ones with their tokens, without going through an SMS."""

import itertools
import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyotp

from domain.ids import new_id
from domain.people import queries, second_factor, sessions, sign_in
from domain.people.devices import DeviceFacts
from domain.people.sign_in import Lifetimes

SECRET = "for tests only: forty characters of key.."
_numbers = itertools.count(random.randrange(1_000_000))


def phone() -> str:
    """A Pakistani mobile number that no other test of this process has."""
    return f"+92300{next(_numbers) % 10_000_000:07d}"


@dataclass(frozen=True)
class Signed:
    """A person with an open session."""

    person_id: str
    session_id: str
    phone: str
    access_token: str
    refresh_token: str
    headers: dict[str, str] = field(default_factory=dict)


def signed_in(
    now: datetime,
    *,
    name: str = "",
    roles: list[dict[str, str]] | None = None,
    second_factor_given: bool = False,
    city: str = "lahore",
    otp_at: datetime | None = None,
    **fields: Any,
) -> Signed:
    """A person and a session of theirs; `fields` are set on the document as they are."""
    number = fields.pop("phone", None) or phone()
    person_id = sign_in.person_for(number, language="en", now=now)["_id"]
    queries.collection().update_one(
        {"_id": person_id}, {"$set": {"name": name, "city": city, "roles": roles or [], **fields}}
    )
    session_id = new_id("ses", now)
    device = DeviceFacts(f"dev-{session_id[-8:]}")
    sessions.open_session(person_id, session_id, device, otp_at=otp_at, life_days=90, now=now)
    if second_factor_given:
        queries.collection().update_one({"_id": person_id}, {"$set": {f"sessions.{session_id}.second_factor_at": now}})
    tokens = sign_in.tokens_for(SECRET, person_id, session_id, Lifetimes(), now=now)
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    return Signed(person_id, session_id, number, tokens.access_token, tokens.refresh_token, bearer)


def staff(now: datetime, role: str, *, city: str = "lahore", agency_id: str = "", **fields: Any) -> Signed:
    """A member of staff who has given the second factor."""
    held = [{"role": role, "city": city, "agency_id": agency_id, "group_id": ""}]
    return signed_in(now, roles=held, second_factor_given=True, city=city, **fields)


def authenticator(person_id: str, now: datetime) -> pyotp.TOTP:
    """An authenticator app that is set up (and not confirmed) for this person."""
    code = second_factor.enrolment_code()
    second_factor.allow_enrolment(person_id, code, now=now)
    uri = second_factor.begin(queries.get(person_id), code, secret=SECRET, now=now)
    found = pyotp.parse_uri(uri)
    assert isinstance(found, pyotp.TOTP)
    return found
