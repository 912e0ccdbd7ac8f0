"""What of a traveller's positions may worry a guardian: pure rules with two thresholds each, so that nothing flickers.

A rule takes what it remembered (`watch`, plain values that the journey's document keeps) and one more point by the
server's time, and says which concerns begin and which are over.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from domain.geo import EARTH_RADIUS_M, distance_m
from domain.journeys.states import Concern

BATTERY_LOW: Final = 15.0
"""Percent: an old phone that sends positions lasts about half an hour from here."""
BATTERY_FINE: Final = 25.0
STOPPED_AFTER: Final = timedelta(minutes=5)
"""Longer than a red light or a queue for a ticket."""
STOPPED_WITHIN_M: Final = 60.0
"""Farther than a phone's position wanders while it lies still in a street between houses."""
MOVING_AGAIN_M: Final = 120.0
ARRIVING_WITHIN_M: Final = 200.0
"""Who stands still so near to the destination is there, or about to be."""
OFF_ROUTE_M: Final = 300.0
BACK_ON_ROUTE_M: Final = 150.0
OFF_ROUTE_AFTER: Final = timedelta(seconds=90)
"""One wild position is none: away from the route for so long."""
NOT_HEARD_AFTER: Final = timedelta(minutes=10)
STALE: Final = timedelta(minutes=10)
"""A batch that was held up for so long begins no concern: it tells what was."""


@dataclass(frozen=True)
class Point:
    """Where the phone was, by the server's clock."""

    lat: float
    lon: float
    at: datetime
    accuracy_m: float = 0.0


@dataclass
class Seen:
    """What became different: concerns that began, those that are over, and what to remember."""

    watch: dict[str, Any]
    begun: list[Concern] = field(default_factory=list)
    over: list[Concern] = field(default_factory=list)


def look(
    points: Iterable[Point],
    *,
    watch: Mapping[str, Any],
    active: Iterable[str],
    destination: Mapping[str, Any],
    route: Sequence[Sequence[float]],
    now: datetime,
) -> Seen:
    """Go through a batch in the order of its times; points older than what was looked at already are passed over."""
    seen = Seen(dict(watch))
    standing = {Concern(each) for each in active}
    for point in sorted(points, key=lambda each: each.at):
        if seen.watch.get("at") and point.at <= seen.watch["at"]:
            continue
        seen.watch["at"] = point.at
        wanted = {Concern.STOPPED: _stopped(seen.watch, point, destination)}
        if len(route) > 1:
            wanted[Concern.OFF_ROUTE] = _off_route(seen.watch, point, route)
        for concern, holds in wanted.items():
            if holds is True and concern not in standing and now - point.at <= STALE:
                standing.add(concern)
                seen.begun.append(concern)
            elif holds is False and concern in standing:
                standing.discard(concern)
                seen.over.append(concern)
    return seen


def battery(pct: float | None, active: Iterable[str]) -> tuple[bool, bool]:
    """(whether a low battery begins to worry, whether it is over)."""
    if pct is None:
        return False, False
    low = Concern.BATTERY_LOW in set(active)
    return (not low and pct <= BATTERY_LOW), (low and pct >= BATTERY_FINE)


def _stopped(watch: dict[str, Any], point: Point, destination: Mapping[str, Any]) -> bool | None:
    """True: stands still; False: moves; None: as before. Whoever has not set out yet has not stopped."""
    anchor = watch.get("anchor")
    if anchor is None:
        watch["anchor"] = _anchor(point)
        return None
    away = distance_m(anchor["lat"], anchor["lon"], point.lat, point.lon)
    slack = min(point.accuracy_m, STOPPED_WITHIN_M)
    if away > MOVING_AGAIN_M + slack or (away > STOPPED_WITHIN_M + slack and not watch.get("standing")):
        watch |= {"anchor": _anchor(point), "moved": True, "standing": False}
        return False
    near = distance_m(destination["lat"], destination["lon"], point.lat, point.lon) <= ARRIVING_WITHIN_M
    if near:
        watch["standing"] = False
        return False
    if watch.get("moved") and point.at - anchor["at"] >= STOPPED_AFTER:
        watch["standing"] = True
        return True
    return None


def _anchor(point: Point) -> dict[str, Any]:
    return {"lat": point.lat, "lon": point.lon, "at": point.at}


def _off_route(watch: dict[str, Any], point: Point, route: Sequence[Sequence[float]]) -> bool | None:
    away = to_route_m(point.lat, point.lon, route) - min(point.accuracy_m, OFF_ROUTE_M)
    if away <= BACK_ON_ROUTE_M:
        watch.pop("off_since", None)
        return False
    if away > OFF_ROUTE_M:
        watch.setdefault("off_since", point.at)
    since = watch.get("off_since")
    return True if since and point.at - since >= OFF_ROUTE_AFTER else None


def to_route_m(lat: float, lon: float, route: Sequence[Sequence[float]]) -> float:
    """Metres to the nearest point of a line of [lat, lon].

    On a plane that touches the Earth at the point (equirectangular projection): within 1 % up to some kilometres.
    """
    scale = math.radians(1) * EARTH_RADIUS_M
    squeeze = math.cos(math.radians(lat))
    flat = [((each[1] - lon) * scale * squeeze, (each[0] - lat) * scale) for each in route]
    return min(_to_segment(*one, *other) for one, other in itertools.pairwise(flat))


def _to_segment(x1: float, y1: float, x2: float, y2: float) -> float:
    """From the origin to a segment."""
    dx, dy = x2 - x1, y2 - y1
    length = dx * dx + dy * dy
    t = 0.0 if length == 0 else max(0.0, min(1.0, -(x1 * dx + y1 * dy) / length))
    return math.hypot(x1 + t * dx, y1 + t * dy)
