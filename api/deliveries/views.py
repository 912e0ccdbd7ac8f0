"""A delivery as staff see it. Ids only: text is kept nowhere, numbers and tokens stay with their people.

Of one to a guardian the control room sees that it went out and how, so that it knows whether anybody near her was told; not
to whom, nor on which phone, nor the carrier's id, by which its console shows the number.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from api.readings import reading
from domain.deliveries.states import AttemptState, DeliveryStatus, Suppressed
from notifications.channel import FailureCode

PRIVATE: Final = frozenset({"device", "vendor_id"})
"""What of an attempt says who a guardian is."""


def told(found: Mapping[str, Any]) -> dict[str, Any]:
    """Who was told: kind and id, of a guardian the kind alone."""
    names = ("kind",) if found["recipient"]["kind"] == "guardian" else ("kind", "id")
    return {name: found["recipient"].get(name) for name in names}


def delivery_view(found: Mapping[str, Any]) -> dict[str, Any]:
    """The whole of it, attempts in order."""
    attempts = found.get("attempts") or {}
    whose = PRIVATE if found["recipient"]["kind"] == "guardian" else frozenset[str]()
    reason = found.get("reason")
    names = ("city", "purpose", "subject", "status", "reason", "plan", "valid_until", "created_at", "next_at")
    times = ("sent_at", "delivered_at", "received_at", "seen_at")
    return {
        "id": found["_id"],
        **{name: found.get(name) for name in (*names, *times)},
        "recipient": told(found),
        "status_reading": reading(DeliveryStatus, found["status"]),
        "reading": reading(Suppressed, reason) or reading(FailureCode, reason),
        "held": found.get("held") or None,
        "attempts": [
            {name: each for name, each in _attempt(int(number), attempts[number]).items() if name not in whose}
            for number in sorted(attempts, key=int)
        ],
    }


def _attempt(number: int, attempt: Mapping[str, Any]) -> dict[str, Any]:
    names = ("channel", "state", "vendor_id", "segments", "device", "at", "done_at", "reported_at", "retry_at")
    return {
        "number": number,
        **{name: attempt.get(name) for name in names},
        "carrier": attempt.get("gateway") or None,
        "vendor_code": attempt.get("vendor_code") or None,
        "code": attempt.get("code") or None,
        "state_reading": reading(AttemptState, attempt["state"]),
        "reading": reading(FailureCode, attempt.get("code")),
        "answer_ms": _ms(attempt.get("at"), attempt.get("done_at")),
    }


def _ms(since: datetime | None, until: datetime | None) -> int | None:
    return round((until - since).total_seconds() * 1000) if since and until else None
