"""What a person may have of their own SOS, and what is left of it when they ask to be forgotten (docs/personal-data.md)."""

from datetime import datetime
from typing import Any, Final

from domain.deliveries import service as deliveries
from domain.evidence import service as evidence
from domain.incidents import queries, seen
from domain.incidents.documents import TimelineDoc
from domain.incidents.errors import TooBusy
from domain.incidents.service import Incident, get, incidents
from domain.incidents.states import IncidentStatus
from domain.tracks import service as tracks

_ALL: Final = 1000
_TRIES: Final = 12
NOBODY: Final = "citizen"
"""What stands in the place of the person in what stays of the case: the part they had in it."""
_STAYS: Final = ("services", "silent", "language")
"""What of `citizen` says how the case was handled, and nothing of who it was. The view that a cancel froze stays too,
without its words: live pages go on showing it, whatever became of the case.
"""


def exported(person_id: str, now: datetime) -> list[dict[str, Any]]:
    """Every SOS of a person as their phone shows it, newest first: what staff alone may know is not in it."""
    return [seen.by_citizen(doc, now) for doc in queries.seen_by(person_id, limit=_ALL)]


def forget(person_id: str) -> int:
    """Take a person out of all their closed cases: number, device, address, note, messages, track, what came unreadable or
    by retries, the names of their files, and their id in timeline and deliveries. The case stays, with nobody in it.

    A case under a legal hold keeps them until that is lifted, an open case until it closes, since somebody may be on the
    way; but where the phone was told that it is over, it is over for the phone here too, whichever PIN it was. How many
    cases were changed.
    """
    done = 0
    for incident_id in queries.ids_of_person(person_id):
        done += _hide(incident_id, person_id) or _forget(incident_id, person_id)
    return done


def _forget(incident_id: str, person_id: str) -> int:
    """What stands beside the case first: the case is found by the person, so it forgets them last."""
    doc = get(incident_id)
    if doc["status"] != IncidentStatus.CLOSED:
        return 0
    if doc.get("hold"):  # a court asked for it: it is gone for the phone now, and for us when the hold is lifted
        return _gone_for_phone(incident_id, person_id)
    tracks.forget(incident_id)
    evidence.forget(incident_id)
    deliveries.forget(incident_id, person_id, NOBODY)
    TimelineDoc._get_collection().update_many(
        {"incident": incident_id, "entry.by": person_id}, {"$set": {"entry.by": NOBODY}}
    )
    for _ in range(_TRIES):
        if doc["status"] != IncidentStatus.CLOSED:
            return 0  # it was opened again meanwhile: when it closes
        result = incidents().update_one(
            {"_id": incident_id, "version": doc["version"], "citizen.person": person_id},
            {"$set": _without(doc, person_id), "$unset": {"facts": ""}, "$inc": {"version": 1}},
        )
        if result.modified_count:
            return 1
        doc = get(incident_id)
        if (doc.get("citizen") or {}).get("person") != person_id:
            return 0
    raise TooBusy("the incident kept changing")


def _gone_for_phone(incident_id: str, person_id: str) -> int:
    result = incidents().update_one(
        {"_id": incident_id, "citizen.person": person_id, "citizen.erased": None},
        {"$set": {"citizen.erased": True}, "$inc": {"version": 1}},
    )
    return result.modified_count


def _without(doc: Incident, person_id: str) -> dict[str, Any]:
    """The fields of a case as they are without the person."""
    citizen = doc.get("citizen") or {}
    kept = {name: citizen[name] for name in _STAYS if name in citizen} | {"erased": True}
    if cancel := citizen.get("cancel"):
        kept["cancel"] = {**cancel, "view": {**cancel["view"], "messages": []}}
    timeline = [
        {**entry, "by": NOBODY} if entry.get("by") == person_id else entry for entry in doc.get("timeline") or []
    ]
    return {"citizen": kept, "unreadable": [], "timeline": timeline}


def _hide(incident_id: str, person_id: str) -> int:
    """Let an open case that its phone takes for cancelled look as a closed one does that forgot its citizen."""
    going_on = {"$in": list(queries.GOING_ON)}
    result = incidents().update_one(
        {"_id": incident_id, "status": going_on, "citizen.person": person_id, "citizen.cancel": {"$exists": True}},
        {"$set": {"citizen.erased": True, "citizen.cancel.view.messages": []}, "$inc": {"version": 1}},
    )
    return result.modified_count
