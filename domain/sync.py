"""What changed for one person since a time: their SOS as their phone shows them, and their unit's assignments.

What is no longer theirs comes as a tombstone. A change becomes visible a little after the time that it bears, so each
answer looks back a few seconds; a phone that meets the same thing twice just keeps it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain.dispatch import queries as dispatch
from domain.dispatch.views import assignment_view
from domain.errors import Gone
from domain.incidents import queries, seen
from domain.incidents.states import ASKED, HOLDING

KEPT: Final = timedelta(days=90)
LOOK_BACK: Final = timedelta(seconds=5)


@dataclass(frozen=True)
class Change:
    """One thing that changed. Without a body it is gone."""

    kind: str
    id: str
    at: datetime
    body: Mapping[str, Any] | None


@dataclass(frozen=True)
class Cursor:
    """Where an answer ended: at a time, and, in the middle of many changes, after a thing of that time."""

    at: datetime
    id: str = ""


def since(cursor: Cursor | None, *, now: datetime) -> datetime:
    """From when on to look. Raises Gone for a cursor older than 90 days: fetch everything anew without one."""
    if cursor is None:
        return now - KEPT
    if now - cursor.at > KEPT:
        raise Gone("this cursor is too old: start again without one", code="cursor_over")
    return cursor.at - (timedelta(milliseconds=1) if cursor.id else LOOK_BACK)


def page(
    changes: Sequence[Change], cursor: Cursor | None, size: Callable[[Change], int], *, most: int, now: datetime
) -> tuple[list[Change], Cursor]:
    """The oldest changes after the cursor, as many as fit `most` bytes (one at least), and where to go on."""
    after = (cursor.at, cursor.id) if cursor and cursor.id else None
    left = sorted((each for each in changes if after is None or (each.at, each.id) > after), key=_order)
    taken: list[Change] = []
    room = most
    for change in left:
        room -= size(change)
        if room < 0 and taken:
            return taken, Cursor(taken[-1].at, taken[-1].id)
        taken.append(change)
    return taken, Cursor(now)


def _order(change: Change) -> tuple[datetime, str]:
    return change.at, change.id


def own_sos(person: str, since: datetime, *, now: datetime) -> list[Change]:
    """The person's own SOS that look different since then."""
    views = [seen.by_citizen(doc, now) for doc in queries.seen_by(person, since=now - KEPT)]
    return [Change("sos", view["id"], view["updated_at"], view) for view in views if view["updated_at"] > since]


def assignments(unit: str, since: datetime, language: str) -> list[Change]:
    """The unit's assignments in incidents that changed since then; those that are over are gone."""
    changes = []
    for doc in dispatch.changed_for(unit, since):
        for assignment_id, assignment in doc["assignments"].items():
            if assignment["unit"] != unit:
                continue
            theirs = assignment["status"] in ASKED or assignment["status"] in HOLDING
            body = assignment_view(doc, assignment_id, language) if theirs else None
            changes.append(Change("assignment", assignment_id, doc["updated_at"], body))
    return changes
