"""What is left of a closed incident once its city has kept it for as long as it says, and the legal hold that goes before.

An incident is kept from its last close (`kept_since`). One with a hold is kept whatever the time, with all that belongs
to it, until the hold is lifted. The end of an incident is claimed before anything of it goes, so that no hold is set on
half a case; what belongs to it goes first and the incident last, so that one whose end was interrupted is found again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from domain.errors import Conflict
from domain.incidents import service as incidents
from domain.incidents.documents import TimelineDoc
from domain.incidents.draft import Draft
from domain.incidents.queries import GOING_ON
from domain.incidents.service import Incident

STAYS: Final = frozenset(
    {
        "_id", "city", "channel", "category", "severity", "urgency", "certainty", "status", "resolution", "version",
        "raised_at", "received_at", "updated_at", "closed_at", "milestones", "rank", "timeline_seq",
    }
)  # fmt: skip
"""What says how a city did, and nothing of who, where exactly or in which words."""
_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
FLAGS_STAY: Final = frozenset({"late", "unverified", "unanswered", "practice"})


@dataclass(frozen=True)
class Held:
    """What a city keeps whatever its time: incidents with a hold, and what cameras saw for them."""

    incidents: frozenset[str] = frozenset()
    observations: frozenset[str] = frozenset()


def held(city: str) -> Held:
    """What is under a legal hold in a city now."""
    rows = list(
        incidents.incidents().find({"city": city, "hold.at": {"$gt": _EVER}}, {"cameras": 1, "correlations": 1})
    )
    seen = {
        camera["observation"]
        for row in rows
        for camera in (row.get("cameras") or {}).values()
        if camera.get("observation")
    }
    linked = {link["id"] for row in rows for link in row.get("correlations") or [] if link.get("kind") == "observation"}
    return Held(frozenset(row["_id"] for row in rows), frozenset(seen | linked))


def still_open(city: str, before: datetime) -> frozenset[str]:
    """Ids of incidents that were raised then or earlier and go on: what belongs to them is kept as long as they do."""
    condition = {"city": city, "status": {"$in": list(GOING_ON)}, "raised_at": {"$lte": before}}
    return frozenset(row["_id"] for row in incidents.incidents().find(condition, {"_id": 1}))


def over(city: str, before: datetime, *, limit: int) -> list[str]:
    """Ids of incidents that were kept since `before` or longer, without a hold, the oldest first."""
    condition = {"city": city, "kept_since": {"$lte": before}, "hold": None}
    rows = incidents.incidents().find(condition, {"_id": 1}).sort("kept_since", 1).limit(limit)
    return [row["_id"] for row in rows]


def claim(incident_id: str, before: datetime, *, now: datetime) -> bool:
    """Say that this incident ends now. False when it was reopened or put under a hold meanwhile."""
    done = incidents.incidents().update_one(
        {"_id": incident_id, "kept_since": {"$lte": before}, "hold": None, "status": "closed"},
        {"$set": {"ends_at": now}},
    )
    return done.matched_count == 1


def forget_timeline(incident_id: str) -> None:
    """The entries that were moved out of the incident."""
    TimelineDoc._get_collection().delete_many({"incident": incident_id})


def anonymise(incident_id: str) -> None:
    """Leave of a claimed incident what its city's figures are made of. Twice is once."""
    doc = incidents.incidents().find_one({"_id": incident_id, "ends_at": {"$exists": True}})
    if doc is None:
        return
    cells = doc.get("cells") or {}
    kept: dict[str, Any] = {
        "flags": [flag for flag in doc.get("flags") or [] if flag in FLAGS_STAY],
        "cells": {"r5": cells["r5"]} if "r5" in cells else {},
        "slots": {
            service: {"service": service, "status": slot["status"], "assignment": None}
            for service, slot in (doc.get("slots") or {}).items()
        },
        "citizen": {},
        "assignments": {},
        "asked_units": [],
        "timeline": [],
        "anonymised_at": doc["ends_at"],
    }
    gone = {name: "" for name in doc if name not in STAYS and name not in kept}
    incidents.incidents().update_one(
        {"_id": incident_id, "version": doc["version"], "ends_at": {"$exists": True}},
        {"$set": kept, "$unset": gone, "$inc": {"version": 1}},
    )


def delete(incident_id: str) -> None:
    """Take a claimed incident away."""
    incidents.incidents().delete_one({"_id": incident_id, "ends_at": {"$exists": True}})


def hold(incident_id: str, *, by: str, reason: str, now: datetime) -> Incident:
    """Keep it and all that belongs to it until the hold is lifted; again changes nothing. Raises Conflict where its end
    has begun, or nothing is left of it.
    """

    def rule(draft: Draft) -> None:
        if draft.doc.get("ends_at") or draft.doc.get("anonymised_at"):
            raise Conflict("its time is over and it is being forgotten", code="forgotten")
        if not draft.doc.get("hold"):
            draft.set("hold", {"by": by, "at": now, "reason": reason})
            draft.entry("held", by=by, reason=reason)
            draft.event("incident.held", by=by)

    return incidents.change(incident_id, rule, now=now)


def lift(incident_id: str, *, by: str, reason: str, now: datetime) -> Incident:
    """The hold is over: its city's times hold again. Again changes nothing."""

    def rule(draft: Draft) -> None:
        if draft.doc.get("hold"):
            draft.unset("hold")
            draft.entry("hold_lifted", by=by, reason=reason)
            draft.event("incident.hold_lifted", by=by)

    return incidents.change(incident_id, rule, now=now)
