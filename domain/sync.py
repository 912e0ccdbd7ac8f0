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
from domain.reports import gone as reports_gone
from domain.reports import queries as reports
from domain.reports import seen as report_views
from domain.reports.states import ReportStatus
from domain.watch import queries as watch
from domain.watch.queries import Member
from domain.watch.states import GroupStatus, Standing

Row = dict[str, Any]

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


@dataclass(frozen=True)
class Reach:
    """What of their groups' things a phone has not seen: what changed since a time, or after a change (time, id), and all
    that a group had when they joined it meanwhile, as of that moment.
    """

    groups: Sequence[str]
    since: datetime
    after: tuple[datetime, str] | None
    joined: Mapping[str, datetime]
    kept: datetime
    """Nothing is told of what has not changed since then."""


def reach(memberships: Sequence[Member], since: datetime, cursor: Cursor | None, *, now: datetime) -> Reach:
    """Of these memberships. A phone that begins anew sees a group's things at their own times."""
    mine = [row for row in memberships if row["standing"] == Standing.MEMBER]
    times = {row["group"]: row["joined_at"] for row in mine if row.get("joined_at")}
    return Reach(
        groups=[row["group"] for row in mine],
        since=since,
        after=(cursor.at, cursor.id) if cursor and cursor.id else None,
        joined={group: at for group, at in times.items() if at > since} if cursor else {},
        kept=now - KEPT,
    )


def of_groups(
    changed: Callable[..., list[Row]], held: Callable[..., list[Row]], reach: Reach
) -> list[tuple[datetime, Row]]:
    """(when, row) of groups' things of one kind, MOST of each way of finding them at most, the oldest of each. `changed` and
    `held` are the reads of their `queries.py`.
    """
    if not reach.groups:
        return []
    found = [(row["changed_at"], row) for row in changed(reach.groups, reach.since, after=reach.after, limit=MOST)]
    for group, at in reach.joined.items():
        behind = reach.after[1] if reach.after and reach.after[0] == at else ""
        found += [(at, row) for row in held(group, reach.kept, at, behind=behind, limit=MOST)]
    return found


def watch_groups(
    memberships: Sequence[Member], since: datetime, cursor: Cursor | None = None
) -> tuple[list[Change], list[str]]:
    """(those of somebody's groups, invitations and requests that changed since then, the ids of all). One that was closed, or
    that they were taken out of, is gone. Who left on one phone left no trace that another could be told of: what is not
    among all is gone too.
    """
    changes: list[Change] = []
    held = {row["group"]: row for row in memberships}
    for group in watch.some(list(held)):
        row = held[group["_id"]]
        gone = group["status"] == GroupStatus.CLOSED or row["standing"] in _NO_MEMBER
        body = None if gone else {**group, "id": group["_id"], "standing": row["standing"], "role": row["role"]}
        changes.append(Change("watch_group", group["_id"], max(group["changed_at"], row["changed_at"]), body))
    fresh = (each for each in changes if each.at > since and _is_after(each, cursor))
    return heapq.nsmallest(MOST, fresh, key=_order), [each.id for each in changes if each.body is not None]


def watch_reports(person: str, reach: Reach, language: str, cursor: Cursor | None = None) -> list[Change]:
    """One's own reports and those of one's groups that changed since then, the oldest changes first, as a list shows
    them, with whose they are; what is not to be read any more, or no longer kept, is gone.
    """
    mine = reports.changed_of_author(person, reach.since, after=reach.after, limit=MOST)
    found = [(row["changed_at"], row) for row in mine] + of_groups(reports.changed, reports.held, reach)
    unique = {(row["_id"], at): row for at, row in found}
    changes = [
        Change("watch_report", report_id, at, _report(row, person, reach.groups, language))
        for (report_id, at), row in unique.items()
    ]
    over = reports_gone.since(person, reach.groups, reach.since, after=reach.after, limit=MOST)
    changes += [Change("watch_report", row["_id"], row["changed_at"], None) for row in over]
    return heapq.nsmallest(MOST, (each for each in changes if _is_after(each, cursor)), key=_order)


def _report(row: Row, person: str, groups: Sequence[str], language: str) -> Mapping[str, Any] | None:
    own, status = row["author"] == person, row["status"]
    if status != ReportStatus.PUBLISHED and (not own or status == ReportStatus.WITHDRAWN):
        return None
    theirs = [group for group in row["groups"] if group in groups]
    return {**report_views.row(row, language), "groups": theirs, "mine": own}


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
