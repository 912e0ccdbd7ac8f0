"""Signing in by a one-time code, and keeping signed in.

Nothing here tells whether a number is known: asking for a code answers the same for every number, with the same writes;
a person comes into being when a code is first given back.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.ids import derived_id, new_id, token_hash
from domain.limits import service as limits
from domain.people import codes, devices, events, queries, rules, sessions
from domain.people.documents import ChallengeDoc
from domain.people.errors import OtpWrong, RefreshReused, SessionEnded
from domain.people.tokens import access_token, read_refresh_token, refresh_token


@dataclass(frozen=True)
class Asked:
    """What the phone is told of a challenge; the same whoever asks. `fresh` is False for a repeat."""

    challenge_id: str
    expires_in: int
    resend_after: int
    fresh: bool
    subject: str
    """The stored challenge, for the drain."""


@dataclass(frozen=True)
class Lifetimes:
    """Seconds and days that the settings give."""

    otp_s: int = 300
    access_s: int = 900
    refresh_days: int = 90


@dataclass(frozen=True)
class SignedIn:
    """Tokens for one session, and the person they are for."""

    access_token: str
    refresh_token: str
    expires_in: int
    person_id: str
    session_id: str


def _challenges() -> Any:
    return ChallengeDoc._get_collection()


def ask(
    secret: str, phone: str, *, key: str | None, address: str, language: str, life: Lifetimes, now: datetime
) -> Asked:
    """Make a challenge and the event that sends its code. Raises LimitReached per number, spacing and address."""
    token = codes.challenge_token(secret, phone, key)
    subject = codes.challenge_id(token)
    if key is not None and (known := _challenges().find_one({"_id": subject})):
        return _asked(token, known["expires_at"], now, subject, fresh=False)
    limits.take(secret, "otp_address", address, limit=rules.OTP_PER_ADDRESS_HOUR, window_s=3600, now=now)
    limits.space(secret, "otp_space", phone, every_s=rules.RESEND_AFTER_S, now=now)
    limits.take(secret, "otp_phone", phone, limit=rules.OTP_PER_PHONE_HOUR, window_s=3600, now=now)
    expires_at = now + timedelta(seconds=life.otp_s)
    row = {
        "_id": subject,
        "phone": phone,
        "language": language,
        "tries": 0,
        "version": 1,
        "created_at": now,
        "expires_at": expires_at,
        **outbox.fields([events.otp_requested(subject, city="", now=now)], now),
    }
    try:
        _challenges().insert_one(row)
    except DuplicateKeyError:  # the same key twice at once: the other one made it
        return _asked(token, expires_at, now, subject, fresh=False)
    return _asked(token, expires_at, now, subject, fresh=True)


def _asked(token: str, expires_at: datetime, now: datetime, subject: str, *, fresh: bool) -> Asked:
    left = max(0, int((expires_at - now).total_seconds()))
    return Asked(token, left, rules.RESEND_AFTER_S, fresh, subject)


def use_code(secret: str, token: str, code: str, *, key: str | None, now: datetime) -> dict[str, Any]:
    """Take a challenge's code once and give its row. Counts the try first. Raises OtpWrong, whatever is wrong.

    A repeat with the Idempotency-Key that used it passes, since a phone may have lost the answer.
    """
    subject = codes.challenge_id(token)
    row: dict[str, Any] | None = _challenges().find_one_and_update(
        {"_id": subject, "tries": {"$lt": rules.OTP_TRIES}, "expires_at": {"$gt": now}},
        {"$inc": {"tries": 1}},
        return_document=ReturnDocument.AFTER,
    )
    challenge = ChallengeDoc(id=subject, phone=row["phone"] if row else "")
    right = hmac.compare_digest(codes.otp_code(secret, challenge).encode(), code.encode())
    if row is None or not right:
        raise OtpWrong("ask for a new code")
    used_key = token_hash(key) if key else ""
    if row.get("used_at"):
        if used_key and row.get("used_key") == used_key:
            return row
        raise OtpWrong("ask for a new code")
    used = _challenges().update_one({"_id": subject, "used_at": None}, {"$set": {"used_at": now, "used_key": used_key}})
    if not used.modified_count:
        raise OtpWrong("ask for a new code")
    return row


def sweep(*, now: datetime, limit: int = 1000) -> int:
    """Remove challenges that are long over and whose event is handled; how many went."""
    over = _challenges().find(
        {"expires_at": {"$lte": now - rules.CHALLENGE_KEPT}, "outbox_due": {"$exists": False}}, {"_id": 1}
    )
    ids = [row["_id"] for row in over.limit(limit)]
    return int(_challenges().delete_many({"_id": {"$in": ids}}).deleted_count) if ids else 0


def sign_in(
    secret: str,
    token: str,
    code: str,
    device: devices.DeviceFacts,
    *,
    key: str | None,
    life: Lifetimes,
    now: datetime,
) -> SignedIn:
    """Take the code, make the person if the number is new, open a session, bind the device."""
    row = use_code(secret, token, code, key=key, now=now)
    person = person_for(row["phone"], language=row.get("language") or "ur", now=now)
    session_id = derived_id("ses", row["_id"], key) if key else new_id("ses", now)
    sessions.open_session(person["_id"], session_id, device, otp_at=now, life_days=life.refresh_days, now=now)
    devices.bind(person["_id"], session_id, device, now=now)
    return _tokens(secret, person["_id"], session_id, 0, life, now)


def person_for(phone: str, *, language: str, now: datetime, verified: bool = True) -> dict[str, Any]:
    """The person with this number, made if new. Safe when two requests come at once.

    `verified` says that a code came back from the number.
    """
    update = {
        "$setOnInsert": {
            "_id": new_id("per", now),
            "name": "",
            "city": "",
            "language": language,
            "roles": [],
            "created_at": now,
            "version": 0,
        },
        "$set": {"changed_at": now, **({"trust.verified_phone_at": now} if verified else {})},
    }
    for _ in range(3):
        try:
            found: dict[str, Any] = queries.collection().find_one_and_update(
                {"phone": phone}, update, upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:
            continue
        return found
    raise OtpWrong("ask for a new code")


def refresh(secret: str, token: str, *, key: str | None, life: Lifetimes, now: datetime) -> SignedIn:
    """The next tokens of a session. Raises RefreshReused (and ends the session) for a token that was used before.

    The same Idempotency-Key again gives the same answer: a phone on a bad network that lost it is no thief.
    """
    parts = read_refresh_token(secret, token)
    if parts is None:
        raise SessionEnded("sign in again")
    person_id, session_id, generation = parts
    at = f"sessions.{session_id}"
    key_hash = token_hash(key) if key else ""
    moved = queries.collection().update_one(
        {
            "_id": person_id,
            f"{at}.generation": generation,
            f"{at}.ended_at": None,
            f"{at}.expires_at": {"$gt": now},
        },
        {
            "$set": {
                f"{at}.generation": generation + 1,
                f"{at}.refresh_key": key_hash,
                f"{at}.seen_at": now,
                f"{at}.expires_at": now + timedelta(days=life.refresh_days),
            }
        },
    )
    if moved.modified_count:
        return _tokens(secret, person_id, session_id, generation + 1, life, now)
    row = queries.collection().find_one({"_id": person_id}, {at: 1}) or {}
    session = (row.get("sessions") or {}).get(session_id)
    if session is None or session.get("ended_at") or session["expires_at"] <= now:
        raise SessionEnded("sign in again")
    if key_hash and session["generation"] == generation + 1 and session.get("refresh_key") == key_hash:
        return _tokens(secret, person_id, session_id, generation + 1, life, now)
    sessions.end(person_id, session_id, now=now)
    raise RefreshReused("sign in again: this session was ended because its token was used twice")


def tokens_for(secret: str, person_id: str, session_id: str, life: Lifetimes, *, now: datetime) -> SignedIn:
    """Tokens of a session that was just opened by other means than a code: the command line, the demo."""
    return _tokens(secret, person_id, session_id, 0, life, now)


def _tokens(secret: str, person_id: str, session_id: str, generation: int, life: Lifetimes, now: datetime) -> SignedIn:
    return SignedIn(
        access_token=access_token(secret, person_id, session_id, now=now, ttl_s=life.access_s),
        refresh_token=refresh_token(secret, person_id, session_id, generation),
        expires_in=life.access_s,
        person_id=person_id,
        session_id=session_id,
    )
