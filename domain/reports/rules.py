"""How far a report is believed, which reports may be one, and what a human must read first. Pure.

The score ranks and raises; it silences nobody. Figures are ours, a first estimate, to be set anew from what turned out
to be so. A voice is worth the product of four parts, each told with the score:

distance      half at 300 m from the cell of what is reported, a tenth at least: whoever is far away hears say
account       a tenth in the first week of an account; all such voices together weigh less than one neighbour
independence  voices from one phone, and fresh accounts made within ten minutes of each other, count as the best of them
record        (helped + 1) / (helped + false alarms + 1), a quarter at least
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain import geo
from domain.correlation.rules import KIN
from domain.reports.errors import ReportOver
from domain.reports.states import STEPS, ReportStatus, Stand

FRESH: Final = timedelta(days=7)
BELIEVED: Final = 0.7
"""From this score on a report becomes an incident and an alert by itself,"""
VOICES: Final = 3
"""if so many independent people who are not new say so, the author among them."""
FLAGS: Final = 3
"""So many neighbours' flags hold a report until a human has read it."""
OLDEST: Final = timedelta(days=7)
"""A phone may have been offline for some days."""

_HALF_M: Final = 300.0
_FAR: Final = 0.1
_FRESH_WEIGHT: Final = 0.1
_FRESH_TOGETHER: Final = 0.5
_MADE_TOGETHER_S: Final = 600
_LEAST_RECORD: Final = 0.25
_DOUBT: Final = 1.5
"""What stands against every report: one neighbour alone is worth 0.4, three of the place 0.67, four 0.73."""

SAME_WITHIN_M: Final = 400.0
SAME_WITHIN: Final = timedelta(minutes=45)
SAME_FROM: Final = 0.5
MOST_SAME: Final = 3


@dataclass(frozen=True)
class Voice:
    """Somebody's word. `metres` from the public place of what is reported; `made` when their account was; `device` of their
    session.
    """

    person: str
    stand: Stand
    metres: float
    made: datetime | None
    device: str = ""
    helped: int = 0
    false_alarms: int = 0


@dataclass(frozen=True)
class Belief:
    """How far a report is believed (0–1), by how many independent voices, and what it was made of."""

    score: float
    voices: int
    parts: dict[str, float]

    @property
    def holds(self) -> bool:
        """Whether it is enough to act on by rule."""
        return self.score >= BELIEVED and self.voices >= VOICES


def is_fresh(made: datetime | None, now: datetime) -> bool:
    """Whether an account is too new to raise anything; one of unknown age is."""
    return made is None or now - made < FRESH


def weight(voice: Voice, *, now: datetime) -> float:
    """What a voice is worth by itself, 0–1."""
    distance = max(_FAR, math.pow(0.5, voice.metres / _HALF_M))
    account = _FRESH_WEIGHT if is_fresh(voice.made, now) else 1.0
    record = max(_LEAST_RECORD, (voice.helped + 1) / (voice.helped + voice.false_alarms + 1))
    return distance * account * record


def believe(voices: Iterable[Voice], *, now: datetime) -> Belief:
    """The score: what speaks for it ÷ (what speaks for it + what speaks against it + a doubt)."""
    heard = list(voices)
    totals: dict[str, float] = {}
    standing = 0
    for stand in Stand:
        seasoned, fresh = 0.0, 0.0
        for group in independent([each for each in heard if each.stand == stand], now=now):
            best = max(weight(each, now=now) for each in group)
            if all(is_fresh(each.made, now) for each in group):
                fresh += best
            else:
                seasoned += best
                standing += stand == Stand.CONFIRM
        totals[stand] = seasoned + min(fresh, _FRESH_TOGETHER)
        totals[f"{stand}_fresh"] = min(fresh, _FRESH_TOGETHER)
    for_it, against = totals[Stand.CONFIRM], totals[Stand.DENY]
    parts = {
        "confirmed": round(for_it, 3),
        "denied": round(against, 3),
        "from_new_accounts": round(totals[f"{Stand.CONFIRM}_fresh"], 3),
        "doubt": _DOUBT,
    }
    return Belief(round(for_it / (for_it + against + _DOUBT), 3), standing, parts)


def independent(voices: Sequence[Voice], *, now: datetime) -> list[list[Voice]]:
    """The voices in groups that count once: one phone's, and fresh accounts that were made together."""
    groups: list[list[Voice]] = []
    by_device: dict[str, list[Voice]] = {}
    together: list[Voice] | None = None
    last: datetime | None = None
    for voice in sorted(voices, key=lambda each: (each.made is None, each.made or now, each.person)):
        if voice.device and voice.device in by_device:
            by_device[voice.device].append(voice)
            continue
        if is_fresh(voice.made, now) and voice.made is not None:
            if together is not None and last and (voice.made - last).total_seconds() <= _MADE_TOGETHER_S:
                together.append(voice)
            else:
                together = [voice]
                groups.append(together)
            last, home = voice.made, together
        else:
            home = [voice]
            groups.append(home)
        if voice.device:
            by_device[voice.device] = home
    return groups


def likeness(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """How likely two reports are of one thing, 0–1: place, time and category. 0 when too far apart."""
    here, there = one["public"], other["public"]  # an exact place could be worked out from the likeness
    metres = geo.distance_m(here["lat"], here["lon"], there["lat"], there["lon"])
    apart = abs(one["at"] - other["at"])
    if metres > SAME_WITHIN_M or apart > SAME_WITHIN:
        return 0.0
    kind = 1.0 if one["category"] == other["category"] else 0.4 if _kin(one["category"], other["category"]) else 0.0
    near, soon = math.pow(0.5, metres / 150.0), math.pow(0.5, apart.total_seconds() / 900.0)
    return round(kind * (0.5 + 0.25 * near + 0.25 * soon), 3)


def _kin(one: str, other: str) -> bool:
    return "other" in (one, other) or any(one in kin and other in kin for kin in KIN)


_NUMBERS: Final = (
    ("phone_number", re.compile(r"(?:\+?92|0)3\d{2}[\s-]?\d{7}\b")),
    ("identity_number", re.compile(r"\b\d{5}-?\d{7}-?\d\b")),
    ("plate_number", re.compile(r"\b(?:[A-Z]{2,4}[\s-]?(?:\d{2}[\s-])?|[a-z]{2,4}-?(?:\d{2}-)?)\d{3,4}\b")),
)
_DIGITS: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")


def held_for(note: str) -> list[str]:
    """Why a human must read a text before others do: it has a phone, identity or number plate in it. Digits in Urdu too."""
    plain = note.translate(_DIGITS)
    return [name for name, shape in _NUMBERS if shape.search(plain)]


def check_step(before: ReportStatus, after: ReportStatus) -> None:
    """Raise ReportOver when no step leads there."""
    if after not in STEPS[before]:
        raise ReportOver("it does not stand where this is possible", current=str(before))
