"""What may happen to one service's slot: offers, the first acceptance, progress, and falling back to open. Pure.

A Draft (domain/incidents/draft.py) comes in, decisions go into it, wrong steps raise with the current state.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.dispatch.errors import AssignmentNotFound, SlotTaken
from domain.errors import Conflict
from domain.ids import derived_id, link_token, token_hash
from domain.incidents import rules as incident_rules
from domain.incidents.draft import Draft, timer_of
from domain.incidents.states import (
    ASKED,
    HOLDING,
    SLOT_OF_ASSIGNMENT,
    AssignmentStatus,
    IncidentStatus,
    Resolution,
    SlotStatus,
    check_assignment,
)

WORD_AGAIN = timedelta(seconds=30)
"""A unit that says once more that it is on the way so long after is no retry: it still comes."""


@dataclass(frozen=True)
class Asked:
    """A unit that a rung asks: metres as the crow flies, None when its place is unknown."""

    unit_id: str
    agency: str
    distance_m: float | None
    position: Mapping[str, Any] | None = None


def assignment_of(doc: Mapping[str, Any], assignment_id: str) -> dict[str, Any]:
    """The assignment; raises AssignmentNotFound."""
    found: dict[str, Any] | None = (doc.get("assignments") or {}).get(assignment_id)
    if found is None:
        raise AssignmentNotFound("no such assignment")
    return found


def assignment_id(incident_id: str, service: str, unit_id: str, round_: int) -> str:
    """The same unit asked for the same slot in the same round has the same assignment, however often a job runs."""
    return derived_id("asg", incident_id, service, unit_id, str(round_))


def asked_in_round(doc: Mapping[str, Any], service: str, round_: int) -> set[str]:
    """The units that were asked for a slot in this round, whatever they said."""
    return {
        assignment["unit"]
        for found, assignment in (doc.get("assignments") or {}).items()
        if assignment["service"] == service and found == assignment_id(doc["_id"], service, assignment["unit"], round_)
    }


def gave_up(doc: Mapping[str, Any], service: str) -> set[str]:
    """Units that said no to a slot, did not move, or were taken off it by hand: not asked again, but by the last rung,
    which asks everybody.
    """
    return {
        assignment["unit"]
        for assignment in (doc.get("assignments") or {}).values()
        if assignment["service"] == service
        and (
            assignment["status"] == AssignmentStatus.DECLINED
            or assignment.get("stalled")
            or assignment.get("taken_back")
        )
    }


def offer(
    draft: Draft,
    service: str,
    units: Sequence[Asked],
    *,
    channels: Sequence[str],
    ttl: timedelta,
    by: str,
    secret: str,
    anew: bool = False,
) -> list[str]:
    """Ask units for a slot. Those asked already in this round are left alone; with `anew` only those whose offer stands.
    Returns the new assignments' ids.
    """
    slot = draft.doc["slots"][service]
    if slot["assignment"] or draft.doc["status"] == IncidentStatus.CLOSED:
        return []
    made = []
    for unit in units:
        new = assignment_id(draft.doc["_id"], service, unit.unit_id, slot["round"])
        known = draft.doc.get("assignments") or {}
        if anew and _is_asked(known, service, unit.unit_id):
            continue
        if anew and new in known:
            new = derived_id("asg", new, draft.now.isoformat())
        if new in known:
            continue
        draft.set(
            f"assignments.{new}",
            {
                "unit": unit.unit_id,
                "agency": unit.agency,
                "service": service,
                "status": str(AssignmentStatus.OFFERED),
                "channels": list(channels),
                "distance_m": None if unit.distance_m is None else round(unit.distance_m),
                "offered_at": draft.now,
                "expires_at": draft.now + ttl,
                "link_generation": 0,
            },
        )
        made.append(new)
    if not made:
        return []
    _forget_old_offers(draft, service, {unit.unit_id for unit in units})
    asked = set(draft.doc.get("asked_units") or [])
    draft.set("asked_units", sorted(asked | {unit.unit_id for unit in units}))
    links = [
        {"h": token_hash(link_for(secret, new)), "kind": "assignment", "id": new, "until": draft.now + LINK_TTL}
        for new in made
    ]
    draft.set("links", [*(draft.doc.get("links") or []), *links])
    if "offered_at" not in (draft.doc.get("milestones") or {}):
        draft.set("milestones.offered_at", draft.now)
    draft.entry("offered", by=by, service=service, assignments=made[:NAMED], asked=len(made))
    draft.event("assignment.offered", assignments=made)
    return made


def _is_asked(assignments: Mapping[str, Any], service: str, unit_id: str) -> bool:
    return any(
        each["unit"] == unit_id and each["service"] == service and each["status"] == AssignmentStatus.OFFERED
        for each in assignments.values()
    )


LINK_TTL = timedelta(hours=6)
NAMED = 20
"""How many assignments a timeline's entry names; all on duty of a large city would fill it."""


def _forget_old_offers(draft: Draft, service: str, units: Collection[str]) -> None:
    """A unit that is asked again keeps its last answer; what it was asked before that goes, with its links.

    The last rung asks everybody anew as long as nobody comes, and a document has an end.
    """
    earlier: dict[str, list[tuple[datetime, str]]] = {}
    for found, assignment in (draft.doc.get("assignments") or {}).items():
        over = assignment["status"] in _NOT_COMING and assignment["offered_at"] < draft.now
        if assignment["service"] == service and assignment["unit"] in units and over:
            earlier.setdefault(assignment["unit"], []).append((assignment["offered_at"], found))
    old = {found for answers in earlier.values() for _, found in sorted(answers)[:-1]}
    for found in old:
        draft.unset(f"assignments.{found}")
    links = draft.doc.get("links") or []
    if old:
        draft.set("links", [link for link in links if link["id"] not in old])


_NOT_COMING = frozenset({AssignmentStatus.EXPIRED, AssignmentStatus.DECLINED, AssignmentStatus.WITHDRAWN})


def link_for(secret: str, assignment: str, generation: int = 0) -> str:
    """The token of the one-tap page of an assignment."""
    return link_token(secret, "assignment", assignment, generation)


def accept(
    draft: Draft,
    assignment_id: str,
    *,
    by: str,
    via: str,
    stall_after: timedelta,
    position: Mapping[str, Any] | None = None,
) -> None:
    """The first yes wins the slot; whoever else was asked for it is let go. The unit's lease is taken before this."""
    incident_rules.check_open(draft)
    assignment = assignment_of(draft.doc, assignment_id)
    status = AssignmentStatus(assignment["status"])
    service = assignment["service"]
    if status in HOLDING:
        return
    holder = draft.doc["slots"][service]["assignment"]
    if holder:
        raise SlotTaken("another unit has it", current=draft.doc["slots"][service]["status"])
    check_assignment(status, AssignmentStatus.ACCEPTED)
    draft.set(f"assignments.{assignment_id}.status", str(AssignmentStatus.ACCEPTED))
    draft.set(f"assignments.{assignment_id}.accepted_at", draft.now)
    draft.set(f"assignments.{assignment_id}.via", via)
    if position:
        draft.set(f"assignments.{assignment_id}.accepted_from", dict(position))
    draft.set(f"slots.{service}.assignment", assignment_id)
    draft.set(f"slots.{service}.status", str(SlotStatus.ACKNOWLEDGED))
    draft.set(f"slots.{service}.due_at", draft.now + stall_after)
    if draft.doc["slots"][service].get("paused"):  # a pause is of asking, and nobody is asked any more
        draft.set(f"slots.{service}.paused", False)
        draft.unset(f"slots.{service}.paused_until")
    draft.unflag("unanswered")
    draft.entry("accepted", by=by, assignment=assignment_id, service=service, via=via)
    draft.event("assignment.accepted", assignment=assignment_id)
    _let_others_go(draft, service, assignment_id)


def _let_others_go(draft: Draft, service: str, winner: str) -> None:
    """Earlier offers to the winning unit end as well, but it is not told that it is handled: it has it."""
    unit, others = draft.doc["assignments"][winner]["unit"], []
    for other, assignment in draft.doc["assignments"].items():
        if other != winner and assignment["service"] == service and assignment["status"] in ASKED:
            draft.set(f"assignments.{other}.status", str(AssignmentStatus.WITHDRAWN))
            draft.set(f"assignments.{other}.ended_at", draft.now)
            if assignment["unit"] != unit:
                others.append(other)
    if others:
        draft.event("assignment.withdrawn", assignments=others, reason="handled")


def progress(draft: Draft, assignment_id: str, wanted: AssignmentStatus, *, by: str, resolution: str = "") -> None:
    """En route, on scene, cleared. When the last service is cleared and none still waits, the incident is closed."""
    assignment = assignment_of(draft.doc, assignment_id)
    current = AssignmentStatus(assignment["status"])
    if current == wanted:
        _still_coming(draft, assignment_id, by=by)
        return
    check_assignment(current, wanted)
    service = assignment["service"]
    draft.set(f"assignments.{assignment_id}.status", str(wanted))
    draft.set(f"assignments.{assignment_id}.{wanted}_at", draft.now)
    draft.set(f"slots.{service}.status", str(SLOT_OF_ASSIGNMENT[wanted]))
    if wanted != AssignmentStatus.EN_ROUTE:
        draft.set(f"slots.{service}.due_at", None)
    draft.entry(str(wanted), by=by, assignment=assignment_id, service=service)
    draft.event(f"assignment.{wanted}", assignment=assignment_id)
    if wanted == AssignmentStatus.CLEARED and all(
        slot["status"] == SlotStatus.CLEARED for slot in draft.doc["slots"].values()
    ):
        incident_rules.close(draft, Resolution(resolution or Resolution.HELPED), by=by)


def _still_coming(draft: Draft, assignment_id: str, *, by: str) -> None:
    """On the way, said again: it counts as a movement (`stalling.py`)."""
    assignment = draft.doc["assignments"][assignment_id]
    said_at = assignment.get("word_at") or assignment.get("en_route_at")
    if assignment["status"] == AssignmentStatus.EN_ROUTE and said_at and draft.now - said_at >= WORD_AGAIN:
        draft.set(f"assignments.{assignment_id}.word_at", draft.now)
        draft.entry("still_coming", by=by, assignment=assignment_id, service=assignment["service"])


def decline(draft: Draft, assignment_id: str, *, by: str, reason: str = "") -> None:
    """No, or no longer. The slot of a unit that had it opens again and is offered at once."""
    assignment = assignment_of(draft.doc, assignment_id)
    current = AssignmentStatus(assignment["status"])
    if current == AssignmentStatus.DECLINED:
        return
    check_assignment(current, AssignmentStatus.DECLINED)
    _end(draft, assignment_id, AssignmentStatus.DECLINED)
    draft.entry("declined", by=by, assignment=assignment_id, service=assignment["service"], reason=reason)
    draft.event("assignment.declined", assignment=assignment_id)
    if current in ASKED and not _anybody_asked(draft, assignment["service"]):
        # Everybody who was asked said no: the next rung need not wait for the clock.
        draft.set(f"slots.{assignment['service']}.due_at", draft.now)


def withdraw(draft: Draft, assignment_id: str, *, by: str, reason: str) -> None:
    """Taken back by an operator, by going off duty, or because it stalled."""
    assignment = assignment_of(draft.doc, assignment_id)
    current = AssignmentStatus(assignment["status"])
    check_assignment(current, AssignmentStatus.WITHDRAWN)
    _end(draft, assignment_id, AssignmentStatus.WITHDRAWN)
    if reason == "stalled":
        draft.set(f"assignments.{assignment_id}.stalled", True)
    draft.entry("withdrawn", by=by, assignment=assignment_id, service=assignment["service"], reason=reason)
    draft.event("assignment.withdrawn", assignments=[assignment_id], reason=reason)


def take_back(draft: Draft, assignment_id: str, *, by: str, reason: str) -> bool:
    """The control room's word: this unit is not to come. Its slot opens again, and the unit is asked for it only with
    everybody. Again is once. Whether anything changed; raises Conflict where it had ended by itself.
    """
    incident_rules.check_open(draft)
    assignment = assignment_of(draft.doc, assignment_id)
    current = AssignmentStatus(assignment["status"])
    if assignment.get("taken_back"):
        return False
    check_assignment(current, AssignmentStatus.WITHDRAWN)
    service = assignment["service"]
    _end(draft, assignment_id, AssignmentStatus.WITHDRAWN)
    draft.set(f"assignments.{assignment_id}.taken_back", True)
    draft.entry("taken_back", by=by, assignment=assignment_id, service=service, reason=reason)
    draft.event("assignment.withdrawn", assignments=[assignment_id], reason="taken_back")
    if current in ASKED and not draft.doc["slots"][service]["assignment"] and not _anybody_asked(draft, service):
        draft.set(f"slots.{service}.due_at", draft.now)
    return True


def wait_for(draft: Draft, service: str, ttl: timedelta) -> None:
    """One unit was asked by hand for a slot that has just opened: its ladder begins when the answer is due, not now."""
    draft.set(f"slots.{service}.begins_at", draft.now + ttl)
    draft.set(f"slots.{service}.due_at", draft.now + ttl)


def begins(slot: Mapping[str, Any], now: datetime) -> bool:
    """Whether a slot's ladder has not begun and should."""
    waits = slot.get("begins_at") and slot["begins_at"] > now
    return bool(slot["rung"] < 0 and slot["status"] == SlotStatus.OPEN and not slot.get("paused") and not waits)


def _end(draft: Draft, assignment_id: str, status: AssignmentStatus) -> None:
    service = draft.doc["assignments"][assignment_id]["service"]
    draft.set(f"assignments.{assignment_id}.status", str(status))
    draft.set(f"assignments.{assignment_id}.ended_at", draft.now)
    slot = draft.doc["slots"][service]
    if slot["assignment"] == assignment_id and slot["status"] != SlotStatus.CLEARED:
        incident_rules.open_slot(draft, service)
        draft.event("slot.reopened", service=service)


def _anybody_asked(draft: Draft, service: str) -> bool:
    return any(
        assignment["service"] == service and assignment["status"] == AssignmentStatus.OFFERED
        for assignment in draft.doc["assignments"].values()
    )


def expire(draft: Draft) -> None:
    """Offers that were not answered in time; a late yes is still taken while the slot is free."""
    for assignment_id, assignment in (draft.doc.get("assignments") or {}).items():
        if assignment["status"] == AssignmentStatus.OFFERED and assignment["expires_at"] <= draft.now:
            draft.set(f"assignments.{assignment_id}.status", str(AssignmentStatus.EXPIRED))


def mayday(draft: Draft, assignment_id: str, *, by: str) -> None:
    """The responder needs help: flagged, and everybody near is asked by whoever reacts to the event."""
    assignment = assignment_of(draft.doc, assignment_id)
    if assignment["status"] not in HOLDING:
        raise Conflict("only a unit that has it can call mayday", code="wrong_transition", current=assignment["status"])
    if assignment.get("mayday"):
        return
    draft.set(f"assignments.{assignment_id}.mayday", True)
    draft.set("severity", "Extreme")
    draft.entry("mayday", by=by, assignment=assignment_id)
    draft.event("assignment.mayday", assignment=assignment_id)


def due_slots(doc: Mapping[str, Any], now: datetime) -> list[str]:
    """The services whose timer has run out."""
    return [service for service, slot in (doc.get("slots") or {}).items() if (timer := timer_of(slot)) and timer <= now]


def check_free(draft: Draft, service: str) -> None:
    """Raise unless the incident is open and the service's slot is free."""
    incident_rules.check_open(draft)
    slot = (draft.doc.get("slots") or {}).get(service)
    if slot is None:
        draft.set(f"slots.{service}", incident_rules.new_slot(service, draft.now))
    elif slot["assignment"]:
        raise SlotTaken("another unit has it", current=slot["status"])
