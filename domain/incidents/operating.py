"""What the control room does to an incident beside sending units. Rules are pure; each change is one conditional write."""

import contextlib
from datetime import datetime
from typing import Any, Final

from domain.cities.config import CityConfig
from domain.errors import Conflict
from domain.ids import derived_id
from domain.incidents import rules
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.errors import AgencyNotFound
from domain.incidents.service import Incident, SosFacts
from domain.incidents.states import IncidentStatus, Resolution

NOTES_KEPT: Final = 100
BY_HAND: Final = frozenset(Resolution) - {Resolution.DUPLICATE, Resolution.CANCELLED_BY_CITIZEN}
"""How an operator may close: a duplicate is made by a merge, a cancel by the citizen."""


def create(facts: SosFacts, *, fingerprint: str, now: datetime, secret: str, **links: Any) -> tuple[Incident, bool]:
    """(incident, whether it is new) for a caller or a walk-in. The same key with another body is a Conflict."""
    raised = incidents.raise_sos(facts, now=now, secret=secret, merge=False, fingerprint=fingerprint, **links)
    if not raised.created and raised.incident.get("fingerprint") != fingerprint:
        raise Conflict("this key was used for another incident", code="idempotency_conflict")
    return raised.incident, raised.created


def resolve(incident_id: str, resolution: Resolution, *, by: str, reason: str, now: datetime) -> Incident:
    """Close it. Raises Conflict when it is closed, and for what only a merge or a citizen can say."""
    if resolution not in BY_HAND:
        raise Conflict("merge it, or let the citizen cancel", code="not_by_hand")
    return incidents.change(incident_id, lambda draft: rules.close(draft, resolution, by=by, reason=reason), now=now)


def merge(incident_id: str, into: Incident, *, by: str, now: datetime) -> Incident:
    """Close it as a duplicate of `into`, which takes over what it lacks. Again is no error; both timelines name the other.

    Raises Conflict when nobody would come by `into`: it is merged or closed itself, or was closed at the same moment.
    """
    doc = incidents.get(incident_id)
    merged_now = doc.get("merged_into") != into["_id"]
    if merged_now:
        doc = incidents.change(incident_id, lambda draft: rules.merge(draft, into, by=by), now=now)
    other = incidents.change(into["_id"], lambda draft: rules.take_over(draft, doc, by=by), now=now)
    if other.get("merged_into") == incident_id:
        # Two operators merged the two into each other at once: the older one goes on, or nobody would come.
        with contextlib.suppress(Conflict):
            unmerge(min(incident_id, other["_id"]), by=by, reason="merged into each other", now=now)
        doc = incidents.get(incident_id)
    elif merged_now and other["status"] == IncidentStatus.CLOSED:
        unmerge(incident_id, by=by, reason="the other was closed at the same moment", now=now)
        raise Conflict("that incident was closed meanwhile", code="incident_closed", current="closed")
    return doc


def unmerge(incident_id: str, *, by: str, reason: str, now: datetime) -> Incident:
    """Take a merge back: the incident goes on by itself, its ladders from the first rung."""
    return incidents.change(incident_id, lambda draft: rules.unmerge(draft, by=by, reason=reason), now=now)


def reopen(incident_id: str, *, by: str, reason: str, now: datetime) -> Incident:
    """Start again. A practice has nothing to start."""

    def rule(draft: Draft) -> None:
        if "practice" in draft.doc["flags"]:
            raise Conflict("a practice is not reopened", code="practice", current=draft.doc["status"])
        rules.reopen(draft, by=by, reason=reason)

    return incidents.change(incident_id, rule, now=now)


def note_id(incident_id: str, by: str, key: str) -> str:
    """The id of the note that this key makes."""
    return derived_id("not", incident_id, by, key)


def note(incident_id: str, text: str, *, by: str, key: str, now: datetime) -> Incident:
    """Something for the file, also after the end. The same key is the same note; the timeline has no words."""
    made = {"id": note_id(incident_id, by, key), "at": now, "by": by, "text": text}

    def rule(draft: Draft) -> None:
        held = list(draft.doc.get("notes") or [])
        if rules.is_repeated(held, made):
            return
        draft.set("notes", [*held, made][-NOTES_KEPT:])
        draft.entry("note", by=by, note=made["id"])

    return incidents.change(incident_id, rule, now=now)


def hand_over(incident_id: str, agency: str, *, reason: str, by: str, config: CityConfig, now: datetime) -> Incident:
    """Put another agency beside those that have it. Its supervisors are told; the incident goes on until somebody
    closes it, so that nothing falls between two doors. Raises AgencyNotFound for one that the city has not.
    """
    if agency not in config.agencies:
        raise AgencyNotFound("no such agency in this city")

    def rule(draft: Draft) -> None:
        rules.check_open(draft)
        held = list(draft.doc.get("handovers") or [])
        if any(each["agency"] == agency for each in held):
            return
        draft.set("handovers", [*held, {"agency": agency, "reason": reason, "by": by, "at": now}])
        draft.entry("handed_over", by=by, agency=agency)
        draft.event("incident.handed_over", agency=agency)

    return incidents.change(incident_id, rule, now=now)
