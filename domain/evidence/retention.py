"""The end of what citizens uploaded: the bytes first, then the document that names them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from domain.cameras.queries import observations
from domain.evidence.service import evidence, uploads
from domain.evidence.states import UploadStatus
from domain.place_audits.queries import audits
from domain.reports.queries import reports


def expire(city: str, before: datetime, *, keep: Collection[str], drop: Callable[[str], None], limit: int) -> int:
    """Remove what came at `before` or earlier, but for incidents in `keep`. `drop` takes bytes away by their SHA-256."""
    condition = {"city": city, "at": {"$lte": before}, "incident": {"$nin": sorted(keep)}}
    return _remove(list(evidence().find(condition).limit(limit)), drop)


def forget(incident_id: str, *, drop: Callable[[str], None]) -> None:
    """Remove all that was uploaded to an incident, and the notes of how it was."""
    _remove(list(evidence().find({"incident": incident_id})), drop)
    uploads().delete_many({"incident": incident_id, "status": {"$ne": str(UploadStatus.OPEN)}})


def _remove(rows: Sequence[dict[str, Any]], drop: Callable[[str], None]) -> int:
    ids = [row["_id"] for row in rows]
    names = {row["sha256"] for row in rows} | {row["shown"]["sha256"] for row in rows if row.get("shown")}
    for name in sorted(names):
        if not is_held(name, leaving=ids):
            drop(name)
    if ids:
        evidence().delete_many({"_id": {"$in": ids}})
    return len(ids)


def drop_unheld(names: Iterable[str], drop: Callable[[str], None], *, leaving: Sequence[str] = ()) -> None:
    """Take away what belongs to nothing but the evidence that is `leaving`."""
    for name in sorted(set(names)):
        if not is_held(name, leaving=leaving):
            drop(name)


def is_held(name: str, *, leaving: Sequence[str] = ()) -> bool:
    """Whether anything but the evidence that is `leaving` has these bytes: they are stored once, whoever sent them."""
    others = {"$nin": list(leaving)}
    return bool(
        evidence().find_one({"sha256": name, "_id": others}, {"_id": 1})
        or evidence().find_one({"shown.sha256": name, "_id": others}, {"_id": 1})
        or evidence().find_one({"noted": name, "_id": others}, {"_id": 1})
        or observations().find_one({"stills": name}, {"_id": 1})
        or audits().find_one({"photo.sha256": name}, {"_id": 1})
        or reports().find_one({"photo.sha256": name}, {"_id": 1})
    )
