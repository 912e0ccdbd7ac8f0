"""The end of what citizens uploaded and of footage that was taken: claimed first, told, then bytes and key, then the
document that names them. What is interrupted is found again, and a hold that came first keeps it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from domain.cameras.queries import observations
from domain.evidence import custody, footage, taking
from domain.evidence.service import evidence, footage_of, uploads
from domain.evidence.states import Act, EvidenceState, Kind, RequestState, UploadStatus
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
    city: str,
    kind: Kind,
    before: datetime,
    *,
    keep: Collection[str],
    ends: Bytes,
    now: datetime,
    limit: int,
    unasked: bool = False,
) -> int:
    """Remove what came at `before` or earlier, but for incidents in `keep`; how many went. `unasked`: only what a rule
    kept and nobody ever asked for.
    """
    of_kind: dict[str, Any] = (
        {"kind": str(Kind.FOOTAGE)} if kind is Kind.FOOTAGE else {"kind": {"$ne": str(Kind.FOOTAGE)}}
    )
    of_kind |= {"kept": True} if unasked else {}
    of_none = {"$nin": sorted(keep)}
    condition = {"city": city, "at": {"$lte": before}, "incident": of_none, "also": of_none, **of_kind}
    rows = list(evidence().find(condition, {"_id": 1}).sort("at", 1).limit(limit))
    return sum(_end(row["_id"], ends, now=now, still=condition) for row in rows)


def forget(incident_id: str, *, ends: Bytes, now: datetime) -> None:
    """Remove all evidence of an incident whose own end was claimed, and the notes of how uploads were. What another
    incident needs, too, goes over to that.
    """
    evidence().update_many({"also": incident_id}, {"$pull": {"also": incident_id}})
    for row in list(evidence().find({"incident": incident_id}, {"also": 1})):
        if not _handed_over(row, incident_id):
            _end(row["_id"], ends, now=now)
    uploads().delete_many({"incident": incident_id, "status": {"$ne": str(UploadStatus.OPEN)}})


def _handed_over(row: Mapping[str, Any], incident_id: str) -> bool:
    for heir in row.get("also") or []:
        mine = {"_id": row["_id"], "incident": incident_id, "also": heir, "ends_at": None}
        change = {"$set": {"incident": heir}, "$pull": {"also": heir}, "$inc": {"version": 1}}
        if evidence().update_one(mine, change).matched_count:
            return True
    return False


def _end(evidence_id: str, ends: Bytes, *, now: datetime, still: Mapping[str, Any] | None = None) -> bool:
    """End one piece, if it is `still` so; False when somebody asked for it, or a hold was quicker. From the claim on nobody
    adds to it (`taking.py`).
    """
    row = evidence().find_one_and_update(
        {**(still or {}), "_id": evidence_id}, {"$set": {"ends_at": now}}, return_document=ReturnDocument.AFTER
    )
    if row is None:
        return False
    if any(_is_held(each) for each in taking.incidents_of(row)):
        evidence().update_one({"_id": evidence_id}, {"$unset": {"ends_at": ""}})
        return False
    if row.get("kind") == Kind.FOOTAGE or custody.entries(evidence_id):
        custody.append(row, Act.DELETED, ACTOR, now=now, key="deleted", reason="its time was over")
        ends.vault.destroy(evidence_id, now=now)
    drop_unheld(_names(row), ends.drop, leaving=[evidence_id])
    evidence().delete_one({"_id": evidence_id})
    return True


def end_if_nothing_came(evidence_id: str, ends: Bytes, *, now: datetime) -> bool:
    """End evidence of which nothing was ever sealed, and which nobody works on any more: its worker died, or the recorder
    had gone on over all of it. What lies in the store of it is gone, too.
    """
    empty = {"_id": evidence_id, "state": str(EvidenceState.TAKING), "due": {"$lte": now}}
    row = evidence().find_one(empty)
    if row is None:
        return False
    if footage.requests().find_one({"_id": row["request"], "state": str(RequestState.OPEN)}, {"_id": 1}):
        evidence().update_one(empty, {"$set": {"due": now + taking.TAKING}})  # somebody still goes on with it
        return False
    claimed = evidence().find_one_and_update(
        empty, {"$set": {"ends_at": now, "due": now + taking.TAKING}}, return_document=ReturnDocument.AFTER
    )
    if claimed is None:
        return False
    ends.vault.destroy(evidence_id, now=now)
    drop_unheld(_names(claimed), ends.drop, leaving=[evidence_id])
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
    for row in footage_of(incident_id):
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
