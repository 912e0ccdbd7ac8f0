"""Reads of place audits. Each is served by `_id` or an index that `documents.py` declares."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import h3
from pymongo.collection import Collection

from domain.cameras.queries import observations
from domain.owned import Owned
from domain.place_audits import rules
from domain.place_audits.documents import PlaceAuditDoc, PlaceCellDoc
from domain.place_audits.errors import PlaceAuditNotFound

Audit = dict[str, Any]

MOST_OBSERVATIONS = 20_000


_owned = Owned(PlaceAuditDoc, PlaceAuditNotFound, "no such audit")
audits, get, own = _owned.collection, _owned.get, _owned.own


def place_cells() -> Collection[dict[str, Any]]:
    """The raw collection of figures."""
    found: Collection[dict[str, Any]] = PlaceCellDoc._get_collection()
    return found


def of_person(person: str, *, limit: int = 50) -> list[Audit]:
    """Somebody's audits, newest first."""
    return list(audits().find({"person": person}).sort("created_at", -1).limit(limit))


def told(city: str, hour: int, *, year: int, r7: str | None = None) -> list[dict[str, Any]]:
    """What may be told of the cells of a city at an hour of the day, of this year and the last, by cell.

    Each {cell, hour, n, ratings, score}; cells of which nothing may be told are left out.
    """
    condition: dict[str, Any] = {"city": city, "hour": hour}
    if r7 is not None:
        condition["r7"] = r7
    by_cell: dict[str, dict[int, Mapping[str, Any]]] = defaultdict(dict)
    for row in place_cells().find(condition, {"waiting": 0, "counted": 0}):
        if row["year"] in (year, year - 1):
            by_cell[row["cell"]][row["year"]] = row
    return [
        {"cell": cell, "hour": hour, **figures}
        for cell, years in sorted(by_cell.items())
        if (figures := rules.told(years))
    ]


def outline(cell: str) -> list[list[float]]:
    """The edge of a cell as GeoJSON writes a ring: [lon, lat], the first point again at the end."""
    ring = [[round(lon, 6), round(lat, 6)] for lat, lon in h3.cell_to_boundary(cell)]
    return [*ring, ring[0]]


def dark(city: str, hour: int, zone: Any, *, since: datetime) -> list[dict[str, Any]]:
    """Where cameras found the street dark at an hour of the day: {cell, cameras, looks, dark}, of the newest looks.

    Cameras are no persons: there is nobody to hide here.
    """
    fields = {"cells.r9": 1, "camera": 1, "at": 1, "seen.health.dark": 1}
    rows = observations().find({"city": city, "created_at": {"$gte": since}}, fields)
    found: dict[str, dict[str, Any]] = {}
    for row in rows.sort("created_at", -1).limit(MOST_OBSERVATIONS):
        cell, health = (row.get("cells") or {}).get("r9"), (row.get("seen") or {}).get("health") or {}
        if cell is None or "dark" not in health or row["at"].astimezone(zone).hour != hour:
            continue
        here = found.setdefault(cell, {"cell": cell, "cameras": set(), "looks": 0, "dark": 0})
        here["cameras"].add(row["camera"])
        here["looks"] += 1
        here["dark"] += bool(health["dark"])
    return [{**each, "cameras": len(each["cameras"])} for _, each in sorted(found.items()) if each["dark"]]
