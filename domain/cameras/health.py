"""Keeping each camera's health: one record a camera, changed by samples alone, read by looks, maps and notices."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain.cameras import health_rules, queries
from domain.cameras.health_rules import Sample
from domain.cameras.queries import Camera, cameras, healths
from domain.cameras.states import HealthState

_TRIES: Final = 4
_SHOWN: Final = ("state", "reasons", "since", "at")


def note(camera: Camera, sample: Sample, *, by: str, **facts: Any) -> Mapping[str, Any]:
    """Take a sample; returns the record as it is now. `facts` beside it: kept_from, kept_until, clock_offset_s.

    A sample older than the last one changes nothing. The camera's own `health` follows what is shown.
    """
    camera_id = camera["_id"]
    for _ in range(_TRIES):
        record = healths().find_one({"_id": camera_id})
        if record is not None and record.get("at") and record["at"] > sample.at:
            return record
        found = health_rules.after(record or {}, sample) | facts | {"by": by, "city": camera["city"]}
        try:
            done = healths().update_one(
                {"_id": camera_id, "version": record["version"] if record else {"$exists": False}},
                {"$set": found, "$inc": {"version": 1}},
                upsert=record is None,
            )
        except DuplicateKeyError:
            continue  # somebody else took the first one
        if done.matched_count or done.upserted_id is not None:
            _show(camera_id, found, record or {})
            return found
    return healths().find_one({"_id": camera_id}) or {}


def _show(camera_id: str, found: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """The camera says it too; its version grows when what is shown changes, not with every sample."""
    changed = found["state"] != before.get("state") or found["reasons"] != before.get("reasons")
    cameras().update_one(
        {"_id": camera_id, "$or": [{"health.at": None}, {"health.at": {"$lte": found["at"]}}]},
        {"$set": {"health": {name: found[name] for name in _SHOWN}}, **({"$inc": {"version": 1}} if changed else {})},
    )


def kept(camera_id: str, until: datetime | None) -> None:
    """A connection was lost: its pictures are on disk until then. Nothing is said of its health yet."""
    if until is not None:
        healths().update_one({"_id": camera_id}, {"$max": {"kept_until": until}})


def confirm_scene(camera_id: str) -> bool:
    """Somebody says that the camera may look where it looks: it is learned anew. False when nothing was known."""
    done = healths().update_one({"_id": camera_id}, {"$set": {"scenes": {}, "turning": None}, "$inc": {"version": 1}})
    return bool(done.matched_count)


def forget(camera_ids: Iterable[str]) -> int:
    """Remove the records of cameras that are no longer sampled: what nobody looks at has no health."""
    gone = list(camera_ids)
    if not gone:
        return 0
    cameras().update_many(
        {"_id": {"$in": gone}}, {"$set": {"health": {"state": str(HealthState.UNKNOWN), "reasons": []}}}
    )
    return int(healths().delete_many({"_id": {"$in": gone}}).deleted_count)


def due(listed: Iterable[Camera], now: datetime, every: timedelta) -> list[Camera]:
    """Those of these cameras that have not been sampled for so long, the longest ago first."""
    rows = {each["_id"]: each for each in listed}
    never = now - timedelta(days=3650)
    at: dict[str, datetime] = {row["_id"]: row.get("at") or never for row in queries.health_of_all(rows)}
    waiting = [each for each in rows if now - at.get(each, never) >= every]
    return [rows[each] for each in sorted(waiting, key=lambda each: (at.get(each, never), each))]
