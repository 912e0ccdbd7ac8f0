"""Units and who is on them."""

from typing import Any

from api.admin import schemas
from api.admin.scope import audited, city_of
from api.blueprint import Blueprint, Call
from api.paging import Listed
from domain import permissions
from domain.dispatch import queries, registry
from domain.dispatch import service as dispatch
from domain.permissions import Scope, Target

blp = Blueprint("units", __name__, url_prefix="/v1/units", description="Units, for admins and supervisors.")


def _unit(call: Call, action: str, unit_id: str) -> dict[str, Any]:
    unit = queries.unit(unit_id)
    call.require_reach(
        action, Target(city=unit["city"], agency_ids=frozenset({unit["agency"]}), unit_ids=frozenset({unit_id}))
    )
    return unit


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {name: body[name] for name in ("name", "skills", "phone") if name in body}
    if "services" in body:
        changes["services"] = [str(each) for each in body["services"]]
    if "agency_id" in body:
        changes["agency"] = body["agency_id"]
    return changes


@blp.endpoint("GET ", permission="unit.read", query=schemas.UnitsQuery, answer=schemas.UnitAnswer, paged=True)
def list_units(call: Call) -> Any:
    """The units of a city, or of the supervisor's agency."""
    city = city_of(call, "unit.read", call.query.get("city"))
    agency = call.query.get("agency_id")
    if Scope.CITY not in permissions.scopes(call.who, "unit.read"):
        own = permissions.agencies(call.who, "unit.read")
        agency = agency if agency in own else next(iter(sorted(own)), "none")
    after = call.after(str)
    rows, last = registry.listed(city, agency=agency, after=after[0] if after else None, limit=call.limit)
    return Listed(rows, [last] if last else None)


@blp.endpoint(
    "POST ", permission="unit.edit", body=schemas.NewUnit, answer=schemas.UnitAnswer, status=201, creates=True
)
def add_unit(call: Call) -> Any:
    """Add a unit; it starts off duty, with nobody on it."""
    city = city_of(call, "unit.edit", call.body.get("city"))
    body = dict(call.body)
    call.require_reach("unit.edit", Target(city=city, agency_ids=frozenset({body["agency_id"]})))
    unit_id = call.new_id("unt")
    audited(call, city, "unit.added", unit_id)
    unit, fresh = registry.add(unit_id, city=city, now=call.now, **{"skills": [], "phone": "", **_fields(body)})
    return unit, 201 if fresh else 200


@blp.endpoint("GET /<unit_id>", permission="unit.read", answer=schemas.UnitAnswer, etag=True)
def get_unit(call: Call, unit_id: str) -> Any:
    """One unit."""
    return _unit(call, "unit.read", unit_id)


@blp.endpoint("PATCH /<unit_id>", permission="unit.edit", body=schemas.UnitChange, answer=schemas.UnitAnswer)
def change_unit(call: Call, unit_id: str) -> Any:
    """Change a unit; what is left out stays."""
    unit = _unit(call, "unit.edit", unit_id)
    changes = _fields(dict(call.body))
    if "agency" in changes:
        call.require_reach("unit.edit", Target(city=unit["city"], agency_ids=frozenset({changes["agency"]})))
    audited(call, unit["city"], "unit.changed", unit_id)
    return registry.change(unit_id, changes, now=call.now)


@blp.endpoint("DELETE /<unit_id>", permission="unit.edit", status=204)
def retire_unit(call: Call, unit_id: str) -> Any:
    """Take a unit out of service for good; what it was offered or holds is asked anew."""
    unit = _unit(call, "unit.edit", unit_id)
    audited(call, unit["city"], "unit.retired", unit_id)
    registry.retire(unit_id, now=call.now)
    dispatch.end_offers(unit_id, by=call.who.person_id, now=call.now)
    return None, 204


@blp.endpoint(
    "PUT /<unit_id>/responders/<person_id>",
    permission="unit.edit",
    answer=schemas.UnitAnswer,
    also={409: "They are no responder of this city."},
)
def put_on(call: Call, unit_id: str, person_id: str) -> Any:
    """Put a responder on a unit, and off any other."""
    unit = _unit(call, "unit.edit", unit_id)
    audited(call, unit["city"], "unit.responder_put_on", person_id)
    return registry.put_on(unit_id, person_id, now=call.now)


@blp.endpoint("DELETE /<unit_id>/responders/<person_id>", permission="unit.edit", answer=schemas.UnitAnswer)
def take_off(call: Call, unit_id: str, person_id: str) -> Any:
    """Take a responder off a unit."""
    unit = _unit(call, "unit.edit", unit_id)
    audited(call, unit["city"], "unit.responder_taken_off", person_id)
    return registry.take_off(unit_id, person_id, now=call.now)
