"""Who leaves a group, or is erased, leaves its roster: what they walked goes too."""

from datetime import datetime
from typing import Any

from domain.patrols import rules
from domain.patrols.queries import Patrol, patrols
from domain.patrols.service import change

_BATCH = 200


def forget(person: str, *, now: datetime, group: str = "") -> int:
    """Take somebody off every roster, or off one group's. Again is harmless; how many patrols they were on."""
    done = 0
    seen: set[str] = set()
    while rows := [row for row in _of(person, group) if row["_id"] not in seen]:
        for row in rows:
            seen.add(row["_id"])
            change(row["_id"], lambda doc: _without(doc, person), now=now)
            done += 1
    return done


def _of(person: str, group: str) -> list[Patrol]:
    rows = patrols().find({"people": person}, {"group": 1}).limit(_BATCH if not group else 0)
    return [row for row in rows if group in ("", row["group"])]


def _without(doc: Patrol, person: str) -> dict[str, Any]:
    if person not in doc["places"]:
        return {}
    return {"places": {each: place for each, place in doc["places"].items() if each != person}}


def exported(person: str, now: datetime) -> list[dict[str, Any]]:
    """Every patrol that somebody signed up for."""
    rows = patrols().find({"people": person}).sort("starts_at", -1).limit(1000)
    return [
        {
            "group": row["group"],
            "beat": row["beat"],
            "starts_at": row["starts_at"],
            "ends_at": row["ends_at"],
            "status": str(rules.place_status(row["places"][person])),
            "since": row["places"][person].get("since"),
        }
        for row in rows
    ]
