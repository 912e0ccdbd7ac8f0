"""Reading deliveries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.deliveries.service import Delivery, deliveries
from domain.deliveries.states import Priority

_ANY = [None, *(int(each) for each in Priority)]
"""None: written down by an earlier version."""


def due(*, now: datetime, limit: int) -> dict[str, int]:
    """Deliveries whose next step is due (never sent, unanswered, or their worker died): id → priority, the first first."""
    rows = deliveries().find({"priority": {"$in": _ANY}, "next_at": {"$lte": now}}, {"priority": 1})
    found = rows.sort([("priority", 1), ("next_at", 1)]).limit(limit)
    return {row["_id"]: row["priority"] if row.get("priority") is not None else int(Priority.FIRST) for row in found}


def of_subject(subject: str, *, limit: int = 200) -> list[Delivery]:
    """What was told about an incident, the newest `limit` of it, oldest first."""
    return list(deliveries().find({"subject": subject}).sort("created_at", -1).limit(limit))[::-1]


def offers(subject: str, assignments: Sequence[str]) -> list[Delivery]:
    """All that asked anybody for these assignments, however many were told about the incident."""
    wanted = {"subject": subject, "purpose": "assignment_offered", "refs.assignment": {"$in": list(assignments)}}
    return list(deliveries().find(wanted))


def page_of(subject: str, *, after: tuple[datetime, str] | None, limit: int) -> list[Delivery]:
    """What was told about something, the newest first; `after` is the time and the id of the last one seen."""
    wanted: dict[str, Any] = {"subject": subject}
    if after is not None:
        wanted |= {
            "created_at": {"$lte": after[0]},
            "$or": [{"created_at": {"$lt": after[0]}}, {"_id": {"$lt": after[1]}}],
        }
    return list(deliveries().find(wanted).sort([("created_at", -1), ("_id", -1)]).limit(limit))


def oldest_due() -> datetime | None:
    """When the oldest of the messages that wait for their next step was due; None where none waits."""
    row = deliveries().find_one({"next_at": {"$exists": True}}, {"next_at": 1}, sort=[("next_at", 1)])
    return row["next_at"] if row else None
