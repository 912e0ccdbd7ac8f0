"""What is kept of a person's reports: for the export, and for being forgotten."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final

from domain.clusters import service as clusters
from domain.comments import queries as below
from domain.comments import service as comments
from domain.correlation import service as correlation
from domain.evidence.retention import is_held
from domain.evidence.service import uploads
from domain.follows import service as follows
from domain.ids import derived_id
from domain.reports import gone, media, queries
from domain.reports.queries import Report, reports, voices
from domain.reviews import service as reviews

MOST_EXPORTED: Final = 1_000


def forget(person: str, *, drop: Callable[[str], None], now: datetime) -> int:
    """Somebody asked to be forgotten: their reports, with their pictures (`drop` takes bytes away by their SHA-256), what
    they said of others', what they flagged. An incident that came of one stays, and does not know them.
    """
    voices().delete_many({"person": person})
    flagged = {"$unset": {f"flags.{person}": ""}, "$pull": {"flagged_by": person}, "$inc": {"version": 1}}
    reports().update_many({"flagged_by": person}, flagged)
    done = 0
    while rows := queries.of_author(person, limit=200):
        for doc in rows:
            done += _end(doc, drop, author="", now=now)
    gone.forget(person)
    return done


def _end(doc: Report, drop: Callable[[str], None], *, author: str, now: datetime) -> int:
    """A report goes, with what was said of it and below it, who follows it, what it is linked with, its pictures, and what
    humans are asked about it. Phones learn of it. Again is harmless.
    """
    report = doc["_id"]
    gone.leave(doc, author=author, now=now)
    asked = [report, *below.ids_of(report)]
    clusters.forget(doc)
    comments.forget_of(report)
    follows.forget_of(report)
    correlation.forget([report])
    voices().delete_many({"report": report})
    if doc.get("cluster"):
        voices().delete_one({"_id": derived_id("voi", doc["cluster"], doc["author"])})
    uploads().delete_many({"incident": report})
    ended = reports().delete_one({"_id": report}).deleted_count
    if doc.get("cluster"):
        clusters.again(doc["cluster"], now=now)
    reviews.withdraw(asked, now=now)  # last: what follows from it finds no report
    media.drop_all(doc, drop, is_held)
    return ended


def exported(person: str, now: datetime) -> list[dict[str, Any]]:
    """Every report of a person."""
    names = ("category", "note", "looks", "position", "at", "status", "anonymous", "history", "appeal", "created_at")
    return [
        {name: row.get(name) for name in names}
        | {"media": [{name: each.get(name) for name in ("id", "type", "size")} for each in row.get("media") or []]}
        for row in queries.of_author(person, limit=MOST_EXPORTED)
    ]


def said(person: str, now: datetime) -> list[dict[str, Any]]:
    """Every word of a person about somebody else's report, and every flag."""
    words = voices().find({"person": person}).limit(MOST_EXPORTED)
    flagged = reports().find({"flagged_by": person}, {f"flags.{person}": 1}).limit(MOST_EXPORTED)
    # What they say of a cluster is made of what they say of its reports.
    of_reports = [row for row in words if row["report"].startswith("rpt_")]
    return [{"report": row["report"], "stand": row["stand"], "at": row["at"]} for row in of_reports] + [
        {"report": row["_id"], "flag": row["flags"][person]["why"], "at": row["flags"][person]["at"]} for row in flagged
    ]


def expire(
    city: str, before: datetime, *, keep: Collection[str], drop: Callable[[str], None], now: datetime, limit: int
) -> int:
    """Remove what was reported at `before` or earlier, with all that belongs to it, but for what belongs to an incident in
    `keep`; how many went. Of where its author stood its cluster keeps what the public saw.
    """
    over = {"city": city, "created_at": {"$lte": before}, "incident": {"$nin": sorted(keep)}}
    rows = list(reports().find(over).sort("created_at", 1).limit(limit))
    for doc in rows:
        _end(doc, drop, author=doc["author"], now=now)
    return len(rows)
