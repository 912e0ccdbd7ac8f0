"""The end of the audit chain's days, a whole day at a time, since a day without its beginning no longer proves anything."""

from collections.abc import Collection
from datetime import datetime

from domain.audit.chain import chain_of
from domain.audit.documents import AuditDoc


def expire(city: str, before: datetime, *, keep: Collection[str], limit: int) -> int:
    """Remove the entries of days that were over at `before`, oldest first, but for days that speak of a subject in `keep`.

    A day goes in one command, however long it was: with a part of it gone it would look like one that was tampered with.
    No further day is begun once `limit` entries are gone.
    """
    audit = AuditDoc._get_collection()
    over = {"city": city, "_id": {"$lt": chain_of(city, before)}}
    kept = {row["chain"] for subject in sorted(keep) for row in audit.find({**over, "subject": subject}, {"chain": 1})}
    days = {"chain": {"$nin": sorted(kept)}} if kept else {}
    gone = 0
    while gone < limit and (oldest := audit.find_one({**over, **days}, {"chain": 1}, sort=[("_id", 1)])):
        gone += audit.delete_many({"chain": oldest["chain"]}).deleted_count
    return gone
