"""What changed since a time of what a person's watch groups plan and tell: patrols, gatherings, alerts (`domain/sync.py`).

What is over or was withdrawn is gone; who leaves a group drops what belongs to it with the group itself. A phone that changed
something while it was offline sends it as it was meant: signing up, answering and acknowledging again is harmless, and where
the last place went to somebody else meanwhile the answer is a conflict with the current state.
"""

import heapq
from collections.abc import Iterable
from datetime import datetime

from domain.cities import queries as cities
from domain.gatherings import queries as gatherings
from domain.gatherings import seen as gathering_views
from domain.gatherings.states import GatheringStatus
from domain.patrols import queries as patrols
from domain.patrols import seen as patrol_views
from domain.patrols.states import PatrolStatus
from domain.sync import MOST, Change, Cursor, Reach, of_groups
from domain.watch_alerts import queries as alerts
from domain.watch_alerts import service as alerting


def changes(person: str, reach: Reach, cursor: Cursor | None = None, *, now: datetime) -> list[Change]:
    """The oldest of these changes after the cursor, MOST of each kind at most."""
    return [
        *_oldest(_patrols(reach, person), cursor),
        *_oldest(_gatherings(reach, person), cursor),
        *_oldest(_alerts(reach, now), cursor),
    ]


def _oldest(found: Iterable[Change], cursor: Cursor | None) -> list[Change]:
    fresh = (each for each in found if not (cursor and cursor.id) or (each.at, each.id) > (cursor.at, cursor.id))
    return heapq.nsmallest(MOST, fresh, key=lambda each: (each.at, each.id))


def _patrols(reach: Reach, person: str) -> list[Change]:
    rows = of_groups(patrols.changed, patrols.held, reach)
    beats = patrols.some_beats(sorted({row["beat"] for _, row in rows}))
    return [
        Change(
            "watch_patrol",
            row["_id"],
            at,
            None
            if row["status"] == PatrolStatus.OVER
            else patrol_views.row(row, beats[row["beat"]]["name"], person, cities.current(row["city"]).zone),
        )
        for at, row in rows
    ]


def _gatherings(reach: Reach, person: str) -> list[Change]:
    return [
        Change(
            "watch_gathering",
            row["_id"],
            at,
            None
            if row["status"] == GatheringStatus.OVER
            else gathering_views.view(row, person, cities.current(row["city"]).zone),
        )
        for at, row in of_groups(gatherings.changed, gatherings.held, reach)
    ]


def _alerts(reach: Reach, now: datetime) -> list[Change]:
    return [
        Change(
            "watch_alert",
            row["_id"],
            at,
            None if alerting.is_over(row, now) else {**row, "id": row["_id"], "progress": None},
        )
        for at, row in of_groups(alerts.changed, alerts.held, reach)
    ]
