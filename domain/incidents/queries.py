"""Lists of incidents. Each is served by an index that `documents.py` declares, one range a status, merged here."""

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain import geo
from domain.errors import Gone, NotFound
from domain.ids import token_hash
from domain.incidents.documents import TimelineDoc
from domain.incidents.service import Incident, incidents
from domain.incidents.states import IncidentStatus

MAX_RADIUS_M: Final = 5_000.0
"""The widest search by place: some dozens of the cells that the index has."""
_R7_FROM_M: Final = 701.0
"""From this radius on a disk has cells of resolution 7, which the index has."""
_ROW: Final = {"timeline": 0, "pending_events": 0, "outbox_lease": 0, "links": 0}
GOING_ON: Final = tuple(str(each) for each in IncidentStatus if each != IncidentStatus.CLOSED)


@dataclass(frozen=True)
class Wanted:
    """Which incidents of a city. `near` is (lat, lon, radius in metres, at most MAX_RADIUS_M). Practices never."""

    city: str
    statuses: Sequence[str] = GOING_ON
    category: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    near: tuple[float, float, float] | None = None


def newest(wanted: Wanted, *, after: tuple[datetime, str] | None) -> Iterator[Incident]:
    """Newest first. `after` is (raised_at, id) of the last one seen."""
    if wanted.near:
        ranges: Iterable[Iterator[Incident]] = [_near(wanted, "raised_at", after)]
    else:
        ranges = [_rows(wanted, status, "raised_at", after) for status in wanted.statuses]
    return _merged(ranges, lambda row: (row["raised_at"], row["_id"]))


def ranked(wanted: Wanted, *, after: tuple[float, str] | None) -> Iterator[Incident]:
    """Highest rank first: severity, trust, and what nobody may overlook. `after` is (rank, id)."""
    if wanted.near:
        return _near(wanted, "rank", after)
    ranges = [_rows(wanted, status, "rank", after) for status in wanted.statuses]
    return _merged(ranges, lambda row: (row["rank"], row["_id"]))


def _merged(ranges: Iterable[Iterator[Incident]], key: Callable[[Incident], Any]) -> Iterator[Incident]:
    return heapq.merge(*ranges, key=key, reverse=True)


def _rows(wanted: Wanted, status: str, field: str, after: tuple[Any, str] | None) -> Iterator[Incident]:
    """One status, by one field falling, then id falling; rows at the cursor's own value are cut off here."""
    condition: dict[str, Any] = {"city": wanted.city, "status": status}
    span: dict[str, Any] = {}
    if field == "raised_at" and (wanted.since or wanted.until):
        span = _span(wanted)
    if after is not None:
        span["$lte"] = min(span.get("$lte", after[0]), after[0])
    if span:
        condition[field] = span
    rows = incidents().find(condition, _ROW).sort(field, -1).batch_size(100)
    ordered = _by_id_within(rows, field)
    return (row for row in ordered if _passes(row, wanted) and (after is None or (row[field], row["_id"]) < after))


def _by_id_within(rows: Iterable[Incident], field: str) -> Iterator[Incident]:
    """Rows of the same value in the order of their ids, so that a cursor never skips one."""
    for _, group in itertools.groupby(rows, key=lambda row: row[field]):
        yield from sorted(group, key=lambda row: str(row["_id"]), reverse=True)


def _near(wanted: Wanted, field: str, after: tuple[Any, str] | None) -> Iterator[Incident]:
    lat, lon, radius_m = wanted.near or (0.0, 0.0, 0.0)
    cells = geo.disk(lat, lon, max(radius_m, _R7_FROM_M)).cells
    span = _span(wanted)
    condition: dict[str, Any] = {"city": wanted.city, "cells.r7": {"$in": cells}}
    if span:
        condition["raised_at"] = span
    found = [row for row in incidents().find(condition, _ROW) if row["status"] in wanted.statuses]
    found.sort(key=lambda row: (row[field], row["_id"]), reverse=True)
    return (
        row
        for row in found
        if _passes(row, wanted)
        and geo.distance_m(lat, lon, row["position"]["lat"], row["position"]["lon"]) <= radius_m
        and (after is None or (row[field], row["_id"]) < after)
    )


def _span(wanted: Wanted) -> dict[str, Any]:
    span: dict[str, Any] = {}
    if wanted.since:
        span["$gte"] = wanted.since
    if wanted.until:
        span["$lte"] = wanted.until
    return span


def _passes(row: Mapping[str, Any], wanted: Wanted) -> bool:
    if "practice" in row["flags"] or (wanted.category and row["category"] != wanted.category):
        return False
    raised = row["raised_at"]
    return not ((wanted.since and raised < wanted.since) or (wanted.until and raised > wanted.until))


def by_link(token: str, kinds: Iterable[str], *, now: datetime) -> tuple[Incident, dict[str, Any]]:
    """(incident, link) behind a token. Raises NotFound for an unknown one, Gone for one that is over or revoked."""
    hashed = token_hash(token)
    doc = incidents().find_one({"links.h": hashed})
    link = next((each for each in doc["links"] if each["h"] == hashed and each["kind"] in kinds), None) if doc else None
    if doc is None or link is None:
        raise NotFound("no such link", code="link_unknown")
    if link.get("revoked") or link["until"] <= now:
        raise Gone("the link is over", code="link_over")
    return doc, link


def seen_by(person: str, *, since: datetime | None = None, limit: int = 50) -> list[Incident]:
    """Those of somebody's own SOS that their phone may know of, newest first."""
    found = of_person(person, since=since, limit=limit)
    return [doc for doc in found if not (doc.get("citizen") or {}).get("hidden")]


def all_seen_by(person: str, *, since: datetime) -> Iterator[Incident]:
    """Every SOS of somebody since then that their phone may know of, one at a time, newest first; without its timeline."""
    rows = incidents().find({"citizen.person": person, "raised_at": {"$gte": since}}, _ROW).sort("raised_at", -1)
    return (doc for doc in rows.batch_size(100) if not (doc.get("citizen") or {}).get("hidden"))


def ids_of_person(person: str) -> list[str]:
    """The ids of every SOS of somebody."""
    return [row["_id"] for row in incidents().find({"citizen.person": person}, {"_id": 1})]


def of_person(person: str, *, since: datetime | None = None, limit: int = 50) -> list[Incident]:
    """Somebody's own SOS, newest first, those too that a duress PIN set off elsewhere."""
    condition: dict[str, Any] = {"citizen.person": person}
    if since:
        condition["raised_at"] = {"$gte": since}
    return list(incidents().find(condition).sort("raised_at", -1).limit(limit))


def goes_on_for(person: str) -> bool:
    """Whether an SOS of this person goes on: their phone may have to stay still."""
    going_on = {"citizen.person": person, "status": {"$in": list(GOING_ON)}}
    return incidents().find_one(going_on, {"_id": 1}) is not None


def versions(ids: Sequence[str]) -> dict[str, int]:
    """The versions of these incidents."""
    return {row["_id"]: row["version"] for row in incidents().find({"_id": {"$in": list(ids)}}, {"version": 1})}


def changed(city: str, since: datetime, *, limit: int = 500) -> list[Incident]:
    """What changed in a city after a time, oldest change first."""
    condition = {"city": city, "updated_at": {"$gt": since}}
    rows = incidents().find(condition, _ROW).sort("updated_at", 1).limit(limit)
    return [row for row in rows if "practice" not in row["flags"]]


def timeline(doc: Incident, *, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Entries with a seq below `before`, newest first: from the incident itself, then from where older ones went."""
    held = [entry for entry in reversed(doc.get("timeline") or []) if before is None or entry["seq"] < before]
    if len(held) >= limit:
        return held[:limit]
    floor = held[-1]["seq"] if held else before
    condition: dict[str, Any] = {"incident": doc["_id"]}
    if floor is not None:
        condition["seq"] = {"$lt": floor}
    older = TimelineDoc._get_collection().find(condition).sort("seq", -1).limit(limit - len(held))
    return [*held, *(row["entry"] for row in older)]
