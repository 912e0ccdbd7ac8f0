"""What an operator does to a slot's ladder by hand. Pure.

A pause ends by itself: an operator who is called away must not leave somebody without an answer.
"""

from datetime import timedelta
from typing import Any, Final

from domain.errors import Conflict, NotFound
from domain.incidents import rules as incident_rules
from domain.incidents.draft import Draft
from domain.incidents.states import SlotStatus

PAUSE_AT_MOST: Final = timedelta(minutes=10)


def _open_slot(draft: Draft, service: str) -> dict[str, Any]:
    incident_rules.check_open(draft)
    slot: dict[str, Any] | None = (draft.doc.get("slots") or {}).get(service)
    if slot is None:
        raise NotFound("this service was not asked for", code="slot_not_found")
    if slot["status"] != SlotStatus.OPEN:
        raise Conflict("somebody has it: its ladder rests", code="wrong_transition", current=slot["status"])
    return slot


def pause(draft: Draft, service: str, *, by: str, reason: str) -> None:
    """Ask nobody else for now, at most ten minutes; offers that are out stay out."""
    slot = _open_slot(draft, service)
    if slot.get("paused"):
        return
    draft.set(f"slots.{service}.paused", True)
    draft.set(f"slots.{service}.paused_until", draft.now + PAUSE_AT_MOST)
    draft.entry("ladder_paused", by=by, service=service, reason=reason)


def resume(draft: Draft, service: str, *, by: str) -> None:
    """Go on: a rung that became due meanwhile is climbed at once."""
    slot = (draft.doc.get("slots") or {}).get(service)
    if slot is None:
        raise NotFound("this service was not asked for", code="slot_not_found")
    if not slot.get("paused"):
        return
    draft.set(f"slots.{service}.paused", False)
    draft.unset(f"slots.{service}.paused_until")
    if slot["status"] == SlotStatus.OPEN and slot.get("due_at"):
        draft.set(f"slots.{service}.due_at", max(slot["due_at"], draft.now))
    draft.entry("ladder_resumed", by=by, service=service)
    draft.event("slot.resumed", service=service)


def skip(draft: Draft, service: str, *, by: str, reason: str) -> None:
    """Do not wait for this rung's time: the next one is due now."""
    _open_slot(draft, service)
    draft.set(f"slots.{service}.paused", False)
    draft.unset(f"slots.{service}.paused_until")
    draft.set(f"slots.{service}.due_at", draft.now)
    draft.entry("ladder_skipped", by=by, service=service, reason=reason)
