"""Deliveries as the control room and supervisors read them: who was told what, how, and what the carriers said."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from api.blueprint import Blueprint, Call
from api.deliveries import schemas
from api.deliveries.views import delivery_view
from api.paging import Listed, cut
from domain import permissions
from domain.audit import chain as audit
from domain.deliveries import queries
from domain.deliveries import service as deliveries
from domain.drills import queries as drills
from domain.errors import NotFound
from domain.incidents import service as incidents
from domain.incidents.errors import IncidentNotFound
from domain.incidents.reach import target
from domain.permissions import Target

blp = Blueprint("told", __name__, url_prefix="/v1", description="What was told, attempt by attempt.")

READ: Final = "delivery.read"


def _of_incident(delivery: Mapping[str, Any]) -> Target:
    return target(incidents.get(delivery["subject"]))


def _of_drill(delivery: Mapping[str, Any]) -> Target:
    drill = drills.get(delivery["subject"])
    return Target(city=drill["city"], agency_ids=frozenset({drill.get("agency") or ""} - {""}))


def _of_city(delivery: Mapping[str, Any]) -> Target:
    return Target(city=delivery["city"])


ABOUT: Final[Mapping[str, Callable[[Mapping[str, Any]], Target]]] = {
    "inc": _of_incident,
    "drl": _of_drill,
    "alt": _of_city,
    "ntc": _of_city,
}
"""What a delivery is about, by the prefix of its subject → who may read it. What is not here nobody reads: one-time
codes, invitations of guardians, and above all what the helpline tells somebody. Whether the alarm to a guardian went out is
part of an incident; who the guardian is is not (`views.py`)."""


@blp.endpoint("GET /deliveries/<delivery_id>", permission=READ, answer=schemas.DeliveryInFull, etag=True, caution=False)
def read_delivery(call: Call, delivery_id: str) -> Any:
    """One delivery with every attempt: the carrier's id and code, what we take it to mean, and the times. Audited."""
    found = deliveries.get(delivery_id)
    about = ABOUT.get(found["subject"].partition("_")[0])
    if about is None or found["recipient"]["kind"] == "helpline" or not _reaches(call, about, found):
        raise NotFound("no such delivery", code="delivery_not_found")
    audit.append(found["city"], call.who.person_id, "delivery.read", delivery_id, now=call.now)
    return delivery_view(found), 200, str(found["version"])


def _reaches(call: Call, about: Callable[[Mapping[str, Any]], Target], found: Mapping[str, Any]) -> bool:
    try:
        return permissions.reaches(call.who, READ, about(found))
    except NotFound:  # what it was about is gone
        return permissions.reaches(call.who, READ, _of_city(found))


@blp.endpoint(
    "GET /incidents/<incident_id>/deliveries", permission=READ, answer=schemas.DeliveryInFull, paged=True, caution=False
)
def of_incident(call: Call, incident_id: str) -> Any:
    """All that was told about an incident, newest first, attempt by attempt. Each reading is in the audit log."""
    doc = incidents.get(incident_id)
    if not permissions.reaches(call.who, READ, target(doc)):
        raise IncidentNotFound("no such incident")
    audit.append(doc["city"], call.who.person_id, "incident.deliveries.read", incident_id, now=call.now)
    after = call.after(datetime, str)
    rows = queries.page_of(incident_id, after=after, limit=call.limit + 1)
    page, more = cut(rows, call.limit, "created_at", "_id")
    return Listed([delivery_view(each) for each in page], more)
