"""How likely two things are the same happening: a score in 0–1 with its reasons. Pure.

Each reason gives points between 0 and its weight; the score is their sum. Weights are ours, a first estimate to be set
anew from what operators confirm. A link says "look at both"; it never merges.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from domain import geo

RADIUS_M: Final = 1000.0
WITHIN: Final = timedelta(minutes=30)
MINIMUM: Final = 0.35
"""Below this a link would only be noise."""
KEPT: Final = 20

WEIGHTS: Final = {"distance": 0.4, "time": 0.3, "category": 0.2, "seen": 0.25, "person": 0.2}

_HALF_DISTANCE_M: Final = 150.0
_HALF_TIME_S: Final = 300.0
_SEEN_AT_MOST: Final = 2
_PEOPLE: Final = 0.3
"""Somebody was there: little, for somebody mostly is."""
_SPEAKS_LITTLE: Final = 0.5
_BELIEVED: Final[Mapping[str, Callable[[float], float]]] = {
    "yes": lambda confidence: 1.0,
    "no": lambda confidence: 0.0,
    "cannot_tell": lambda confidence: confidence / 2,
}
"""What a human's answer makes of a detector's confidence: what nobody could see with their own eyes counts half."""

UNSAID: Final = frozenset({"", "unspecified", "other", "police", "suspicious"})
"""Categories that do not say what happened: two of a kind are no reason, and whatever was seen may speak for them."""

_HURT: Final = frozenset(
    {"assault", "disorder", "domestic_violence", "explosion", "robbery", "sexual_violence", "shooting"}
)
SPEAKS_FOR: Final[Mapping[str, frozenset[str]]] = {
    "lying": _HURT
    | {
        "medical", "heart_or_breathing", "road_accident", "building_collapse", "electric_shock", "burns_or_acid",
        "bite_or_poison", "self_harm", "childbirth", "drowning", "gas_leak", "kidnapping", "harassment",
        "child_in_danger", "missing_person",
    },
    "fall": _HURT
    | {
        "medical", "heart_or_breathing", "road_accident", "electric_shock", "self_harm", "harassment",
        "building_collapse",
    },
    "listed_vehicle": frozenset(
        {"robbery", "kidnapping", "road_accident", "shooting", "burglary", "listed_vehicle", "missing_person", "stalking"}
    ),
    "hands_up": frozenset({"assault", "burglary", "disorder", "kidnapping", "robbery", "shooting", "harassment"}),
    "running": frozenset({"assault", "burglary", "disorder", "kidnapping", "robbery", "shooting", "harassment", "fire"}),
    "dispersal": frozenset({"shooting", "explosion", "disorder", "fire", "gas_leak", "building_collapse"}),
}  # fmt: skip
"""What a camera saw → the kinds of incident that it speaks for; for others it counts half."""

KIN: Final = (
    frozenset({"medical", "heart_or_breathing", "childbirth", "bite_or_poison", "self_harm", "electric_shock"}),
    frozenset({"assault", "robbery", "shooting", "disorder", "kidnapping"}),
    frozenset({"harassment", "stalking", "sexual_violence", "kidnapping", "child_in_danger", "assault"}),
    frozenset({"fire", "explosion", "gas_leak", "building_collapse", "burns_or_acid"}),
    frozenset({"child_in_danger", "missing_person", "kidnapping"}),
    frozenset({"flood", "drowning"}),
    frozenset({"burglary", "robbery"}),
    frozenset({"road_accident", "medical"}),
    frozenset({"listed_vehicle", "robbery", "road_accident", "kidnapping"}),
)
"""Kinds that one happening is often called by different callers; such a pair counts half of the same kind."""
_KIN_COUNTS: Final = 0.5


@dataclass(frozen=True)
class Subject:
    """One thing as correlation sees it. `callers` are ids of who told of it: person, phone, device.

    `linked` are the scores of the links that it carries already, by the other end's id. `said` is what humans answered
    about findings: yes, no or cannot_tell.
    """

    kind: str
    id: str
    city: str
    lat: float
    lon: float
    at: datetime
    category: str = ""
    callers: frozenset[str] = frozenset()
    findings: Mapping[str, float] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    people: int = 0
    linked: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Linked:
    """The score and what it was made of: [{kind, points, …facts}]."""

    score: float
    reasons: tuple[dict[str, Any], ...]


def score(a: Subject, b: Subject) -> Linked | None:
    """The link between two things, the same whichever comes first; None when too far apart or too little speaks for it.

    Distance and time count by exponential decay: half of the points at 150 m and at 5 minutes.
    """
    metres = geo.distance_m(a.lat, a.lon, b.lat, b.lon)
    apart = abs(a.at - b.at)
    if a.id == b.id or a.city != b.city or metres > RADIUS_M or apart > WITHIN:
        return None
    reasons: list[dict[str, Any]] = [
        _reason("distance", math.pow(0.5, metres / _HALF_DISTANCE_M), metres=round(metres)),
        _reason("time", math.pow(0.5, apart.total_seconds() / _HALF_TIME_S), seconds=round(apart.total_seconds())),
    ]
    if alike := _alike(a.category, b.category):
        reasons.append(_reason("category", alike, categories=sorted({a.category, b.category})))
    if a.callers & b.callers:
        reasons.append(_reason("person", 1.0))
    for sight, other in ((a, b), (b, a)):
        if sight.kind == "observation" and other.kind != "observation":
            reasons += _seen(sight, other)
    total = min(1.0, sum(reason["points"] for reason in reasons))
    if total < MINIMUM:
        return None
    kept = tuple(reason for reason in reasons if reason["points"] >= 0.005)
    return Linked(round(total, 3), kept)


def _alike(one: str, other: str) -> float:
    if one in UNSAID or other in UNSAID:
        return 0.0
    if one == other:
        return 1.0
    return _KIN_COUNTS if any(one in kin and other in kin for kin in KIN) else 0.0


def _seen(sight: Subject, other: Subject) -> list[dict[str, Any]]:
    found = []
    sure = {kind: believed(confidence, sight.said.get(kind)) for kind, confidence in sight.findings.items()}
    for kind, confidence in sorted(sure.items(), key=lambda each: (-each[1], each[0])):
        if not confidence:
            continue
        speaks = other.category in UNSAID or other.category in SPEAKS_FOR.get(kind, frozenset())
        human = {"human": sight.said[kind]} if kind in sight.said else {}
        found.append(_reason("seen", confidence * (1.0 if speaks else _SPEAKS_LITTLE), finding=kind, **human))
    if not found and sight.people:
        found.append(_reason("seen", _PEOPLE, finding="people"))
    return found[:_SEEN_AT_MOST]


def believed(confidence: float, said: str | None) -> float:
    """A detector's confidence once a human has answered about it (yes, no, cannot_tell); as it is before."""
    return _BELIEVED[said](confidence) if said else confidence


def _reason(kind: str, share: float, **facts: Any) -> dict[str, Any]:
    return {"kind": kind, "points": round(WEIGHTS[kind] * min(1.0, max(0.0, share)), 3), **facts}
