"""Reads of the watchlist, of hits and of sightings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pymongo.collection import Collection

from domain import geo
from domain.watchlists.documents import HitDoc, SightingDoc, WatchlistDoc
from domain.watchlists.errors import EntryNotFound, HitNotFound
from domain.watchlists.states import EntryStatus, HitStatus

Entry = dict[str, Any]
Hit = dict[str, Any]

_ROW: Final = {"pending_events": 0, "outbox_lease": 0}


def entries() -> Collection[Entry]:
    """The raw collection of entries."""
    found: Collection[Entry] = WatchlistDoc._get_collection()
    return found


def hits() -> Collection[Hit]:
    """The raw collection of hits."""
    found: Collection[Hit] = HitDoc._get_collection()
    return found


def sightings() -> Collection[dict[str, Any]]:
    """The raw collection of sightings."""
    found: Collection[dict[str, Any]] = SightingDoc._get_collection()
    return found


def entry(entry_id: str) -> Entry:
    """One entry; raises EntryNotFound."""
    found = entries().find_one({"_id": entry_id})
    if found is None:
        raise EntryNotFound("no such entry")
    return found


def listed(
    city: str, *, agencies: Sequence[str] = (), after: str | None = None, limit: int
) -> tuple[list[Entry], str | None]:
    """A page of a city's entries by id, of these agencies where any are named, and where to go on from."""
    condition: dict[str, Any] = {"city": city}
    if agencies:
        condition["agency"] = {"$in": list(agencies)}
    if after:
        condition["_id"] = {"$gt": after}
    rows = list(entries().find(condition, {"keys": 0}).sort("_id", 1).limit(limit + 1))
    return rows[:limit], rows[limit - 1]["_id"] if len(rows) > limit else None


def looked_for(city: str, keys: Sequence[str], now: datetime) -> list[Entry]:
    """Entries in force that share a key with a reading."""
    rows = entries().find({"city": city, "keys": {"$in": list(keys)}})
    return [row for row in rows if row["status"] == EntryStatus.ACTIVE and row["expires_at"] > now]


def hit(hit_id: str) -> Hit:
    """One hit; raises HitNotFound."""
    found = hits().find_one({"_id": hit_id}, _ROW)
    if found is None:
        raise HitNotFound("no such hit")
    return found


def hits_of(city: str, status: HitStatus, *, agencies: Sequence[str] = (), limit: int) -> list[Hit]:
    """A city's hits that stand so, newest first; on the entries of these agencies where any are named."""
    condition: dict[str, Any] = {"city": city, "status": str(status)}
    if agencies:
        mine = entries().find({"city": city, "agency": {"$in": list(agencies)}}, {"_id": 1})
        condition["entry"] = {"$in": [row["_id"] for row in mine]}
    return list(hits().find(condition, _ROW).sort("at", -1).limit(limit))


def hits_on(entry_id: str, *, since: datetime) -> list[Hit]:
    """The hits on an entry since then, newest first."""
    return list(hits().find({"entry": entry_id, "at": {"$gte": since}}, _ROW).sort("at", -1).limit(50))


def seen(
    city: str,
    alike: Sequence[str],
    exact: Sequence[str],
    *,
    place: tuple[float, float],
    radius_m: float,
    since: datetime,
    until: datetime,
    limit: int,
) -> list[dict[str, Any]]:
    """Where an unlisted plate was read around a place, newest first: [{camera, position, at, exact}].

    `alike`, `exact`: its hashes (`DayKeys.span`). `exact` is False where only what looks alike was the same.
    """
    condition = {"city": city, "alike": {"$in": list(alike)}, "at": {"$gte": since, "$lte": until}}
    found = []
    for row in sightings().find(condition).sort("at", -1):
        here = row["position"]
        if geo.distance_m(*place, here["lat"], here["lon"]) <= radius_m:
            found.append({"camera": row["camera"], "position": here, "at": row["at"], "exact": row["exact"] in exact})
            if len(found) == limit:
                break
    return found
