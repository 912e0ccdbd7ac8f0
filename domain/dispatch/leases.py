"""Who has a unit: a conditional lease on the unit's document, taken before an acceptance counts.

Taken first and given back last, so that a unit can for a moment be leased to nothing (the sweeper gives it back), but
never be held by two.
"""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from domain.dispatch.queries import Unit, units
from domain.incidents import service as incidents
from domain.incidents.states import HOLDING

SETTLE = timedelta(seconds=5)
"""How long an acceptance may be on its way between its two writes."""
BATCH = 500


def take(unit_id: str, assignment_id: str, incident_id: str, *, now: datetime) -> Unit | None:
    """The unit when it now is, or already was, this assignment's; None when another has it."""
    lease = {"assignment": assignment_id, "incident": incident_id, "at": now}
    return units().find_one_and_update(
        {"_id": unit_id, "$or": [{"lease": None}, {"lease.assignment": assignment_id}]}, {"$set": {"lease": lease}}
    )


def give_back(unit_id: str, assignment_id: str, *, taken_at: datetime | None = None) -> bool:
    """Free the unit if this assignment has it; with `taken_at` only if it has not taken it anew since."""
    condition: dict[str, Any] = {"_id": unit_id, "lease.assignment": assignment_id}
    if taken_at is not None:
        condition["lease.at"] = taken_at
    return units().update_one(condition, {"$unset": {"lease": ""}}).modified_count == 1


def orphans(*, now: datetime) -> Iterator[tuple[str, str, datetime]]:
    """Leases whose assignment does not hold its slot: the process died between the two writes.

    All leases are looked at, in batches: those that stand rightly are many, and older. Yields (unit, assignment, taken
    at); the same assignment may take the unit again at any moment, so give back with `taken_at`.
    """
    rows = units().find({"lease.at": {"$lte": now - SETTLE}}, {"lease": 1}).sort("lease.at", 1)
    while batch := list(itertools.islice(rows, BATCH)):
        wanted = sorted({row["lease"]["incident"] for row in batch})
        held = {
            doc["_id"]: doc.get("assignments") or {}
            for doc in incidents.incidents().find({"_id": {"$in": wanted}}, {"assignments": 1})
        }
        for row in batch:
            lease = row["lease"]
            assignment = held.get(lease["incident"], {}).get(lease["assignment"])
            if assignment is None or assignment["status"] not in HOLDING:
                yield row["_id"], lease["assignment"], lease["at"]
