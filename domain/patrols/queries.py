"""Reads of beats and patrols. Each is served by `_id` or an index that `documents.py` declares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pymongo.collection import Collection

from domain import changes
from domain.patrols.documents import BeatDoc, PatrolDoc
from domain.patrols.errors import BeatNotFound, PatrolNotFound
from domain.patrols.rules import LONGEST
from domain.patrols.states import PatrolStatus

Beat = dict[str, Any]
Patrol = dict[str, Any]

MOST_IN_A_SPAN: Final = 600
"""Patrols of a group that are looked at for what is covered."""


def beats() -> Collection[Beat]:
    """The raw collection of beats."""
    found: Collection[Beat] = BeatDoc._get_collection()
    return found


def patrols() -> Collection[Patrol]:
    """The raw collection of patrols."""
    found: Collection[Patrol] = PatrolDoc._get_collection()
    return found


def beat(beat_id: str) -> Beat:
    """The beat as it is stored; raises BeatNotFound."""
    found = beats().find_one({"_id": beat_id})
    if found is None:
        raise BeatNotFound("no such beat")
    return found


def beats_of(group: str, *, after: str = "", limit: int = 100) -> list[Beat]:
    """A group's beats that are walked, by id."""
    wanted = {"group": group, "_id": {"$gt": after}, "retired_at": {"$exists": False}}
    return list(beats().find(wanted).sort("_id", 1).limit(limit))


def some_beats(ids: Sequence[str]) -> dict[str, Beat]:
    """These beats, those that exist, by id."""
    return {row["_id"]: row for row in beats().find({"_id": {"$in": list(ids)}})}


def get(patrol_id: str) -> Patrol:
    """The patrol as it is stored; raises PatrolNotFound."""
    found = patrols().find_one({"_id": patrol_id})
    if found is None:
        raise PatrolNotFound("no such patrol")
    return found


def of_group(
    group: str, *, since: datetime, until: datetime, after: tuple[datetime, str] | None = None, limit: int
) -> list[Patrol]:
    """A group's patrols that begin in a span, the earliest first; `after` is (starts_at, id) of the last one seen."""
    wanted = {"group": group, "starts_at": {"$gte": max(since, after[0]) if after else since, "$lt": until}}
    return _behind(wanted, after, limit)


def of_person(person: str, *, since: datetime, after: tuple[datetime, str] | None = None, limit: int) -> list[Patrol]:
    """The patrols from a time on for which somebody signed up, the earliest first."""
    wanted = {"people": person, "starts_at": {"$gte": max(since, after[0]) if after else since}}
    return _behind(wanted, after, limit)


def _behind(wanted: dict[str, Any], after: tuple[datetime, str] | None, limit: int) -> list[Patrol]:
    rows = patrols().find(wanted).sort("starts_at", 1).limit(limit + 50)  # as many may begin at once
    ordered = sorted(rows, key=lambda row: (row["starts_at"], row["_id"]))
    return [row for row in ordered if after is None or (row["starts_at"], row["_id"]) > after][:limit]


def ahead_of(group: str, *, now: datetime, limit: int) -> int:
    """How many patrols of a group are still to come."""
    return patrols().count_documents({"group": group, "starts_at": {"$gt": now}}, limit=limit)


def ahead(group: str, *, now: datetime) -> list[Patrol]:
    """The patrols of a group that go on or are still to come."""
    wanted = {"group": group, "starts_at": {"$gt": now - LONGEST}, "ends_at": {"$gt": now}}
    return [row for row in patrols().find(wanted) if row["status"] == PatrolStatus.PLANNED]


def walked(group: str, since: datetime, until: datetime) -> list[Patrol]:
    """The patrols of a group in a span that were not cancelled."""
    rows = patrols().find({"group": group, "starts_at": {"$gte": since, "$lt": until}}).limit(MOST_IN_A_SPAN)
    return [row for row in rows if row["status"] != PatrolStatus.CANCELLED]


def due(*, now: datetime, limit: int) -> list[Patrol]:
    """Patrols whose earliest timer has run out: {_id, due_at}."""
    rows = patrols().find({"due_at": {"$lte": now}}, {"due_at": 1}).sort("due_at", 1).limit(limit)
    return list(rows)


def changed(
    groups: Sequence[str], since: datetime, *, after: tuple[datetime, str] | None = None, limit: int
) -> list[Patrol]:
    """The patrols of these groups that changed since a time, or after a change (time, id), the oldest change first."""
    return changes.oldest(patrols(), {"group": {"$in": list(groups)}}, since, after, limit=limit)


def held(group: str, since: datetime, until: datetime, *, behind: str = "", limit: int) -> list[Patrol]:
    """The patrols of a group that changed in a time, by id, behind one of them: what it has for whoever joins it."""
    return changes.by_id(patrols(), {"group": group}, since, until, behind, limit=limit)
