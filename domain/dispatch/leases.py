"""Who has a unit: a conditional lease on the unit's document, taken before an acceptance counts.

Taken first and given back last, so that a unit can for a moment be leased to nothing (the sweeper gives it back), but
never be held by two.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.dispatch.queries import Unit, units
from domain.incidents import service as incidents
from domain.incidents.states import HOLDING

SETTLE = timedelta(seconds=5)
"""How long an acceptance may be on its way between its two writes."""


def take(unit_id: str, assignment_id: str, incident_id: str, *, now: datetime) -> Unit | None:
    """The unit when it now is, or already was, this assignment's; None when another has it."""
    lease = {"assignment": assignment_id, "incident": incident_id, "at": now}
    return units().find_one_and_update(
        {"_id": unit_id, "$or": [{"lease": None}, {"lease.assignment": assignment_id}]}, {"$set": {"lease": lease}}
    )


def give_back(unit_id: str, assignment_id: str) -> bool:
    """Free the unit if this assignment has it."""
    freed = units().update_one({"_id": unit_id, "lease.assignment": assignment_id}, {"$unset": {"lease": ""}})
    return freed.modified_count == 1


def orphans(*, now: datetime, limit: int = 500) -> Iterable[tuple[str, str]]:
    """(unit, assignment) of leases whose assignment does not hold its slot: the process died between the two writes."""
    rows = list(units().find({"lease.at": {"$lte": now - SETTLE}}, {"lease": 1}).sort("lease.at", 1).limit(limit))
    wanted = sorted({row["lease"]["incident"] for row in rows})
    held = {
        doc["_id"]: doc.get("assignments") or {}
        for doc in incidents.incidents().find({"_id": {"$in": wanted}}, {"assignments": 1})
    }
    for row in rows:
        lease = row["lease"]
        assignment = held.get(lease["incident"], {}).get(lease["assignment"])
        if assignment is None or assignment["status"] not in HOLDING:
            yield row["_id"], lease["assignment"]
