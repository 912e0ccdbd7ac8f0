"""The end of the audit chain's days, a whole day at a time, since a day without its beginning no longer proves anything."""

from collections.abc import Collection
from datetime import datetime

from domain.audit.chain import chain_of
from domain.audit.documents import AuditDoc


def expire(city: str, before: datetime, *, keep: Collection[str], limit: int) -> int:
    """Remove entries of days that were over at `before`, oldest first, but for days that speak of a subject in `keep`."""
    audit = AuditDoc._get_collection()
    over = {"city": city, "_id": {"$lt": chain_of(city, before)}}
    kept = {row["chain"] for subject in sorted(keep) for row in audit.find({**over, "subject": subject}, {"chain": 1})}
    days = {"chain": {"$nin": sorted(kept)}} if kept else {}
    ids = [row["_id"] for row in audit.find({**over, **days}, {"_id": 1}).sort("_id", 1).limit(limit)]
    return int(audit.delete_many({"_id": {"$in": ids}}).deleted_count) if ids else 0
