"""The second factor of staff: time-based one-time passwords (RFC 6238), set up with an enrolment code from an admin, so
that a stolen phone number alone opens no control room. A code is good once: its time step is kept.
"""

import base64
import hmac
import secrets
from datetime import datetime
from typing import Any, Final

import pyotp

from domain.ids import token_hash
from domain.limits import service as limits
from domain.people import queries, rules
from domain.people.errors import EnrolmentWrong, SecondFactorExists, SecondFactorWrong
from domain.sealing import seal, unseal

STEP_S: Final = 30
ISSUER: Final = "Amaan"
_PURPOSE: Final = "totp"


def enrolment_code() -> str:
    """A code of 80 bits that an admin hands over, such as `k3vq-7h2m-…`."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


def _tidy(code: str) -> str:
    return code.strip().lower().replace("-", "").replace(" ", "")


def allow_enrolment(person_id: str, code: str, *, now: datetime) -> None:
    """Let the person set up a second factor with this code; the one before, if any, is gone."""
    enrolment = {"code_hash": token_hash(_tidy(code)), "expires_at": now + rules.ENROLMENT_FOR}
    queries.collection().update_one(
        {"_id": person_id},
        {
            "$set": {"enrolment": enrolment, "changed_at": now},
            "$unset": {"second_factor": ""},
            "$inc": {"version": 1},
        },
    )


def begin(person: Any, code: str, *, secret: str, now: datetime) -> str:
    """Set up an unconfirmed second factor; gives the `otpauth://` address that an authenticator app reads.

    Asked again before it is confirmed, a new secret takes the place of the old.
    """
    limits.take(secret, "enrolment", person.id, limit=rules.SECOND_FACTOR_TRIES, window_s=900, now=now)
    if person.second_factor and person.second_factor.confirmed_at:
        raise SecondFactorExists("an admin can take the old one away")
    enrolment = person.enrolment
    given = token_hash(_tidy(code))
    if not enrolment or enrolment.expires_at <= now or not hmac.compare_digest(enrolment.code_hash, given):
        raise EnrolmentWrong("ask an admin for a new code")
    shared = pyotp.random_base32()
    queries.collection().update_one(
        {"_id": person.id},
        {
            "$set": {"second_factor": {"secret": seal(secret, _PURPOSE, person.id, shared), "last_step": 0}},
            "$inc": {"version": 1},
        },
    )
    return str(pyotp.TOTP(shared, interval=STEP_S).provisioning_uri(name=person.name or person.id, issuer_name=ISSUER))


def give(person: Any, session_id: str, code: str, *, secret: str, now: datetime) -> None:
    """Take a code once, in this session; the first one confirms the set-up. Raises SecondFactorWrong, LimitReached."""
    limits.take(secret, "second_factor", person.id, limit=rules.SECOND_FACTOR_TRIES, window_s=300, now=now)
    factor = person.second_factor
    step = _matching_step(unseal(secret, _PURPOSE, person.id, factor.secret), code, now) if factor else None
    if step is None:
        raise SecondFactorWrong("not right, or used already")
    taken = queries.collection().update_one(
        {"_id": person.id, "second_factor.last_step": {"$lt": step}, f"sessions.{session_id}.ended_at": None},
        {
            "$set": {
                "second_factor.last_step": step,
                "second_factor.confirmed_at": factor.confirmed_at or now,
                f"sessions.{session_id}.second_factor_at": now,
                "changed_at": now,
            },
            "$unset": {"enrolment": ""},
            "$inc": {"version": 1},
        },
    )
    if not taken.modified_count:
        raise SecondFactorWrong("not right, or used already")


def _matching_step(shared: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is: the present one or a neighbour (RFC 6238, 5.2), all three always compared."""
    totp = pyotp.TOTP(shared, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    found = None
    for step in (present - 1, present, present + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            found = step
    return found
