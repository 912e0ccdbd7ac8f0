"""Staff: roles given and taken, second factors handed out, sessions ended."""

from collections.abc import Sequence
from typing import Any

from api.admin import schemas
from api.admin.scope import audited, city_of
from api.blueprint import Blueprint, Call
from api.paging import Listed
from domain.cities import queries as cities
from domain.dispatch import registry
from domain.errors import NotFound
from domain.people import queries, sessions, staff
from domain.people.errors import RoleInvalid
from domain.permissions import Held, Role, Target, reaches

blp = Blueprint("staff", __name__, url_prefix="/v1", description="Staff and their sessions, for admins.")


def _held(city: str, given: Sequence[dict[str, str]]) -> list[Held]:
    """The roles of a body, checked against the city's agencies."""
    agencies = cities.current(city).agencies
    errors: dict[str, list[str]] = {}
    for index, each in enumerate(given):
        if Role(each["role"]) in staff.NEEDS_AGENCY and each.get("agency_id") not in agencies:
            errors[f"roles.{index}.agency_id"] = ["An agency of this city is needed."]
    if errors:
        raise RoleInvalid("a role is not right", errors=errors)
    return [Held(Role(each["role"]), city, each.get("agency_id", ""), each.get("group_id", "")) for each in given]


def _facts(body: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {name: body[name] for name in ("name", "language", "languages", "skills") if name in body}
    if "gender" in body:
        facts["gender"] = str(body["gender"])
    return facts


def _view(person: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": person.id,
        **{name: getattr(person, name) for name in ("name", "phone", "language", "gender", "duty")},
        "languages": list(person.languages),
        "skills": list(person.skills),
        "roles": list(person.roles),
        "agency_id": person.agency_id or "",
        "unit_id": person.unit_id or "",
        "second_factor": bool(person.second_factor and person.second_factor.confirmed_at),
        **more,
    }


@blp.endpoint("GET /staff", permission="staff.read", query=schemas.StaffQuery, answer=schemas.StaffAnswer, paged=True)
def list_staff(call: Call) -> Any:
    """Who holds a role in a city."""
    city = city_of(call, "staff.read", call.query.get("city"))
    after = call.after(str)
    rows, last = staff.listed(city, role=call.query.get("role"), after=after[0] if after else None, limit=call.limit)
    return Listed([_view(person) for person in rows], [last] if last else None)


@blp.endpoint(
    "POST /staff",
    permission="staff.edit",
    body=schemas.NewStaff,
    answer=schemas.NewStaffAnswer,
    status=201,
    creates=True,
)
def add_staff(call: Call) -> Any:
    """Give somebody roles in a city. The enrolment code of their second factor is told once: hand it over in person."""
    body = dict(call.body)
    city = city_of(call, "staff.edit", body.get("city"))
    roles = _held(city, body["roles"])
    person_id = staff.admit(body["phone"], language=body.get("language") or "ur", now=call.now)
    audited(call, city, "staff.added", person_id, body)
    person, code = staff.add(person_id, roles, _facts(body), now=call.now)
    return _view(person, **({"enrolment_code": code} if code else {})), 201


@blp.endpoint("GET /staff/<person_id>", permission="staff.read", answer=schemas.StaffAnswer, etag=True)
def get_staff(call: Call, person_id: str) -> Any:
    """One member of staff."""
    return _view(staff.of_city(person_id, _city_of_person(call, "staff.read", person_id)))


@blp.endpoint("PATCH /staff/<person_id>", permission="staff.edit", body=schemas.StaffChange, answer=schemas.StaffAnswer)
def change_staff(call: Call, person_id: str) -> Any:
    """Set the roles that somebody holds in a city, and facts about them; what is left out stays."""
    body = dict(call.body)
    city = _city_of_person(call, "staff.edit", person_id, body.get("city"))
    roles = _held(city, body["roles"]) if "roles" in body else None
    audited(call, city, "staff.changed", person_id, body)
    staff.change(person_id, city=city, roles=roles, facts=_facts(body), now=call.now)
    registry.take_off_without_role(person_id, now=call.now)
    return _view(queries.get(person_id))


@blp.endpoint("DELETE /staff/<person_id>", permission="staff.edit", status=204)
def dismiss(call: Call, person_id: str) -> Any:
    """Take every role in the city away and end the sessions at once; the person stays a citizen."""
    city = _city_of_person(call, "staff.edit", person_id)
    audited(call, city, "staff.dismissed", person_id)
    staff.dismiss(person_id, city=city, now=call.now)
    registry.take_off_without_role(person_id, now=call.now)
    call.services.enqueue("drain", "people", person_id)
    return None, 204


@blp.endpoint("POST /staff/<person_id>/enrolment", permission="staff.edit", answer=schemas.EnrolmentAnswer, status=201)
def new_enrolment(call: Call, person_id: str) -> Any:
    """Take the second factor away and give a code for a new one: a lost authenticator."""
    city = _city_of_person(call, "staff.edit", person_id)
    audited(call, city, "staff.enrolment_renewed", person_id)
    return {"enrolment_code": staff.enrol(person_id, now=call.now)}


@blp.endpoint(
    "GET /sessions",
    permission="session.read",
    query=schemas.SessionsQuery,
    answer=schemas.StaffSessionAnswer,
    paged=True,
)
def list_sessions(call: Call) -> Any:
    """Where a city's staff are signed in. A page holds all sessions of up to `limit` people."""
    city = city_of(call, "session.read", call.query.get("city"))
    if person_id := call.query.get("person_id"):
        people, last = [staff.of_city(person_id, city)], None
    else:
        after = call.after(str)
        people, last = staff.listed(city, role=None, after=after[0] if after else None, limit=call.limit)
    rows = [
        {**session, "id": f"{person.id}.{session['id']}", "person_id": person.id}
        for person in people
        for session in sessions.listed(person.id, now=call.now)
    ]
    return Listed(rows, [last] if last else None)


@blp.endpoint("DELETE /sessions/<session_id>", permission="session.end", status=204)
def end_session(call: Call, session_id: str) -> Any:
    """End somebody's session at once: a stolen laptop."""
    person_id, _, own_id = session_id.partition(".")
    city = _city_of_person(call, "session.end", person_id)
    audited(call, city, "session.ended", person_id)
    sessions.end(person_id, own_id, now=call.now)
    call.services.enqueue("drain", "people", person_id)
    return None, 204


def _city_of_person(call: Call, action: str, person_id: str, given: str | None = None) -> str:
    """The city in which the caller may do this to that person. NotFound where there is none."""
    if given:
        staff.of_city(person_id, city := city_of(call, action, given))
        return city
    person = queries.get(person_id)
    for held in person.roles:
        if held.city and held.city != "*" and reaches(call.who, action, Target(city=held.city)):
            return str(held.city)
    if any(held.city == "*" for held in person.roles) and reaches(call.who, action, Target(city="*")):
        return "*"
    raise NotFound("nobody of this city's staff")
