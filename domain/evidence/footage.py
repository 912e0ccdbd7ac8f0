"""Asking for footage of an incident, bounded and with a reason, and the answer: what exists, and what was down.

A request shows at once which cameras are asked. A worker takes it by a lease, asks one recorder after another, seals what
there is as evidence (`taking.py`) and writes each camera's answer down; whoever dies in between is taken over, and no
camera is asked twice. Nothing leaves with the answer: it names the evidence, and that is viewed with a reason of its own.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain import geo
from domain.cameras import queries as cameras
from domain.cameras import rules as camera_rules
from domain.cameras.rules import Chosen
from domain.errors import Conflict, Invalid
from domain.evidence import rules
from domain.evidence.documents import FootageRequestDoc
from domain.evidence.errors import RequestNotFound
from domain.evidence.rules import Said
from domain.evidence.states import Found, RequestState, Why

Request = dict[str, Any]

LEASE: Final = timedelta(seconds=60)
QUEUED: Final = timedelta(seconds=3)
"""A request that the queue has not got within this is put there by the sweeper."""
MOST_TRIES: Final = 5
"""Then what was not answered is `failed`: a recorder that ends every worker must not end them for ever."""


def requests() -> Collection[Request]:
    """The raw collection."""
    found: Collection[Request] = FootageRequestDoc._get_collection()
    return found


def get(request_id: str, incident_id: str | None = None) -> Request:
    """One request, of this incident where it is named; raises RequestNotFound."""
    found = requests().find_one({"_id": request_id})
    if found is None or (incident_id and found["incident"] != incident_id):
        raise RequestNotFound("no such footage request")
    return found


def ask(
    request_id: str,
    incident: Mapping[str, Any],
    asked: Mapping[str, Any],
    *,
    by: str,
    fingerprint: str,
    now: datetime,
) -> tuple[Request, bool]:
    """(request, whether it is new). `asked`: {reason, since?, until?, position?, radius_m}.

    Raises Invalid for what is too long, too wide or elsewhere; Conflict `idempotency_conflict` for a known key with
    another body.
    """
    raised_at, place = incident["raised_at"], asked.get("position") or incident.get("position")
    if not place:
        raise Invalid("the incident has no place", errors={"position": ["Say where."]})
    start = asked.get("since") or raised_at - rules.BEFORE_AND_AFTER
    end = asked.get("until") or min(now, start + 2 * rules.BEFORE_AND_AFTER)
    seconds = (end - start).total_seconds()
    rules.check_time(start, seconds, raised_at=raised_at, now=now)
    here = incident.get("position") or place
    rules.check_place(geo.distance_m(here["lat"], here["lon"], place["lat"], place["lon"]), asked["radius_m"])
    near = cameras.near(incident["city"], place["lat"], place["lon"])
    chosen = camera_rules.choose(near, place["lat"], place["lon"], at_most=len(near))
    chosen = [each for each in chosen if each.distance_m <= asked["radius_m"]][: rules.MOST_CAMERAS]
    made: Request = {
        "_id": request_id,
        "city": incident["city"],
        "incident": incident["_id"],
        "by": by,
        "reason": asked["reason"],
        "start": start,
        "seconds": seconds,
        "position": {"lat": place["lat"], "lon": place["lon"]},
        "radius_m": asked["radius_m"],
        "cameras": {each.camera["_id"]: asked_of(each) for each in chosen},
        "state": str(RequestState.OPEN if chosen else RequestState.ANSWERED),
        "fingerprint": fingerprint,
        "at": now,
        "tries": 0,
        "version": 1,
    }
    if chosen:
        made["due"] = now + QUEUED
    try:
        requests().insert_one(made)
    except DuplicateKeyError:
        known = get(request_id, incident["_id"])
        if known["fingerprint"] != fingerprint:
            raise Conflict("the key was used for another request", code="idempotency_conflict") from None
        return known, False
    return made, True


def asked_of(chosen: Chosen) -> dict[str, Any]:
    """How a camera stands in a request before it has said anything."""
    return {
        "name": chosen.camera.get("name") or "",
        "distance_m": round(chosen.distance_m),
        "covering": chosen.covering,
        "found": str(Found.ASKED),
        "have": [],
        "missing": [],
    }


def begin(request_id: str, *, now: datetime) -> Request | None:
    """Take a request for a worker; None when it is answered or another one has it. `tries` is the lease's owner."""
    return requests().find_one_and_update(
        {
            "_id": request_id,
            "state": str(RequestState.OPEN),
            "$or": [{"tries": 0}, {"due": {"$lte": now}}],
        },
        {"$set": {"due": now + LEASE}, "$inc": {"tries": 1}},
        return_document=ReturnDocument.AFTER,
    )


def renew(request: Request, *, now: datetime) -> bool:
    """Hold the lease on; False when it is no longer this worker's."""
    return bool(requests().update_one(_mine(request), {"$set": {"due": now + LEASE}}).matched_count)


def _mine(request: Request) -> dict[str, Any]:
    return {"_id": request["_id"], "tries": request["tries"], "state": str(RequestState.OPEN)}


def put_off(request: Request, *, until: datetime, trouble: Why | None = None) -> None:
    """It cannot be answered now: somebody tries again then. `trouble` is why, should it never be."""
    told = {"due": until, **({"trouble": str(trouble)} if trouble else {})}
    requests().update_one(_mine(request), {"$set": told})


def said(request: Request, camera_id: str, answer: Said, *, evidence: str | None = None) -> None:
    """Write one camera's answer down, unless it has one."""
    here = f"cameras.{camera_id}"
    told = {
        f"{here}.found": str(answer.found),
        f"{here}.have": answer.have,
        f"{here}.missing": answer.missing,
        **({f"{here}.evidence": evidence} if evidence else {}),
    }
    requests().update_one(
        {"_id": request["_id"], f"{here}.found": str(Found.ASKED)}, {"$set": told, "$inc": {"version": 1}}
    )


def done(request_id: str) -> None:
    """Every camera has answered; again is harmless."""
    requests().update_one(
        {"_id": request_id, "state": str(RequestState.OPEN)},
        {"$set": {"state": str(RequestState.ANSWERED)}, "$unset": {"due": ""}, "$inc": {"version": 1}},
    )


def overdue(*, now: datetime, limit: int = 50) -> list[Request]:
    """Requests that somebody has to see to: lost by the queue, or their worker died. Asked for again and again, since
    whoever takes one takes it once.
    """
    return list(requests().find({"due": {"$lte": now}}).sort("due", 1).limit(limit))


def of_incident(incident_id: str, *, limit: int = 50) -> list[Request]:
    """An incident's requests, newest first."""
    return list(requests().find({"incident": incident_id}).sort("at", -1).limit(limit))
