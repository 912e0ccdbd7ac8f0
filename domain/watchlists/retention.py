"""The end of what is kept of plates: hashes after the city's days, and hits with their crops, the bytes before the row.
The keys of hashes go before them (`hashing.forget_keys`).
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from domain.watchlists.queries import entries, hits, sightings

_BATCH: Final = 500


def forget_sightings(city: str, before: datetime) -> int:
    """Remove hashes of that time or earlier, a batch; how many went."""
    ids = [row["_id"] for row in sightings().find({"city": city, "at": {"$lte": before}}, {"_id": 1}).limit(_BATCH)]
    return int(sightings().delete_many({"_id": {"$in": ids}}).deleted_count) if ids else 0


def forget_hits(
    city: str, before: datetime, *, keep: Collection[str], drop: Callable[[str], None], limit: int
) -> list[str]:
    """Remove hits of that time or earlier, but for those of incidents in `keep`; their ids. `drop` takes bytes away."""
    over = {"city": city, "created_at": {"$lte": before}, "incident": {"$nin": sorted(keep)}}
    rows = list(hits().find(over, {"crop": 1, "noted": 1}).sort("created_at", 1).limit(limit))
    ids = [row["_id"] for row in rows]
    for name in {name for row in rows for name in (row.get("crop"), *(row.get("noted") or ())) if name}:
        if hits().find_one({"crop": name, "_id": {"$nin": ids}}, {"_id": 1}) is None:
            drop(name)
    if ids:
        hits().delete_many({"_id": {"$in": ids}})
    return ids


def forget_entries(city: str, before: datetime) -> int:
    """Remove entries that expired then or earlier, a batch: nobody looks for these plates any more."""
    over = entries().find({"city": city, "expires_at": {"$lte": before}}, {"_id": 1}).limit(_BATCH)
    ids = [row["_id"] for row in over]
    return int(entries().delete_many({"_id": {"$in": ids}}).deleted_count) if ids else 0
