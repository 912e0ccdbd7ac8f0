"""What is asked about cities. `city_at` and `current` stand in the way of every SOS: memory first, the store seldom.

`current` reads the store at most every few seconds a process; where the store has nothing, or does not answer, the
last known configuration or the preset on disk serves.
"""

import logging
import time
from typing import Any, Final, NamedTuple

from mongoengine.connection import ConnectionFailure
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from domain.cities.atlas import Sheet, atlas
from domain.cities.config import CityConfig, Purpose
from domain.cities.documents import CityConfigDoc
from domain.cities.errors import BadCity, UnknownCity
from domain.cities.places import Near, PlaceKind
from domain.cities.rules import parse
from domain.geo import Region

FRESH_S: Final = 5.0
"""How long a process goes on with a configuration before it looks for a newer one."""
AREA_WITHIN_M: Final = 2_500.0
"""Farther from every named area than this, the district's name says more."""

_log = logging.getLogger(__name__)
_held: dict[str, tuple[float, CityConfig]] = {}


class NearestCity(NamedTuple):
    """A city and how far its boundary is: 0 inside."""

    city: str
    distance_m: float


def city_configs() -> Collection[dict[str, Any]]:
    """The raw collection of versions."""
    found: Collection[dict[str, Any]] = CityConfigDoc._get_collection()
    return found


def latest(city: str) -> dict[str, Any] | None:
    """The newest stored version of a city, or nothing."""
    return city_configs().find_one({"city": city}, sort=[("version", -1)])


def versions(city: str, *, limit: int = 50) -> list[dict[str, Any]]:
    """Who changed a city when and why, newest first, without the bodies."""
    return list(city_configs().find({"city": city}, {"body": 0}, sort=[("version", -1)], limit=limit))


def version(city: str, number: int) -> dict[str, Any]:
    """One stored version with its body; raises UnknownCity."""
    found = city_configs().find_one({"city": city, "version": number})
    if found is None:
        raise UnknownCity("no such version of this city")
    return found


def known() -> list[str]:
    """The cities of this installation, by id."""
    return sorted(atlas().sheets)


def current(city: str) -> CityConfig:
    """The configuration of a city, at most `FRESH_S` old. Raises UnknownCity, and nothing when the store is away."""
    expires, config = _held.get(city, (0.0, None))
    moment = time.monotonic()
    if config is None or moment >= expires:
        config = _read(city, config)
        _held[city] = (moment + FRESH_S, config)
    return config


def forget(city: str | None = None) -> None:
    """Look at the store again with the next `current`: after a change, of one city or of all."""
    for each in [city] if city else list(_held):
        _held.pop(each, None)


def _read(city: str, held: CityConfig | None) -> CityConfig:
    sheet = atlas().sheet(city)
    fallback = held or (sheet.config if sheet else None)
    try:
        stored = latest(city)
        if stored is None:
            fallback = sheet.config if sheet else None
        elif held is not None and held.version == stored["version"]:
            return held
        else:
            return parse(stored["body"], f"city_config of {city}", version=stored["version"])
    except (PyMongoError, ConnectionFailure) as error:
        _log.warning("city_config cannot be read (%s): going on with what is known", type(error).__name__)
    except BadCity as error:
        _log.error("stored configuration cannot be used: %s", error.detail)
    if fallback is None:
        raise UnknownCity("no such city")
    return fallback


def city_at(lat: float, lon: float) -> str | None:
    """The city in whose boundary a position lies, else the one whose slack reaches it; None is outside. < 50 µs."""
    sheets = atlas().sheets
    for city, sheet in sheets.items():
        if sheet.boundary.contains(lat, lon):
            return city
    within = [
        (metres, city)
        for city, sheet in sheets.items()
        if sheet.config.boundary_slack_m
        and sheet.boundary.is_near(lat, lon, sheet.config.boundary_slack_m)
        and (metres := sheet.boundary.distance_m(lat, lon)) <= sheet.config.boundary_slack_m
    ]
    return min(within)[1] if within else None


def nearest_city(lat: float, lon: float) -> NearestCity:
    """The nearest city's boundary, for whoever hands an SOS over from outside. Raises UnknownCity if there is none."""
    found = [(sheet.boundary.distance_m(lat, lon), city) for city, sheet in atlas().sheets.items()]
    if not found:
        raise UnknownCity("no city is known")
    metres, city = min(found)
    return NearestCity(city, metres)


def city_for_number(number: str) -> tuple[str, Purpose] | None:
    """The city that owns an inbound number (E.164 or short code, as the carrier writes it) and what it is for."""
    wanted = _digits(number)
    for city in known():
        for held, purpose in current(city).inbound.items():
            if _digits(held) == wanted:
                return city, purpose
    return None


def area_name(city: str, lat: float, lon: float, language: str) -> str:
    """What people there call the place: the nearest named area, else the district, else the city.

    In Urdu for `ur`, else in English. Raises UnknownCity.
    """
    sheet = _sheet(city)
    near = sheet.places.nearest(PlaceKind.AREA, lat, lon, limit=1, within_m=AREA_WITHIN_M)
    if near:
        return near[0].place.names.in_language(language)
    for district in sheet.districts:
        if district.region.contains(lat, lon):
            return district.names.in_language(language)
    return sheet.config.names.in_language(language)


def nearest_places(
    city: str, kind: PlaceKind | str, lat: float, lon: float, *, limit: int = 3, within_m: float = 20_000.0
) -> list[Near]:
    """The nearest police stations, hospitals or areas of a city, nearest first. Raises UnknownCity."""
    return _sheet(city).places.nearest(PlaceKind(kind), lat, lon, limit=limit, within_m=within_m)


def boundary(city: str) -> Region:
    """The city's boundary. Raises UnknownCity."""
    return _sheet(city).boundary


def attribution(city: str) -> tuple[str, ...]:
    """Whom to name wherever a map or an export shows this city's places. Raises UnknownCity."""
    return _sheet(city).places.attribution


def _sheet(city: str) -> Sheet:
    sheet = atlas().sheet(city)
    if sheet is None:
        raise UnknownCity("no such city")
    return sheet


def _digits(number: str) -> str:
    return "".join(char for char in number if char.isdigit())
