"""Who leaves a group, or is erased, comes to nothing of it any more: what they answered goes, and their calendar."""

from datetime import datetime
from typing import Any

from domain.gatherings.calendar import calendar_id
from domain.gatherings.queries import Gathering, calendars, gatherings
from domain.gatherings.service import change

_MOST = 1000


def left(person: str, group: str, *, now: datetime) -> None:
    """They are no member of this group any more. Again is harmless."""
    for row in gatherings().find({"people": person}, {"group": 1}):
        if row["group"] == group:
            change(row["_id"], lambda doc: _without(doc, person), now=now)


def forget(person: str, *, now: datetime) -> None:
    """They asked to be forgotten."""
    calendars().delete_one({"_id": calendar_id(person)})
    for row in gatherings().find({"people": person}, {"_id": 1}):
        change(row["_id"], lambda doc: _without(doc, person), now=now)
    gatherings().update_many({"by": person}, {"$set": {"by": "erased"}})


def _without(doc: Gathering, person: str) -> dict[str, Any]:
    if person not in doc["answers"]:
        return {}
    return {"answers": {each: answer for each, answer in doc["answers"].items() if each != person}}


def exported(person: str, now: datetime) -> list[dict[str, Any]]:
    """Every gathering of which somebody said whether they come."""
    rows = gatherings().find({"people": person}).sort("starts_at", -1).limit(_MOST)
    return [
        {"group": row["group"], "title": row["title"], "starts_at": row["starts_at"], **row["answers"][person]}
        for row in rows
    ]
