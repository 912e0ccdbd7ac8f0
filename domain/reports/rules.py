"""How far a report is believed. Pure.

The score ranks and raises; it silences nobody. Figures are ours, a first estimate, to be set anew from what turned out
to be so. A voice is worth the product of four parts, each told with the score:

distance      half at 300 m from the cell of what is reported, a tenth at least: whoever is far away hears say
account       a tenth in the first week of an account; all such voices together weigh less than one neighbour
independence  what is one hand counts as the best of its voices: those of one phone or one household's line, of accounts
              that were made within the hour of each other in their first month, of fresh ones that speak from one network,
              and of older ones that do and were made within ten minutes. Of hands that share a carrier's address and
              nothing else the second counts half, the third a third, and so on: it is a doubt, since a quarter shares one
record        (helped + 1) / (helped + false alarms + 1), a quarter at least

What cameras saw adds at most half a voice (`look_rules.py`). It is none: they alone raise nothing.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.reports.errors import ReportOver
from domain.reports.origin import HOME
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

HALF_M: Final = 300.0
_FAR: Final = 0.1
_FRESH_WEIGHT: Final = 0.1
_FRESH_TOGETHER: Final = 0.5
_MADE_TOGETHER_S: Final = 600
_YOUNG: Final = timedelta(days=30)
_YOUNG_TOGETHER_S: Final = 3600
"""Who makes accounts one after another and lets them lie for a week is one hand for a month. Neighbours who come in
together, at a meeting, are that as well for so long: somebody else's word, or the control room's, makes up for it."""
_LEAST_RECORD: Final = 0.25
_DOUBT: Final = 1.5
"""What stands against every report: one neighbour alone is worth 0.4, three of the place 0.67, four 0.73."""


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
    address: str = ""
    """Of the network from which it came, as `origin.hashed` keeps it: of one household, or of many."""


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
    distance = max(_FAR, math.pow(0.5, voice.metres / HALF_M))
    account = _FRESH_WEIGHT if is_fresh(voice.made, now) else 1.0
    record = max(_LEAST_RECORD, (voice.helped + 1) / (voice.helped + voice.false_alarms + 1))
    return distance * account * record


def believe(voices: Iterable[Voice], *, now: datetime, seen: float = 0.0) -> Belief:
    """The score: what speaks for it ÷ (what speaks for it + what speaks against it + a doubt). `seen`: what cameras add."""
    heard = list(voices)
    totals: dict[str, float] = {}
    standing = 0
    for stand in Stand:
        seasoned, fresh = 0.0, 0.0
        for group, worth in _worth(independent([each for each in heard if each.stand == stand], now=now), now):
            if all(is_fresh(each.made, now) for each in group):
                fresh += worth
            else:
                seasoned += worth
                standing += stand == Stand.CONFIRM
        totals[stand] = seasoned + min(fresh, _FRESH_TOGETHER)
        totals[f"{stand}_fresh"] = min(fresh, _FRESH_TOGETHER)
    for_it, against = totals[Stand.CONFIRM] + seen, totals[Stand.DENY]
    parts = {
        "confirmed": round(totals[Stand.CONFIRM], 3),
        "denied": round(against, 3),
        "from_new_accounts": round(totals[f"{Stand.CONFIRM}_fresh"], 3),
        "cameras": round(seen, 3),
        "doubt": _DOUBT,
    }
    return Belief(round(for_it / (for_it + against + _DOUBT), 3), standing, parts)


def _worth(groups: Iterable[list[Voice]], now: datetime) -> list[tuple[list[Voice], float]]:
    """Each hand with what it is worth: its best voice's weight, the n-th best of one shared address an n-th of that."""
    rows = [(group, max((weight(each, now=now), each.address) for each in group)) for group in groups]
    spoken: dict[str, int] = {}
    found = []
    for group, (best, address) in sorted(rows, key=lambda row: -row[1][0]):
        spoken[address] = spoken.get(address, 0) + 1
        found.append((group, best / spoken[address] if address else best))
    return found


def independent(voices: Sequence[Voice], *, now: datetime) -> list[list[Voice]]:
    """The voices in groups that count once: each is one hand's, by the head of this file."""
    homes: dict[tuple[str, str], list[Voice]] = {}
    last: dict[str, tuple[datetime, list[Voice]]] = {}
    groups: dict[int, list[Voice]] = {}
    for voice in sorted(voices, key=lambda each: (each.made is None, each.made or now, each.person)):
        fresh = is_fresh(voice.made, now)
        kin = [("phone", voice.device)] if voice.device else []
        kin += [("address", voice.address)] if voice.address and (fresh or voice.address.startswith(HOME)) else []
        met = [homes[each] for each in kin if each in homes]
        # Young ones that were made one after another, from wherever; older ones that also speak from one address.
        young = voice.made is None or now - voice.made < _YOUNG
        row, apart_s = ("young", _YOUNG_TOGETHER_S) if young else (voice.address, _MADE_TOGETHER_S)
        if voice.made is not None and row in last and (voice.made - last[row][0]).total_seconds() < apart_s:
            met.append(last[row][1])
        home, *others = list({id(each): each for each in met}.values()) or [[]]
        for other in others:  # who has something in common with two hands makes them one
            home += other
            del groups[id(other)]
            homes = {key: home if each is other else each for key, each in homes.items()}
            last = {key: (at, home if each is other else each) for key, (at, each) in last.items()}
        home.append(voice)
        groups[id(home)] = home
        if voice.made is not None and row:
            last[row] = (voice.made, home)
        homes |= dict.fromkeys(kin, home)
    return list(groups.values())


def check_step(before: ReportStatus, after: ReportStatus) -> None:
    """Raise ReportOver when no step leads there."""
    if after not in STEPS[before]:
        raise ReportOver("it does not stand where this is possible", current=str(before))
