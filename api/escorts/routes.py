"""Asking for an escort and following it. Who comes is found by the dispatch that finds who comes to an SOS."""

from datetime import datetime
from typing import Any

from marshmallow import fields, validate

from api.blueprint import Blueprint, Call
from api.incidents.position import by_our_clock
from api.incidents.schemas import Sos
from api.journeys.schemas import Destination
from api.schemas import Choice, Flag, PositionSchema, Schema, Text, Time
from domain.cities import queries as cities
from domain.escorts import queries, service
from domain.escorts.queries import Escort
from domain.escorts.service import Wanted
from domain.escorts.states import EscortStatus
from domain.incidents import cancelling, seen

blp = Blueprint("escorts", __name__, url_prefix="/v1", description="Somebody walks along.")

SHOWN = 5


class NewEscort(Schema):
    """From where to where; now where `at` is left out."""

    position = fields.Nested(PositionSchema, required=True)
    destination = fields.Nested(Destination, required=True)
    at = Time(load_default=None, allow_none=True, metadata={"description": "By the phone's clock, as Sent-At is."})
    women_first = Flag(
        load_default=True, metadata={"description": "Women police before others; never instead of them."}
    )
    note = Text(500, multiline=True, load_default=None, allow_none=True)


class EscortAnswer(Schema):
    """An escort. `sos` is how far those who come are, once units are asked."""

    id = fields.String(required=True)
    status = Choice(EscortStatus, required=True)
    version = fields.Integer(required=True)
    at = Time(required=True)
    destination = fields.Nested(Destination, required=True)
    women_first = fields.Boolean(required=True)
    note = fields.String(allow_none=True)
    asked_from = Time(required=True, metadata={"description": "When units are asked, or were."})
    requires_pin = fields.Boolean(required=True, metadata={"description": "To cancel it."})
    sos = fields.Nested(Sos, allow_none=True)


class EscortsAnswer(Schema):
    """One's newest escorts."""

    items = fields.List(fields.Nested(EscortAnswer), required=True)


class EscortCancel(Schema):
    """The PIN where one is needed."""

    pin = fields.String(validate=validate.Length(max=64), load_default=None, allow_none=True)


@blp.endpoint(
    "POST /escorts",
    permission="journey.edit",
    body=NewEscort,
    answer=EscortAnswer,
    status=201,
    creates=True,
    also={
        409: "Nobody gives escorts in this city, or this key was used for another.",
        429: "Several are open: cancel one first.",
    },
)
def ask(call: Call) -> Any:
    """Ask for somebody who walks along: women police units or vetted volunteers, nearest first."""
    body = call.body
    lat, lon = body["position"]["lat"], body["position"]["lon"]
    doc, fresh = service.ask(
        call.new_id("esc"),
        call.who.person_id,
        Wanted(
            position=body["position"],
            destination=body["destination"],
            at=by_our_clock(body["at"], sent_at=call.sent_at, now=call.now, field="at") if body["at"] else call.now,
            women_first=body["women_first"],
            note=body["note"],
        ),
        city=cities.city_at(lat, lon) or cities.nearest_city(lat, lon).city,
        fingerprint=call.fingerprint,
        now=call.now,
    )
    if doc.get("pending_events"):
        call.services.enqueue("drain", "escorts", doc["_id"])
    return _view(doc, call.now), 201 if fresh else 200


@blp.endpoint("GET /escorts", permission="journey.edit", answer=EscortsAnswer, etag=True)
def list_escorts(call: Call) -> Any:
    """One's newest escorts; what was written stands in each one alone."""
    found = [_view(doc, call.now) for doc in queries.of_person(call.who.person_id, limit=SHOWN)]
    return {"items": [each | {"sos": each["sos"] and each["sos"] | {"messages": []}} for each in found]}


@blp.endpoint("GET /escorts/<escort_id>", permission="journey.edit", answer=EscortAnswer, etag=True)
def read(call: Call, escort_id: str) -> Any:
    """How the escort stands."""
    return _view(queries.own(escort_id, call.who.person_id), call.now)


@blp.endpoint(
    "POST /escorts/<escort_id>/cancel",
    permission="journey.edit",
    body=EscortCancel,
    answer=EscortAnswer,
    also={403: "The PIN is wrong; it was counted.", 429: "Too many wrong PINs."},
)
def cancel(call: Call, escort_id: str) -> Any:
    """Take it back; with the PIN once units are asked."""
    doc = queries.own(escort_id, call.who.person_id)
    try:
        doc = service.cancel(doc, call.body["pin"] or "", secret=call.services.settings.signing_key, now=call.now)
    finally:
        if doc.get("incident"):
            call.services.enqueue("drain", "incidents", doc["incident"])
    return _view(doc, call.now)


def _view(doc: Escort, now: datetime) -> dict[str, Any]:
    incident = service.incident_of(doc)
    planned = doc["status"] == EscortStatus.PLANNED
    return {
        "id": doc["_id"],
        "status": doc["status"],
        "version": doc["version"],
        "at": doc["at"],
        "destination": doc["destination"],
        "women_first": doc["women_first"],
        "note": doc.get("note"),
        "asked_from": doc["due_at"] if planned else max(doc["at"] - service.LEAD, doc["created_at"]),
        "requires_pin": incident is not None and cancelling.requires_pin(incident),
        "sos": seen.by_citizen(incident, now) if incident else None,
    }
