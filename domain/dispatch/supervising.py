"""What a supervisor says who was called because nobody has it: "I see to it". Written into the incident.

It brings nobody by itself, so the ladder goes on climbing; but the others are not called for it again for a while.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from domain.incidents import rules as incident_rules
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.service import Incident

SEES_TO_IT: Final = timedelta(minutes=10)
"""For so long after one supervisor's word no other is called for the same slot."""


def acknowledge(incident_id: str, *, service: str, by: str, via: str, now: datetime) -> Incident:
    """A supervisor sees to a slot, or with `service` empty to the incident. Again is once; Conflict once it is closed."""

    def rule(draft: Draft) -> None:
        incident_rules.check_open(draft)
        if supervised(draft.doc, service, draft.now, by=by):
            return
        slot = (draft.doc.get("slots") or {}).get(service)
        if slot is not None:
            draft.set(f"slots.{service}.supervisor", {"person": by, "at": draft.now})
        if slot is not None or not _said(draft.doc, by):
            draft.entry("supervisor_acknowledged", by=by, via=via, **({"service": service} if service else {}))

    return incidents.change(incident_id, rule, now=now)


def refuse(incident_id: str, *, service: str, by: str, via: str, now: datetime) -> Incident:
    """A supervisor cannot see to it: kept in the timeline, once; the ladder calls whoever is next anyway."""

    def rule(draft: Draft) -> None:
        incident_rules.check_open(draft)
        if not _said(draft.doc, by, "supervisor_declined"):
            draft.entry("supervisor_declined", by=by, via=via, **({"service": service} if service else {}))

    return incidents.change(incident_id, rule, now=now)


def supervised(doc: Mapping[str, Any], service: str, now: datetime, *, by: str = "") -> bool:
    """Whether a supervisor (this one, with `by`) said within SEES_TO_IT that they see to the slot."""
    slot = (doc.get("slots") or {}).get(service) or {}
    held = slot.get("supervisor")
    if not held or held["at"] < slot["opened_at"]:  # said of an earlier opening
        return False
    return now - held["at"] < SEES_TO_IT and by in ("", held["person"])


def _said(doc: Mapping[str, Any], by: str, kind: str = "supervisor_acknowledged") -> bool:
    return any(entry["kind"] == kind and entry.get("by") == by for entry in doc.get("timeline") or [])
