"""Reads of people. Every filter here is served by `_id` or an index that `documents.py` declares."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from domain.errors import NotFound
from domain.people import rules
from domain.people.documents import PersonDoc
from domain.people.errors import SessionEnded
from domain.permissions import Held, Principal, Role

_PRINCIPAL_FIELDS = ("city", "language", "roles", "unit_id", "agency_id", "erased_at")


def collection() -> Any:
    """The raw collection, for conditional writes."""
    return PersonDoc._get_collection()


def get(person_id: str) -> PersonDoc:
    """The person; raises NotFound for an unknown or erased one."""
    found: PersonDoc | None = PersonDoc.objects(id=person_id, erased_at=None).first()
    if found is None:
        raise NotFound("no such person")
    return found


def names(person_ids: Iterable[str]) -> dict[str, str]:
    """What these people are called, "" where they told nothing; whoever is not there any more is left out."""
    rows = collection().find({"_id": {"$in": sorted(set(person_ids))}}, {"name": 1})
    return {row["_id"]: row.get("name") or "" for row in rows}


def name(person_id: str) -> str:
    """What somebody is called, "" where we do not know."""
    return names([person_id]).get(person_id, "")


def by_phone(phone: str) -> PersonDoc | None:
    """The person who has this E.164 number, or None."""
    found: PersonDoc | None = PersonDoc.objects(phone=phone).first()
    return found


def responders_of(unit_ids: Iterable[str]) -> list[PersonDoc]:
    """The responders on these units, on duty or not."""
    return list(PersonDoc.objects(unit_id__in=list(unit_ids), erased_at=None))


def supervisors_of(city: str, agency_id: str) -> list[PersonDoc]:
    """The supervisors of an agency in a city."""
    rows = PersonDoc.objects(
        __raw__={
            "roles": {"$elemMatch": {"role": Role.SUPERVISOR.value, "city": city, "agency_id": agency_id}},
            "roles.role": Role.SUPERVISOR.value,
            "roles.city": city,
        }
    )
    return list(rows)


def with_role(city: str, role: Role) -> list[PersonDoc]:
    """Everybody who holds a role in a city."""
    rows = PersonDoc.objects(
        __raw__={
            "roles": {"$elemMatch": {"role": role.value, "city": city}},
            "roles.role": role.value,
            "roles.city": city,
        }
    )
    return list(rows)


def guardians_of(person: PersonDoc) -> list[Any]:
    """The guardians to be told of an SOS: confirmed first, then those who have not answered; never who said no."""
    order = {"confirmed": 0, "invited": 1}
    asked = [guardian for guardian in person.guardians.values() if guardian.status in order]
    return sorted(asked, key=lambda guardian: (order[guardian.status], guardian.id))


def principal(person_id: str, session_id: str, *, now: datetime) -> Principal:
    """Who asks: one read by `_id`. Raises SessionEnded when the session is over or the person is gone."""
    if not session_id.replace("_", "").isalnum():
        raise SessionEnded("sign in again")
    row = collection().find_one(
        {"_id": person_id},
        {**dict.fromkeys(_PRINCIPAL_FIELDS, 1), f"sessions.{session_id}": 1},
    )
    session = (row or {}).get("sessions", {}).get(session_id)
    if row is None or session is None or row.get("erased_at") or session.get("ended_at"):
        raise SessionEnded("sign in again")
    if session["expires_at"] <= now:
        raise SessionEnded("sign in again")
    return Principal(
        person_id=person_id,
        session_id=session_id,
        city=row.get("city") or "",
        roles=tuple(
            Held(Role(held["role"]), held.get("city", ""), held.get("agency_id", ""), held.get("group_id", ""))
            for held in row.get("roles") or []
        ),
        second_factor=rules.second_factor_holds(session.get("second_factor_at"), now),
        unit_id=row.get("unit_id") or "",
        agency_id=row.get("agency_id") or "",
        language=row.get("language") or "ur",
    )


def city_of(person_id: str | None, phone: str | None) -> str:
    """The home city of a person, or of whoever has this number; empty when not known."""
    condition = {"_id": person_id} if person_id else {"phone": phone} if phone else None
    row = collection().find_one(condition, {"city": 1}) if condition else None
    return str((row or {}).get("city") or "")
