"""A sketch of a place as SVG, from our own data: no tile server sees where somebody needs help.

The place in the middle with the circle of its accuracy, what people orient themselves by around it (hospitals, police
stations, named areas), a scale, and north up. An equirectangular projection is exact enough for some kilometres.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from domain.cities import queries as cities
from domain.cities.places import PlaceKind
from domain.geo import EARTH_RADIUS_M

WIDTH: Final = 328
HEIGHT: Final = 216
_EDGE: Final = 22
_WITHIN_M: Final = 2_000.0
_NEEDED: Final = 4
"""So many landmarks are to be seen, if they are near."""
_LABEL: Final = 24
_LANDMARKS: Final = ((PlaceKind.AREA, 6), (PlaceKind.HOSPITAL, 5), (PlaceKind.POLICE, 3))
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


def draw(city: str, position: dict[str, Any], lang: str) -> Sketch:
    """The surroundings of a position: as far as its nearest landmarks, 300 m at least and 2 km at most."""
    lat, lon = position["lat"], position["lon"]
    near = sorted(
        (
            found
            for kind, count in _LANDMARKS
            for found in cities.nearest_places(city, kind, lat, lon, limit=count, within_m=_WITHIN_M)
        ),
        key=lambda found: found.distance_m,
    )
    accuracy = min(float(position.get("accuracy_m") or 0.0), _WITHIN_M)
    reach = max([300.0, accuracy, *(found.distance_m for found in near[:_NEEDED])])
    metres_a_pixel = reach * 1.1 / (HEIGHT / 2 - _EDGE / 2)
    taken: list[tuple[float, float]] = [(WIDTH / 2, HEIGHT / 2)]
    marks = []
    for found in near:
        east = (found.place.lon - lon) * _METRES_A_DEGREE * math.cos(math.radians(lat))
        north = (found.place.lat - lat) * _METRES_A_DEGREE
        x, y = WIDTH / 2 + east / metres_a_pixel, HEIGHT / 2 - north / metres_a_pixel
        inside = _EDGE < x < WIDTH - _EDGE and _EDGE / 2 < y < HEIGHT - _EDGE
        beside_others = any(abs(x - other) < 110 and abs(y - height) < 17 for other, height in taken)
        if beside_others or not inside:
            continue
        taken.append((x, y))
        name = found.place.names.in_language(lang).removesuffix(" Police Station")
        label = name if len(name) <= _LABEL else name[: _LABEL - 1].rstrip() + "…"
        marks.append(Mark(x, y, str(found.place.kind), label, "start" if x < WIDTH / 2 else "end"))
    scale_m = max([each for each in _SCALES_M if each / metres_a_pixel <= WIDTH / 3.5] or [_SCALES_M[0]])
    return Sketch(tuple(marks), max(6.0, accuracy / metres_a_pixel), scale_m / metres_a_pixel, scale_m)
