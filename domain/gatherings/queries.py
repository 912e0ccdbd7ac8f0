"""Reads of gatherings and calendars. Each is served by `_id` or an index that `documents.py` declares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from domain import changes
from domain.gatherings.documents import CalendarDoc, GatheringDoc
from domain.gatherings.errors import GatheringNotFound

Gathering = dict[str, Any]


def gatherings() -> Collection[Gathering]:
    """The raw collection."""
    found: Collection[Gathering] = GatheringDoc._get_collection()
    return found


def calendars() -> Collection[dict[str, Any]]:
    """The raw collection of calendar links."""
    found: Collection[dict[str, Any]] = CalendarDoc._get_collection()
    return found


def get(gathering_id: str) -> Gathering:
    """The gathering as it is stored; raises GatheringNotFound."""
    found = gatherings().find_one({"_id": gathering_id})
    if found is None:
        raise GatheringNotFound("no such gathering")
    return found


def of_groups(
    groups: Sequence[str], *, since: datetime, after: tuple[datetime, str] | None = None, limit: int
) -> list[Gathering]:
    """What these groups hold from a time on, the earliest first; `after` is (starts_at, id) of the last one seen."""
    wanted = {"group": {"$in": list(groups)}, "starts_at": {"$gte": max(since, after[0]) if after else since}}
    return _behind(wanted, after, limit)


def of_person(
    person: str, *, since: datetime, after: tuple[datetime, str] | None = None, limit: int
) -> list[Gathering]:
    """What somebody answered to from a time on, the earliest first."""
    wanted = {"people": person, "starts_at": {"$gte": max(since, after[0]) if after else since}}
    return _behind(wanted, after, limit)


def _behind(wanted: dict[str, Any], after: tuple[datetime, str] | None, limit: int) -> list[Gathering]:
    rows = gatherings().find(wanted).sort("starts_at", 1).limit(limit + 50)  # as many may begin at once
    ordered = sorted(rows, key=lambda row: (row["starts_at"], row["_id"]))
    return [row for row in ordered if after is None or (row["starts_at"], row["_id"]) > after][:limit]


def ahead_of(group: str, *, now: datetime, limit: int) -> int:
    """How many gatherings of a group are still to come."""
    return gatherings().count_documents({"group": group, "starts_at": {"$gt": now}}, limit=limit)


def due(*, now: datetime, limit: int) -> list[Gathering]:
    """Gatherings whose earliest timer has run out: {_id, due_at}."""
    return list(gatherings().find({"due_at": {"$lte": now}}, {"due_at": 1}).sort("due_at", 1).limit(limit))


def changed(
    groups: Sequence[str], since: datetime, *, after: tuple[datetime, str] | None = None, limit: int
) -> list[Gathering]:
    """The gatherings of these groups that changed since a time, or after a change (time, id), the oldest change first."""
    return changes.oldest(gatherings(), {"group": {"$in": list(groups)}}, since, after, limit=limit)


def held(group: str, since: datetime, until: datetime, *, behind: str = "", limit: int) -> list[Gathering]:
    """The gatherings of a group that changed in a time, by id, behind one of them: what it has for whoever joins it."""
    return changes.by_id(gatherings(), {"group": group}, since, until, behind, limit=limit)
