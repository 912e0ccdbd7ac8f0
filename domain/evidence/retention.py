"""The end of what citizens uploaded and of footage that was taken: claimed first, told, then bytes and key, then the
document that names them. What is interrupted is found again, and a hold that came first keeps it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from domain.cameras.queries import observations
from domain.evidence import custody
from domain.evidence.service import evidence, uploads
from domain.evidence.states import Act, Kind, UploadStatus
from domain.incidents import service as incidents
from domain.incidents.errors import IncidentNotFound
from domain.place_audits.queries import audits
from domain.reports.queries import reports
from domain.vault.service import Vault

ACTOR = "system:retention"


@dataclass(frozen=True)
class Bytes:
    """How bytes are ended: `drop` takes an object away by its SHA-256; `vault` has the keys that open originals."""

    drop: Callable[[str], None]
    vault: Vault


def expire(
    city: str, kind: Kind, before: datetime, *, keep: Collection[str], ends: Bytes, now: datetime, limit: int
) -> int:
    """Remove what came at `before` or earlier, but for incidents in `keep`; how many went."""
    of_kind: dict[str, Any] = (
        {"kind": str(Kind.FOOTAGE)} if kind is Kind.FOOTAGE else {"kind": {"$ne": str(Kind.FOOTAGE)}}
    )
    condition = {"city": city, "at": {"$lte": before}, "incident": {"$nin": sorted(keep)}, **of_kind}
    rows = list(evidence().find(condition, {"_id": 1}).sort("at", 1).limit(limit))
    return sum(_end(row["_id"], ends, now=now) for row in rows)


def forget(incident_id: str, *, ends: Bytes, now: datetime) -> None:
    """Remove all evidence of an incident whose own end was claimed, and the notes of how uploads were."""
    for row in list(evidence().find({"incident": incident_id}, {"_id": 1})):
        _end(row["_id"], ends, now=now)
    uploads().delete_many({"incident": incident_id, "status": {"$ne": str(UploadStatus.OPEN)}})


def _end(evidence_id: str, ends: Bytes, *, now: datetime) -> bool:
    """End one piece; False when a hold was quicker. From the claim on nobody adds to it (`taking.py`)."""
    row = evidence().find_one_and_update(
        {"_id": evidence_id}, {"$set": {"ends_at": now}}, return_document=ReturnDocument.AFTER
    )
    if row is None:
        return False
    if _is_held(row["incident"]):
        evidence().update_one({"_id": evidence_id}, {"$unset": {"ends_at": ""}})
        return False
    if row.get("kind") == Kind.FOOTAGE or custody.entries(evidence_id):
        custody.append(row, Act.DELETED, ACTOR, now=now, key="deleted", reason="its time was over")
        ends.vault.destroy(evidence_id, now=now)
    drop_unheld(_names(row), ends.drop, leaving=[evidence_id])
    evidence().delete_one({"_id": evidence_id})
    return True


def _is_held(incident_id: str) -> bool:
    try:
        return bool(incidents.get(incident_id).get("hold"))
    except IncidentNotFound:
        return False


def _names(row: dict[str, Any]) -> set[str]:
    """Every object that belongs to it."""
    names = {str(each) for each in row.get("noted") or []}
    names |= {row["sha256"]} if row.get("sha256") else set()
    return names | ({row["shown"]["sha256"]} if row.get("shown") else set())


def expire_custody(city: str, before: datetime, *, keep: Collection[str], limit: int) -> int:
    """Remove the chains of what was deleted at `before` or earlier, whole: a part of one proves nothing."""
    ended = {"city": city, "at": {"$lte": before}, "act": str(Act.DELETED), "incident": {"$nin": sorted(keep)}}
    rows = list(custody.custody().find(ended, {"evidence": 1}).sort("at", 1).limit(limit))
    for row in rows:
        custody.custody().delete_many({"evidence": row["evidence"]})
    return len(rows)


def held(incident_id: str, act: Act, *, by: str, reason: str, key: str, now: datetime) -> None:
    """Tell on the chain of each piece of footage that a hold was set or lifted. `key`: the event's, so once."""
    for row in evidence().find({"incident": incident_id, "kind": str(Kind.FOOTAGE)}):
        custody.append(row, act, by, now=now, reason=reason, key=key)


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
        or reports().find_one({"media.sha256": name}, {"_id": 1})
        or reports().find_one({"media.shown.sha256": name}, {"_id": 1})
        or reports().find_one({"media.redacted.sha256": name}, {"_id": 1})
    )
