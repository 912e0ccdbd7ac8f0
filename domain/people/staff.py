"""Who works for the city: roles given and taken, enrolment of the second factor, who of them is signed in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from domain.errors import Conflict, NotFound
from domain.people import queries, second_factor, sessions, sign_in
from domain.people.documents import PersonDoc
from domain.permissions import STAFF, Held, Role

NEEDS_AGENCY: Final = frozenset({Role.RESPONDER, Role.SUPERVISOR})
GIVEN: Final = frozenset(Role) - {Role.CITIZEN}
"""Roles that somebody gives; everybody is a citizen."""
_TRIES: Final = 12
"""Of a change that meets another: as many as an incident's."""


def _rows(roles: Sequence[Held]) -> list[dict[str, str]]:
    return [
        {"role": str(held.role), "city": held.city, "agency_id": held.agency_id, "group_id": held.group_id}
        for held in roles
    ]


def _agency(roles: Sequence[Held]) -> str:
    return next((held.agency_id for held in roles if held.agency_id), "")


def admit(phone: str, *, language: str, now: datetime) -> str:
    """The id of the person with this number, who may be new, or a citizen already."""
    return str(sign_in.person_for(phone, language=language, now=now, verified=False)["_id"])


def add(person_id: str, roles: Sequence[Held], facts: Mapping[str, Any], *, now: datetime) -> tuple[Any, str]:
    """(person, enrolment code): somebody becomes staff or a responder. Roles are added to those held.

    The code is told once, and empty where no role needs a second factor or there is one. `facts`: name, language,
    languages, gender, skills.
    """
    person = queries.get(person_id)
    held = {(each.role, each.city, each.agency_id, each.group_id) for each in person.roles}
    added = [each for each in _rows(roles) if tuple(each.values()) not in held]
    changes: dict[str, Any] = {name: value for name, value in facts.items() if value}
    if agency := _agency(roles):
        changes["agency_id"] = agency
    if not person.city and roles and roles[0].city != "*":
        changes["city"] = roles[0].city
    queries.collection().update_one(
        {"_id": person_id},
        {
            "$set": {**changes, "changed_at": now},
            "$push": {"roles": {"$each": added}},
            "$inc": {"version": 1},
        },
    )
    needs_code = any(each.role in STAFF for each in roles) and person.second_factor is None
    code = enrol(person_id, now=now) if needs_code else ""
    return queries.get(person_id), code


def enrol(person_id: str, *, now: datetime) -> str:
    """A new enrolment code; the old second factor is gone and sessions that had it end: a lost authenticator."""
    code = second_factor.enrolment_code()
    second_factor.allow_enrolment(person_id, code, now=now)
    for session in sessions.listed(person_id, now=now):
        if session.get("second_factor_at"):
            sessions.end(person_id, session["id"], now=now)
    return code


def change(person_id: str, *, city: str, roles: Sequence[Held] | None, facts: Mapping[str, Any], now: datetime) -> Any:
    """Set the roles that a person holds in one city, and facts. Roles elsewhere stay. Raises NotFound, Conflict."""
    for _ in range(_TRIES):
        person = queries.get(person_id)
        changes: dict[str, Any] = dict(facts)
        if roles is not None:
            elsewhere = [
                Held(Role(held.role), held.city, held.agency_id, held.group_id)
                for held in person.roles
                if held.city != city
            ]
            changes["roles"] = _rows([*elsewhere, *roles])
            changes["agency_id"] = _agency([*roles, *elsewhere])
        done = queries.collection().update_one(
            {"_id": person_id, "version": person.version},
            {"$set": {**changes, "changed_at": now}, "$inc": {"version": 1}},
        )
        if done.matched_count:
            return queries.get(person_id)
    raise Conflict("the person kept changing", code="changed_meanwhile")


def dismiss(person_id: str, *, city: str, now: datetime) -> None:
    """Take every role in a city away and end the sessions; the person stays a citizen."""
    change(person_id, city=city, roles=[], facts={}, now=now)
    sessions.end_all(person_id, now=now)


def of_city(person_id: str, city: str) -> Any:
    """The person if they hold a role in the city; raises NotFound: of others an admin learns nothing."""
    person = queries.get(person_id)
    if not any(held.city == city for held in person.roles):
        raise NotFound("nobody of this city's staff")
    return person


def listed(city: str, *, role: str | None, after: str | None, limit: int) -> tuple[list[Any], str | None]:
    """A page of those who hold a role in a city, by id, and the id to go on from when there are more."""
    condition: dict[str, Any] = {"roles.city": city}
    if role:
        condition = {"roles.role": role, "roles.city": city, "roles": {"$elemMatch": {"role": role, "city": city}}}
    if after:
        condition["_id"] = {"$gt": after}
    rows = list(PersonDoc.objects(__raw__=condition).order_by("id").limit(limit + 1))
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None
