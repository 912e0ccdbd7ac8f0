"""Duty, positions and assignments of a responder's unit."""

from collections.abc import Callable
from typing import Any

from api.blueprint import Blueprint, Call
from api.desk import desk
from api.incidents.position import heard_at
from api.responder import schemas
from domain.dispatch import duty, queries
from domain.dispatch import service as dispatch
from domain.dispatch.errors import AssignmentNotFound, UnitNotFound
from domain.dispatch.states import UnitStatus
from domain.dispatch.views import assignment_view
from domain.incidents.states import AssignmentStatus
from domain.tracks import service as tracks

blp = Blueprint("responder", __name__, url_prefix="/v1", description="What a responder's phone does.")

Incident = dict[str, Any]

_ANSWER: dict[str, Any] = {
    "permission": "assignment.answer",
    "answer": schemas.Assignment,
    "also": {404: "Not an assignment of one's unit.", 409: "Somebody else has it, or it stands elsewhere (`current`)."},
}


def _unit(call: Call) -> dict[str, Any]:
    if not call.who.unit_id:
        raise UnitNotFound("you are on no unit", code="no_unit")
    return queries.unit(call.who.unit_id)


@blp.endpoint(
    "PUT /responder/duty",
    permission="duty.edit",
    body=schemas.DutyBody,
    answer=schemas.DutyUnit,
    also={404: "No unit."},
)
def set_duty(call: Call) -> Any:
    """Go on or off duty. Off duty ends the unit's offers and what it holds, unless somebody else on it goes on."""
    unit = _unit(call)
    asked = {doc["_id"] for doc, _ in queries.of_unit(unit["_id"])}
    after = duty.change(call.who.person_id, unit["_id"], call.body["status"], desk(unit["city"]), now=call.now)
    if after["status"] == UnitStatus.OFF_DUTY:
        for incident in sorted(asked):
            call.services.enqueue("drain", "incidents", incident)
    return after


@blp.endpoint(
    "POST /responder/positions",
    permission="duty.edit",
    body=schemas.UnitPositions,
    answer=schemas.Taken,
    status=202,
    also={404: "No unit."},
)
def add_positions(call: Call) -> Any:
    """Where the unit is: up to 100 positions, in any order; the newest counts."""
    unit = _unit(call)
    heard = [heard_at(position, sent_at=call.sent_at, now=call.now) for position in call.body["positions"]]
    at, newest = max(zip(heard, call.body["positions"], strict=True), key=lambda each: each[0])
    tracks.add(unit["city"], unit["_id"], call.body["positions"], now=call.now)
    dispatch.moved(unit["_id"], newest["lat"], newest["lon"], desk(unit["city"]).positions, at=at)
    return {"accepted": len(heard)}


@blp.endpoint("GET /responder/assignments", permission="assignment.read", answer=schemas.Assignments, etag=True)
def list_assignments(call: Call) -> Any:
    """What one's unit is asked or holds now, newest first."""
    found = queries.of_unit(_unit(call)["_id"])
    return {
        "items": [
            assignment_view(doc, assignment_id, call.who.language)
            for doc, assignment_id in found
            if not _is_own_sos(call, doc)
        ]
    }


def _is_own_sos(call: Call, doc: Incident) -> bool:
    """Of one's own SOS one sees the citizen's side alone: the other knows of duress."""
    return bool((doc.get("citizen") or {}).get("person") == call.who.person_id)


def _act(call: Call, assignment_id: str, step: Callable[[Incident], Incident]) -> Any:
    doc = queries.incident_of(assignment_id, secret=call.services.settings.signing_key)
    theirs = call.who.unit_id and doc["assignments"][assignment_id]["unit"] == call.who.unit_id
    if not theirs or _is_own_sos(call, doc):
        raise AssignmentNotFound("no such assignment")
    doc = step(doc)
    call.services.enqueue("drain", "incidents", doc["_id"])
    return assignment_view(doc, assignment_id, call.who.language)


@blp.endpoint("POST /assignments/<assignment_id>/accept", **_ANSWER)
def accept(call: Call, assignment_id: str) -> Any:
    """Take it. The first yes wins; twice is once."""
    return _act(
        call,
        assignment_id,
        lambda doc: dispatch.accept(
            doc["_id"], assignment_id, desk(doc["city"]), by=call.who.person_id, via="app", now=call.now
        ),
    )


@blp.endpoint("POST /assignments/<assignment_id>/decline", body=schemas.DeclineBody, **_ANSWER)
def decline(call: Call, assignment_id: str) -> Any:
    """Say no, or give it up: it is offered to others at once."""
    return _act(
        call,
        assignment_id,
        lambda doc: dispatch.decline(
            doc["_id"], assignment_id, by=call.who.person_id, reason=call.body.get("reason") or "", now=call.now
        ),
    )


@blp.endpoint("POST /assignments/<assignment_id>/en_route", **_ANSWER)
def en_route(call: Call, assignment_id: str) -> Any:
    """On the way."""
    return _act(call, assignment_id, lambda doc: _progress(call, doc, assignment_id, AssignmentStatus.EN_ROUTE))


@blp.endpoint("POST /assignments/<assignment_id>/on_scene", **_ANSWER)
def on_scene(call: Call, assignment_id: str) -> Any:
    """There."""
    return _act(call, assignment_id, lambda doc: _progress(call, doc, assignment_id, AssignmentStatus.ON_SCENE))


@blp.endpoint("POST /assignments/<assignment_id>/clear", body=schemas.ClearBody, **_ANSWER)
def clear(call: Call, assignment_id: str) -> Any:
    """Done, and free again."""
    resolution = str(call.body["resolution"])
    return _act(
        call, assignment_id, lambda doc: _progress(call, doc, assignment_id, AssignmentStatus.CLEARED, resolution)
    )


@blp.endpoint("POST /assignments/<assignment_id>/mayday", **_ANSWER)
def mayday(call: Call, assignment_id: str) -> Any:
    """The responder needs help: the control room and the supervisors hear of it at once."""
    return _act(
        call,
        assignment_id,
        lambda doc: dispatch.mayday(doc["_id"], assignment_id, by=call.who.person_id, now=call.now),
    )


def _progress(
    call: Call, doc: Incident, assignment_id: str, wanted: AssignmentStatus, resolution: str = ""
) -> Incident:
    return dispatch.progress(
        doc["_id"], assignment_id, wanted, by=call.who.person_id, now=call.now, resolution=resolution
    )
