"""Named places of a city: police stations, hospitals, areas. Pure; the text of a places file comes in.

Format (made by `cities/make_places.py`): `{"city", "attribution": [...], "police": [...], "hospitals": [...],
"areas": [...]}`, each entry `{id, name_en, name_ur, lat, lon}`, a hospital with `emergency`, an area with `kind`. A city
that knows them adds "pharmacies" and "petrol_stations"; any entry may have `hours`, "always" or such as "08:00-22:00".
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from typing import Any, Final

from domain.cities.config import Text
from domain.cities.errors import BadCity
from domain.geo import distance_m, is_position


class PlaceKind(StrEnum):
    """What a place is."""

    POLICE = "police"
    """A police station."""
    HOSPITAL = "hospital"
    """A hospital; `emergency` where the map says that it takes emergencies."""
    PHARMACY = "pharmacy"
    """A pharmacy: somebody is there, and there is light."""
    PETROL_STATION = "petrol_station"
    """A petrol station: the same, often by night too."""
    AREA = "area"
    """A named part of the city, as a point in its middle."""


_LISTS: Final = {
    PlaceKind.POLICE: "police",
    PlaceKind.HOSPITAL: "hospitals",
    PlaceKind.PHARMACY: "pharmacies",
    PlaceKind.PETROL_STATION: "petrol_stations",
    PlaceKind.AREA: "areas",
}
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)")
ALWAYS: Final = "always"


@dataclass(frozen=True, slots=True)
class Place:
    """A named point. `id` is the source's own (`node/…` of OpenStreetMap, or the gazetteer's)."""

    id: str
    kind: PlaceKind
    names: Text
    lat: float
    lon: float
    emergency: bool = False
    hours: str = ""
    """"always", such as "08:00-22:00" every day, or "" where no source says."""

    def is_open(self, local: time) -> bool | None:
        """Whether somebody is there at this local time of day; None where nobody says."""
        if not self.hours or self.hours == ALWAYS:
            return True if self.hours else None
        since, until = self.hours.split("-")
        begins, ends = time.fromisoformat(since), time(0) if until == "24:00" else time.fromisoformat(until)
        return begins <= local < ends if begins < ends else local >= begins or local < ends


@dataclass(frozen=True, slots=True)
class Near:
    """A place and how far it is, in metres as the crow flies."""

    place: Place
    distance_m: float


@dataclass(frozen=True, slots=True)
class Places:
    """A city's places by kind, and whom to name where they are shown."""

    by_kind: dict[PlaceKind, tuple[Place, ...]]
    attribution: tuple[str, ...]

    def nearest(self, kind: PlaceKind, lat: float, lon: float, *, limit: int, within_m: float) -> list[Near]:
        """The nearest places of a kind, nearest first."""
        near = (Near(place, distance_m(lat, lon, place.lat, place.lon)) for place in self.by_kind.get(kind, ()))
        return sorted((found for found in near if found.distance_m <= within_m), key=lambda found: found.distance_m)[
            :limit
        ]


def parse_places(text: str, source: str) -> Places:
    """The places in a file's text; `BadCity` names the file and the entry that is wrong."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BadCity(f"{source}: is not JSON", errors={"(file)": ["is not JSON"]}) from error
    if not isinstance(document, dict):
        raise BadCity(f"{source}: must be an object", errors={"(file)": ["must be an object"]})
    by_kind = {kind: tuple(_places(kind, document.get(key, []), source, key)) for kind, key in _LISTS.items()}
    return Places(by_kind, tuple(str(line) for line in document.get("attribution", [])))


def _places(kind: PlaceKind, entries: Any, source: str, key: str) -> Iterable[Place]:
    for index, entry in enumerate(entries):
        where = f"{key}[{index}]"
        try:
            place = Place(
                id=str(entry["id"]),
                kind=kind,
                names=Text(en=str(entry["name_en"]), ur=str(entry["name_ur"])),
                lat=float(entry["lat"]),
                lon=float(entry["lon"]),
                emergency=bool(entry.get("emergency", False)),
                hours=str(entry.get("hours", "")),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            problem = "needs id, name_en, name_ur, lat and lon"
            raise BadCity(f"{source}: {where} {problem}", errors={where: [problem]}) from error
        if not place.names.en or not is_position(place.lat, place.lon):
            raise BadCity(f"{source}: {where} has no name or no position", errors={where: ["no name or no position"]})
        if place.hours not in ("", ALWAYS) and not _HOURS.fullmatch(place.hours):
            raise BadCity(f"{source}: {where} has hours that cannot be read", errors={where: ["hours"]})
        yield place
