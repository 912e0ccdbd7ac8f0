"""Reads of journeys. Each is served by `_id` or an index that `documents.py` declares."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from domain.errors import Gone
from domain.ids import token_hash
from domain.journeys import rules
from domain.journeys.documents import JourneyDoc
from domain.journeys.errors import JourneyNotFound
from domain.journeys.states import GOING_ON
from domain.owned import Owned

Journey = dict[str, Any]


_owned = Owned(JourneyDoc, JourneyNotFound, "no such journey")
journeys, get, own = _owned.collection, _owned.get, _owned.own


def of_person(person: str, *, after: tuple[datetime, str] | None = None, limit: int = 20) -> list[Journey]:
    """Somebody's journeys, newest first. `after` is (started_at, id) of the last one seen."""
    condition: dict[str, Any] = {"person": person}
    if after is not None:
        condition["started_at"] = {"$lte": after[0]}
    rows = sorted(
        journeys().find(condition).sort("started_at", -1).limit(limit + 20),
        key=lambda row: (row["started_at"], row["_id"]),
        reverse=True,
    )
    return [row for row in rows if after is None or (row["started_at"], row["_id"]) < after][:limit]


def going_on(person: str, *, limit: int = 50) -> list[Journey]:
    """Somebody's journeys that go on, of the newest."""
    rows: Sequence[Journey] = list(journeys().find({"person": person}).sort("started_at", -1).limit(limit))
    return [row for row in rows if row["status"] in GOING_ON]


def started(person: str, since: datetime) -> Iterator[Journey]:
    """Somebody's journeys that were started at or after a time, newest first."""
    return iter(journeys().find({"person": person, "started_at": {"$gte": since}}).sort("started_at", -1))


def due(*, now: datetime, limit: int) -> list[Journey]:
    """Journeys whose earliest timer has run out: {_id, due_at}."""
    rows = journeys().find({"due_at": {"$lte": now}}, {"due_at": 1}).sort("due_at", 1).limit(limit)
    return list(rows)


def by_link(token: str, *, now: datetime) -> tuple[Journey, dict[str, Any]] | None:
    """(journey, link) behind a live page's token, None for one that is no journey's. Raises Gone for one that is over."""
    hashed = token_hash(token)
    doc = journeys().find_one({"links.h": hashed})
    if doc is None:
        return None
    link = next(each for each in doc["links"] if each["h"] == hashed)
    if link.get("revoked") or rules.page_until(doc) <= now:
        raise Gone("the link is over", code="link_over")
    return doc, link
