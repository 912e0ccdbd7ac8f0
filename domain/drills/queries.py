"""Reading drills and what came of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from domain.deliveries.service import deliveries
from domain.drills.documents import DrillDoc
from domain.drills.errors import DrillNotFound
from domain.drills.states import DrillStatus
from domain.people import queries as people

Drill = dict[str, Any]

_READ = {
    "plan": 1, "status": 1, "reason": 1, "attempts": 1, "recipient": 1, "created_at": 1, "delivered_at": 1,
    "received_at": 1, "seen_at": 1,
}  # fmt: skip


def drills() -> Collection[Drill]:
    """The raw collection."""
    found: Collection[Drill] = DrillDoc._get_collection()
    return found


def get(drill_id: str) -> Drill:
    """One drill; raises DrillNotFound."""
    found = drills().find_one({"_id": drill_id})
    if found is None:
        raise DrillNotFound("no such drill")
    return found


def due(*, now: datetime, limit: int) -> list[str]:
    """Ids of drills that must begin, go on or end."""
    rows = drills().find({"due_at": {"$lte": now}}, {"_id": 1}).sort("due_at", 1).limit(limit)
    return [row["_id"] for row in rows]


def going_on(city: str, *, agency: str = "") -> Drill | None:
    """The running drill that some of the same people would be told by."""
    others = drills().find({"city": city, "status": str(DrillStatus.RUNNING)})
    return next((each for each in others if not agency or not each.get("agency") or each["agency"] == agency), None)


def planned(city: str) -> list[Drill]:
    """The drills that are planned in a city."""
    return list(drills().find({"city": city, "status": str(DrillStatus.PLANNED)}))


def listed(city: str, *, agency: str = "", after: tuple[datetime, str] | None, limit: int) -> list[Drill]:
    """A city's drills (an agency's own), the latest first; `after` is the time and the id of the last one seen."""
    wanted: dict[str, Any] = {"city": city, "agency": agency} if agency else {"city": city}
    if after is not None:
        wanted |= {"at": {"$lte": after[0]}, "$or": [{"at": {"$lt": after[0]}}, {"_id": {"$lt": after[1]}}]}
    return list(drills().find(wanted).sort([("at", -1), ("_id", -1)]).limit(limit))


def told(drill_id: str) -> Iterator[Mapping[str, Any]]:
    """Every delivery of a drill, as far as its report needs it."""
    yield from deliveries().find({"subject": drill_id}, _READ)


def told_after(drill_id: str, *, after: tuple[datetime, str] | None, limit: int) -> list[Mapping[str, Any]]:
    """A stretch of a drill's deliveries in the order in which they were written down."""
    wanted: dict[str, Any] = {"subject": drill_id}
    if after is not None:
        wanted |= {
            "created_at": {"$gte": after[0]},
            "$or": [{"created_at": {"$gt": after[0]}}, {"_id": {"$gt": after[1]}}],
        }
    return list(deliveries().find(wanted, _READ).sort([("created_at", 1), ("_id", 1)]).limit(limit))


def people_of(city: str, roles: Sequence[str], *, agency: str = "", after: str = "", limit: int = 50) -> list[str]:
    """Ids of the people who hold one of these roles in a city (in an agency of it), by id."""
    held: dict[str, Any] = {"city": city, "role": {"$in": list(roles)}}
    if agency:
        held["agency_id"] = agency
    wanted = {"roles.city": city, "_id": {"$gt": after}, "roles": {"$elemMatch": held}, "erased_at": None}
    return [row["_id"] for row in people.collection().find(wanted, {"_id": 1}).sort("_id", 1).limit(limit)]


def of_people(ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Names, and what is known of dead addresses, by id."""
    fields = {"name": 1, "devices": 1, "retired": 1}
    return {row["_id"]: row for row in people.collection().find({"_id": {"$in": sorted(set(ids))}}, fields)}


def by_link(hashed: str) -> Mapping[str, Any] | None:
    """The delivery whose link has this hash."""
    return deliveries().find_one({"refs.link_h": hashed})
