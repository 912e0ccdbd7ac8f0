"""Reads of cameras, looks and observations. Each is served by an index that `documents.py` declares."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from pymongo.collection import Collection

from domain import geo
from domain.cameras import rules
from domain.cameras.documents import CameraDoc, CameraHealthDoc, LookDoc, ObservationDoc
from domain.cameras.errors import CameraNotFound, ObservationNotFound
from domain.cameras.states import HealthState, LookState

Camera = dict[str, Any]
Observation = dict[str, Any]
Look = dict[str, Any]
Health = dict[str, Any]

_ROW: Final = {"seen.detections": 0, "pending_events": 0, "outbox_lease": 0}


def cameras() -> Collection[Camera]:
    """The raw collection of cameras."""
    found: Collection[Camera] = CameraDoc._get_collection()
    return found


def looks() -> Collection[Look]:
    """The raw collection of looks."""
    found: Collection[Look] = LookDoc._get_collection()
    return found


def observations() -> Collection[Observation]:
    """The raw collection of observations."""
    found: Collection[Observation] = ObservationDoc._get_collection()
    return found


def healths() -> Collection[Health]:
    """The raw collection of health records."""
    found: Collection[Health] = CameraHealthDoc._get_collection()
    return found


def health(camera_id: str) -> Health:
    """A camera's health record; empty where it was never sampled."""
    return healths().find_one({"_id": camera_id}) or {}


def health_of_all(ids: Iterable[str]) -> list[Health]:
    """The health records of these cameras, without what they look at."""
    return list(healths().find({"_id": {"$in": list(ids)}}, {"scenes": 0}))


def blind_since(before: datetime, *, limit: int) -> list[Health]:
    """Cameras that have been down or impaired since before that time, the longest first."""
    bad = [str(HealthState.DOWN), str(HealthState.IMPAIRED)]
    rows = healths().find({"state": {"$in": bad}, "since": {"$lte": before}}, {"scenes": 0})
    return sorted(rows.limit(limit), key=lambda row: row["since"])


def unwatched_since(before: datetime, *, limit: int) -> list[Health]:
    """Cameras of which the recorder and the sampler have said nothing since then."""
    return list(
        healths().find({"by": {"$in": ["recorder", "sampler"]}, "at": {"$lt": before}}, {"city": 1}).limit(limit)
    )


def in_service(city: str) -> list[Camera]:
    """All cameras of a city that may be looked at."""
    rows = cameras().find({"city": city}, {"zones": 0}).sort("_id", 1)
    return [row for row in rows if row.get("enabled", True) and not row.get("retired_at")]


def camera(camera_id: str, *, retired: bool = False) -> Camera:
    """One camera; raises CameraNotFound, for a retired one too unless they are wanted."""
    found = cameras().find_one({"_id": camera_id})
    if found is None or (found.get("retired_at") and not retired):
        raise CameraNotFound("no such camera")
    return found


def near(city: str, lat: float, lon: float) -> list[Camera]:
    """Cameras in service whose cells touch the search circle around a place."""
    cells = geo.disk(lat, lon, rules.SEARCH_M).cells  # of resolution 9: see geo.disk
    rows = cameras().find({"city": city, "cells.r9": {"$in": cells}}, {"zones": 0, "masks": 0})
    return [row for row in rows if row.get("enabled", True) and not row.get("retired_at")]


def listed(
    city: str, *, owner: str | None = None, after: str | None = None, limit: int
) -> tuple[list[Camera], str | None]:
    """A page of a city's cameras (or of one owner's there) by id, and the id to go on from when there are more."""
    condition: dict[str, Any] = {"owner": owner} if owner else {"city": city}
    if after:
        condition["_id"] = {"$gt": after}
    page: list[Camera] = []
    for row in cameras().find(condition).sort("_id", 1).batch_size(limit + 1):
        if row.get("retired_at") or row["city"] != city:
            continue
        if len(page) == limit:
            return page, page[-1]["_id"]
        page.append(row)
    return page, None


def names(ids: Iterable[str]) -> dict[str, str]:
    """The names of these cameras, retired ones too."""
    return {row["_id"]: row.get("name") or "" for row in cameras().find({"_id": {"$in": list(ids)}}, {"name": 1})}


def by_ids(ids: Iterable[str]) -> list[Camera]:
    """These cameras, retired ones too, as far as whether they are in service."""
    wanted = {"city": 1, "enabled": 1, "retired_at": 1}
    return list(cameras().find({"_id": {"$in": list(ids)}}, wanted))


def observation(observation_id: str) -> Observation:
    """One observation with its detections; raises ObservationNotFound."""
    found = observations().find_one({"_id": observation_id}, {"pending_events": 0, "outbox_lease": 0})
    if found is None:
        raise ObservationNotFound("no such observation")
    return found


def of_camera(
    camera_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> tuple[list[Observation], tuple[datetime, str] | None]:
    """A camera's observations, newest first, and where to go on from when there are more."""
    last = min(each for each in (until, after[0] if after else None) if each) if until or after else None
    span = {name: value for name, value in (("$gte", since), ("$lte", last)) if value}
    condition = {"camera": camera_id, **({"at": span} if span else {})}
    page: list[Observation] = []
    for row in observations().find(condition, _ROW).sort([("at", -1), ("_id", -1)]).batch_size(limit + 8):
        if after and (row["at"], row["_id"]) >= after:
            continue
        if len(page) == limit:
            return page, (page[-1]["at"], page[-1]["_id"])
        page.append(row)
    return page, None


def latest(camera_id: str, around: datetime) -> Observation | None:
    """The newest observation of a camera that is near enough to a tap to speak of it."""
    span = {"$gte": around - rules.GATEWAY_WITHIN, "$lte": around + rules.GATEWAY_WITHIN}
    return observations().find_one({"camera": camera_id, "at": span}, _ROW, sort=[("at", -1)])


def waiting(*, now: datetime, at_most: int) -> int:
    """How many looks wait for analytics now, counted up to `at_most`; not those whose footage is still to come."""
    return looks().count_documents({"state": str(LookState.WAITING), "ready_at": {"$lte": now}}, limit=at_most)


def overdue(*, now: datetime, limit: int = 100) -> list[Look]:
    """Looks that somebody has to see to: lost by the queue, or their worker died, or shed by one that did."""
    return list(looks().find({"until": {"$lte": now}}).sort("until", 1).limit(limit))
