"""What a person may have of their own SOS, and what is left of it when they ask to be forgotten."""

from datetime import datetime
from typing import Any, Final

from domain.incidents import queries, seen
from domain.incidents.service import incidents
from domain.incidents.states import IncidentStatus

_ALL: Final = 1000
_STAYS: Final = ("services", "silent", "language")
"""What of `citizen` says how the case was handled, and nothing of who it was. The view that a cancel froze stays too,
without its words: live pages go on showing it, whatever became of the case.
"""


def exported(person_id: str, now: datetime) -> list[dict[str, Any]]:
    """Every SOS of a person as their phone shows it, newest first: what staff alone may know is not in it."""
    return [seen.by_citizen(doc, now) for doc in queries.seen_by(person_id, limit=_ALL)]


def forget(person_id: str) -> int:
    """Take a person out of their closed cases: number, device, address, note, messages, and what came unreadable.

    An open case keeps them until it closes, since somebody may be on the way; but where the phone was told that it is
    over, it is over for the phone here too, whichever PIN it was. How many cases were changed.
    """
    done = 0
    for doc in queries.of_person(person_id, limit=_ALL):
        if doc["status"] != IncidentStatus.CLOSED:
            done += _hide(doc["_id"], person_id)
            continue
        citizen = doc.get("citizen") or {}
        kept = {name: citizen[name] for name in _STAYS if name in citizen} | {"erased": True}
        if cancel := citizen.get("cancel"):
            kept["cancel"] = {**cancel, "view": {**cancel["view"], "messages": []}}
        result = incidents().update_one(
            {"_id": doc["_id"], "status": str(IncidentStatus.CLOSED), "citizen.person": person_id},
            {"$set": {"citizen": kept, "unreadable": []}, "$inc": {"version": 1}},
        )
        done += result.modified_count
    return done


def _hide(incident_id: str, person_id: str) -> int:
    """Let an open case that its phone takes for cancelled look as a closed one does that forgot its citizen."""
    result = incidents().update_one(
        {"_id": incident_id, "citizen.person": person_id, "citizen.cancel": {"$exists": True}},
        {"$set": {"citizen.erased": True, "citizen.cancel.view.messages": []}, "$inc": {"version": 1}},
    )
    return result.modified_count
