"""What the traveller answers, with the PIN where one is needed. Which PIN it was is seen by the control room alone.

Arriving, cancelling and extending end or loosen the watch, so they need the PIN of whoever has set one; a check-in takes
one. As with an SOS: both hashes are checked whatever matches, one conditional write follows, and what the phone gets
does not know of duress.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from domain.errors import DomainError, LimitReached
from domain.journeys import rules, service
from domain.journeys.draft import JourneyDraft
from domain.journeys.queries import Journey
from domain.people.documents import PersonDoc
from domain.people.errors import WrongPin
from domain.people.pins import check_pins, has_pins
from domain.people.states import PinMatch

WRONG_PINS: Final = 5
WRONG_WINDOW: Final = timedelta(minutes=15)

Step = Callable[[JourneyDraft], None]


def requires_pin(person: Any) -> bool:
    """Whether arriving, cancelling and extending need a PIN."""
    return has_pins(person)


def answer(doc: Journey, pin: str | None, step: Step, *, needs_pin: bool, secret: str, now: datetime) -> Journey:
    """The journey after a step that a PIN may stand before.

    Raises WrongPin (counted), and LimitReached after five wrong ones in a quarter of an hour; with the limit reached the
    duress PIN still calls for help. Raises what the step raises, which has changed nothing by then.
    """
    person: Any = PersonDoc.objects(id=doc["person"], erased_at=None).first()
    if person is None or not has_pins(person) or (pin is None and not needs_pin):
        return service.change(doc["_id"], step, now=now)
    match = _match(person, pin or "", doc, secret=secret)
    if _wrong_so_far(doc, now) >= WRONG_PINS:
        service.change(doc["_id"], lambda draft: _refuse(draft, match, now), now=now)
        raise LimitReached("too many wrong PINs", retry_after=WRONG_WINDOW.total_seconds())
    if match is PinMatch.WRONG:
        service.change(doc["_id"], lambda draft: _count(draft, now), now=now)
        raise WrongPin("the PIN is not right")

    refused: list[DomainError] = []

    def rule(draft: JourneyDraft) -> None:
        refused.clear()
        if match is PinMatch.DURESS:
            rules.duress(draft)
        try:
            step(draft)
        except DomainError as error:  # the step is impossible; a call for help is not lost with it
            draft.entry("refused")
            refused.append(error)
        if draft.empty:
            draft.entry("pin_entered")  # nothing came of it: the version must not tell which PIN it was

    after = service.change(doc["_id"], rule, now=now)
    if refused:
        raise refused[0]
    return after


def _match(person: Any, pin: str, doc: Journey, *, secret: str) -> PinMatch:
    """A PIN that was set since the journey began, by a code to the phone alone, may be that of whoever holds the phone."""
    match = check_pins(person, pin, secret=secret)
    reset_at = getattr(person, "pins_reset_at", None)
    reset_since = reset_at is not None and reset_at >= doc["started_at"]
    return PinMatch.DURESS if match is PinMatch.SAFE and reset_since else match


def _wrong_so_far(doc: Journey, now: datetime) -> int:
    wrong = doc.get("wrong_pins") or {}
    return int(wrong["count"]) if wrong and now - wrong["at"] < WRONG_WINDOW else 0


def _count(draft: JourneyDraft, now: datetime) -> None:
    count = _wrong_so_far(draft.doc, now) + 1
    draft.set("wrong_pins", {"count": count, "at": now})
    draft.entry("wrong_pin", count=count)


def _refuse(draft: JourneyDraft, match: PinMatch, now: datetime) -> None:
    _count(draft, now)
    if match is PinMatch.DURESS:
        rules.duress(draft)
