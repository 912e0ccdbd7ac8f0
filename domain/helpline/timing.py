"""What time alone brings to a helpline request: who is told that nobody takes it, who else is offered, when it is over.
Pure: a request and `now` come in, a Step comes out.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from domain.helpline.rules import SILENT_COUNSELLOR, SYSTEM, UNCLAIMED_AFTER, Request, Step, close, event, give_back
from domain.helpline.states import Channel, HelplineStatus, Outcome

TELLINGS: Final = (
    UNCLAIMED_AFTER,
    *(timedelta(minutes=minutes) for minutes in (3, 7, 15, 30, 60)),
    *(timedelta(hours=hours) for hours in (2, 4, 8, 24)),
)
"""After so much waiting it is told that nobody takes it: with growing gaps, and after the last no more. The line still
shows it, and the city's idle time ends it."""
SUPERVISORS_ALONE: Final = 3
"""Tellings for the supervisors alone; from the next one on the control room hears as well that somebody waits."""
OFFER_OTHERS_AFTER: Final = timedelta(seconds=90)
"""So long a woman waits for a woman before whoever is free is offered to her."""
LOOK_FOR_OTHERS: Final = timedelta(seconds=60)
"""How often it is looked whether somebody else is free for her."""


def overdue(
    doc: Request, now: datetime, *, free: Mapping[str, int], absent: bool, idle_after: timedelta
) -> Step | None:
    """What a request needs whose time has come. `free`: counsellors available by gender; `absent`: hers is not there;
    `idle_after`: how long nobody of the two has to do anything until it is over.

    Unclaimed: whoever is free is offered, and it is told by TELLINGS. Claimed by somebody who is gone: back to the line.
    """
    if doc["status"] == HelplineStatus.CLOSED:
        return Step(gone=("due_at",), by_time=True)
    if ends_at(doc, idle_after) <= now:
        return _lapse(doc, now)
    if doc["status"] == HelplineStatus.CLAIMED:
        if absent:
            return _known_active(doc, give_back(doc, "absent", now, by=SYSTEM))
        return _known_active(doc, Step(sets={"due_at": now + SILENT_COUNSELLOR}, by_time=True))
    step = _offers(doc, now, free)
    if (told := _tellings(doc, now)) > doc.get("told", 0):
        step.sets["told"] = told
        step.events.append(event("helpline.unclaimed", to="room" if told > SUPERVISORS_ALONE else "supervisors"))
    step.sets["due_at"] = _next(doc, now, told, step, idle_after)
    return _known_active(doc, step)


def ends_at(doc: Request, idle_after: timedelta) -> datetime:
    """When it is over if nobody does anything any more."""
    last: datetime = doc.get("active_at") or doc["updated_at"]
    return last + idle_after


def _known_active(doc: Request, step: Step) -> Step:
    """A request of before this was kept counts from its last change on, and not from each look anew."""
    if "active_at" not in doc:
        step.sets["active_at"] = doc["updated_at"]
    return step


def _lapse(doc: Request, now: datetime) -> Step | None:
    outcome = Outcome.UNREACHABLE if doc.get("answered_at") else Outcome.UNANSWERED
    step = close(doc, outcome, now, by=SYSTEM)
    if step:
        step.by_time = True
    return step


def _since(doc: Request) -> datetime:
    found: datetime = doc.get("waiting_since") or doc["asked_at"]
    return found


def _tellings(doc: Request, now: datetime) -> int:
    """How many are due by now: several that were missed while nothing swept are one."""
    return sum(_since(doc) + after <= now for after in TELLINGS)


def _next(doc: Request, now: datetime, told: int, step: Step, idle_after: timedelta) -> datetime:
    times = [ends_at(doc, idle_after)]
    if told < len(TELLINGS):
        times.append(_since(doc) + TELLINGS[told])
    if step.sets.get("wanted", doc.get("wanted")) != "anyone" and not step.sets.get("offered", doc.get("offered")):
        times.append(max(now + LOOK_FOR_OTHERS, doc["asked_at"] + OFFER_OTHERS_AFTER))
    return min(times)


def _offers(doc: Request, now: datetime, free: Mapping[str, int]) -> Step:
    step = Step(by_time=True)
    offered = other_gender(doc, now, free)
    if offered and doc["channel"] != Channel.APP:
        step.sets["wanted"] = offered  # by SMS or telephone she cannot be asked: whoever is free answers
        step.log = {"kind": "others_offered", "by": SYSTEM}
        step.events.append(event("helpline.returned", reason="others"))
    elif offered and doc.get("offered") != offered:
        step.sets["offered"] = offered
        step.log = {"kind": "others_offered", "by": SYSTEM}
        step.events.append(event("helpline.offered"))
    return step


def other_gender(doc: Request, now: datetime, free: Mapping[str, int]) -> str:
    """Who is free instead of whom she wants; empty while there is no need, or nobody."""
    wants = doc.get("wanted")
    if wants == "anyone" or now - doc["asked_at"] < OFFER_OTHERS_AFTER:
        return ""
    mine = "female" if wants == "woman" else "male"
    others = sum(count for gender, count in free.items() if gender != mine)
    return "anyone" if not free.get(mine) and others else ""
