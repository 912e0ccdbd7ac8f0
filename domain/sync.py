"""What changed for one person since a time: their SOS as their phone shows them, and their unit's assignments.

What is no longer theirs comes as a tombstone. A change becomes visible a little after the time that it bears, so each
answer looks back a few seconds; a phone that meets the same thing twice just keeps it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain.dispatch import queries as dispatch
from domain.dispatch.views import assignment_view
from domain.errors import Gone
from domain.incidents import queries
from domain.incidents.projection import citizen_view
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


def check_cursor(since: datetime | None, *, now: datetime) -> datetime:
    """From when on to look. Raises Gone for a cursor older than 90 days: fetch everything anew without one."""
    if since is None:
        return now - KEPT
    if now - since > KEPT:
        raise Gone("this cursor is too old: start again without one", code="cursor_over")
    return since - LOOK_BACK


def own_sos(person: str, since: datetime, *, now: datetime) -> list[Change]:
    """The person's own SOS that look different since then."""
    views = [citizen_view(doc, now) for doc in queries.of_person(person, since=now - KEPT)]
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
