"""Which city an admin's request is about, and the audit entry that each change leaves."""

from collections.abc import Mapping
from typing import Any

from api.blueprint import Call
from domain import permissions
from domain.audit import chain
from domain.cities import queries as cities
from domain.cities.errors import CityInvalid, UnknownCity
from domain.permissions import Target


def city_of(call: Call, action: str, given: str | None) -> str:
    """The city asked for, or the only one the caller has the action in. NotFound for one out of reach."""
    reach = permissions.cities(call.who, action)
    city = given or (next(iter(reach)) if len(reach) == 1 and "*" not in reach else call.who.city)
    if not city:
        raise CityInvalid("which city", errors={"city": ["Say which city."]})
    agency_ids = permissions.agencies(call.who, action)
    if agency_ids and any(held.city == city for held in call.who.active if held.agency_id):
        return _known(city)
    permissions.require_reach(call.who, action, Target(city=city))
    return _known(city)


def _known(city: str) -> str:
    if city not in cities.known():
        raise UnknownCity("no such city")
    return city


def audited(call: Call, city: str, action: str, subject: str, body: Mapping[str, Any] | None = None) -> None:
    """Put what is about to be done on the chain, before it is done."""
    chain.append(
        city,
        call.who.person_id,
        action,
        subject,
        now=call.now,
        reason=str((body or {}).get("reason") or "")[:300],
        session=call.who.session_id,
    )
