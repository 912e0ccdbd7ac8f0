"""Reads of escorts. Each is served by `_id` or an index that `documents.py` declares."""

from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from domain.escorts.documents import EscortDoc
from domain.escorts.errors import EscortNotFound

Escort = dict[str, Any]


def escorts() -> Collection[Escort]:
    """The raw collection."""
    found: Collection[Escort] = EscortDoc._get_collection()
    return found


def get(escort_id: str) -> Escort:
    """The escort as it is stored; raises EscortNotFound."""
    found = escorts().find_one({"_id": escort_id})
    if found is None:
        raise EscortNotFound("no such escort")
    return found


def own(escort_id: str, person: str) -> Escort:
    """The escort if it is this person's; raises EscortNotFound."""
    found = get(escort_id)
    if found.get("person") != person:
        raise EscortNotFound("no such escort")
    return found


def of_person(person: str, *, limit: int = 20) -> list[Escort]:
    """Somebody's escorts, newest first."""
    return list(escorts().find({"person": person}).sort("created_at", -1).limit(limit))


def due(*, now: datetime, limit: int) -> list[Escort]:
    """Escorts for which units are to be asked by now: {_id, due_at}."""
    return list(escorts().find({"due_at": {"$lte": now}}, {"due_at": 1}).sort("due_at", 1).limit(limit))
