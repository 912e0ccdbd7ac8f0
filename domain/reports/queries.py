"""Reads of reports. Each is served by `_id` or an index that `documents.py` declares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import h3
from pymongo.collection import Collection

from domain import changes, geo
from domain.reports import likeness
from domain.reports.documents import ReportDoc, VoiceDoc
from domain.reports.errors import ReportNotFound
from domain.reports.rules import Voice
from domain.reports.states import ReportStatus, Stand

Report = dict[str, Any]
MOST_VOICES: Final = 500
"""So many of a report are weighed, the newest: a blast has no need of more."""
_COMPARED_BY: Final = {"public": 1, "at": 1, "category": 1, "note": 1, "picture": 1}
COMPARED: Final = 60
"""So many reports near by are compared with a new one, the newest."""


def reports() -> Collection[Report]:
    """The raw collection."""
    found: Collection[Report] = ReportDoc._get_collection()
    return found


def voices() -> Collection[dict[str, Any]]:
    """The raw collection of what people say of reports."""
    found: Collection[dict[str, Any]] = VoiceDoc._get_collection()
    return found


def get(report_id: str) -> Report:
    """The report as it is stored; raises ReportNotFound."""
    found = reports().find_one({"_id": report_id})
    if found is None:
        raise ReportNotFound("no such report")
    return found


def some(ids: Sequence[str]) -> list[Report]:
    """These reports, those that exist."""
    return list(reports().find({"_id": {"$in": list(ids)}}))


def voices_of(report_id: str) -> list[Voice]:
    """What others say of a report, the newest first."""
    return voices_of_any([report_id])


def voices_of_any(ids: Sequence[str]) -> list[Voice]:
    """What people say of any of these (reports, or clusters), the newest first; of each person their last word."""
    rows = voices().find({"report": {"$in": list(ids)}}).sort("at", -1).limit(MOST_VOICES)
    last: dict[str, dict[str, Any]] = {}
    for row in rows:
        last.setdefault(row["person"], row)
    return [
        Voice(
            person=row["person"],
            stand=Stand(row["stand"]),
            metres=row["metres"],
            made=row.get("made"),
            device=row.get("device") or "",
            address=row.get("address") or "",
            helped=row.get("helped") or 0,
            false_alarms=row.get("false_alarms") or 0,
        )
        for row in last.values()
    ]


Place = tuple[datetime, str]
"""Where a page ended: (time, id). Hundreds who see a blast share a second of their phones' clocks."""


def _newest(
    wanted: dict[str, Any], field: str, after: Place | None, limit: int, *, since: datetime | None = None
) -> list[Report]:
    """The newest behind a place, by a time and, where it is the same, by id; one more than `limit` where there are. The sort is
    of the index alone: what shares the time of the last one is put into order here.
    """
    most, found = limit + 1, []
    time: dict[str, Any] = {"$gte": since} if since else {"$exists": True}
    if after:
        at, last = after
        if since is None or at >= since:
            found = list(reports().find(wanted | {field: at, "_id": {"$lt": last}}).sort("_id", -1).limit(most))
        time["$lt"] = at
    if len(found) == most:
        return found
    rows = list(reports().find(wanted | {field: time}).sort(field, -1).limit(most - len(found)))
    if len(found) + len(rows) == most:
        rows, end = [row for row in rows if row[field] != rows[-1][field]], rows[-1][field]
        left = most - len(found) - len(rows)
        rows += reports().find(wanted | {field: end}).sort("_id", -1).limit(left)
    return found + sorted(rows, key=lambda row: (row[field], row["_id"]), reverse=True)


def _current(now: datetime) -> dict[str, Any]:
    """What others are still shown; each kind of report has its time."""
    return {"expires_at": {"$not": {"$lte": now}}}


def public(city: str, *, since: datetime, after: Place | None, limit: int, now: datetime) -> list[Report]:
    """What is published in a city since a time, newest first; one more than `limit` where there are."""
    wanted = {"city": city, "status": str(ReportStatus.PUBLISHED)}
    return _newest(wanted | _current(now), "created_at", after, limit, since=since)


def near(
    city: str,
    lat: float,
    lon: float,
    radius_m: float,
    *,
    since: datetime,
    after: Place | None,
    limit: int,
    now: datetime,
) -> list[Report]:
    """What is published in the cells around a point since a time, latest seen first."""
    level, cells = geo.disk(lat, lon, radius_m)
    wanted = {"city": city, f"shown.r{level}": {"$in": cells}, "status": str(ReportStatus.PUBLISHED)}
    return _newest(wanted | _current(now), "at", after, limit, since=since)


def in_cell(city: str, cell: str, *, since: datetime, after: Place | None, limit: int, now: datetime) -> list[Report]:
    """What is published in an H3 cell of resolution 5, 7 or 9 since a time, latest seen first: a tile of a map."""
    wanted = {"city": city, f"shown.r{h3.get_resolution(cell)}": cell, "status": str(ReportStatus.PUBLISHED)}
    return _newest(wanted | _current(now), "at", after, limit, since=since)


def of_group(group: str, statuses: Sequence[str], *, after: Place | None, limit: int) -> list[Report]:
    """A group's reports that stand so, newest first; one more than `limit` where there are."""
    return _newest({"groups": group, "status": {"$in": list(statuses)}}, "created_at", after, limit)


def of_author(person: str, *, after: Place | None = None, limit: int = 20) -> list[Report]:
    """Somebody's own reports, newest first; one more than `limit` where there are."""
    return _newest({"author": person}, "created_at", after, limit)


def changed(
    groups: Sequence[str], since: datetime, *, after: tuple[datetime, str] | None = None, limit: int
) -> list[Report]:
    """The reports of these groups that changed since a time, or after a change (time, id), the oldest change first."""
    return changes.oldest(reports(), {"groups": {"$in": list(groups)}}, since, after, limit=limit)


def held(group: str, since: datetime, until: datetime, *, behind: str = "", limit: int) -> list[Report]:
    """The reports of a group that changed in a time, by id, behind one of them: what it has for whoever joins it."""
    return changes.by_id(reports(), {"groups": group}, since, until, behind, limit=limit)


def changed_of_author(
    person: str, since: datetime, *, after: tuple[datetime, str] | None = None, limit: int
) -> list[Report]:
    """Somebody's own reports that changed since a time, or after a change (time, id), the oldest change first."""
    return changes.oldest(reports(), {"author": person}, since, after, limit=limit)


def like(doc: Report, *, only: str | None = None) -> list[dict[str, Any]]:
    """Published reports that may be of the same thing, the likeliest first: [{id, likeness}]. `only`: compare with this one,
    since hundreds are known to be one with it.
    """
    here = doc.get("public")
    if not here:
        return []
    kinds, spread = likeness.alike(doc["category"]), likeness.spread(doc["category"])
    level, cells = geo.disk(here["lat"], here["lon"], max(spread.reach_m, 701.0))
    wanted: dict[str, Any] = {
        "city": doc["city"],
        f"shown.r{level}": {"$in": cells},
        "at": {"$gte": doc["at"] - spread.lasts, "$lte": doc["at"] + spread.lasts},
        "category": {"$in": kinds},
        "status": str(ReportStatus.PUBLISHED),
    }
    if only:
        wanted = {"_id": only, "status": str(ReportStatus.PUBLISHED)}
    rows = reports().find(wanted, _COMPARED_BY).sort("at", -1).limit(COMPARED)
    scored = [(likeness.likeness(doc, row), row["_id"]) for row in rows if row["_id"] != doc["_id"]]
    best = sorted((each for each in scored if each[0] >= likeness.SAME_FROM), key=lambda each: (-each[0], each[1]))
    return [{"id": other, "likeness": score} for score, other in best[: likeness.MOST_SAME]]
