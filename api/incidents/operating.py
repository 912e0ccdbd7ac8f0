"""What the control room does: open, send, merge, close, reopen, steer, note, hand over."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from api.blueprint import Blueprint, Call
from api.desk import desk
from api.incidents import schemas
from api.incidents.routes import readable, shown
from domain import permissions
from domain.audit import chain as audit
from domain.cities import queries as cities
from domain.dispatch import bridging, steering
from domain.dispatch import queries as dispatch_queries
from domain.dispatch import rules as dispatch_rules
from domain.dispatch import service as dispatch
from domain.dispatch.errors import AssignmentNotFound, UnitNotFound
from domain.errors import Conflict
from domain.incidents import following, operating
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.incidents.errors import CategoryNotFound
from domain.incidents.service import Incident
from domain.permissions import Target
from domain.permissions import cities as cities_of

blp = Blueprint("operating", __name__, url_prefix="/v1", description="What the control room does to incidents.")

EDIT = "incident.edit"
_ANSWER: dict[str, Any] = {
    "permission": EDIT,
    "answer": schemas.Incident,
    "caution": False,
    "also": {409: "It does not stand where this is possible (`current`).", 412: "It changed since If-Match."},
}


def _do(
    call: Call,
    incident_id: str,
    step: Callable[[Incident], Incident],
    *,
    was_there: Callable[[Incident], bool] = lambda doc: True,
) -> Any:
    """One step on an incident within reach. Where it creates something: 201, and 200 for what `was_there` already."""
    doc = readable(call, incident_id, EDIT)
    call.require_match(doc["version"])
    after = step(doc)
    call.services.enqueue("drain", "incidents", incident_id)
    view, status, tag = shown(call, after)
    return view, status if was_there(doc) else 201, tag


@blp.endpoint(
    "POST /incidents",
    permission="incident.create",
    body=schemas.NewIncident,
    answer=schemas.Incident,
    status=201,
    creates=True,
    caution=False,
    also={404: "No such city, or not yours.", 409: "The key was used for another incident."},
)
def create(call: Call) -> Any:
    """Open an incident for a caller or a walk-in. Units are asked at once, as for an SOS."""
    body, who = call.body, call.who
    services = tuple(name for name, wanted in (body.get("services") or {}).items() if wanted)
    found = facts(
        CallForHelp(
            channel=body["channel"],
            position={**body["position"], "source": "operator"} if body.get("position") else None,
            phone=body.get("phone"),
            category=body["category"],
            services=services,
            silent=body["silent"],
            note=body.get("note"),
            language=body.get("language"),
            verified=True,
            key=call.key or "",
            by=who.person_id,
            city=body.get("city") or _home(call),
        ),
        now=call.now,
    )
    call.require_reach("incident.create", Target(city=found.city))
    if body["category"] not in cities.current(found.city).categories:
        raise CategoryNotFound("no such category in this city")
    settings = call.services.settings
    doc, created = operating.create(
        found,
        fingerprint=call.fingerprint,
        now=call.now,
        secret=settings.signing_key,
        link_ttl=timedelta(seconds=settings.link_ttl_s),
    )
    call.services.enqueue("drain", "incidents", doc["_id"])
    view, _, tag = shown(call, doc)
    return view, 201 if created else 200, tag


def _home(call: Call) -> str | None:
    mine = cities_of(call.who, "incident.create") - {"*"}
    return next(iter(mine)) if len(mine) == 1 else call.who.city or None


@blp.endpoint("POST /incidents/<incident_id>/assign", body=schemas.AssignBody, **_ANSWER)
def assign(call: Call, incident_id: str) -> Any:
    """Ask one unit by hand, beside the ladder."""

    def step(doc: Incident) -> Incident:
        unit = _unit(call, doc, call.body["unit"])
        wanted = call.body.get("service")
        service = str(wanted) if wanted else _service_for(doc, unit)
        return dispatch.assign(
            incident_id, service, unit["_id"], desk(doc["city"]), by=call.who.person_id, now=call.now
        )

    return _do(call, incident_id, step)


def _unit(call: Call, doc: Incident, unit_id: str) -> dict[str, Any]:
    """A unit that the caller may send: any of the city for the control room, those of their agency for a supervisor."""
    unit = dispatch_queries.unit(unit_id)
    within = Target(city=unit["city"], agency_ids=frozenset({unit.get("agency") or ""}))
    if unit["city"] != doc["city"] or unit.get("retired_at") or not permissions.reaches(call.who, EDIT, within):
        raise UnitNotFound("no such unit in this city")
    return unit


@blp.endpoint("POST /incidents/<incident_id>/withdraw", body=schemas.WithdrawBody, **_ANSWER)
def withdraw(call: Call, incident_id: str) -> Any:
    """Take an assignment back, with a reason: the unit is told and free, and its service is offered again; to the unit
    `instead` first where one is named. Again is once; 409 where it had ended by itself. Logged.
    """
    body, by = call.body, call.who.person_id

    def step(doc: Incident) -> Incident:
        assignment = dispatch_rules.assignment_of(doc, body["assignment"])
        within = Target(city=doc["city"], agency_ids=frozenset({assignment.get("agency") or ""}))
        if not permissions.reaches(call.who, EDIT, within):
            raise AssignmentNotFound("no such assignment")
        instead = _unit(call, doc, body["instead"])["_id"] if body.get("instead") else None
        after = dispatch.take_back(
            incident_id,
            body["assignment"],
            desk(doc["city"]),
            by=by,
            reason=body["reason"],
            now=call.now,
            instead=instead,
        )
        if after["version"] != doc["version"]:
            refs = {"assignment": body["assignment"], **({"instead": instead} if instead else {})}
            audit.append(
                doc["city"], by, "assignment.withdrawn", incident_id, now=call.now, reason=body["reason"], **refs
            )
        return after

    return _do(call, incident_id, step)


def _service_for(doc: Incident, unit: dict[str, Any]) -> str:
    """The service that the unit gives and that still waits, else the unit's first."""
    waiting = [name for name, slot in doc["slots"].items() if slot["status"] == "open" and name in unit["services"]]
    if not (waiting or unit["services"]):
        raise Conflict("the unit gives no service", code="no_service")
    return str((waiting or unit["services"])[0])


@blp.endpoint("POST /incidents/<incident_id>/merge", body=schemas.MergeBody, **_ANSWER)
def merge(call: Call, incident_id: str) -> Any:
    """It is the same happening as another one: close it as its duplicate. `unmerge` takes it back."""
    into = readable(call, call.body["into"], EDIT)

    def step(doc: Incident) -> Incident:
        after = operating.merge(incident_id, into, by=call.who.person_id, now=call.now)
        call.services.enqueue("drain", "incidents", into["_id"])  # it may have taken services over
        return after

    return _do(call, incident_id, step)


@blp.endpoint("POST /incidents/<incident_id>/unmerge", body=schemas.ReasonBody, **_ANSWER)
def unmerge(call: Call, incident_id: str) -> Any:
    """It is another happening after all: it goes on by itself."""
    reason = call.body["reason"]
    return _do(
        call,
        incident_id,
        lambda doc: operating.unmerge(incident_id, by=call.who.person_id, reason=reason, now=call.now),
    )


@blp.endpoint("POST /incidents/<incident_id>/resolve", body=schemas.ResolveBody, **_ANSWER)
def resolve(call: Call, incident_id: str) -> Any:
    """Close it, with how it ended. Whoever was asked or is there is told and free."""
    return _do(
        call,
        incident_id,
        lambda doc: operating.resolve(
            incident_id, call.body["resolution"], by=call.who.person_id, reason=call.body["reason"], now=call.now
        ),
    )


@blp.endpoint("POST /incidents/<incident_id>/reopen", body=schemas.ReasonBody, **_ANSWER)
def reopen(call: Call, incident_id: str) -> Any:
    """It is not over: every service is asked again, from the first rung."""
    reason = call.body["reason"]
    return _do(
        call, incident_id, lambda doc: operating.reopen(incident_id, by=call.who.person_id, reason=reason, now=call.now)
    )


@blp.endpoint("POST /incidents/<incident_id>/ladder", body=schemas.LadderBody, **_ANSWER)
def steer(call: Call, incident_id: str) -> Any:
    """Pause (at most ten minutes), resume, or skip to the next rung at once."""
    action, reason, by = call.body["action"], call.body["reason"], call.who.person_id

    def step(doc: Incident) -> Incident:
        wanted = call.body.get("service")
        named = [str(wanted)] if wanted else [name for name, slot in doc["slots"].items() if slot["status"] == "open"]
        for service in named:
            if action == "resume":
                doc = incidents.change(incident_id, partial(steering.resume, service=service, by=by), now=call.now)
                continue
            rule = steering.pause if action == "pause" else steering.skip
            doc = incidents.change(incident_id, partial(rule, service=service, by=by, reason=reason), now=call.now)
        if action == "pause" or not named:
            return doc
        return dispatch.timers(incident_id, desk(doc["city"]), now=call.now)

    return _do(call, incident_id, step)


@blp.endpoint("POST /incidents/<incident_id>/bridge", body=schemas.BridgeBody, creates=True, status=201, **_ANSWER)
def bridge(call: Call, incident_id: str) -> Any:
    """Speak with the caller and the unit that comes: your own phone rings, and the caller's and the unit's where they are
    not on the line yet. 409 `may_not_ring` on a silent SOS, `nothing_to_bridge` where no unit has it. Logged.
    """
    wanted, by = call.body.get("assignment"), call.who.person_id
    key = f"{by}-{call.key or call.fingerprint}"

    def step(doc: Incident) -> Incident:
        after, assignment = bridging.open_bridge(
            incident_id, wanted, by=by, via="control_room", key=key, now=call.now, join=True
        )
        audit.append(doc["city"], by, "incident.bridged", incident_id, now=call.now, assignment=assignment)
        return after

    return _do(call, incident_id, step, was_there=lambda doc: bridging.is_known(doc, key))


@blp.endpoint("POST /incidents/<incident_id>/notes", body=schemas.NoteBody, creates=True, status=201, **_ANSWER)
def add_note(call: Call, incident_id: str) -> Any:
    """Something for the file, also after the end."""
    key, text = call.key or call.fingerprint, call.body["text"]
    return _do(
        call,
        incident_id,
        lambda doc: operating.note(incident_id, text, by=call.who.person_id, key=key, now=call.now),
        was_there=lambda doc: any(
            each["id"] == operating.note_id(incident_id, call.who.person_id, key) for each in doc.get("notes") or ()
        ),
    )


@blp.endpoint("POST /incidents/<incident_id>/messages", body=schemas.NewMessage, creates=True, status=201, **_ANSWER)
def add_message(call: Call, incident_id: str) -> Any:
    """Write to the citizen; shown in the app without a sound."""
    key, text, by = call.key or call.fingerprint, call.body["text"], call.who.person_id
    return _do(
        call,
        incident_id,
        lambda doc: following.message(doc, text, sender="control_room", by=by, key=key, now=call.now),
        was_there=lambda doc: following.holds_message(doc, following.message_id(incident_id, "control_room", key)),
    )


@blp.endpoint("POST /incidents/<incident_id>/handover", body=schemas.HandoverBody, **_ANSWER)
def hand_over(call: Call, incident_id: str) -> Any:
    """Put another agency beside those that have it; its supervisors are told, and it is followed until it is closed."""
    body = call.body
    return _do(
        call,
        incident_id,
        lambda doc: operating.hand_over(
            incident_id,
            body["agency"],
            reason=body["reason"],
            by=call.who.person_id,
            config=cities.current(doc["city"]),
            now=call.now,
        ),
    )
