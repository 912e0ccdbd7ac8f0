"""Reads of clusters. Each is served by `_id` or an index that `documents.py` declares."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo.collection import Collection

from domain import geo
from domain.clusters.documents import ClusterDoc
from domain.clusters.errors import ClusterNotFound
from domain.reports import likeness

Cluster = dict[str, Any]
COMPARED: Final = 50
"""So many clusters near by are compared with what is new, the latest."""
_DEPTH: Final = 20


def clusters() -> Collection[Cluster]:
    """The raw collection."""
    found: Collection[Cluster] = ClusterDoc._get_collection()
    return found


def get(cluster_id: str) -> Cluster:
    """The cluster as it is stored; raises ClusterNotFound."""
    found = clusters().find_one({"_id": cluster_id})
    if found is None:
        raise ClusterNotFound("no such cluster")
    return found


def root(cluster_id: str) -> Cluster:
    """The cluster that this one is part of, or itself; raises ClusterNotFound."""
    found = get(cluster_id)
    for _ in range(_DEPTH):
        if not found.get("into"):
            break
        found = get(found["into"])
    return found


def whole(report: Mapping[str, Any]) -> Cluster | None:
    """The cluster that a report belongs to; None where it has none, or its cluster is no longer kept."""
    try:
        return root(report["cluster"]) if report.get("cluster") else None
    except ClusterNotFound:
        return None


def near(city: str, category: str, lat: float, lon: float, at: datetime) -> list[Cluster]:
    """Clusters that are part of no other, and may hold what is reported so."""
    kinds = likeness.alike(category)
    spread = likeness.spread(category)
    level, cells = geo.disk(lat, lon, max(spread.reach_m, 701.0))
    wanted = {
        "city": city,
        f"cells.r{level}": {"$in": cells},
        "category": {"$in": kinds},
        "at": {"$gte": at - spread.lasts, "$lte": at + spread.lasts},
        "into": None,
    }
    return list(clusters().find(wanted).sort("at", -1).limit(COMPARED))


def due(*, now: datetime, limit: int = 100) -> list[str]:
    """Ids of clusters that it is time to weigh anew."""
    rows = clusters().find({"weigh_due": {"$lte": now}}, {"_id": 1}).sort("weigh_due", 1).limit(limit)
    return [row["_id"] for row in rows]
