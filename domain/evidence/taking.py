"""From a recorder's files to evidence: sealed as they are, then a redacted copy, each step on the chain of custody.

Whatever is about to be stored is noted on the document first, so that no byte is ever forgotten, whichever process dies.
Evidence whose end has begun (`ends_at`) takes no further step: whoever worked on it throws away what it made.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain.evidence import custody, keeping
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
TAKING: Final = timedelta(minutes=10)
"""When the sweeper looks what has become of evidence that is being taken."""
AGAIN: Final = timedelta(minutes=2)
MOST_TRIES: Final = 3
"""Footage that ended three workers has no redacted copy."""
NO_ROOM: Final = timedelta(minutes=5)
"""When a copy for which there was no room on the disk is tried again."""


UNKNOWN: Final = "unknown"
"""What is told of a clock of which nobody knows how far it is off."""


class InOtherHands(Exception):
    """Another worker is taking the same for an incident of the same place and minute: ask again in a moment."""


def get(evidence_id: str) -> Evidence:
    """One piece of evidence; raises EvidenceNotFound, also when its end has begun."""
    found = evidence().find_one({"_id": evidence_id})
    if found is None or found.get("ends_at"):
        raise EvidenceNotFound("no such evidence")
    return found


def begin(request: Request, camera: Mapping[str, Any], recording: Recording, *, now: datetime) -> Evidence:
    """The evidence that this request makes of this camera: new, or as far as a worker that died had brought it."""
    kept = keeping.is_kept(request)
    evidence_id = _id(request, camera["_id"])
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
        "clock": {
            "by": recording.by,
            "offset_s": recording.offset_s,
            "camera_offset_s": UNKNOWN if recording.camera_offset_s is None else recording.camera_offset_s,
        },
        "state": str(EvidenceState.TAKING),
        "parts": [],
        "noted": [],
        "at": now,
        "tries": 0,
        "due": now + TAKING,
        "version": 1,
        **({"kept": True} if kept else {}),
    }
    try:
        evidence().insert_one(made)
    except DuplicateKeyError:
        if kept and not _taken_over(evidence_id, now=now):
            raise InOtherHands from None
        return get(evidence_id)
    return made


def _id(request: Request, camera_id: str) -> str:
    if keeping.is_kept(request):
        return keeping.evidence_id(camera_id, request["start"])
    return derived_id("evd", request["_id"], camera_id)


def _taken_over(evidence_id: str, *, now: datetime) -> bool:
    """Whether its worker died and it is now ours."""
    dead = {"_id": evidence_id, "state": str(EvidenceState.TAKING), "due": {"$lte": now + TAKING - LEASE}}
    return bool(evidence().update_one(dead, {"$set": {"due": now + TAKING}}).modified_count)


def join(request: Request, camera_id: str, *, now: datetime) -> Evidence | None:
    """What the rule has taken of this camera's window for an incident of the same place and minute, now kept for this one,
    too; None when nobody has. Again is harmless. Raises InOtherHands while somebody is taking it.
    """
    evidence_id, incident = _id(request, camera_id), request["incident"]
    found = evidence().find_one({"_id": evidence_id, "ends_at": None})
    if found is None or (found["state"] == EvidenceState.TAKING and found["due"] <= now + TAKING - LEASE):
        return None
    if found["state"] == EvidenceState.TAKING:
        raise InOtherHands
    if incident == found["incident"]:
        return tell_taken(found, reason=request["reason"], now=now)
    evidence().update_one({"_id": evidence_id, "ends_at": None}, {"$addToSet": {"also": incident}})
    after = get(evidence_id)
    refs = {"incident": incident, "request": request["_id"]}
    custody.append(
        after, Act.JOINED, request["by"], now=now, reason=request["reason"], key=f"joined:{incident}", refs=refs
    )
    _tell_hold(after, incident, now=now)
    return after


def taken(request: Request, camera_id: str) -> Evidence | None:
    """What was sealed of this camera for this request already, by a worker that died before it had said so."""
    found = evidence().find_one({"_id": _id(request, camera_id), "ends_at": None})
    return found if found and found.get("parts") else None


def kept_for(request: Request, camera_id: str) -> Evidence | None:
    """What the rule kept of this camera for the incident that a human asks about, if that is a part of what they ask for."""
    try:
        start, _ = keeping.window(incidents.get(request["incident"])["raised_at"])
    except IncidentNotFound:
        return None
    found = evidence().find_one({"_id": keeping.evidence_id(camera_id, start), "ends_at": None})
    return found if found and found.get("parts") and request["incident"] in incidents_of(found) else None


def incidents_of(doc: Mapping[str, Any]) -> list[str]:
    """The incidents that need it, the one for which it was taken first."""
    return [str(doc["incident"]), *map(str, doc.get("also") or [])]


def note(evidence_id: str, names: Sequence[str]) -> None:
    """Write down what is about to be stored. Raises EvidenceNotFound when its end has begun meanwhile."""
    alive = {"_id": evidence_id, "ends_at": None}
    if not evidence().update_one(alive, {"$addToSet": {"noted": {"$each": list(names)}}}).matched_count:
        raise EvidenceNotFound("its time is over")


def sealed(doc: Evidence, parts: Sequence[Mapping[str, Any]], *, reason: str, now: datetime) -> Evidence:
    """Every file is sealed: the original is safe, and the redacted copy is due. Again is harmless."""
    alive = {"_id": doc["_id"], "state": str(EvidenceState.TAKING), "ends_at": None}
    change: dict[str, Any] = {"state": str(EvidenceState.SEALED), "parts": [dict(each) for each in parts]}
    if doc.get("kept"):
        evidence().update_one(alive, {"$set": change, "$unset": {"due": ""}, "$inc": {"version": 1}})
    else:
        evidence().update_one(alive, {"$set": change | {"due": now}, "$inc": {"version": 1}})
    return tell_taken(get(doc["_id"]), reason=reason, now=now)


def tell_taken(after: Evidence, *, reason: str, now: datetime) -> Evidence:
    """On the chain of what was sealed, once: who took it and why. Again where a worker died before it had told."""
    files = {each["name"]: each["sha256"] for each in after["parts"]}
    refs = {"camera": after["camera"], "request": after["request"], "manifest": custody.manifest(files)}
    custody.append(after, Act.TAKEN, after["by"], now=now, reason=reason, key="taken", refs=refs)
    custody.append(after, Act.SEALED, ACTOR, now=now, key="sealed", refs={"files": str(len(files))})
    _tell_hold(after, after["incident"], now=now)
    return after


SEEN: Final = ("image/", "video/")
"""What of uploads has pictures in it, by the type that its bytes have."""
PHOTO_SECONDS: Final = 1.0


def wanted(doc: Evidence, *, now: datetime) -> Evidence:
    """Somebody wants to see an upload, or what a rule kept: its redacted copy is due from now on, and it is kept as long as
    other evidence. Again, and of what was asked for, changes nothing.
    """
    if doc.get("kind") == Kind.FOOTAGE and doc.get("state") == EvidenceState.SEALED and not doc.get("due"):
        asleep = {"_id": doc["_id"], "state": str(EvidenceState.SEALED), "due": None, "ends_at": None}
        change = {"$set": {"due": now, "tries": 0}, "$unset": {"kept": ""}, "$inc": {"version": 1}}
        evidence().update_one(asleep, change)
        return get(doc["_id"])
    if doc.get("kind") == Kind.FOOTAGE or doc.get("state") or not str(doc.get("type") or "").startswith(SEEN):
        return doc
    seconds = PHOTO_SECONDS if doc["type"].startswith("image/") else MOST_SECONDS
    change = {"state": str(EvidenceState.SEALED), "due": now, "tries": 0, "start": doc["at"], "seconds": seconds}
    evidence().update_one({"_id": doc["_id"], "state": None, "ends_at": None}, {"$set": change, "$inc": {"version": 1}})
    after = get(doc["_id"])
    custody.append(after, Act.TAKEN, str(after["by"]), now=now, key="taken", refs={"sha256": str(after["sha256"])})
    return after


def _tell_hold(doc: Evidence, incident_id: str, *, now: datetime) -> None:
    """What is taken, or joined, under a hold says so from the beginning."""
    if hold := _hold(incident_id):
        key = f"held:{hold['at'].isoformat()}"
        custody.append(doc, Act.HELD, hold["by"], now=now, reason=hold["reason"], key=key)


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


def no_room(doc: Evidence, *, now: datetime) -> None:
    """The disk is full, which is not the footage's fault: tried again later, for as long as it takes."""
    evidence().update_one(_mine(doc), {"$set": {"due": now + NO_ROOM}, "$inc": {"excused": 1}})


def is_given_up(doc: Evidence) -> bool:
    """Whether its copy was tried as often as it may be."""
    return bool(doc["tries"] - (doc.get("excused") or 0) > MOST_TRIES)


def unreadable(doc: Evidence, reason: str) -> None:
    """No redacted copy can be made: nobody sees anything, and the sealed original stays as it is."""
    change = {"$set": {"state": str(EvidenceState.UNREADABLE), "reason": reason}, "$unset": {"due": ""}}
    evidence().update_one(_mine(doc), {**change, "$inc": {"version": 1}})


def overdue(*, now: datetime, limit: int = 50) -> list[Evidence]:
    """Evidence whose redacted copy nobody makes: the queue lost it, or its worker died; and what is `taking` for long."""
    return list(evidence().find({"due": {"$lte": now}}, {"parts": 0, "noted": 0}).sort("due", 1).limit(limit))
