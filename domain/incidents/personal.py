"""What a person may have of their own SOS, and what is left of it when they ask to be forgotten."""

from datetime import datetime
from typing import Any, Final

from domain.incidents import queries, seen
from domain.incidents.service import incidents
from domain.incidents.states import IncidentStatus

_ALL: Final = 1000
_STAYS: Final = ("services", "silent", "language")
"""What of `citizen` says how the case was handled, and nothing of who it was."""


def exported(person_id: str, now: datetime) -> list[dict[str, Any]]:
    """Every SOS of a person as their phone shows it, newest first: what staff alone may know is not in it."""
    return [seen.by_citizen(doc, now) for doc in queries.of_person(person_id, limit=_ALL)]


def forget(person_id: str) -> int:
    """Take a person out of their closed cases: number, device, address, note, messages, and what came unreadable.

    An open case keeps them until it closes, since somebody may be on the way. How many cases were changed.
    """
    done = 0
    for doc in queries.of_person(person_id, limit=_ALL):
        if doc["status"] != IncidentStatus.CLOSED:
            continue
        citizen = doc.get("citizen") or {}
        kept = {name: citizen[name] for name in _STAYS if name in citizen} | {"erased": True}
        result = incidents().update_one(
            {"_id": doc["_id"], "status": str(IncidentStatus.CLOSED), "citizen.person": person_id},
            {"$set": {"citizen": kept, "unreadable": [], "facts": []}, "$inc": {"version": 1}},
        )
        done += result.modified_count
    return done
