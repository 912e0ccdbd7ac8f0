"""The end of clusters: with what was said of them, when reports of their time are no longer kept. What became part of another
goes with it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from domain.clusters.queries import clusters
from domain.reports.queries import voices


def expire(city: str, before: datetime, *, keep: Collection[str], limit: int) -> int:
    """Remove wholes that began at `before` or earlier, with their parts, but for those of an incident in `keep`; how many
    wholes went. A report of one that is a little younger, or held, has no cluster from then on (`queries.whole`).
    """
    over: dict[str, Any] = {
        "city": city,
        "made_at": {"$lte": before},
        "into": None,
        "incident": {"$nin": sorted(keep)},
    }
    rows = list(clusters().find(over, {"parts_of_it": 1}).sort("made_at", 1).limit(limit))
    wholes = [row["_id"] for row in rows]
    parts = {each for row in rows for each in row.get("parts_of_it") or []}
    parts |= {row["_id"] for row in clusters().find({"into": {"$in": wholes}}, {"_id": 1})} if wholes else set()
    # The whole goes last: what dies in between is found again.
    for ids in (sorted(parts), wholes):
        if ids:
            voices().delete_many({"report": {"$in": ids}})
            clusters().delete_many({"_id": {"$in": ids}})
    return len(wholes)
