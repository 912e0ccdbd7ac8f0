"""How likely two things are the same happening: a score in 0–1 with its reasons. Pure.

Each reason gives points between 0 and its weight; the score is their sum. Weights are ours, a first estimate to be set
anew from what operators confirm. A link says "look at both"; it never merges.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain import geo

RADIUS_M = 1000.0
WITHIN = timedelta(minutes=30)
MINIMUM = 0.35
"""Below this a link would only be noise."""
KEPT = 20

WEIGHTS = {"distance": 0.4, "time": 0.3, "category": 0.2, "seen": 0.25, "person": 0.2}

_HALF_DISTANCE_M = 150.0
_HALF_TIME_S = 300.0

# What a camera saw that speaks for a kind of incident.
_SPEAKS_FOR: Mapping[str, frozenset[str]] = {
    "lying": frozenset(
        {"medical", "accident", "assault", "violence", "shooting", "kidnapping", "robbery", "harassment"}
    ),
    "fall": frozenset({"medical", "accident", "assault", "violence", "harassment"}),
    "hands_up": frozenset({"robbery", "kidnapping", "shooting", "assault"}),
}


@dataclass(frozen=True)
class Subject:
    """One thing as correlation sees it. `position_m` is how well its place is known."""

    kind: str
    id: str
    city: str
    lat: float
    lon: float
    at: datetime
    category: str = ""
    person: str = ""
    findings: Mapping[str, float] = field(default_factory=dict)
    people: int = 0


@dataclass(frozen=True)
class Linked:
    """The score and what it was made of: [{kind, points, …facts}]."""

    score: float
    reasons: tuple[dict[str, Any], ...]


def score(a: Subject, b: Subject) -> Linked | None:
    """The link between two things, or None when they are too far apart or too little speaks for it.

    Distance and time count by exponential decay: half of the points at 150 m and at 5 minutes.
    """
    metres = geo.distance_m(a.lat, a.lon, b.lat, b.lon)
    apart = abs(a.at - b.at)
    if metres > RADIUS_M or apart > WITHIN:
        return None
    reasons: list[dict[str, Any]] = [
        _reason("distance", math.pow(0.5, metres / _HALF_DISTANCE_M), metres=round(metres)),
        _reason("time", math.pow(0.5, apart.total_seconds() / _HALF_TIME_S), seconds=round(apart.total_seconds())),
    ]
    if a.category and a.category == b.category:
        reasons.append(_reason("category", 1.0, category=a.category))
    if a.person and a.person == b.person:
        reasons.append(_reason("person", 1.0))
    for sight, other in ((a, b), (b, a)):
        if sight.kind == "observation" and other.kind != "observation":
            reasons += _seen(sight, other)
    total = min(1.0, sum(reason["points"] for reason in reasons))
    if total < MINIMUM:
        return None
    kept = tuple(reason for reason in reasons if reason["points"] >= 0.005)
    return Linked(round(total, 3), kept)


def _seen(sight: Subject, other: Subject) -> list[dict[str, Any]]:
    found = []
    for kind, confidence in sight.findings.items():
        speaks = not other.category or any(word in other.category for word in _SPEAKS_FOR.get(kind, ()))
        found.append(_reason("seen", confidence * (1.0 if speaks else 0.5), finding=kind))
    if not found and sight.people:
        found.append(_reason("seen", 0.3, finding="people"))
    return found[:2]


def _reason(kind: str, share: float, **facts: Any) -> dict[str, Any]:
    return {"kind": kind, "points": round(WEIGHTS[kind] * min(1.0, max(0.0, share)), 3), **facts}
