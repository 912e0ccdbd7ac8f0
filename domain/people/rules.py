"""Pure rules about people: figures with their reasons, and decisions that take `now`."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

RESEND_AFTER_S: Final = 60
"""Before the next code to the same number: an SMS takes seconds, a bad network a minute."""
OTP_TRIES: Final = 5
OTP_PER_PHONE_HOUR: Final = 5
"""With five tries each, 25 guesses an hour in a million."""
OTP_PER_ADDRESS_HOUR: Final = 60
"""Whole neighbourhoods share an address behind their operator's NAT."""
CHALLENGE_KEPT: Final = timedelta(days=1)
"""After it is over: for a phone's late retry, and for finding out why a code never came."""
MAX_SESSIONS: Final = 20
MAX_GUARDIANS: Final = 10
MAX_DEVICES: Final = 10
INVITES_PER_PHONE_DAY: Final = 5
"""So that nobody is pestered by way of us."""
PIN_TRIES: Final = 5
PIN_WINDOW_S: Final = 900
FRESH_FOR: Final = timedelta(minutes=10)
"""How long a one-time code counts as fresh proof."""
SECOND_FACTOR_FOR: Final = timedelta(hours=12)
"""A shift."""
SECOND_FACTOR_TRIES: Final = 5
ENROLMENT_FOR: Final = timedelta(days=7)
GUARDIAN_LINK_FOR: Final = timedelta(days=90)


DEVICE_ID: Final = "[A-Za-z0-9_-]{4,64}"


def is_device_id(text: str) -> bool:
    """Whether a phone may call itself so: it becomes part of a path in the store, so no dots."""
    return re.fullmatch(DEVICE_ID, text) is not None


def live_sessions(sessions: Mapping[str, Mapping[str, Any]], now: datetime) -> list[str]:
    """Ids of the sessions that are not over, newest use first."""
    live = [
        (session.get("seen_at") or session["created_at"], session_id)
        for session_id, session in sessions.items()
        if not session.get("ended_at") and session["expires_at"] > now
    ]
    return [session_id for _, session_id in sorted(live, reverse=True)]


def sessions_to_drop(sessions: Mapping[str, Mapping[str, Any]], now: datetime) -> list[str]:
    """Ids that go when a new session comes: those that are over, and the least used beyond the cap."""
    live = live_sessions(sessions, now)
    return [session_id for session_id in sessions if session_id not in live[: MAX_SESSIONS - 1]]


def otp_is_fresh(otp_at: datetime | None, now: datetime) -> bool:
    """Whether a code given at `otp_at` still counts as fresh proof."""
    return otp_at is not None and timedelta(0) <= now - otp_at <= FRESH_FOR


def second_factor_holds(at: datetime | None, now: datetime) -> bool:
    """Whether a second factor given at `at` still counts."""
    return at is not None and now - at <= SECOND_FACTOR_FOR


def pins_problem(safe_pin: str, duress_pin: str) -> str:
    """Why two PINs cannot stand together; empty when they can."""
    if safe_pin == duress_pin:
        return "The two PINs must differ."
    if len(set(safe_pin)) == 1 or len(set(duress_pin)) == 1:
        return "A PIN of one repeated digit is guessed first."
    return ""
