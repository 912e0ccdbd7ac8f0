"""From a recorder's files to evidence: sealed as they are, then a redacted copy, each step on the chain of custody.

Whatever is about to be stored is noted on the document first, so that no byte is ever forgotten, whichever process dies.
Evidence whose end has begun (`ends_at`) takes no further step: whoever worked on it throws away what it made.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain.evidence import custody
from domain.evidence.errors import EvidenceNotFound
from domain.evidence.footage import Request
from domain.evidence.rules import MOST_SECONDS, Recording
from domain.evidence.service import evidence
from domain.evidence.states import Act, EvidenceState, Kind
from domain.ids import derived_id
from domain.incidents import service as incidents
from domain.incidents.errors import IncidentNotFound

Evidence = dict[str, Any]

ACTOR: Final = "system:evidence"
LEASE: Final = timedelta(seconds=60)
AGAIN: Final = timedelta(minutes=2)
MOST_TRIES: Final = 3
"""Footage that ended three workers has no redacted copy."""


def get(evidence_id: str) -> Evidence:
    """One piece of evidence; raises EvidenceNotFound, also when its end has begun."""
    found = evidence().find_one({"_id": evidence_id})
    if found is None or found.get("ends_at"):
        raise EvidenceNotFound("no such evidence")
    return found


def begin(request: Request, camera: Mapping[str, Any], recording: Recording, *, now: datetime) -> Evidence:
    """The evidence that this request makes of this camera: new, or as far as a worker that died had brought it."""
    evidence_id = derived_id("evd", request["_id"], camera["_id"])
    made: Evidence = {
        "_id": evidence_id,
        "city": request["city"],
        "incident": request["incident"],
        "kind": str(Kind.FOOTAGE),
        "by": request["by"],
        "request": request["_id"],
        "camera": camera["_id"],
        "start": request["start"],
        "seconds": request["seconds"],
        "source": {"kind": camera["source"]["kind"], "recorder": recording.by},
        "clock": {"by": recording.by, "offset_s": recording.offset_s},
        "state": str(EvidenceState.TAKING),
        "parts": [],
        "noted": [],
        "at": now,
        "tries": 0,
        "version": 1,
    }
    try:
        evidence().insert_one(made)
    except DuplicateKeyError:
        return get(evidence_id)
    return made


def note(evidence_id: str, names: Sequence[str]) -> None:
    """Write down what is about to be stored. Raises EvidenceNotFound when its end has begun meanwhile."""
    alive = {"_id": evidence_id, "ends_at": None}
    if not evidence().update_one(alive, {"$addToSet": {"noted": {"$each": list(names)}}}).matched_count:
        raise EvidenceNotFound("its time is over")


def sealed(doc: Evidence, parts: Sequence[Mapping[str, Any]], *, reason: str, now: datetime) -> Evidence:
    """Every file is sealed: the original is safe, and the redacted copy is due. Again is harmless."""
    alive = {"_id": doc["_id"], "state": str(EvidenceState.TAKING), "ends_at": None}
    change = {"state": str(EvidenceState.SEALED), "parts": [dict(each) for each in parts], "due": now}
    evidence().update_one(alive, {"$set": change, "$inc": {"version": 1}})
    after = get(doc["_id"])
    files = {each["name"]: each["sha256"] for each in after["parts"]}
    refs = {"camera": doc["camera"], "request": doc["request"], "manifest": custody.manifest(files)}
    custody.append(after, Act.TAKEN, after["by"], now=now, reason=reason, key="taken", refs=refs)
    custody.append(after, Act.SEALED, ACTOR, now=now, key="sealed", refs={"files": str(len(files))})
    hold = _hold(after["incident"])
    if hold:
        custody.append(
            after, Act.HELD, hold["by"], now=now, reason=hold["reason"], key=f"held:{hold['at'].isoformat()}"
        )
    return after


SEEN: Final = ("image/", "video/")
"""What of uploads has pictures in it, by the type that its bytes have."""
PHOTO_SECONDS: Final = 1.0


def wanted(doc: Evidence, *, now: datetime) -> Evidence:
    """Somebody wants to see an upload: its redacted copy is due from now on. Again, and of footage, changes nothing."""
    if doc.get("kind") == Kind.FOOTAGE or doc.get("state") or not str(doc.get("type") or "").startswith(SEEN):
        return doc
    seconds = PHOTO_SECONDS if doc["type"].startswith("image/") else MOST_SECONDS
    change = {"state": str(EvidenceState.SEALED), "due": now, "tries": 0, "start": doc["at"], "seconds": seconds}
    evidence().update_one({"_id": doc["_id"], "state": None, "ends_at": None}, {"$set": change, "$inc": {"version": 1}})
    after = get(doc["_id"])
    custody.append(after, Act.TAKEN, str(after["by"]), now=now, key="taken", refs={"sha256": str(after["sha256"])})
    return after


def _hold(incident_id: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] | None = incidents.get(incident_id).get("hold")
    except IncidentNotFound:
        return None
    return found


def begin_copy(evidence_id: str, *, now: datetime) -> Evidence | None:
    """Take the making of a redacted copy for a worker; None when it is made, given up, or another worker has it."""
    return evidence().find_one_and_update(
        {"_id": evidence_id, "state": str(EvidenceState.SEALED), "due": {"$lte": now}, "ends_at": None},
        {"$set": {"due": now + LEASE}, "$inc": {"tries": 1}},
        return_document=ReturnDocument.AFTER,
    )


def renew(doc: Evidence, *, now: datetime) -> bool:
    """Hold the lease on; False when it is no longer this worker's, or its end has begun."""
    return bool(evidence().update_one(_mine(doc), {"$set": {"due": now + LEASE}}).matched_count)


def _mine(doc: Evidence) -> dict[str, Any]:
    return {"_id": doc["_id"], "state": str(EvidenceState.SEALED), "tries": doc["tries"], "ends_at": None}


def copied(doc: Evidence, copy: Mapping[str, Any], *, now: datetime) -> bool:
    """The redacted copy is stored. False when somebody else made it, or the evidence ended meanwhile."""
    change = {"$set": {"state": str(EvidenceState.READY), "copy": dict(copy)}, "$unset": {"due": ""}}
    if not evidence().update_one(_mine(doc), {**change, "$inc": {"version": 1}}).matched_count:
        return False
    refs = {"sha256": copy["sha256"], "regions": str(copy["regions"])}
    refs |= {"cut_after": str(copy["cut_after"])} if "cut_after" in copy else {}
    refs |= {f"model_{each['name']}": f"{each['version']}/{each['parameters']}" for each in copy["detectors"]}
    custody.append(doc, Act.REDACTED, ACTOR, now=now, key="redacted", refs=refs)
    return True


def give_back(doc: Evidence, *, now: datetime) -> None:
    """The worker could not make it now (its libraries would not start): somebody else does, later."""
    evidence().update_one(_mine(doc), {"$set": {"due": now + AGAIN}})


def unreadable(doc: Evidence, reason: str) -> None:
    """No redacted copy can be made: nobody sees anything, and the sealed original stays as it is."""
    change = {"$set": {"state": str(EvidenceState.UNREADABLE), "reason": reason}, "$unset": {"due": ""}}
    evidence().update_one(_mine(doc), {**change, "$inc": {"version": 1}})


def overdue(*, now: datetime, limit: int = 50) -> list[Evidence]:
    """Evidence whose redacted copy nobody makes: the queue lost it, or its worker died."""
    return list(evidence().find({"due": {"$lte": now}}, {"parts": 0, "noted": 0}).sort("due", 1).limit(limit))
