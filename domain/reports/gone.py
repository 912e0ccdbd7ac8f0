"""Reports that are no longer kept: what tells phones that have them to forget them (`domain/sync.py`), and nothing else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from domain import changes
from domain.reports.documents import GoneReportDoc
from domain.reports.queries import Report

Gone = dict[str, Any]


def gone() -> Collection[Gone]:
    """The raw collection."""
    found: Collection[Gone] = GoneReportDoc._get_collection()
    return found


def leave(doc: Report, *, author: str, now: datetime) -> None:
    """Say that a report goes, before it does; to its author's phones too, but where they were erased (""). Again is
    harmless: what died in between says it anew.
    """
    said = {"city": doc["city"], "groups": doc["groups"], "changed_at": now} | ({"author": author} if author else {})
    if doc["groups"] or author:
        gone().update_one({"_id": doc["_id"]}, {"$set": said}, upsert=True)


def forget(person: str) -> None:
    """Somebody asked to be forgotten: whose the reports were is not kept."""
    gone().update_many({"author": person}, {"$unset": {"author": ""}})


def since(
    person: str, groups: Sequence[str], since: datetime, *, after: tuple[datetime, str] | None = None, limit: int
) -> list[Gone]:
    """What went of this person's and of these groups since a time, or after a change (time, id): a sweep ends hundreds at one
    moment, and none of them is left out. `limit` of each, the oldest.
    """
    rows = changes.oldest(gone(), {"author": person}, since, after, limit=limit)
    if groups:
        rows += changes.oldest(gone(), {"groups": {"$in": list(groups)}}, since, after, limit=limit)
    return list({row["_id"]: row for row in rows}.values())
