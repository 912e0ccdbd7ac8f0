"""Who may see an incident in the control room's way: by its city, the agencies that it concerns, the units on it."""

from collections.abc import Mapping
from typing import Any

from domain import permissions
from domain.cities import queries as cities
from domain.incidents.states import ASKED, HOLDING, AssignmentStatus
from domain.permissions import Principal, Scope, Target


def target(doc: Mapping[str, Any]) -> Target:
    """What permissions are asked about. Hidden from its citizen: nobody sees the control room's view of their own SOS,
    whatever roles they have, since that view knows of duress and their phone may be in other hands.
    """
    assignments = (doc.get("assignments") or {}).values()
    config = cities.current(doc["city"])
    agencies = {each["agency"] for each in assignments if each.get("agency")}
    agencies |= {agency.id for service in doc.get("slots") or {} for agency in config.agencies_for(service)}
    agencies |= {handover["agency"] for handover in doc.get("handovers") or []}
    near = ASKED | HOLDING | {AssignmentStatus.CLEARED}
    return Target(
        city=doc["city"],
        agency_ids=frozenset(agencies),
        unit_ids=frozenset(each["unit"] for each in assignments if each["status"] in near),
        hidden_from=frozenset({(doc.get("citizen") or {}).get("person") or ""} - {""}),
    )


def only_by_unit(who: Principal, doc: Mapping[str, Any]) -> str:
    """The unit by which alone the principal sees this incident: a responder's side of it. "" for one who sees it by another
    role as well, in its city or agency.
    """
    return who.unit_id if permissions.reached_at(who, "incident.read", target(doc)) <= {Scope.SELF} else ""
