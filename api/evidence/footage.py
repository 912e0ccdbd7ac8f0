"""Asking for footage of an incident: bounded, with a reason, answered with what exists and what was down."""

from typing import Any

from api.blueprint import Blueprint, Call
from api.evidence import schemas
from api.evidence.views import request_view
from api.incidents.routes import readable
from api.paging import Listed
from domain.audit import chain as audit
from domain.evidence import footage

blp = Blueprint("footage", __name__, url_prefix="/v1/incidents", description="Footage of an incident.")

ASK, READ = "footage.request", "evidence.read"


@blp.endpoint(
    "POST /<incident_id>/footage-requests",
    permission=ASK,
    body=schemas.NewFootageRequest,
    answer=schemas.FootageRequest,
    status=201,
    creates=True,
    caution=False,
    also={409: "The key was used for another request."},
)
def ask(call: Call, incident_id: str) -> Any:
    """Ask what cameras near an incident recorded. What there is is sealed, blurred and kept as evidence."""
    incident = readable(call, incident_id, ASK)
    request_id = call.new_id("ftr")
    reason = call.body["reason"]
    audit.append(
        incident["city"],
        call.who.person_id,
        "footage.asked",
        incident_id,
        now=call.now,
        reason=reason,
        request=request_id,
    )
    made, new = footage.ask(
        request_id, incident, call.body, by=call.who.person_id, fingerprint=call.fingerprint, now=call.now
    )
    if new:
        call.services.enqueue("footage", request_id)
    return request_view(made), 201 if new else 200


@blp.endpoint(
    "GET /<incident_id>/footage-requests", permission=READ, answer=schemas.FootageRequest, paged=True, caution=False
)
def list_requests(call: Call, incident_id: str) -> Any:
    """The footage requests of an incident, newest first; the last fifty."""
    readable(call, incident_id, READ)
    return Listed([request_view(row) for row in footage.of_incident(incident_id)[: call.limit]])


@blp.endpoint(
    "GET /<incident_id>/footage-requests/<request_id>",
    permission=READ,
    answer=schemas.FootageRequest,
    etag=True,
    caution=False,
)
def read_request(call: Call, incident_id: str, request_id: str) -> Any:
    """One footage request, and what each camera had to say so far."""
    readable(call, incident_id, READ)
    found = footage.get(request_id, incident_id)
    return request_view(found), 200, found["version"]
