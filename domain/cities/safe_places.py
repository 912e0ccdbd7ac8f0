"""Where somebody finds light and people: police stations, hospitals, pharmacies and petrol stations of a city's list.

Only what a city's file has is told; where a list is empty the answer says so by `kinds`, and nothing is made up.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from domain.cities import queries
from domain.cities.places import Near, PlaceKind
from domain.errors import Invalid

KINDS: Final = (PlaceKind.POLICE, PlaceKind.HOSPITAL, PlaceKind.PHARMACY, PlaceKind.PETROL_STATION)
WITHIN_M: Final = 20_000.0
OUTSIDE_M: Final = 50_000.0
"""Farther from every city than this, none of their places is near."""
MOST: Final = 12


class NoPosition(Invalid):
    """Where the phone is was not said: without it nothing is near."""

    code = "no_position"


@dataclass(frozen=True)
class Safe:
    """A safe place: how far, and whether somebody is there now (None: no source says)."""

    near: Near
    open_now: bool | None


def near_by(
    lat: float, lon: float, *, kinds: Collection[PlaceKind] = KINDS, limit: int = MOST, now: datetime
) -> tuple[str, Sequence[Safe]]:
    """(city, the nearest safe places, nearest first, one of each kind at least). Raises UnknownCity."""
    city, metres = queries.city_at(lat, lon), 0.0
    if city is None:
        city, metres = queries.nearest_city(lat, lon)
    if metres > OUTSIDE_M:
        return city, ()
    local = now.astimezone(queries.current(city).zone).time()
    found = [
        Safe(near, _open(near, local))
        for kind in KINDS
        if kind in kinds
        for near in queries.nearest_places(city, kind, lat, lon, limit=limit, within_m=WITHIN_M + metres)
    ]
    found.sort(key=lambda each: (each.near.distance_m, each.open_now is not True))
    first: dict[PlaceKind, Safe] = {}
    for each in found:
        first.setdefault(each.near.place.kind, each)
    nearest = list(first.values())
    rest = [each for each in found if each not in nearest]
    kept = [*nearest, *rest][:limit]
    return city, sorted(kept, key=lambda each: each.near.distance_m)


def _open(near: Near, local: time) -> bool | None:
    """A police station is staffed round the clock, a hospital's emergency too; else what its list says."""
    place = near.place
    if place.kind == PlaceKind.POLICE or place.emergency:
        return True
    return place.is_open(local)
