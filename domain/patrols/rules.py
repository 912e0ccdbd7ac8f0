"""What a beat may be, when a patrol is, who is at it, and where nobody walks. Pure; figures are ours.

Times of a roster are local ones of the city's zone. Pakistan has no summer time; where a zone has one, an hour that its
clocks leave out is refused, and of one that they show twice the first is meant.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from domain.cities.config import CityConfig
from domain.cities.hours import in_span
from domain.patrols.errors import BeatInvalid, PatrolInvalid
from domain.patrols.states import BeatKind, PlaceStatus

MOST_CORNERS: Final = 40
LEAST_M2: Final = 1_000.0
LEAST_M: Final = 100.0
LONGEST_M: Final = 15_000.0
OUTSIDE_DEGREES: Final = 0.002
"""How far a beat may leave its group's area, about 200 m: the other side of the street counts."""
SHORTEST: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(hours=12)
AHEAD: Final = timedelta(days=60)

SLACK_M: Final = 50.0
"""How far from the beat still is at the beat,"""
MOST_ACCURACY_M: Final = 100.0
"""and how much of the phone's own doubt is added; one that doubts more than twice that says nothing."""
EARLY: Final = timedelta(minutes=15)
GRACE: Final = timedelta(minutes=10)
"""After the beginning: until then a check-in is in time,"""
MISSED_AFTER: Final = timedelta(minutes=15)
"""and from then on who has not checked in is missed."""
REMIND_BEFORE: Final = timedelta(hours=2)
BEFORE_SLEEP: Final = timedelta(minutes=30)
"""Who would be reminded at night is reminded so long before the city sleeps."""

_DIGITS: Final = 5
_METRES_A_DEGREE: Final = 111_195.0
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


def beat_shape(geometry: Any, area: Mapping[str, Any]) -> tuple[BeatKind, dict[str, Any]]:
    """(kind, geometry as it is kept): a GeoJSON Polygon or LineString in WGS 84 inside its group's area. Raises BeatInvalid."""
    kinds: dict[Any, BeatKind] = {"Polygon": BeatKind.AREA, "LineString": BeatKind.ROUTE}
    named = geometry.get("type") if isinstance(geometry, Mapping) else None
    kind = kinds.get(named) if isinstance(named, str) else None
    if kind is None:
        raise _wrong("must be a GeoJSON Polygon or LineString")
    try:
        found = shapely.force_2d(shape({"type": geometry["type"], "coordinates": geometry["coordinates"]}))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise _wrong("cannot be read") from error
    except shapely.errors.ShapelyError as error:
        raise _wrong("cannot be read") from error
    corners = shapely.get_coordinates(found)
    if found.is_empty or not bool((abs(corners) <= [180.0, 90.0]).all()):  # nor what is no number
        raise _wrong("has a corner that is no position; the order is longitude, latitude")
    if len(corners) > MOST_CORNERS:
        raise _wrong(f"has {len(corners)} corners, the most is {MOST_CORNERS}")
    if kind == BeatKind.AREA and not found.is_valid:
        raise _wrong("crosses itself or has rings that do not fit")
    if not shape(dict(area)).buffer(OUTSIDE_DEGREES).covers(found):
        raise _wrong("lies outside the group's area")
    lat, lon = float(corners[0][1]), float(corners[0][0])
    ground = _in_metres(found, lat, lon)
    if kind == BeatKind.AREA and ground.area < LEAST_M2:
        raise _wrong("is smaller than a house")
    if kind == BeatKind.ROUTE and not LEAST_M <= ground.length <= LONGEST_M:
        raise _wrong(f"is {ground.length:.0f} m long; between {LEAST_M:.0f} m and {LONGEST_M / 1000:.0f} km")
    if isinstance(found, shapely.Polygon):
        return kind, {"type": "Polygon", "coordinates": [_rounded(ring) for ring in (found.exterior, *found.interiors)]}
    return kind, {"type": "LineString", "coordinates": _rounded(found)}


def _rounded(line: BaseGeometry) -> list[list[float]]:
    """Positions cut to 5 decimals, about a metre."""
    found: list[list[float]] = shapely.get_coordinates(line).round(_DIGITS).tolist()
    return found


def _wrong(problem: str) -> BeatInvalid:
    return BeatInvalid(f"the beat {problem}", errors={"geometry": [f"The beat {problem}."]})


def _in_metres(found: BaseGeometry, lat: float, lon: float) -> BaseGeometry:
    """On the plane that touches the ground at a point: good to 0.1 % over a beat."""
    east = _METRES_A_DEGREE * math.cos(math.radians(lat))
    return shapely.transform(found, lambda points: (points - [lon, lat]) * [east, _METRES_A_DEGREE])


def away_m(geometry: Mapping[str, Any], lat: float, lon: float) -> float:
    """Metres from a point to a beat; 0 inside an area."""
    return float(shapely.distance(_in_metres(shape(dict(geometry)), lat, lon), shapely.Point(0.0, 0.0)))


def is_at(geometry: Mapping[str, Any], lat: float, lon: float, accuracy_m: float) -> bool:
    """Whether a phone is at a beat, as far as it knows itself."""
    if accuracy_m > 2 * MOST_ACCURACY_M:
        return False
    return away_m(geometry, lat, lon) <= SLACK_M + min(accuracy_m, MOST_ACCURACY_M)


def span(day: date, since: time, until: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """(begin, end) in UTC of local times; an end that is not after the beginning is on the next day. Raises PatrolInvalid."""
    starts = _utc(day, since, zone, "since")
    ends = _utc(day if until > since else day + _DAY, until, zone, "until")
    if not SHORTEST <= ends - starts <= LONGEST:
        raise PatrolInvalid("too short or too long", errors={"until": ["Between a quarter of an hour and 12 hours."]})
    return starts, ends


def _utc(day: date, clock: time, zone: ZoneInfo, field: str) -> datetime:
    local = datetime.combine(day, clock, zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise PatrolInvalid("no such time", errors={field: ["The clocks leave this time out on that day."]})
    return found


def reminder_at(
    starts_at: datetime, config: CityConfig, *, now: datetime, before: timedelta = REMIND_BEFORE
) -> datetime | None:
    """When to remind of what begins at a time: so long before, or where the city sleeps then, before it goes to sleep.

    None where that has passed: who signs up now knows.
    """
    at = starts_at - before
    local = at.astimezone(config.zone)
    if in_span(config.quiet, local):
        evening = datetime.combine(local.date(), config.quiet.since, config.zone)
        evening -= _DAY if evening > local else timedelta(0)
        at = (evening - BEFORE_SLEEP).astimezone(UTC)
    return at if at > now else None


def next_due(doc: Mapping[str, Any]) -> datetime | None:
    """The earliest of a patrol's timers that is left."""
    left = [doc[name] for name in ("remind_at", "check_at", "ends_at") if doc.get(name)]
    return min(left) if doc["status"] == "planned" and left else None


def place_status(place: Mapping[str, Any]) -> PlaceStatus:
    """How somebody stands to a patrol."""
    if place.get("checked_in_at"):
        return PlaceStatus.CHECKED_IN if place["on_time"] else PlaceStatus.LATE
    if place.get("missed_at"):
        return PlaceStatus.MISSED
    return PlaceStatus.OFFERED if place.get("offered_at") else PlaceStatus.SIGNED_UP


@dataclass(frozen=True)
class Coverage:
    """How well a beat is covered in some days: hours planned and hours on which somebody signed up; patrols with nobody;
    and the local hours of the day (0–23) in which on no day anybody walks, or on some days nobody does.
    """

    planned_h: float
    covered_h: float
    empty: tuple[str, ...]
    never: tuple[int, ...]
    sometimes: tuple[int, ...]


def coverage(patrols: Sequence[Mapping[str, Any]], since: datetime, days: int, zone: ZoneInfo) -> Coverage:
    """Of the patrols of one beat, those that are planned or were walked."""
    covered = [each for each in patrols if each["people"]]
    by_hour = [0] * 24
    first = since.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(days):
        for hour in range(24):
            begins = (first + day * _DAY + hour * _HOUR).astimezone(UTC)
            by_hour[hour] += any(each["starts_at"] < begins + _HOUR and each["ends_at"] > begins for each in covered)
    return Coverage(
        planned_h=_hours(patrols),
        covered_h=_hours(covered),
        empty=tuple(each["_id"] for each in patrols if not each["people"]),
        never=tuple(hour for hour, count in enumerate(by_hour) if not count),
        sometimes=tuple(hour for hour, count in enumerate(by_hour) if 0 < count < days),
    )


def _hours(patrols: Iterable[Mapping[str, Any]]) -> float:
    seconds: float = sum((each["ends_at"] - each["starts_at"]).total_seconds() for each in patrols)
    return round(seconds / 3600, 2)
