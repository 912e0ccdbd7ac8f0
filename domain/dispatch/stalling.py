"""Whether a unit that has a slot is still coming. Pure: what is known of it comes in, what to do comes out.

A unit that said yes, or that it moves, is looked at until it says that it is there. Between two looks it must have gone
on (MOVED_M). One that is seen twice at one place, apart by the ladder's `stall_after` and never by less than a jam at a
crossing takes (JAM), has stalled. Of one that nobody sees (no position comes), or that drives and gets no nearer, we
cannot know: it is asked whether it still comes after a multiple of that time (PATIENCE), and has stalled only when it
says nothing to that for one such time more; so is one that is near the place and has not said for as long that it is
there. What it says itself counts as much as a movement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from domain.incidents.states import AssignmentStatus

MOVED_M: Final = 50.0
"""Farther than a phone's position wanders while it lies still."""
THERE_M: Final = 2 * MOVED_M
"""So near the place there is nowhere left to move."""
JAM: Final = timedelta(minutes=3)
"""A traffic light, a level crossing: no unit that is under way has stalled for having stood less long."""
_SOON: Final = timedelta(seconds=45)
"""The next position says whether one that seemed to stand at the end of its time does."""
PATIENCE: Final = 4
"""So many times as long a unit is believed that nobody sees, or that gets no nearer, before it is asked."""


class Verdict(StrEnum):
    """What a look at a unit says."""

    COMES = "comes"
    """It has moved on, is nearly there, or not enough time has passed: looked at again."""
    ASK = "ask"
    """Nothing is known of it, or it gets no nearer: it is asked whether it still comes."""
    STALLED = "stalled"
    """It stands, or said nothing when it was asked: its slot is offered again."""


@dataclass(frozen=True)
class Seen:
    """The newest position of a unit since it said yes, and how far it is from where it last was seen to move on.

    Metres; `to_go_m` is None where the incident has no place, or one so rough that the unit may be there.
    """

    at: datetime
    travelled_m: float
    to_go_m: float | None


@dataclass(frozen=True)
class Look:
    """The verdict, and what changes: with `moved` the next look is from the place and the time of the position that
    was seen; with `nearer` it has never been so near before.
    """

    verdict: Verdict
    due: datetime | None = None
    moved: bool = False
    nearer: bool = False


def look(assignment: Mapping[str, Any], seen: Seen | None, *, stall_after: timedelta, now: datetime) -> Look:
    """How it stands with an assignment that has its slot and is not on scene."""
    if assignment["status"] == AssignmentStatus.EN_ROUTE:
        return _under_way(assignment, seen, max(stall_after, JAM), now)
    if seen is not None and _there(seen):
        return _arrived(assignment, assignment["accepted_at"], max(stall_after, JAM), now)
    if seen is not None and seen.travelled_m >= MOVED_M:
        return Look(Verdict.COMES, now + stall_after, moved=True)
    return Look(Verdict.STALLED)


def _arrived(assignment: Mapping[str, Any], said_at: datetime, window: timedelta, now: datetime) -> Look:
    """Near the place is where it should be; but a phone may lie in a station next door. Long without a word: it is asked."""
    gained = assignment.get("gained") or {}
    if gained.get("to_go_m", THERE_M + 1) > THERE_M:
        return Look(Verdict.COMES, now + window, moved=True, nearer=True)
    since = max(assignment.get("word_at") or said_at, gained["at"])
    if now - since < PATIENCE * window:
        return Look(Verdict.COMES, now + window, moved=True)
    return _ask(assignment, since, window, now, moved=True)


def _under_way(assignment: Mapping[str, Any], seen: Seen | None, window: timedelta, now: datetime) -> Look:
    if seen is not None and _there(seen):
        return _arrived(assignment, assignment["en_route_at"], window, now)
    said_at = assignment.get("word_at") or assignment["en_route_at"]
    nearer = seen is not None and _nearer(assignment, seen)
    gained_at = max(said_at, _time(assignment.get("gained")) or said_at)
    moved_at = max(said_at, _time(assignment.get("moved")) or said_at)
    if seen is not None and seen.travelled_m >= MOVED_M:
        if nearer or now - gained_at < PATIENCE * window:
            return Look(Verdict.COMES, now + window, moved=True, nearer=nearer)
        return _ask(assignment, max(said_at, gained_at), window, now, moved=True)
    if now - moved_at < window:
        return Look(Verdict.COMES, moved_at + window)
    if seen is not None and seen.at - moved_at >= window:
        # Where no exact place is known it may stand there: it is asked first.
        return Look(Verdict.STALLED) if seen.to_go_m is not None else _ask(assignment, moved_at, window, now)
    if now - moved_at < PATIENCE * window:
        pause = _SOON if seen is not None and now - seen.at < window / 2 else window
        return Look(Verdict.COMES, min(now + pause, moved_at + PATIENCE * window))
    return _ask(assignment, moved_at, window, now)


def _ask(
    assignment: Mapping[str, Any], since: datetime, window: timedelta, now: datetime, *, moved: bool = False
) -> Look:
    asked_at: datetime | None = assignment.get("asked_at")
    if asked_at is None or asked_at < since:
        return Look(Verdict.ASK, now + window, moved=moved)
    if now - asked_at < window:
        return Look(Verdict.COMES, asked_at + window, moved=moved)
    return Look(Verdict.STALLED)


def _there(seen: Seen) -> bool:
    return seen.to_go_m is not None and seen.to_go_m <= THERE_M


def _nearer(assignment: Mapping[str, Any], seen: Seen) -> bool:
    if seen.to_go_m is None:
        return True  # no place is known that it could get nearer to
    best = (assignment.get("gained") or {}).get("to_go_m")
    return best is None or bool(seen.to_go_m <= best - MOVED_M)


def _time(mark: Mapping[str, Any] | None) -> datetime | None:
    return mark["at"] if mark else None
