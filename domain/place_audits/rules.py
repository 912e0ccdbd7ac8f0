"""Figures of a cell that name nobody. Pure.

A city is cut into fixed H3 cells of resolution 9 and the day into 24 hours of local time: nobody chooses other bounds,
so no two answers can be subtracted. Of each cell and hour nothing is told before k people have rated it, and what is
told changes only by k people at a time, so that yesterday's answer subtracted from today's says nothing of one of them.
There are no sums over hours or cells, which would tell the same.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from domain.place_audits.states import Aspect

Cell = dict[str, Any]

ASPECTS: Final = tuple(str(each) for each in Aspect)


def hour_of(at: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """(year, hour of the day), local time."""
    local = at.astimezone(zone)
    return local.year, local.hour


def cell_id(city: str, year: int, cell: str, hour: int) -> str:
    """The document of a cell, hour and year."""
    return f"{city}:{year}:{cell}:{hour:02d}"


def fold(cell: Mapping[str, Any], somebody: str, ratings: Mapping[str, int], k: int) -> Cell | None:
    """The cell after somebody's rating; None where nothing changes.

    Everybody counts once in a cell, hour and year. Who waits may still change their mind; who is counted cannot, since a
    change of one would show. `somebody` is a pseudonym that holds for this cell alone.
    """
    waiting = dict(cell.get("waiting") or {})
    counted = list(cell.get("counted") or [])
    wanted = {name: int(ratings[name]) for name in ASPECTS}
    if somebody in counted or waiting.get(somebody) == wanted:
        return None
    waiting[somebody] = wanted
    if len(waiting) < k:
        return {**cell, "waiting": waiting}
    sums = dict(cell.get("sums") or {})
    for name in ASPECTS:
        sums[name] = int(sums.get(name) or 0) + sum(each[name] for each in waiting.values())
    return {
        **cell,
        "waiting": {},
        "counted": sorted({*counted, *waiting}),
        "n": int(cell.get("n") or 0) + len(waiting),
        "sums": sums,
    }


def told(years: Mapping[int, Mapping[str, Any]]) -> dict[str, Any] | None:
    """What may be told of a cell and hour over some years: how many people and the mean of each aspect (0 to 3, one
    decimal); None where nobody may be told of.
    """
    n = sum(int(each.get("n") or 0) for each in years.values())
    if not n:
        return None
    means = {
        name: round(sum(int((each.get("sums") or {}).get(name) or 0) for each in years.values()) / n, 1)
        for name in ASPECTS
    }
    return {"n": n, "ratings": means, "score": round(sum(means.values()) / len(means), 1)}
