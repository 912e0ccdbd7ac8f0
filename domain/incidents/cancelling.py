"""A cancel with its PIN. Which PIN it was is seen by nobody but the control room: the same work is done for each.

Both hashes are checked whatever is set; one conditional write follows; what the phone gets is the frozen view.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from domain.errors import LimitReached
from domain.incidents import rules, seen
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.states import IncidentStatus
from domain.people.documents import PersonDoc
from domain.people.errors import WrongPin
from domain.people.pins import check_pins, has_pins
from domain.people.states import PinMatch

WRONG_PINS: Final = 5
WRONG_WINDOW: Final = timedelta(minutes=15)
NEEDED_FIELDS: Final = ("id", "safe_pin", "duress_pin", "decoy_pin", "pins_reset_at")


def requires_pin(doc: dict[str, Any]) -> bool:
    """Whether the citizen has set PINs. One read, none for a caller whom nobody knows."""
    person = _person(doc)
    return person is not None and has_pins(person)


def cancel(doc: dict[str, Any], pin: str, *, reason: str, secret: str, now: datetime) -> dict[str, Any]:
    """The incident after the cancel. Raises WrongPin (counted), LimitReached after five wrong ones in 15 minutes.

    With the limit reached the duress PIN still calls for help; its answer is the same 429 as the safe one's.
    """
    citizen = doc.get("citizen") or {}
    person = _person(doc)
    by = citizen.get("person")
    into, alone = seen.merged_into(doc), _not_waiting(doc)
    if person is None or not has_pins(person):
        return incidents.change(doc["_id"], lambda draft: _cancel(draft, PinMatch.SAFE, by, reason, alone), now=now)
    match = _match(person, pin, doc, secret=secret)
    if _wrong_so_far(citizen, now) >= WRONG_PINS:
        incidents.change(doc["_id"], lambda draft: _refuse(draft, match, by, now, into), now=now)
        if into is not None and into["status"] != IncidentStatus.CLOSED:
            forced = match is PinMatch.DURESS
            incidents.change(
                into["_id"], lambda draft: rules.tried_on_merged(draft, doc["_id"], by=by, forced=forced), now=now
            )
        raise LimitReached("too many wrong PINs", retry_after=WRONG_WINDOW.total_seconds())
    if match is PinMatch.WRONG:
        incidents.change(doc["_id"], lambda draft: _count(draft, now), now=now)
        raise WrongPin("the PIN is not right")
    return incidents.change(doc["_id"], lambda draft: _cancel(draft, match, by, reason, alone), now=now)


def _match(person: Any, pin: str, doc: dict[str, Any], *, secret: str) -> PinMatch:
    """Which PIN it is for this SOS. One that was set meanwhile without the old one, by a code to the phone, may have been
    set by whoever holds the phone: it ends what is raised after it, and calls for help before.
    """
    match = check_pins(person, pin, secret=secret)
    reset_at = person.pins_reset_at
    reset_since = reset_at is not None and reset_at >= doc["received_at"]
    return PinMatch.DURESS if match is PinMatch.SAFE and reset_since else match


def _not_waiting(doc: dict[str, Any]) -> set[str]:
    """The SOS merged into this one, where none of their citizens waits for its help: they were taken out again, cancelled
    by their own phones, or are the caller's own. Empty where one waits.
    """
    held = set(doc.get("merged_here") or ())
    by = (doc.get("citizen") or {}).get("person")
    waiting = any(
        not rules.citizen_cancelled(row) and (by is None or (row.get("citizen") or {}).get("person") != by)
        for row in (seen.merged_here(doc) if held else ())
    )
    return set() if waiting else held


def _cancel(draft: Draft, match: PinMatch, by: str | None, reason: str, not_waiting: set[str]) -> None:
    if reason and not rules.citizen_cancelled(draft.doc):
        draft.set("citizen.cancel_reason", reason)
    if match is PinMatch.DURESS:
        rules.duress(draft, by=by)
    else:
        rules.cancel(draft, by=by, not_waiting=not_waiting)


def _wrong_so_far(citizen: dict[str, Any], now: datetime) -> int:
    wrong = citizen.get("wrong_pins") or {}
    return int(wrong["count"]) if wrong and now - wrong["at"] < WRONG_WINDOW else 0


def _count(draft: Draft, now: datetime) -> None:
    """Count a PIN that did not open; on the document, so that the control room sees somebody trying."""
    count = _wrong_so_far(draft.doc.get("citizen") or {}, now) + 1
    draft.set("citizen.wrong_pins", {"count": count, "at": now})
    draft.entry("wrong_pin", count=count)


def _refuse(draft: Draft, match: PinMatch, by: str | None, now: datetime, into: dict[str, Any] | None) -> None:
    """One too many: refused whatever it is. What the phone sees does not depend on it."""
    _count(draft, now)
    rules.hold_still(draft, into)
    if match is PinMatch.DURESS:
        rules.duress(draft, by=by, hide=False)


def _person(doc: dict[str, Any]) -> Any:
    person_id = (doc.get("citizen") or {}).get("person")
    return PersonDoc.objects(id=person_id, erased_at=None).only(*NEEDED_FIELDS).first() if person_id else None
