"""Reads of watch groups' alerts. Each is served by `_id` or an index that `documents.py` declares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import shapely
from pymongo.collection import Collection
from shapely.geometry import shape

from domain import changes, geo
from domain.alerts import area as areas
from domain.watch.queries import Group, groups
from domain.watch.states import GroupStatus
from domain.watch_alerts.documents import WatchAlertDoc
from domain.watch_alerts.errors import WatchAlertNotFound

WatchAlert = dict[str, Any]

_CORNERS = 24


def watch_alerts() -> Collection[WatchAlert]:
    """The raw collection."""
    found: Collection[WatchAlert] = WatchAlertDoc._get_collection()
    return found


def get(alert_id: str) -> WatchAlert:
    """The alert as it is stored; raises WatchAlertNotFound."""
    found = watch_alerts().find_one({"_id": alert_id})
    if found is None:
        raise WatchAlertNotFound("no such alert")
    return found


def of_groups(group_ids: Sequence[str], *, before: datetime | None, limit: int) -> list[WatchAlert]:
    """What was told to any of these groups, newest first; one more than `limit` where there are."""
    wanted: dict[str, Any] = {"groups": {"$in": list(group_ids)}}
    wanted["issued_at"] = {"$lt": before} if before else {"$exists": True}
    return list(watch_alerts().find(wanted).sort("issued_at", -1).limit(limit + 1))


def of_campaign(campaign: str) -> list[WatchAlert]:
    """The alerts of one campaign, oldest first."""
    return sorted(watch_alerts().find({"campaign": campaign}), key=lambda row: (row["issued_at"], row["_id"]))


def circle(lat: float, lon: float, radius_m: float) -> dict[str, Any]:
    """A circle as a GeoJSON polygon of 24 corners around it (none of the circle is left out)."""
    out = radius_m / 0.99  # the middle of a side of 24 is at cos(180°/24) = 0.991 of the corner's distance
    corners = [geo.destination(lat, lon, 360.0 * number / _CORNERS, out) for number in range(_CORNERS)]
    ring = [[each_lon, each_lat] for each_lat, each_lon in [*corners, corners[0]]]
    return {"type": "Polygon", "coordinates": [ring]}


def touched(city: str, lat: float, lon: float, radius_m: float, *, limit: int) -> list[Group]:
    """Active groups of a city whose area a circle touches, by id."""
    polygon = circle(lat, lon, radius_m)
    wanted = {"city": city, "cells": {"$in": areas.cells(polygon)}, "status": str(GroupStatus.ACTIVE)}
    around = shape(polygon)
    rows = groups().find(wanted).sort("_id", 1)
    return [row for row in rows if shapely.intersects(shape(row["area"]), around)][:limit]


def changed(
    groups: Sequence[str], since: datetime, *, after: tuple[datetime, str] | None = None, limit: int
) -> list[WatchAlert]:
    """The alerts of these groups that changed since a time, or after a change (time, id), the oldest change first."""
    return changes.oldest(watch_alerts(), {"groups": {"$in": list(groups)}}, since, after, limit=limit)


def held(group: str, since: datetime, until: datetime, *, behind: str = "", limit: int) -> list[WatchAlert]:
    """The alerts of a group that changed in a time, by id, behind one of them: what it has for whoever joins it."""
    return changes.by_id(watch_alerts(), {"groups": group}, since, until, behind, limit=limit)
