"""Reading deliveries."""

from datetime import datetime

from domain.deliveries.service import Delivery, deliveries


def due(*, now: datetime, limit: int) -> list[str]:
    """Ids of deliveries whose next step is due: never sent, unanswered, or their worker died."""
    rows = deliveries().find({"next_at": {"$lte": now}}, {"_id": 1}).sort("next_at", 1).limit(limit)
    return [row["_id"] for row in rows]


def of_subject(subject: str, *, limit: int = 200) -> list[Delivery]:
    """What was told about an incident, oldest first."""
    return list(deliveries().find({"subject": subject}).sort("created_at", 1).limit(limit))
