"""What changed for one person since a time: their SOS and journeys as their phone shows them, and their unit's assignments.

What is no longer theirs comes as a tombstone. A change becomes visible a little after the time that it bears, so each
answer looks back a few seconds; a phone that meets the same thing twice just keeps it.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain.dispatch import queries as dispatch
from domain.dispatch.views import assignment_view
from domain.errors import Gone
from domain.incidents import queries, seen
from domain.incidents.states import ASKED, HOLDING
from domain.journeys import queries as journeys
from domain.journeys.projection import traveller_view
from domain.reports import queries as reports
from domain.reports import seen as report_views
from domain.reports.states import ReportStatus
from domain.watch import queries as watch
from domain.watch.states import GroupStatus, Standing

KEPT: Final = timedelta(days=90)
LOOK_BACK: Final = timedelta(seconds=5)
_NO_MEMBER: Final = frozenset({Standing.REMOVED, Standing.SUSPENDED, Standing.CLOSED})
MOST: Final = 100
"""SOS that one answer looks at, the oldest changes first: more than fit in it, so that it is never taken for all."""


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
    left = sorted((each for each in changes if _is_after(each, cursor)), key=_order)
    taken: list[Change] = []
    room = most
    for change in left:
        room -= size(change)
        if room < 0 and taken:
            return taken, Cursor(taken[-1].at, taken[-1].id)
        taken.append(change)
    return taken, Cursor(now)


def _is_after(change: Change, cursor: Cursor | None) -> bool:
    return not (cursor and cursor.id) or _order(change) > (cursor.at, cursor.id)


def _order(change: Change) -> tuple[datetime, str]:
    return change.at, change.id


def own_sos(person: str, since: datetime, cursor: Cursor | None = None, *, now: datetime) -> list[Change]:
    """The person's own SOS that look different since then: the MOST oldest such changes after the cursor.

    All that were raised in KEPT are looked at, since a view changes with what an SOS was merged into, and with the clock.
    """
    views = (seen.by_citizen(doc, now) for doc in queries.all_seen_by(person, since=now - KEPT))
    changes = (Change("sos", view["id"], view["updated_at"], view) for view in views if view["updated_at"] > since)
    return heapq.nsmallest(MOST, (each for each in changes if _is_after(each, cursor)), key=_order)


def own_journeys(person: str, since: datetime, cursor: Cursor | None = None, *, now: datetime) -> list[Change]:
    """The person's own journeys that changed since then, the MOST oldest such changes after the cursor."""
    rows = journeys.started(person, now - KEPT)
    changes = (Change("journey", row["_id"], row["updated_at"], traveller_view(row)) for row in rows)
    fresh = (each for each in changes if each.at > since and _is_after(each, cursor))
    return heapq.nsmallest(MOST, fresh, key=_order)


def watch_groups(person: str, since: datetime, cursor: Cursor | None = None) -> list[Change]:
    """The person's groups, invitations and requests that changed since then; one that was closed, or that they were taken
    out of, is gone. Who left on one phone left no trace that another could be told of.
    """
    changes: list[Change] = []
    held = {row["group"]: row for row in watch.of_person(person)}
    for group in watch.some(list(held)):
        row = held[group["_id"]]
        gone = group["status"] == GroupStatus.CLOSED or row["standing"] in _NO_MEMBER
        body = None if gone else {**group, "id": group["_id"], "standing": row["standing"], "role": row["role"]}
        changes.append(Change("watch_group", group["_id"], max(group["changed_at"], row["changed_at"]), body))
    return heapq.nsmallest(MOST, (each for each in changes if each.at > since and _is_after(each, cursor)), key=_order)


def watch_reports(person: str, since: datetime, language: str, cursor: Cursor | None = None) -> list[Change]:
    """One's own reports and those of one's groups that changed since then, the oldest changes first, as a list shows
    them; what is not to be read any more is gone.
    """
    groups = watch.joined(person)
    mine = [row for row in reports.of_author(person, limit=MOST) if row["changed_at"] > since]
    theirs = reports.changed(groups, since, limit=MOST) if groups else []
    rows = {row["_id"]: row for row in (*mine, *theirs)}.values()
    changes = (
        Change(
            "watch_report",
            row["_id"],
            row["changed_at"],
            report_views.row(row, language)
            if row["status"] == ReportStatus.PUBLISHED
            or (row["author"] == person and row["status"] != ReportStatus.WITHDRAWN)
            else None,
        )
        for row in rows
    )
    return heapq.nsmallest(MOST, (each for each in changes if _is_after(each, cursor)), key=_order)


def assignments(
    unit: str, since: datetime, language: str, cursor: Cursor | None = None, *, but_of: str = ""
) -> list[Change]:
    """The unit's assignments in incidents that changed since then, the oldest changes after the cursor; those that are
    over are gone. A phone that has nothing yet gets what goes on. `but_of`: nothing of this person's own SOS, of which her
    phone sees the citizen's side alone.
    """
    changes: list[Change] = []
    going_on = {doc["_id"]: doc for doc, _ in dispatch.of_unit(unit)} if cursor is None else {}
    for doc in going_on.values() if cursor is None else dispatch.changed_for(unit, since):
        if len(changes) >= MOST and doc["updated_at"] > changes[-1].at:
            break
        if but_of and (doc.get("citizen") or {}).get("person") == but_of:
            continue
        for assignment_id, assignment in doc["assignments"].items():
            if assignment["unit"] != unit:
                continue
            theirs = assignment["status"] in ASKED or assignment["status"] in HOLDING
            body = assignment_view(doc, assignment_id, language) if theirs else None
            change = Change("assignment", assignment_id, doc["updated_at"], body)
            if _is_after(change, cursor):
                changes.append(change)
    return changes
