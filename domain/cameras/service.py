"""Registering cameras, asking them about an incident, and taking what they saw."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain import geo
from domain.cameras import rules
from domain.cameras.documents import CameraDoc, LookDoc, ObservationDoc
from domain.cameras.errors import CameraNotFound, SourceNotAllowed
from domain.cameras.states import ANSWERED, LookState, View
from domain.cities.camera_sources import is_allowed
from domain.cities.config import CityConfig
from domain.incidents import service as incidents
from domain.incidents.draft import Draft

Camera = dict[str, Any]
LOOK_LEASE = timedelta(seconds=75)


def cameras() -> Collection[Camera]:
    """The raw collection of cameras."""
    found: Collection[Camera] = CameraDoc._get_collection()
    return found


def looks() -> Collection[dict[str, Any]]:
    """The raw collection of looks."""
    found: Collection[dict[str, Any]] = LookDoc._get_collection()
    return found


def observations() -> Collection[dict[str, Any]]:
    """The raw collection of observations."""
    found: Collection[dict[str, Any]] = ObservationDoc._get_collection()
    return found


def address_of(source: Mapping[str, Any]) -> str:
    """A source as the city's list compares it: its URL, or `file:` and its path."""
    return str(source["url"]) if "url" in source else f"file:{source.get('path', '')}"


def register(camera_id: str, facts: Mapping[str, Any], config: CityConfig, *, now: datetime) -> Camera:
    """Add or change a camera. Raises SourceNotAllowed for an address that the city's list does not have."""
    if not is_allowed(config, address_of(facts["source"])):
        raise SourceNotAllowed("the city does not allow this address", errors={"source": ["not on the city's list"]})
    lat, lon = facts["position"]["lat"], facts["position"]["lon"]
    found = geo.cells(lat, lon)
    written = cameras().find_one_and_update(
        {"_id": camera_id},
        {
            "$set": {
                **facts,
                "city": config.id,
                "cells": {"r5": found.r5, "r7": found.r7, "r9": found.r9},
                "updated_at": now,
            },
            "$setOnInsert": {"created_at": now},
            "$inc": {"version": 1},
        },
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert written is not None  # an upsert always returns a document
    return written


def get(camera_id: str) -> Camera:
    """One camera; raises CameraNotFound."""
    found = cameras().find_one({"_id": camera_id})
    if found is None:
        raise CameraNotFound("no such camera")
    return found


def near(city: str, lat: float, lon: float) -> list[Camera]:
    """Enabled cameras whose cells touch the search circle around a place."""
    level, cells = geo.disk(lat, lon, max(rules.SEARCH_M, 1000.0))
    return [
        row for row in cameras().find({"city": city, f"cells.r{level}": {"$in": cells}}) if row.get("enabled", True)
    ]


def ask(incident_id: str, *, now: datetime) -> list[str]:
    """Ask the cameras that may have seen an incident. Returns the looks that somebody has to do now.

    The incident first shows whom it asked; a look that another incident has asked for already is shared.
    """
    doc = incidents.get(incident_id)
    position = doc.get("position")
    if not position:
        return []
    chosen = rules.choose(
        near(doc["city"], position["lat"], position["lon"]),
        position["lat"],
        position["lon"],
        accuracy_m=position.get("accuracy_m") or 0.0,
    )
    start = rules.window_start(doc["raised_at"])

    def rule(draft: Draft) -> None:
        for each in chosen:
            camera_id = each.camera["_id"]
            if camera_id not in (draft.doc.get("cameras") or {}):
                view = View.ASKED if each.covering else View.NOT_COVERING
                draft.set(
                    f"cameras.{camera_id}",
                    {
                        "state": str(view),
                        "covering": each.covering,
                        "distance_m": round(each.distance_m),
                        "asked_at": now,
                    },
                )

    incidents.change(incident_id, rule, now=now)
    waiting = []
    for each in chosen:
        if not each.covering:
            continue
        look = _join_look(each.camera, start, incident_id, now)
        if look["state"] == LookState.DONE:
            answer(look, now=now)
        elif look["state"] == LookState.SHED:
            _show(incident_id, look["camera"], View.BUSY, None, [], now)
        else:
            waiting.append(look["_id"])
    return waiting


def _join_look(camera: Mapping[str, Any], start: datetime, incident_id: str, now: datetime) -> dict[str, Any]:
    look_id = rules.look_id(camera["_id"], start)
    fresh = {
        "city": camera["city"],
        "camera": camera["_id"],
        "start": start,
        "seconds": rules.WINDOW_S,
        "state": str(LookState.WAITING),
        "asked_at": now,
        "until": now + timedelta(seconds=2),
    }
    for _ in range(2):
        try:
            joined = looks().find_one_and_update(
                {"_id": look_id},
                {"$addToSet": {"incidents": incident_id}, "$setOnInsert": fresh},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            continue  # two upserts at once: the other one made it
        if joined is not None:
            return joined
    raise CameraNotFound("the look could not be joined")


def begin_look(look_id: str, *, now: datetime) -> dict[str, Any] | None:
    """Claim a look for a worker; None when it is done, shed, or another worker has it."""
    return looks().find_one_and_update(
        {
            "_id": look_id,
            "$or": [
                {"state": str(LookState.WAITING)},
                {"state": str(LookState.LOOKING), "until": {"$lte": now}},
            ],
        },
        {"$set": {"state": str(LookState.LOOKING), "until": now + LOOK_LEASE}},
        return_document=ReturnDocument.AFTER,
    )


def overdue_looks(*, now: datetime, limit: int = 100) -> list[str]:
    """Looks that nobody does: lost by the queue, or their worker died."""
    rows = looks().find({"until": {"$lte": now}}, {"_id": 1}).sort("until", 1).limit(limit)
    return [row["_id"] for row in rows]


def postpone(look_id: str, *, until: datetime) -> None:
    """Look at a waiting look again later: it was put on the queue once more."""
    looks().update_one({"_id": look_id, "state": str(LookState.WAITING)}, {"$set": {"until": until}})


def shed(look_id: str, *, now: datetime) -> None:
    """Give a look up because it waited too long; its incidents show `busy`."""
    given_up = looks().find_one_and_update(
        {"_id": look_id, "state": {"$in": [str(LookState.WAITING), str(LookState.LOOKING)]}},
        {"$set": {"state": str(LookState.SHED)}, "$unset": {"until": ""}},
        return_document=ReturnDocument.AFTER,
    )
    if given_up:
        for incident_id in given_up.get("incidents") or []:
            _show(incident_id, given_up["camera"], View.BUSY, None, [], now)


def shed_if_late(look_id: str, *, now: datetime) -> bool:
    """Shed a look that waited too long; True when it was shed or is over."""
    look = looks().find_one({"_id": look_id})
    if look is None or not is_too_late(look, now):
        return look is None
    shed(look_id, now=now)
    return True


def is_too_late(look: Mapping[str, Any], now: datetime) -> bool:
    """Whether a look waited so long that it is shed."""
    return bool(now - look["asked_at"] > rules.SHED_AFTER)


def observe(
    camera: Camera, start: datetime, seen: Mapping[str, Any], stills: list[str], *, by: str, now: datetime
) -> dict[str, Any]:
    """Store what a camera showed in a window, and its health; a repeat meets the first one."""
    observation = {
        "_id": rules.observation_id(camera["_id"], start),
        "city": camera["city"],
        "camera": camera["_id"],
        "position": camera["position"],
        "cells": camera["cells"],
        "at": start,
        "view": seen["verdict"],
        "findings": rules.findings_of(seen),
        "seen": dict(seen),
        "stills": stills,
        "by": by,
        "created_at": now,
    }
    try:
        observations().insert_one(observation)
    except DuplicateKeyError:
        found = observations().find_one({"_id": observation["_id"]})
        assert found is not None  # it was there a moment ago and observations are never deleted one by one
        observation = found
    health = {"state": seen["verdict"] if seen["verdict"] in {"down", "cannot_tell"} else "ok", "at": now}
    health["reason"] = (seen.get("health") or {}).get("reason") or ""
    cameras().update_one({"_id": camera["_id"]}, {"$set": {"health": health}})
    return observation


def finish_look(look_id: str, observation: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The look is done; returns it with all the incidents that wait for it."""
    done = looks().find_one_and_update(
        {"_id": look_id},
        {"$set": {"state": str(LookState.DONE), "observation": observation["_id"]}, "$unset": {"until": ""}},
        return_document=ReturnDocument.AFTER,
    )
    assert done is not None  # looks are never deleted while they are waited for
    return done


def answer(look: Mapping[str, Any], *, now: datetime) -> None:
    """Show the observation on every incident that asked for this look."""
    observation = observations().find_one({"_id": look["observation"]})
    if observation is None:
        return
    for incident_id in look.get("incidents") or []:
        _show(
            incident_id,
            look["camera"],
            View(observation["view"]),
            observation["_id"],
            observation["findings"],
            now,
        )


def _show(
    incident_id: str,
    camera_id: str,
    view: View,
    observation_id: str | None,
    findings: list[dict[str, Any]],
    now: datetime,
) -> None:
    def rule(draft: Draft) -> None:
        held = (draft.doc.get("cameras") or {}).get(camera_id)
        if held is None or held["state"] in ANSWERED:
            return
        shown = rules.view_of(str(view), covering=held["covering"]) if view != View.BUSY else view
        draft.set(f"cameras.{camera_id}.state", str(shown))
        draft.set(f"cameras.{camera_id}.findings", findings)
        draft.set(f"cameras.{camera_id}.answered_at", now)
        if observation_id:
            draft.set(f"cameras.{camera_id}.observation", observation_id)
        draft.entry("camera", camera=camera_id, view=str(shown), findings=[each["kind"] for each in findings])
        if observation_id:
            draft.event("camera.answered", camera=camera_id, observation=observation_id)

    incidents.change(incident_id, rule, now=now)
