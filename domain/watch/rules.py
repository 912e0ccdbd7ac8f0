"""Who follows a coordinator who falls silent. Pure.

Somebody is silent who has not used the app for SILENT_AFTER. They are warned first; then the deputies are asked, the one
who has been a member longest first, then the members likewise, each with time to answer. Nobody is made coordinator who
did not say yes, and whoever is silent themselves is not asked.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from domain.watch.states import GroupRole

SILENT_AFTER: Final = timedelta(days=30)
ANSWER_WITHIN: Final = timedelta(days=3)
AGAIN_AFTER: Final = timedelta(days=14)
"""When to begin anew where nobody would."""


class Next(StrEnum):
    """What a look at a group's coordinator leads to."""

    WAIT = "wait"
    """They are here: look again when they would be silent."""
    WARN = "warn"
    """They are silent, and asked whether they go on."""
    ASK = "ask"
    """Somebody else is asked to lead the group."""
    NOBODY = "nobody"
    """Nobody is left to ask: the city hears of it."""


@dataclass(frozen=True)
class Look:
    """What to do now, whom to ask, and when to look again."""

    next: Next
    due: datetime
    person: str = ""


@dataclass(frozen=True)
class Heir:
    """Somebody who may be asked. `seen` is when they last used the app."""

    person: str
    role: str
    since: datetime
    seen: datetime | None


def is_silent(seen: datetime | None, now: datetime) -> bool:
    """Whether somebody has not been seen for so long; who is gone is."""
    return seen is None or now - seen >= SILENT_AFTER


def in_order(heirs: Iterable[Heir], *, tried: Collection[str], now: datetime) -> list[Heir]:
    """Who is asked, in order: deputies first, the longest-standing first."""
    able = [each for each in heirs if each.person not in tried and not is_silent(each.seen, now)]
    return sorted(able, key=lambda each: (each.role != GroupRole.DEPUTY, each.since, each.person))


def look(succession: Mapping[str, Any], seen: datetime | None, heirs: Iterable[Heir], *, now: datetime) -> Look:
    """What follows for a group whose coordinator was last `seen` then (None: they are gone)."""
    if seen is not None and not is_silent(seen, now):
        return Look(Next.WAIT, seen + SILENT_AFTER)
    if not succession and seen is not None:
        return Look(Next.WARN, now + ANSWER_WITHIN)
    line = in_order(heirs, tried=succession.get("tried") or [], now=now)
    if line:
        return Look(Next.ASK, now + ANSWER_WITHIN, line[0].person)
    return Look(Next.NOBODY, now + AGAIN_AFTER)
