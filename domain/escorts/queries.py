"""Reads of escorts. Each is served by `_id` or an index that `documents.py` declares."""

from datetime import datetime
from typing import Any

from domain.escorts.documents import EscortDoc
from domain.escorts.errors import EscortNotFound
from domain.owned import Owned

Escort = dict[str, Any]


_owned = Owned(EscortDoc, EscortNotFound, "no such escort")
escorts, get, own = _owned.collection, _owned.get, _owned.own


def of_person(person: str, *, limit: int = 20) -> list[Escort]:
    """Somebody's escorts, newest first."""
    return list(escorts().find({"person": person}).sort("created_at", -1).limit(limit))


def due(*, now: datetime, limit: int) -> list[Escort]:
    """Escorts for which units are to be asked by now: {_id, due_at}."""
    return list(escorts().find({"due_at": {"$lte": now}}, {"due_at": 1}).sort("due_at", 1).limit(limit))
