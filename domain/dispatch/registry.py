"""Which units there are, and who is on them. What a unit does is `service.py`; this is what an admin keeps."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.cities import agencies
from domain.dispatch import queries
from domain.dispatch.errors import NotAResponder, UnitNotFound
from domain.dispatch.states import UnitStatus
from domain.people import queries as people
from domain.permissions import Role

Unit = dict[str, Any]


def add(
    unit_id: str,
    *,
    city: str,
    agency: str,
    name: str,
    services: Sequence[str],
    skills: Sequence[str],
    phone: str,
    now: datetime,
) -> tuple[Unit, bool]:
    """(unit, whether it is new); it starts off duty. Raises UnknownCity, UnknownAgency."""
    agencies.get(city, agency)
    done = queries.units().update_one(
        {"_id": unit_id},
        {
            "$setOnInsert": {
                "city": city,
                "agency": agency,
                "name": name,
                "services": list(services),
                "skills": list(skills),
                "phone": phone,
                "status": str(UnitStatus.OFF_DUTY),
                "responders": [],
                "version": 1,
                "created_at": now,
                "updated_at": now,
            }
        },
        upsert=True,
    )
    return queries.unit(unit_id), done.upserted_id is not None


def change(unit_id: str, changes: Mapping[str, Any], *, now: datetime) -> Unit:
    """Set the given fields (`name`, `services`, `skills`, `phone`, `agency`). Raises UnitNotFound, UnknownAgency."""
    if "agency" in changes:
        agencies.get(queries.unit(unit_id)["city"], changes["agency"])
    update: dict[str, Any] = {"$set": {**changes, "updated_at": now}, "$inc": {"version": 1}}
    if "phone" in changes:
        update["$set"]["phone_since"] = now  # what a carrier said before was said of another number
    done = queries.units().update_one({"_id": unit_id, "retired_at": None}, update)
    if not done.matched_count:
        raise UnitNotFound("no such unit")
    return queries.unit(unit_id)


def retire_phone(unit_id: str, kind: str, reason: str, *, now: datetime) -> bool:
    """The carrier says that the unit's own phone will never be reached by `kind`: nothing more goes there until it has
    another number. `now` is when the message was sent that did not arrive. False when there is no such unit.
    """
    change = {"$set": {f"retired.{kind}.reason": reason}, "$max": {f"retired.{kind}.at": now}, "$inc": {"version": 1}}
    return queries.units().update_one({"_id": unit_id}, change).modified_count == 1


def restore_phone(unit_id: str, kind: str, *, now: datetime) -> bool:
    """Send to the unit's own phone by `kind` again: it asked for that itself. False when it was not retired."""
    change = {"$unset": {f"retired.{kind}": ""}, "$set": {"updated_at": now}, "$inc": {"version": 1}}
    found = {"_id": unit_id, f"retired.{kind}": {"$exists": True}}
    return queries.units().update_one(found, change).modified_count == 1


def retire(unit_id: str, *, now: datetime) -> Unit:
    """Take a unit out of service for good: off duty, nobody on it. The document stays, since cases point at it."""
    unit = queries.unit(unit_id)
    for person_id in unit.get("responders") or []:
        take_off(unit_id, person_id, now=now)
    queries.units().update_one(
        {"_id": unit_id},
        {
            "$set": {"status": str(UnitStatus.OFF_DUTY), "retired_at": now, "responders": [], "updated_at": now},
            "$inc": {"version": 1},
        },
    )
    return queries.unit(unit_id)


def put_on(unit_id: str, person_id: str, *, now: datetime) -> Unit:
    """Put a responder on a unit, and off any other. Raises UnitNotFound, NotFound, NotAResponder."""
    unit = queries.unit(unit_id)
    if unit.get("retired_at"):
        raise UnitNotFound("no such unit")
    person = people.get(person_id)
    if not any(held.role == Role.RESPONDER and held.city == unit["city"] for held in person.roles):
        raise NotAResponder("give them the role of a responder in this city first")
    queries.units().update_many(
        {"responders": person_id, "_id": {"$ne": unit_id}},
        {"$pull": {"responders": person_id}, "$set": {"updated_at": now}, "$inc": {"version": 1}},
    )
    queries.units().update_one(
        {"_id": unit_id},
        {"$addToSet": {"responders": person_id}, "$set": {"updated_at": now}, "$inc": {"version": 1}},
    )
    people.collection().update_one(
        {"_id": person_id},
        {"$set": {"unit_id": unit_id, "agency_id": unit["agency"], "changed_at": now}, "$inc": {"version": 1}},
    )
    return queries.unit(unit_id)


def take_off(unit_id: str, person_id: str, *, now: datetime) -> Unit:
    """Take a responder off a unit; who is not on it stays where they are."""
    queries.units().update_one(
        {"_id": unit_id, "responders": person_id},
        {"$pull": {"responders": person_id}, "$set": {"updated_at": now}, "$inc": {"version": 1}},
    )
    people.collection().update_one(
        {"_id": person_id, "unit_id": unit_id}, {"$unset": {"unit_id": ""}, "$set": {"changed_at": now}}
    )
    return queries.unit(unit_id)


def take_off_without_role(person_id: str, *, now: datetime) -> None:
    """Whoever is no responder of their unit's city any more is on it no more: its next offer, with the place and the
    caller's number behind its link, would go to their phone.
    """
    person = people.get(person_id)
    if not person.unit_id:
        return
    unit = queries.units().find_one({"_id": person.unit_id}, {"city": 1}) or {}
    if not any(held.role == Role.RESPONDER and held.city == unit.get("city") for held in person.roles):
        take_off(person.unit_id, person_id, now=now)


def listed(city: str, *, agency: str | None, after: str | None, limit: int) -> tuple[list[Unit], str | None]:
    """A page of a city's units by id, and the id to go on from when there are more."""
    condition: dict[str, Any] = {"city": city, "retired_at": None}
    if agency:
        condition["agency"] = agency
    if after:
        condition["_id"] = {"$gt": after}
    rows = list(queries.units().find(condition).sort("_id", 1).limit(limit + 1))
    return rows[:limit], rows[limit - 1]["_id"] if len(rows) > limit else None
