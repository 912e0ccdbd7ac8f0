"""Counting what was observed (for metrics), and folding incidents into figures (for reports)."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain.cities import queries as cities
from domain.errors import Invalid
from domain.incidents.service import incidents
from domain.incidents.states import IncidentStatus
from domain.insights import rules
from domain.insights.documents import ResponseFiguresDoc

SEEN_KEPT: Final = 500
MOST: Final = 200_000
"""Incidents that one report folds; a longer one is asked for in parts."""
_FIELDS: Final = {"received_at": 1, "milestones": 1, "assignments": 1, "flags": 1, "category": 1, "resolution": 1}


def figures() -> Collection[dict[str, Any]]:
    """The raw collection."""
    found: Collection[dict[str, Any]] = ResponseFiguresDoc._get_collection()
    return found


def observe(city: str, event_id: str, times: Mapping[str, float], *, unanswered: int = 0, step: str = "") -> None:
    """Count times in seconds by measure, once for each event; and a `step` of a ladder (`service.who`)."""
    added: dict[str, float] = {"unanswered": unanswered} if unanswered else {}
    if step:
        added[f"steps.{step}"] = 1
    for measure, seconds in times.items():
        path = f"measures.{measure.replace('.', '_')}"
        added |= {f"{path}.n": 1, f"{path}.sum": seconds, f"{path}.le.{rules.bucket(seconds)}": 1}
    if not added:
        return
    try:
        figures().update_one(
            {"_id": city, "seen": {"$ne": event_id}},
            {
                "$inc": added,
                "$push": {"seen": {"$each": [event_id], "$slice": -SEEN_KEPT}},
                "$setOnInsert": {"city": city},
            },
            upsert=True,
        )
    except DuplicateKeyError:
        return  # counted already


def counted() -> list[dict[str, Any]]:
    """What every city has counted so far."""
    return list(figures().find({}, {"seen": 0}))


def going_on(city: str) -> dict[str, int]:
    """How many incidents of a city stand in each status but closed."""
    wanted = [status for status in IncidentStatus if status != IncidentStatus.CLOSED]
    return {str(status): incidents().count_documents({"city": city, "status": str(status)}) for status in wanted}


def response(city: str, since: datetime, until: datetime) -> dict[str, Any]:
    """Times to answer, dispatch and arrive of a city's incidents raised in a window, against the city's targets.

    Raises Invalid for more than MOST incidents, UnknownCity.
    """
    targets = cities.current(city).targets
    times: dict[str, list[float]] = defaultdict(list)
    total = unanswered = never_dispatched = 0
    for status in IncidentStatus:
        condition = {"city": city, "status": str(status), "raised_at": {"$gte": since, "$lt": until}}
        for row in incidents().find(condition, _FIELDS):
            if rules.LEFT_OUT & set(row["flags"]):
                continue
            total += 1
            if total > MOST:
                raise Invalid("too much at once: ask for a shorter time", errors={"to": ["Ask for less."]})
            found = rules.times_of(row)
            unanswered += "unanswered" in row["flags"]
            never_dispatched += "dispatch" not in found
            for measure, seconds in found.items():
                times[measure].append(seconds)
    measures = [
        {"measure": "answer", "service": None, **rules.summary(times["answer"], targets.answer_s)},
        {"measure": "dispatch", "service": None, **rules.summary(times["dispatch"], targets.dispatch_s)},
    ]
    for service, target_s in targets.arrival_s.items():
        measured = rules.summary(times[f"arrival.{service}"], target_s)
        measures.append({"measure": "arrival", "service": str(service), **measured})
    return {
        "city": city,
        "from": since,
        "to": until,
        "incidents": total,
        "unanswered": unanswered,
        "never_dispatched": never_dispatched,
        "measures": measures,
    }
