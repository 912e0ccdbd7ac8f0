"""How likely two reports are of one thing, 0–1: place, time, category, words and picture. Pure.

It is told to whoever reports ("is it this one?"), so it is worked out from what the public may see: with exact places,
whoever reports from several points could find out where somebody's phone was.

likeness = kind × (0.4 + 0.3 × near + 0.3 × soon) + 0.4 × (words − 0.4) + (0.3 where the pictures look alike)

kind     1 for the same category, 0.8 for kinds that one happening is often called by different people, else 0
near     half at two fifths of the category's reach
soon     half at a third of the category's time
words    `domain/reports/said.py`; left out where either says too little

Figures are ours: set on the first half of the labelled pairs of `bench/likeness.tsv`, stated on the second
(`python -m bench.likeness`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from domain import geo
from domain.correlation.rules import KIN
from domain.reports import said
from domain.reports.categories import CATEGORIES

SAME_FROM: Final = 0.65
"""From this likeness on another report is offered."""
MOST_SAME: Final = 3
CLOSE_M: Final = 200.0
"""What happens to one person or in one house is joined within this alone, by the exact place, which nobody is told."""
PICTURES_ALIKE: Final = 10
"""So many of the 64 bits of two pictures' hashes may differ: N. Krawetz, "Kind of Like That" (hackerfactor.com, 2013)."""

_CALLED: Final = (
    *KIN,
    frozenset({"explosion", "shooting", "noise"}),
    frozenset({"explosion", "suspicious"}),
    frozenset({"fire", "hanging_wire", "road_accident"}),
    frozenset({"harassment", "suspicious"}),
    frozenset({"burglary", "suspicious"}),
)
"""Kinds under which different people report one thing."""
_KIN_COUNTS: Final = 0.8
_WORDS: Final = 0.4
_WORDS_NEUTRAL: Final = 0.4
_PICTURE: Final = 0.3
_LEAST_REACH_M: Final = {9: 420.0, 8: 1_050.0, 7: 2_700.0}
"""The middles of two cells that touch are so far apart at most; nothing finer is known to the public."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How far apart in place and time reports of one thing of a kind are. `joins_from`: from this likeness on they are one
    cluster without being asked. `wide`: it is told of from all around, as a blast is; else only CLOSE_M around, since two
    robberies of one street are two.
    """

    reach_m: float
    lasts: timedelta
    joins_from: float = 0.75
    wide: bool = False


_MINUTE: Final = timedelta(minutes=1)
_USUAL: Final = Spread(300.0, 45 * _MINUTE)
_STAYS: Final = Spread(120.0, timedelta(days=14))
_SPREADS: Final[Mapping[str, Spread]] = {
    "explosion": Spread(2_000.0, 45 * _MINUTE, 0.5, wide=True),
    "shooting": Spread(1_000.0, 30 * _MINUTE, 0.6, wide=True),
    "fire": Spread(700.0, 180 * _MINUTE, 0.6, wide=True),
    "gas_leak": Spread(500.0, 240 * _MINUTE, 0.6, wide=True),
    "building_collapse": Spread(600.0, 240 * _MINUTE, 0.55, wide=True),
    "flood": Spread(1_200.0, timedelta(hours=12), 0.6, wide=True),
    "disorder": Spread(600.0, 120 * _MINUTE, 0.65, wide=True),
    "noise": Spread(300.0, 120 * _MINUTE),
    "missing_person": Spread(1_000.0, timedelta(hours=24), 0.9),
    "suspicious": Spread(300.0, 60 * _MINUTE, 0.85),
    "other": Spread(300.0, 60 * _MINUTE, 0.9),
    "street_light": _STAYS,
    "open_manhole": _STAYS,
    "hanging_wire": _STAYS,
    "stray_dogs": Spread(300.0, timedelta(hours=24)),
}


def spread(category: str) -> Spread:
    """How far reports of one thing of this kind lie apart; its reach is never finer than what the public is shown."""
    found = _SPREADS.get(category, _USUAL)
    known = CATEGORIES.get(category)
    least = _LEAST_REACH_M[known.cell if known else 9]
    return found if found.reach_m >= least else replace(found, reach_m=least)


def alike(category: str) -> list[str]:
    """The categories under which others may report the same thing, this one among them."""
    kin = {other for group in _CALLED if category in group for other in group}
    return sorted({category, "other", *(kin & CATEGORIES.keys())}) if category != "other" else sorted(CATEGORIES)


def joins_from(one: str, other: str) -> float:
    """From which likeness on two categories' reports are one cluster."""
    return max(spread(one).joins_from, spread(other).joins_from)


def likeness(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """How likely two are of one thing; each has `public`, `at`, `category`, and perhaps `note` and `picture` (a hash of 16
    hexadecimal digits). 0 when too far apart. The same whichever comes first.
    """
    kind = _kind(one["category"], other["category"])
    first, second = spread(one["category"]), spread(other["category"])
    reach, lasts = min(first.reach_m, second.reach_m), min(first.lasts, second.lasts)
    here, there = one["public"], other["public"]
    metres = geo.distance_m(here["lat"], here["lon"], there["lat"], there["lon"])
    apart = _seconds(one["at"], other["at"])
    if not kind or metres > reach or apart > lasts.total_seconds():
        return 0.0
    near = math.pow(0.5, metres / (0.4 * reach))
    soon = math.pow(0.5, apart / (lasts.total_seconds() / 3))
    total = kind * (0.4 + 0.3 * near + 0.3 * soon)
    words = said.likeness(one.get("note") or "", other.get("note") or "")
    if words is not None:
        total += _WORDS * (words - _WORDS_NEUTRAL)
    if _pictures(one, other):
        total += _PICTURE
    return round(min(1.0, max(0.0, total)), 3)


def joins(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two are one cluster without anybody being asked. Both have their exact `position` as well."""
    if not (is_wide(one["category"]) and is_wide(other["category"])):
        here, there = one["position"], other["position"]
        if geo.distance_m(here["lat"], here["lon"], there["lat"], there["lon"]) > CLOSE_M:
            return False
    return likeness(one, other) >= joins_from(one["category"], other["category"])


def is_wide(category: str) -> bool:
    """Whether one thing of this kind is told of from all around."""
    return spread(category).wide


def _seconds(one: datetime, other: datetime) -> float:
    return abs((one - other).total_seconds())


def _kind(one: str, other: str) -> float:
    if one == other:
        return 1.0
    return _KIN_COUNTS if "other" in (one, other) or any(one in kin and other in kin for kin in _CALLED) else 0.0


def _pictures(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    first, second = one.get("picture"), other.get("picture")
    if not first or not second:
        return False
    return (int(first, 16) ^ int(second, 16)).bit_count() <= PICTURES_ALIKE
