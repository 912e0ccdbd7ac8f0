"""Reads of the audit chain."""

from typing import Any

from domain.audit.documents import AuditDoc


def listed(city: str, *, subject: str | None, after: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """A page of a city's entries, newest first, and the id to go on from when there are more.

    Ids begin with city and day and end in the seq, so their order is the chain's.
    """
    condition: dict[str, Any] = {"city": city}
    if subject:
        condition["subject"] = subject
    if after:
        condition["_id"] = {"$lt": after}
    rows = list(AuditDoc._get_collection().find(condition).sort("_id", -1).limit(limit + 1))
    return rows[:limit], rows[limit - 1]["_id"] if len(rows) > limit else None
