"""Putting a responder, or the control room, on one call with whoever called for help. Pure rules and one write each.

A bridge belongs to an assignment that holds its slot: only who comes may talk to the caller. Its room has a name that
nobody can guess. Nothing here ever rings on a silent SOS, and so never after a duress PIN; nor after a cancel.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from domain.dispatch import rules
from domain.dispatch.errors import MayNotRing, NothingToBridge
from domain.errors import Conflict
from domain.ids import link_token
from domain.incidents import rules as incident_rules
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.service import Incident
from domain.incidents.states import HOLDING

RINGS_AGAIN_AFTER: Final = timedelta(seconds=45)
"""As long as a phone rings: whoever wants to join within so long rings it no second time."""
LONGEST_TALK: Final = timedelta(minutes=30)
"""No call of ours lasts longer, so that a report of its end that got lost keeps nobody away for ever."""
KEYS_KEPT: Final = 20
_QUIET: Final = frozenset({"silent", "duress", "practice"})


def room_of(secret: str, assignment_id: str) -> str:
    """The name of an assignment's conference: a signed token, so that nobody who does not know it can enter."""
    return link_token(secret, "bridge", assignment_id)


def may_ring(doc: Incident) -> bool:
    """Whether the caller's phone may ring: not on a silent SOS, a practice, after a cancel, or where nobody knows it."""
    citizen = doc.get("citizen") or {}
    known = bool(citizen.get("phone") or citizen.get("person"))
    return known and not _QUIET & set(doc["flags"]) and not incident_rules.citizen_cancelled(doc)


def held(doc: Mapping[str, Any], assignment_id: str | None) -> str:
    """The assignment that a bridge is for: the one named, else the one accepted last. Raises NothingToBridge."""
    assignments = doc.get("assignments") or {}
    if assignment_id is not None:
        rules.assignment_of(doc, assignment_id)
    holding = {
        each: assignment
        for each, assignment in assignments.items()
        if assignment["status"] in HOLDING and assignment_id in (None, each)
    }
    if not holding:
        raise NothingToBridge("no unit has it now, so that there is nobody to bridge to", current=doc["status"])
    return str(max(holding, key=lambda each: holding[each]["accepted_at"]))


def is_known(doc: Mapping[str, Any], key: str) -> bool:
    """Whether somebody was rung for this key already."""
    return bool(_of_key(doc, key))


def _of_key(doc: Mapping[str, Any], key: str) -> str:
    """The assignment whose caller was rung for this key."""
    assignments = (doc.get("assignments") or {}).items()
    return next((each for each, made in assignments if key in (made.get("bridge") or {}).get("keys", ())), "")


def _on_the_line(bridge: Mapping[str, Any], now: datetime) -> bool:
    """Whether the caller's phone rings, or is in the room, as far as we heard."""
    if bridge.get("ended_at"):
        return False
    since: datetime = bridge["at"]
    return now - since < (LONGEST_TALK if bridge.get("answered_at") else RINGS_AGAIN_AFTER)


def answered(incident_id: str, assignment_id: str, number: int, *, now: datetime) -> None:
    """The caller picked up and is in the room. Again changes nothing."""
    _heard(incident_id, assignment_id, number, "answered_at", "bridge_answered", now)


def ended(incident_id: str, assignment_id: str, number: int, *, now: datetime) -> None:
    """The caller's phone is off the line: the next one who wants to speak rings it anew. Again changes nothing."""
    _heard(incident_id, assignment_id, number, "ended_at", "bridge_ended", now)


def _heard(incident_id: str, assignment_id: str, number: int, name: str, kind: str, now: datetime) -> None:
    def rule(draft: Draft) -> None:
        bridge = ((draft.doc.get("assignments") or {}).get(assignment_id) or {}).get("bridge") or {}
        if bridge.get("n") != number or bridge.get(name):
            return
        draft.set(f"assignments.{assignment_id}.bridge.{name}", draft.now)
        draft.entry(kind, assignment=assignment_id)

    incidents.change(incident_id, rule, now=now)


def open_bridge(
    incident_id: str, assignment_id: str | None, *, by: str, via: str, key: str, now: datetime, join: bool = False
) -> tuple[Incident, str]:
    """Ring the caller into the assignment's room; (incident, assignment). The same `key` again rings nobody anew.

    With `join` the person `by` is called as well, and the unit's responders where the room was not open before: the
    control room's way in. Raises NothingToBridge, MayNotRing, and Conflict once it is closed or for a key of another
    assignment.
    """
    found: list[str] = []

    def rule(draft: Draft) -> None:
        known = _of_key(draft.doc, key)
        if known and assignment_id in (None, known):
            found[:] = [known]
            return
        if known:
            raise Conflict("this key was used for another assignment", code="idempotency_conflict")
        incident_rules.check_open(draft)
        assignment = held(draft.doc, assignment_id)
        found[:] = [assignment]
        if not may_ring(draft.doc):
            raise MayNotRing("the caller's phone may not be rung")
        bridge = draft.doc["assignments"][assignment].get("bridge") or {}
        keys = [*bridge.get("keys", ()), key][-KEYS_KEPT:]
        fresh = not bridge or not _on_the_line(bridge, draft.now)
        number = bridge.get("n", 0) + 1 if fresh else bridge["n"]
        at = draft.now if fresh else bridge["at"]
        held_on = {} if fresh else bridge
        draft.set(f"assignments.{assignment}.bridge", {**held_on, "n": number, "at": at, "keys": keys})
        draft.entry("bridged", by=by, via=via, assignment=assignment)
        if fresh:
            draft.event("bridge.opened", assignment=assignment, n=number, unit=join)
        if join:
            draft.event("bridge.joined", assignment=assignment, person=by)

    return incidents.change(incident_id, rule, now=now), found[0]
