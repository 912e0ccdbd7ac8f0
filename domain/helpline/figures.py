"""How the line does: an honest guess of how long she waits, and how quickly who asked was answered. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

USUAL_TALK: Final = timedelta(minutes=15)
"""How long a talk takes where there is no figure yet."""


def waiting_s(ahead: int, talks_s: Sequence[float], on_shift: int) -> int | None:
    """An honest guess of the seconds until she is answered: those before her and herself, by the mean talk of late,
    shared by who is on shift. None where nobody is: then nothing can be promised but the call-back.
    """
    if on_shift <= 0:
        return None
    mean = sum(talks_s) / len(talks_s) if talks_s else USUAL_TALK.total_seconds()
    return round((ahead + 1) * mean / on_shift) if ahead >= 0 else 0


def answered_within(rows: Iterable[tuple[datetime, datetime | None]], now: datetime) -> dict[str, Any]:
    """Figures of (asked, answered): how many, the share within 15 and 20 s (NENA-STA-020: 90 and 95 %), the median."""
    waits: list[float] = []
    open_ = 0
    for asked, answered in rows:
        if answered is None:
            open_ += 1
            waits.append((now - asked).total_seconds())
        else:
            waits.append((answered - asked).total_seconds())
    waits.sort()
    many = len(waits)
    return {
        "asked": many,
        "answered": many - open_,
        "within_15_s": round(sum(wait <= 15 for wait in waits) / many, 4) if many else None,
        "within_20_s": round(sum(wait <= 20 for wait in waits) / many, 4) if many else None,
        "median_s": round(waits[many // 2], 1) if many else None,
        "target": 0.9,
    }
