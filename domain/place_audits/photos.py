"""The photograph of a place: as it came, for whoever took it; as a copy without faces, for those who plan the city."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain.cities import queries as cities
from domain.evidence.ports import EvidenceStore
from domain.evidence.retention import is_held
from domain.place_audits import queries, rules
from domain.place_audits.errors import NotAPicture, PhotoNotShown
from domain.place_audits.queries import Audit, audits, get

Drop = Callable[[str], None]
"""Takes bytes away by their SHA-256."""


def add(audit: Audit, data: bytes, store: EvidenceStore, drop: Drop, *, now: datetime) -> Audit:
    """Keep a picture of the place, decoded and written anew: no position and no camera in it. Raises NotAPicture. What it
    replaces is gone, with its copy.
    """
    kept = store.keep_clean(data)
    if kept is None:
        raise NotAPicture("no picture that can be shown", errors={"photo": ["A JPEG, PNG or WebP picture."]})
    photo: dict[str, Any] = {"sha256": kept[0].sha256, "size": kept[0].size, "type": kept[1]}
    before = audits().find_one_and_update(
        {"_id": audit["_id"]},
        {
            "$set": {"photo": photo, "photo_due": now},
            "$unset": {"photo_shown": "", "shown_at": "", "photo_tries": "", "photo_unreadable": ""},
            "$inc": {"version": 1},
        },
    )
    drop_of(before or {}, drop, but=photo["sha256"])
    return get(audit["_id"])


def drop_of(audit: Audit, drop: Drop, *, but: str = "") -> None:
    """Take away the bytes of an audit that is gone, or has another picture."""
    if copy := audit.get("photo_shown"):
        drop(copy)
    name = (audit.get("photo") or {}).get("sha256")
    if name and name != but and not is_held(name):
        drop(name)


def wanting(audit_id: str) -> Audit | None:
    """The audit, if a copy of its picture is to be made."""
    held = audits().find_one({"_id": audit_id})
    return held if held and held.get("photo") and held.get("photo_due") else None


def due(*, now: datetime, limit: int) -> list[Audit]:
    """Audits of whose picture a copy is due: {_id, photo, photo_due, photo_tries}."""
    wanted = {"photo": 1, "photo_due": 1, "photo_tries": 1}
    return list(audits().find({"photo_due": {"$lte": now}}, wanted).sort("photo_due", 1).limit(limit))


def put_off(audit_id: str, at: datetime, *, until: datetime) -> bool:
    """It is asked for now, and again then if nothing came of it. False where another was quicker."""
    done = audits().update_one(
        {"_id": audit_id, "photo_due": at}, {"$set": {"photo_due": until}, "$inc": {"photo_tries": 1}}
    )
    return done.modified_count == 1


def excuse(audit_id: str) -> None:
    """A try that failed by no fault of the picture does not count."""
    audits().update_one({"_id": audit_id, "photo_tries": {"$gt": 0}}, {"$inc": {"photo_tries": -1}})


def show(audit_id: str, name: str, copy: str, *, now: datetime) -> bool:
    """The copy of this very picture is there. False where it was replaced, forgotten, or has one already."""
    done = audits().update_one(
        {"_id": audit_id, "photo.sha256": name, "photo_due": {"$exists": True}},
        {"$set": {"photo_shown": copy, "shown_at": now}, "$unset": {"photo_due": "", "photo_tries": ""}},
    )
    return done.modified_count == 1


def unreadable(audit_id: str, name: str, reason: str) -> None:
    """No copy can be made of this picture: nobody else sees it. Of one that has a copy nothing changes."""
    audits().update_one(
        {"_id": audit_id, "photo.sha256": name, "photo_due": {"$exists": True}},
        {"$set": {"photo_unreadable": reason}, "$unset": {"photo_due": "", "photo_tries": ""}},
    )


def listed(city: str, *, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Pictures of places that others may see, newest first: {id, cell, hour, shown_at}; only of cells and hours of which
    something may be told at all, so that a picture is never one person's word on a place.
    """
    year, _ = rules.hour_of(now, cities.current(city).zone)
    told = {hour: {row["cell"] for row in queries.told(city, hour, year=year)} for hour in range(24)}
    rows = audits().find({"city": city, "shown_at": {"$lte": now}}).sort("shown_at", -1)
    found = [
        {"id": row["_id"], **{name: row[name] for name in ("cell", "hour", "shown_at")}}
        for row in rows.limit(5 * limit)
        if row["cell"] in told[row["hour"]]
    ]
    return found[:limit]


def to_show(audit_id: str, *, now: datetime) -> Audit:
    """The audit whose picture others may see. Raises PhotoNotShown for any other."""
    held = audits().find_one({"_id": audit_id})
    if held is None or not held.get("photo_shown"):
        raise PhotoNotShown("no picture that is shown")
    year, _ = rules.hour_of(now, cities.current(held["city"]).zone)
    if held["cell"] not in {row["cell"] for row in queries.told(held["city"], held["hour"], year=year)}:
        raise PhotoNotShown("no picture that is shown")
    return held
