"""The area of an alert: checked, and turned into the H3 cells by which recipients are found. Pure.

An area is GeoJSON (RFC 7946), a Polygon or MultiPolygon in WGS 84, [lon, lat]. It is small on purpose: a phone gets it
in one answer, and a district needs no more corners.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import h3
import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from domain import geo
from domain.alerts.errors import AlertInvalid

MAX_CORNERS: Final = 150
MAX_POLYGONS: Final = 10
OUTSIDE_M: Final = 5_000.0
"""How far a corner may lie outside the city: a flood does not stop at the boundary."""
LEAST_M2: Final = 1_000.0
RESOLUTION: Final = 7
"""Recipients are found by these cells, about 5 km² each, and then told apart by the finer cell where we have one."""
WIDE: Final = 5
"""For areas so wide that a question by the smaller cells would be too long; about 250 km² each."""
MOST_KEYS: Final = 100
"""Cells in one question: more than a store's index walks through side by side."""
_FINE_REACH_M: Final = 250.0
"""A home is known to its r9 cell; it counts as inside when its centre is this near (the cell's farthest corner)."""
_DIGITS: Final = 5  # about a metre
_M2_A_SQUARE_DEGREE: Final = 111_195.0**2  # at the equator, on a sphere of the mean radius


def parse(geometry: Any, boundary: geo.Region) -> dict[str, Any]:
    """The geometry as it is kept: 5 decimals, no third dimension. Raises AlertInvalid for one that is not an area near
    this boundary.
    """
    found = _shape(geometry)
    corners = shapely.get_num_coordinates(found)
    if corners > MAX_CORNERS:
        raise _wrong(f"has {corners} corners, the most is {MAX_CORNERS}")
    if len(_parts(found)) > MAX_POLYGONS:
        raise _wrong(f"has more than {MAX_POLYGONS} polygons")
    if not found.is_valid:
        raise _wrong("crosses itself or has rings that do not fit")
    west, south, east, north = found.bounds
    if not (geo.is_position(south, west) and geo.is_position(north, east)):
        raise _wrong("has a corner that is no position; the order is longitude, latitude")
    if square_metres(found) < LEAST_M2:
        raise _wrong("is smaller than a house")
    for lon, lat in shapely.get_coordinates(found):
        if boundary.distance_m(float(lat), float(lon)) > OUTSIDE_M:
            raise _wrong("lies outside the city")
    return to_geojson(found)


def _shape(geometry: Any) -> BaseGeometry:
    if not isinstance(geometry, Mapping) or geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        raise _wrong("must be a GeoJSON Polygon or MultiPolygon")
    try:
        found = shape({"type": geometry["type"], "coordinates": geometry["coordinates"]})
        found = shapely.force_2d(found)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise _wrong("cannot be read") from error
    coordinates = shapely.get_coordinates(found)
    if found.is_empty or not bool((coordinates == coordinates).all()) or bool((abs(coordinates) > 360).any()):
        raise _wrong("cannot be read")
    return found


def _wrong(problem: str) -> AlertInvalid:
    return AlertInvalid(f"the area {problem}", errors={"area.geometry": [f"The area {problem}."]})


def _parts(found: BaseGeometry) -> list[BaseGeometry]:
    return list(getattr(found, "geoms", [found]))


def square_metres(found: BaseGeometry) -> float:
    """The area on the ground, good to 1 % for a city: degrees squeezed by the latitude of the middle."""
    middle = (found.bounds[1] + found.bounds[3]) / 2
    return float(found.area) * _M2_A_SQUARE_DEGREE * max(0.0, math.cos(math.radians(middle)))


def to_geojson(found: BaseGeometry) -> dict[str, Any]:
    """As plain lists, cut to 5 decimals (about a metre)."""
    rounded = shapely.transform(found, lambda points: points.round(_DIGITS))
    plain = mapping(rounded)
    return {"type": plain["type"], "coordinates": _lists(plain["coordinates"])}


def _lists(value: Any) -> Any:
    return [_lists(each) for each in value] if isinstance(value, list | tuple) else float(value)


def clipped(shapes: Iterable[BaseGeometry], boundary: geo.Region) -> dict[str, Any] | None:
    """What of another system's areas lies in the city, with few enough corners; None where nothing does."""
    whole = shapely.union_all([shapely.make_valid(each) for each in shapes])
    inside = shapely.intersection(whole, boundary.shape)
    polygons = [each for each in getattr(inside, "geoms", [inside]) if each.geom_type in {"Polygon", "MultiPolygon"}]
    found = shapely.union_all(polygons) if polygons else None
    if found is None or found.is_empty or square_metres(found) < LEAST_M2:
        return None
    parts = sorted(_parts(found), key=lambda each: -each.area)[:MAX_POLYGONS]
    found = parts[0] if len(parts) == 1 else shapely.union_all(parts)
    tolerance = 0.0005
    while shapely.get_num_coordinates(found) > MAX_CORNERS:
        # Widened by what the simplification may cut off: nobody inside is left out.
        found = shapely.simplify(shapely.buffer(found, tolerance), tolerance)
        tolerance *= 2
    return to_geojson(found)


def outline(boundary: geo.Region) -> dict[str, Any]:
    """A city's boundary as an area: with few corners, and nobody left out."""
    return clipped([boundary.shape], boundary) or to_geojson(boundary.shape)


def cells(geometry: Mapping[str, Any], resolution: int = RESOLUTION) -> list[str]:
    """The cells that the area touches, sorted."""
    found = h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(dict(geometry)), resolution, contain="overlap")
    return sorted(found)


class Inside:
    """Whether a cell belongs to any of some areas; answers are remembered, since many live in one cell."""

    def __init__(self, geometries: Sequence[Mapping[str, Any]]) -> None:
        self._regions = [geo.Region.from_geojson(each) for each in geometries]
        self._known: dict[str, bool] = {}

    def __call__(self, cell: str) -> bool:
        """True where the centre of the (fine) cell lies in an area or within its own reach of one."""
        if cell not in self._known:
            lat, lon = h3.cell_to_latlng(cell)
            self._known[cell] = any(region.distance_m(lat, lon) <= _FINE_REACH_M for region in self._regions)
        return self._known[cell]
