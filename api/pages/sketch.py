"""A sketch of a place as SVG, from our own data: no tile server sees where somebody needs help.

The place in the middle with the circle of its accuracy, what people orient themselves by around it (hospitals, police
stations, named areas), a scale, and north up. An equirectangular projection is exact enough for some kilometres.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from domain.cities import queries as cities
from domain.cities.places import PlaceKind
from domain.geo import EARTH_RADIUS_M, distance_m

WIDTH: Final = 328
HEIGHT: Final = 216
_EDGE: Final = 22
_SCALES_M: Final = (50, 100, 200, 500, 1000, 2000, 5000)
_METRES_A_DEGREE: Final = math.radians(1) * EARTH_RADIUS_M


@dataclass(frozen=True)
class Mark:
    """Something drawn: pixels from the left and the top, what it is, and what is written beside it."""

    x: float
    y: float
    kind: str
    label: str
    anchor: str = "start"


@dataclass(frozen=True)
class Sketch:
    """What the template draws; lengths are pixels. `scale_m` metres are `scale_px` long."""

    marks: tuple[Mark, ...]
    circle: float
    scale_px: float
    scale_m: int
    width: int = WIDTH
    height: int = HEIGHT


def draw(city: str, position: dict[str, Any], lang: str, *, unit: dict[str, Any] | None = None) -> Sketch:
    """The surroundings of a position, as wide as its landmarks need, at least 600 m and at most 5 km to each side."""
    lat, lon = position["lat"], position["lon"]
    near = [
        found
        for kind, count in ((PlaceKind.AREA, 4), (PlaceKind.HOSPITAL, 2), (PlaceKind.POLICE, 2))
        for found in cities.nearest_places(city, kind, lat, lon, limit=count, within_m=4_000)
    ]
    reach = max([400.0, *(found.distance_m for found in near)])
    accuracy = min(float(position.get("accuracy_m") or 0.0), 2_000.0)
    if unit and "lat" in unit:
        reach = max(reach, min(5_000.0, distance_m(lat, lon, unit["lat"], unit["lon"])))
    metres_a_pixel = max(reach, accuracy) * 1.15 / (min(WIDTH, HEIGHT) / 2 - _EDGE / 2)

    def place(to_lat: float, to_lon: float) -> tuple[float, float]:
        east = (to_lon - lon) * _METRES_A_DEGREE * math.cos(math.radians(lat))
        north = (to_lat - lat) * _METRES_A_DEGREE
        return WIDTH / 2 + east / metres_a_pixel, HEIGHT / 2 - north / metres_a_pixel

    taken: list[tuple[float, float]] = [(WIDTH / 2, HEIGHT / 2)]
    marks = []
    if unit and "lat" in unit:
        x, y = place(unit["lat"], unit["lon"])
        if 8 < x < WIDTH - 8 and 8 < y < HEIGHT - 8:
            marks.append(Mark(x, y, "unit", ""))
            taken.append((x, y))
    for found in near:
        x, y = place(found.place.lat, found.place.lon)
        crowded = any(abs(x - other) < 96 and abs(y - height) < 19 for other, height in taken)
        if crowded or not (_EDGE < x < WIDTH - _EDGE and _EDGE < y < HEIGHT - _EDGE):
            continue
        taken.append((x, y))
        right = x < WIDTH / 2
        marks.append(
            Mark(x, y, str(found.place.kind), found.place.names.in_language(lang)[:22], "start" if right else "end")
        )
    scale_m = max([each for each in _SCALES_M if each / metres_a_pixel <= WIDTH / 3.5] or [_SCALES_M[0]])
    return Sketch(tuple(marks), max(6.0, accuracy / metres_a_pixel), scale_m / metres_a_pixel, scale_m)
