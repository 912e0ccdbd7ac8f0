"""What may happen to a journey. Pure: a JourneyDraft comes in, decisions go into it, wrong steps raise.

After a duress PIN everything goes on as after the safe one; what it set off stands in `hidden`, of which `projection.py`
does not know.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.errors import Conflict, Invalid
from domain.journeys import concerns
from domain.journeys.draft import JourneyDraft
from domain.journeys.states import GOING_ON, Concern, JourneyStatus, Reason, check

GRACE_S: Final = 120
"""How long she has to answer before her guardians hear of it, where the request does not say."""
GUARDIANS_HAVE: Final = timedelta(minutes=3)
"""How long the guardians have to reach her before it becomes an SOS."""
GUARDIAN_REACHED: Final = timedelta(minutes=15)
"""A guardian says that they have reached her: she is asked again after so long."""
MOST_REACHED: Final = 2
"""So often in a row a guardian's word stands for hers; a guardian may be the one whom she fears."""
AGAIN_AFTER_ARRIVAL: Final = timedelta(minutes=10)
"""She answered, but was to be there by now: asked again, until she arrives or extends."""
EARLY: Final = timedelta(minutes=2)
"""A check-in so shortly before the due one is the due one."""
LONGEST: Final = timedelta(hours=24)
MOST_CHECK_INS: Final = 48
TOLD_AGAIN_AFTER: Final = timedelta(minutes=15)
"""The same concern within this time is not told again."""
POSITIONS_AFTER_END: Final = timedelta(minutes=30)
PAGE_AFTER_END: Final = timedelta(hours=1)
PAGE_OF_AN_SOS: Final = timedelta(hours=6)
KEPT_LINKS: Final = 50


def schedule_problem(expected_arrival: datetime, check_ins: Sequence[datetime], now: datetime) -> dict[str, list[str]]:
    """What is wrong with a plan, by field; an arrival a day back is taken, since a phone may have been offline."""
    if not now - LONGEST <= expected_arrival <= now + LONGEST:
        return {"expected_arrival": ["Within 24 hours of now."]}
    if any(not now - LONGEST <= each <= now + LONGEST for each in check_ins):
        return {"check_ins": ["Within 24 hours of now."]}
    return {}


def next_due(doc: Mapping[str, Any], after: datetime) -> datetime:
    """When she is asked next, having been heard at `after`: the next check-in, the interval, or the arrival."""
    found: list[datetime] = [each for each in doc.get("check_ins") or [] if each > after + EARLY]
    if every := doc.get("check_in_every_s"):
        found.append(after + timedelta(seconds=every))
    arrival: datetime = doc["expected_arrival"]
    found.append(arrival if arrival > after else after + AGAIN_AFTER_ARRIVAL)
    return min(found)


def check_going(draft: JourneyDraft) -> None:
    """Raise Conflict unless the traveller is still waited for."""
    status = draft.doc["status"]
    if status not in GOING_ON:
        raise Conflict("the journey is over", code="journey_over", current=str(status))


def check_in(draft: JourneyDraft, at: datetime, *, pct: float | None = None) -> None:
    """She is all right, as of `at` (server's time): whatever was asked is answered, and the next is due after it.

    One that was made long ago, and comes late, may leave the next already due: then she is asked again.
    """
    check_going(draft)
    at = min(at, draft.now)
    due = draft.doc.get("next_due")
    if draft.doc["status"] != JourneyStatus.UNDER_WAY and due and at < due - EARLY:
        draft.entry("late_check_in")  # made before she was asked: it does not answer
        return
    _heard(draft, at)
    _under_way(draft, next_due(draft.doc, at))
    draft.set("reached", 0)
    draft.entry("check_in", by=draft.doc["person"])
    _learn_battery(draft, pct)


def _under_way(draft: JourneyDraft, due: datetime, *, by: str = "traveller") -> None:
    was = draft.doc["status"]
    if was != JourneyStatus.UNDER_WAY:
        check(was, JourneyStatus.UNDER_WAY)
        draft.set("status", str(JourneyStatus.UNDER_WAY))
        for name in ("asked_at", "answer_by", "missed_at", "raise_at"):
            if name in draft.doc:
                draft.unset(name)
        if was == JourneyStatus.MISSED:
            draft.event("journey.answered", by=by)
    draft.set("next_due", due)


def extend(draft: JourneyDraft, expected_arrival: datetime) -> None:
    """Later than she thought; counts as a check-in. Raises Invalid for a time that is over, or a day after the start."""
    check_going(draft)
    if not draft.now < expected_arrival <= draft.doc["started_at"] + LONGEST:
        raise Invalid(
            "not a time to which a journey can be extended",
            errors={"expected_arrival": ["After now, and within 24 hours of the start."]},
        )
    draft.set("expected_arrival", expected_arrival)
    _heard(draft, draft.now)
    _under_way(draft, next_due(draft.doc, draft.now))
    draft.set("reached", 0)
    draft.entry("extended", by=draft.doc["person"])


def end(draft: JourneyDraft, wanted: JourneyStatus) -> None:
    """Arrived or cancelled; the same again changes nothing."""
    if draft.doc["status"] == wanted:
        return
    check(draft.doc["status"], wanted)
    draft.set("status", str(wanted))
    draft.set("ended_at", draft.now)
    draft.entry(str(wanted), by=draft.doc["person"])
    draft.event("journey.ended")


def duress(draft: JourneyDraft) -> None:
    """The duress PIN was entered: an SOS of which the phone never learns. Once; whatever it was entered for."""
    if draft.doc.get("hidden"):
        return
    draft.set("hidden", {"reason": str(Reason.DURESS), "at": draft.now})
    draft.event("journey.raised", reason=str(Reason.DURESS))


def tick(draft: JourneyDraft) -> None:
    """What a run-out timer asks for: one step. Times count from now, so that a server that was away asks her first."""
    doc, now = draft.doc, draft.now
    status = JourneyStatus(doc["status"])
    if status not in GOING_ON:
        return
    if status == JourneyStatus.UNDER_WAY and _is_due(doc.get("next_due"), now):
        draft.set("status", str(JourneyStatus.ASKED))
        draft.set("asked_at", now)
        draft.set("answer_by", now + timedelta(seconds=doc["grace_s"]))
        draft.entry("asked")
        draft.event("journey.asked")
    elif status == JourneyStatus.ASKED and _is_due(doc.get("answer_by"), now):
        draft.set("status", str(JourneyStatus.MISSED))
        draft.set("missed_at", now)
        draft.set("raise_at", now + GUARDIANS_HAVE if doc.get("guardians") else now)
        draft.entry("missed")
        draft.event("journey.missed")
    elif status == JourneyStatus.MISSED and _is_due(doc.get("raise_at"), now):
        become_sos(draft, Reason.NO_ANSWER)
    elif _is_due(_quiet_at(doc), now):
        _begin(draft, Concern.NOT_HEARD)


def _is_due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _quiet_at(doc: Mapping[str, Any]) -> datetime | None:
    if not doc.get("position") or Concern.NOT_HEARD in (doc.get("concerns") or {}):
        return None
    found: datetime = doc["heard_at"] + concerns.NOT_HEARD_AFTER
    return found


def become_sos(draft: JourneyDraft, reason: Reason) -> None:
    """From here on it is an SOS: whoever reacts to the event makes it, always the same one. Again changes nothing."""
    if draft.doc["status"] == JourneyStatus.RAISED:
        return
    check(draft.doc["status"], JourneyStatus.RAISED)
    draft.set("status", str(JourneyStatus.RAISED))
    draft.set("ended_at", draft.now)
    draft.set("sos", {"reason": str(reason), "at": draft.now})
    draft.entry("raised", reason=str(reason))
    draft.event("journey.raised", reason=str(reason))


def guardian_reached(draft: JourneyDraft, guardian: str) -> None:
    """A guardian has spoken to her: she is asked again after a quarter of an hour. Only while she was missed, and no more
    than MOST_REACHED times until she answers herself.
    """
    times = int(draft.doc.get("reached") or 0) + 1
    if draft.doc["status"] != JourneyStatus.MISSED or times > MOST_REACHED:
        return
    draft.set("reached", times)
    _under_way(draft, draft.now + GUARDIAN_REACHED, by="guardian")
    draft.entry("guardian_reached", by=guardian)


def guardian_calls(draft: JourneyDraft, guardian: str) -> None:
    """A guardian asks for somebody to come, without waiting for the timer."""
    if draft.doc["status"] in GOING_ON:
        draft.entry("guardian_called", by=guardian)
        become_sos(draft, Reason.GUARDIAN)


def moved(
    draft: JourneyDraft, points: Sequence[concerns.Point], position: Mapping[str, Any], *, pct: float | None
) -> None:
    """New positions: the freshest stands, and whatever worries or no longer worries about them is said.

    After the end the place is kept up to date for half an hour, for an SOS that it may have become.
    """
    newest = max(point.at for point in points)
    held = draft.doc.get("position") or {}
    if not held or newest > held["at"]:
        draft.set("position", {**position, "at": newest})
    elif draft.doc["status"] not in GOING_ON:
        return  # nothing new: whether there is an SOS behind it must not show in the version
    if draft.doc["status"] in GOING_ON:
        _heard(draft, newest)
        seen = concerns.look(
            points,
            watch=draft.doc.get("watch") or {},
            active=draft.doc.get("concerns") or {},
            destination=draft.doc["destination"],
            route=draft.doc.get("route") or [],
            now=draft.now,
        )
        draft.set("watch", seen.watch)
        for concern in seen.begun:
            _begin(draft, concern)
        for concern in seen.over:
            _over(draft, concern)
    _learn_battery(draft, pct)
    if draft.doc.get("hidden") or draft.doc.get("sos"):
        draft.event("journey.moved")


def _learn_battery(draft: JourneyDraft, pct: float | None) -> None:
    if pct is None:
        return
    draft.set("battery_pct", pct)
    if draft.doc["status"] not in GOING_ON:
        return
    begins, over = concerns.battery(pct, draft.doc.get("concerns") or {})
    if begins:
        _begin(draft, Concern.BATTERY_LOW)
    elif over:
        _over(draft, Concern.BATTERY_LOW)


def _heard(draft: JourneyDraft, at: datetime) -> None:
    if at > draft.doc["heard_at"]:
        draft.set("heard_at", at)
    if Concern.NOT_HEARD in (draft.doc.get("concerns") or {}) and draft.now - at < concerns.NOT_HEARD_AFTER:
        _over(draft, Concern.NOT_HEARD)


def _begin(draft: JourneyDraft, concern: Concern) -> None:
    """Told once; soon after it was over, not again."""
    draft.set(f"concerns.{concern}", {"since": draft.now})
    draft.entry("concern", concern=str(concern))
    told = (draft.doc.get("told") or {}).get(str(concern))
    if told is None or draft.now - told >= TOLD_AGAIN_AFTER:
        draft.set(f"told.{concern}", draft.now)
        draft.event("journey.concern", concern=str(concern))


def _over(draft: JourneyDraft, concern: Concern) -> None:
    if concern in (draft.doc.get("concerns") or {}):
        draft.unset(f"concerns.{concern}")
        draft.entry("concern_over", concern=str(concern))


def takes_positions(doc: Mapping[str, Any], now: datetime) -> bool:
    """Whether positions are still wanted: while it goes on, and for half an hour after it ended."""
    ended = doc.get("ended_at")
    return ended is None or now - ended <= POSITIONS_AFTER_END


def page_until(doc: Mapping[str, Any]) -> datetime:
    """Until when its live pages are open: an hour after its end; of one that goes on, a day and an hour from its start.

    One that became an SOS stays open as long as an SOS's page.
    """
    ended: datetime | None = doc.get("ended_at")
    if ended is None:
        started: datetime = doc["started_at"]
        return started + LONGEST + PAGE_AFTER_END
    return ended + (PAGE_OF_AN_SOS if doc["status"] == JourneyStatus.RAISED else PAGE_AFTER_END)


def end_sharing(draft: JourneyDraft) -> None:
    """Every live page of it is over at once. Guardians are told of a missed check-in all the same, by a new page."""
    draft.set("links", [{**link, "revoked": True} for link in draft.doc.get("links") or []][-KEPT_LINKS:])
    draft.set("share_generation", int(draft.doc.get("share_generation") or 0) + 1)
    draft.set("sharing", False)
    draft.entry("sharing_ended", by=draft.doc["person"])
