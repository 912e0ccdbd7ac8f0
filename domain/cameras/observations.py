"""Taking what a camera showed, from a look of ours or from its gateway, and the camera's health with it.

An observation is stored with its event `observation.made` in the same write, so whatever dies, the incidents that
asked are told and the links are made.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain import geo, outbox
from domain.cameras import rules
from domain.cameras.errors import CameraChanged, ObservationNotFound
from domain.cameras.queries import Camera, Look, Observation, cameras, looks, observation, observations
from domain.cameras.states import SourceKind, View
from domain.cities.config import CityConfig, Kept
from domain.ids import derived_id
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.errors import IncidentNotFound

FORGET_LOOKS: Final = timedelta(days=1)
_BATCH: Final = 200


def of_look(
    camera: Camera, look: Look, seen: Mapping[str, Any], stills: Sequence[str], *, at: datetime, now: datetime
) -> Observation:
    """Store what a look saw; a look that is done again meets the first one's observation. `at`: when it began."""
    stored, _ = _store(
        camera,
        rules.observation_id(camera["_id"], look["start"]),
        seen,
        stills,
        at=at,
        by="look",
        fingerprint="",
        now=now,
        look=look["_id"],
    )
    return stored


def gateways_id(camera: Camera, key: str) -> str:
    """The id of the observation that a gateway's request with this key makes."""
    return derived_id("obs", camera["_id"], "gateway", key)


def of_gateway(
    camera: Camera, key: str, fingerprint: str, seen: Mapping[str, Any], *, at: datetime, now: datetime
) -> tuple[Observation, bool]:
    """(observation, whether it is new): what a gateway posted. Raises CameraChanged for a known key with another body."""
    observation_id = gateways_id(camera, key)
    stored, created = _store(camera, observation_id, seen, [], at=at, by="gateway", fingerprint=fingerprint, now=now)
    if not created and stored.get("fingerprint") != fingerprint:
        raise CameraChanged("the key was used for another observation", code="idempotency_conflict")
    return stored, created


def _store(
    camera: Camera,
    observation_id: str,
    seen: Mapping[str, Any],
    stills: Sequence[str],
    *,
    at: datetime,
    by: str,
    fingerprint: str,
    now: datetime,
    **ids: str,
) -> tuple[Observation, bool]:
    made = outbox.event("observation.made", observation_id, version=1, now=now, city=camera["city"], **ids)
    doc = {
        "_id": observation_id,
        "city": camera["city"],
        "camera": camera["_id"],
        "position": camera["position"],
        "cells": camera["cells"],
        "at": at,
        "view": str(View(seen["verdict"])),
        "findings": rules.findings_of(seen),
        "seen": dict(seen),
        "stills": list(stills),
        "by": by,
        "fingerprint": fingerprint,
        "created_at": now,
        **outbox.fields([made], now),
    }
    try:
        observations().insert_one(doc)
    except DuplicateKeyError:
        return observation(observation_id), False
    note_health(camera, seen, at)
    return doc, True


def note_health(camera: Camera, seen: Mapping[str, Any], at: datetime) -> None:
    """Keep the camera's health, unless something newer is known or this says nothing of the camera."""
    health = rules.health_of(seen, camera.get("health"), at)
    if health is not None:
        cameras().update_one(
            {"_id": camera["_id"], "$or": [{"health.at": None}, {"health.at": {"$lte": at}}]},
            {"$set": {"health": health}, "$inc": {"version": 1}},
        )


def show(incident_id: str, camera_id: str, view: View, found: Observation | None, *, now: datetime) -> None:
    """Put a camera's answer on an incident that asked it: one conditional write; again is harmless."""
    findings = found["findings"] if found else []

    def rule(draft: Draft) -> None:
        held = (draft.doc.get("cameras") or {}).get(camera_id)
        if not rules.may_show(held, view):
            return
        here = f"cameras.{camera_id}"
        draft.set(f"{here}.state", str(view))
        draft.set(f"{here}.findings", findings)
        draft.set(f"{here}.answered_at", now)
        if found:
            draft.set(f"{here}.observation", found["_id"])
            draft.set(f"{here}.seen_at", found["at"])
            draft.set(f"{here}.stills", len(found["stills"]))
        draft.entry("camera", camera=camera_id, view=str(view), findings=[each["kind"] for each in findings])

    with suppress(IncidentNotFound):  # its time to be kept was over: nobody is left to be told
        incidents.change(incident_id, rule, now=now)


def kept(observation_id: str) -> Observation | None:
    """The observation, unless its time to be kept is over."""
    with suppress(ObservationNotFound):
        return observation(observation_id)
    return None


def tell(found: Observation, incident_ids: Sequence[str], *, now: datetime) -> None:
    """Show an observation on these incidents, as far as they asked its camera."""
    for incident_id in incident_ids:
        show(incident_id, found["camera"], View(found["view"]), found, now=now)


def tell_askers(found: Observation, *, now: datetime) -> None:
    """Show a gateway's word on the incidents near by that asked its camera within the minute."""
    span = {"$gte": found["at"] - rules.GATEWAY_WITHIN, "$lte": found["at"] + rules.GATEWAY_WITHIN}
    here = found["position"]
    cells = geo.disk(here["lat"], here["lon"], 2 * rules.SEARCH_M).cells  # so wide that they are of resolution 7
    rows = incidents.incidents().find(
        {"city": found["city"], "cells.r7": {"$in": cells}, "raised_at": span},
        {f"cameras.{found['camera']}": 1},
    )
    tell(found, [row["_id"] for row in rows if (row.get("cameras") or {}).get(found["camera"])], now=now)


def is_gateways(source: Mapping[str, Any] | None) -> bool:
    """Whether the camera is known to us through its gateway's words alone."""
    return (source or {}).get("kind") == SourceKind.GATEWAY


def expire(config: CityConfig, drop: Callable[[str], None], *, now: datetime, keep: Collection[str] = ()) -> list[str]:
    """Remove observations that are older than the city keeps them, and their stills. Returns the ids, a batch at most.

    `drop` takes a still's bytes away. A still that a younger observation shows too (the same picture) stays, and so does
    what is in `keep`.
    """
    before = now - timedelta(days=config.retention_days[Kept.OBSERVATIONS])
    over = {"city": config.id, "created_at": {"$lte": before}, "_id": {"$nin": sorted(keep)}}
    old = list(observations().find(over, {"stills": 1}).limit(_BATCH))
    ids = [row["_id"] for row in old]
    _drop_stills([name for row in old for name in row.get("stills") or []], ids, drop)
    if ids:
        observations().delete_many({"_id": {"$in": ids}})
    return ids


def forget_looks(drop: Callable[[str], None], *, now: datetime) -> int:
    """Remove looks of yesterday, and stills of theirs that no observation has (their worker died before it was stored)."""
    condition = {"asked_at": {"$lt": now - FORGET_LOOKS}}
    old = [row for row in looks().find(condition, {"stills": 1, "until": 1}).limit(_BATCH) if not row.get("until")]
    _drop_stills([name for row in old for name in row.get("stills") or []], [], drop)
    if old:
        looks().delete_many({"_id": {"$in": [row["_id"] for row in old]}})
    return len(old)


def _drop_stills(names: Sequence[str], leaving: Sequence[str], drop: Callable[[str], None]) -> None:
    """Bytes go before the documents that name them: a sweep that dies between the two finds them again."""
    going = set(leaving)
    for name in dict.fromkeys(names):
        users = observations().find({"stills": name}, {"_id": 1}).limit(len(going) + 1)
        if all(row["_id"] in going for row in users):
            drop(name)
