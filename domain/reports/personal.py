"""What is kept of a person's reports: for the export, and for being forgotten."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from domain.clusters import service as clusters
from domain.comments import service as comments
from domain.evidence.retention import is_held
from domain.evidence.service import uploads
from domain.ids import derived_id
from domain.reports import media, queries
from domain.reports.queries import reports, voices


def forget(person: str, *, drop: Callable[[str], None]) -> int:
    """Somebody asked to be forgotten: their reports, with their pictures (`drop` takes bytes away by their SHA-256), and
    what they said of others' go. An incident that came of one stays, and does not know them.
    """
    voices().delete_many({"person": person})
    done = 0
    while rows := queries.of_author(person, limit=200):
        for doc in rows:
            clusters.forget(doc)
            done += reports().delete_one({"_id": doc["_id"]}).deleted_count
            media.drop_all(doc, drop, is_held)
    return done


def exported(person: str, now: datetime) -> list[dict[str, Any]]:
    """Every report of a person."""
    names = ("category", "note", "position", "at", "status", "anonymous", "created_at")
    return [{name: row.get(name) for name in names} for row in queries.of_author(person, limit=1000)]


def expire(city: str, before: datetime, *, keep: Collection[str], drop: Callable[[str], None], limit: int) -> int:
    """Remove what was reported at `before` or earlier, with what was said of it and below it and its pictures, but for what
    belongs to an incident in `keep`; how many went. Of where its author stood its cluster keeps what the public saw.
    """
    over = {"city": city, "created_at": {"$lte": before}, "incident": {"$nin": sorted(keep)}}
    rows = list(reports().find(over).sort("created_at", 1).limit(limit))
    for doc in rows:
        clusters.forget(doc)
        comments.forget_of(doc["_id"])
        voices().delete_many({"report": doc["_id"]})
        if doc.get("cluster"):
            voices().delete_one({"_id": derived_id("voi", doc["cluster"], doc["author"])})
        uploads().delete_many({"incident": doc["_id"]})
        reports().delete_one({"_id": doc["_id"]})
        media.drop_all(doc, drop, is_held)
    return len(rows)
