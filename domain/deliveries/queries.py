"""Reading deliveries."""

from collections.abc import Sequence
from datetime import datetime

from domain.deliveries.service import Delivery, deliveries


def due(*, now: datetime, limit: int) -> list[str]:
    """Ids of deliveries whose next step is due: never sent, unanswered, or their worker died."""
    rows = deliveries().find({"next_at": {"$lte": now}}, {"_id": 1}).sort("next_at", 1).limit(limit)
    return [row["_id"] for row in rows]


def of_subject(subject: str, *, limit: int = 200) -> list[Delivery]:
    """What was told about an incident, the newest `limit` of it, oldest first."""
    return list(deliveries().find({"subject": subject}).sort("created_at", -1).limit(limit))[::-1]


def offers(subject: str, assignments: Sequence[str]) -> list[Delivery]:
    """All that asked anybody for these assignments, however many were told about the incident."""
    wanted = {"subject": subject, "purpose": "assignment_offered", "refs.assignment": {"$in": list(assignments)}}
    return list(deliveries().find(wanted))
