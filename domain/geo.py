"""Place: distances, H3 cells, what a camera may see, and what lies inside a boundary.

Durable things carry the cells of `RESOLUTIONS` beside their coordinates. A search asks `$in` over `disk(...)` and then
compares exact distances, so it shards and needs no geo operator of the store (docs/adr: place by H3).

Coordinates are WGS 84 degrees, `lat` in −90…90 and `lon` in −180…180; distances are metres on a sphere of the Earth's
mean radius, within 0.5 % of the ellipsoid; bearings are degrees clockwise from true north.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import h3
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from domain.errors import Invalid

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius R1 of GRS 80: H. Moritz, "Geodetic Reference System 1980", Journal of Geodesy 74 (2000)."""

RESOLUTIONS: Final = (5, 7, 9)
"""H3 resolutions kept on durable things, about 250 km², 5 km² and 0.1 km² a cell (h3geo.org, "Cell statistics")."""

MAX_RADIUS_M: Final = 100_000.0
"""The widest search: about 150 cells. Beyond it one asks by city, not by place."""

# The widest circle for which each resolution still gives a few dozen cells, finest first.
_WIDEST_M: Final = ((9, 700.0), (7, 5_000.0), (5, MAX_RADIUS_M))

# Farthest vertex from its cell's centre, as a multiple of the resolution's average edge. Measured over
# every cell of resolutions 2 and 3 the largest is 1.10 (the ratio converges with resolution); the rest is margin.
_REACH: Final = 1.2


class Cells(NamedTuple):
    """The cells that hold a point, one for each of `RESOLUTIONS`; H3 indexes in lower-case hexadecimal."""

    r5: str
    r7: str
    r9: str


class Disk(NamedTuple):
    """What a search by place asks for: the field `cells.r<resolution>` `$in` `cells`."""

    resolution: int
    cells: list[str]


def is_position(lat: float, lon: float) -> bool:
    """True for finite degrees in range; NaN and infinities are not positions."""
    return -90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in metres, by the haversine formula.

    R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (2), 1984: accurate for near points, and the clamp
    keeps antipodes from a rounding error beyond 1.
    """
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_phi, half_lambda = (phi2 - phi1) / 2, math.radians(lon2 - lon1) / 2
    a = math.sin(half_phi) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_lambda) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, a)))


def bearing_deg(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Initial great-circle bearing from the first point to the second, 0 ≤ bearing < 360; 0 where they coincide.

    Ed Williams, "Aviation Formulary" (edwilliams.org/avform147.htm), "Course between points".
    """
    phi1, phi2, delta = math.radians(lat1), math.radians(lat2), math.radians(lon2 - lon1)
    y = math.sin(delta) * math.cos(phi2)
    x = math.cos(phi1) * math.sin(phi2) - math.sin(phi1) * math.cos(phi2) * math.cos(delta)
    degrees = math.degrees(math.atan2(y, x)) % 360.0
    return 0.0 if degrees == 360.0 else degrees  # a tiny negative angle rounds up to 360 itself


def destination(lat: float, lon: float, bearing: float, metres: float) -> tuple[float, float]:
    """The (lat, lon) reached by going `metres` from a point on an initial bearing.

    Ed Williams, "Aviation Formulary", "Lat/lon given radial and distance", in its general form.
    """
    phi, theta, delta = math.radians(lat), math.radians(bearing), metres / EARTH_RADIUS_M
    sin_phi2 = math.sin(phi) * math.cos(delta) + math.cos(phi) * math.sin(delta) * math.cos(theta)
    phi2 = math.asin(max(-1.0, min(1.0, sin_phi2)))
    y = math.sin(theta) * math.sin(delta) * math.cos(phi)
    x = math.cos(delta) - math.sin(phi) * math.sin(phi2)
    lon2 = lon + math.degrees(math.atan2(y, x))
    return math.degrees(phi2), (lon2 + 180.0) % 360.0 - 180.0


def cells(lat: float, lon: float) -> Cells:
    """The cells that hold a point. Each is asked for itself: a parent does not quite cover its children."""
    return Cells(*(h3.latlng_to_cell(lat, lon, resolution) for resolution in RESOLUTIONS))


def is_cell(cell: str) -> bool:
    """Whether it is an H3 index, as text, of one of `RESOLUTIONS`."""
    return bool(h3.is_valid_cell(cell)) and h3.get_resolution(cell) in RESOLUTIONS and cell == cell.lower()


def middle(cell: str) -> tuple[float, float]:
    """(lat, lon) of a cell's centre."""
    lat, lon = h3.cell_to_latlng(cell)
    return lat, lon


def disk(lat: float, lon: float, radius_m: float) -> Disk:
    """Cells that together cover the whole circle, at the finest resolution that keeps them few.

    In Pakistan at most about 35 cells up to 40 km and 150 at `MAX_RADIUS_M` (near H3's twelve pentagons, where cells
    are small, up to twice as many); beyond that, or below 0, `Invalid`. Whatever lies
    within `radius_m` of the point has its cell among them; some of what they hold lies outside, so compare distances.

    Cells that touch a circle form one connected patch, so a flood from the centre's cell through neighbours that may
    touch it finds all of them, pentagons, poles and antimeridian included.
    """
    if not 0.0 <= radius_m <= MAX_RADIUS_M:
        raise Invalid("radius out of range", errors={"radius_m": [f"must be between 0 and {MAX_RADIUS_M:.0f}"]})
    resolution = next(finest for finest, widest in _WIDEST_M if radius_m <= widest)
    reach = radius_m + _REACH * h3.average_hexagon_edge_length(resolution, unit="m")
    start = h3.latlng_to_cell(lat, lon, resolution)
    found, edge, far = {start: None}, [start], set[str]()
    while edge:
        for neighbour in h3.grid_disk(edge.pop(), 1):
            if neighbour in found or neighbour in far:
                continue
            if distance_m(lat, lon, *h3.cell_to_latlng(neighbour)) <= reach:
                found[neighbour] = None
                edge.append(neighbour)
            else:
                far.add(neighbour)
    return Disk(resolution, list(found))


def fuzz(lat: float, lon: float, resolution: int = 9) -> tuple[float, float]:
    """The centre of the point's cell: every point of a cell becomes the same one, so nothing can be averaged back."""
    centre_lat, centre_lon = h3.cell_to_latlng(h3.latlng_to_cell(lat, lon, resolution))
    return centre_lat, centre_lon


def in_view(
    camera_lat: float,
    camera_lon: float,
    camera_bearing: float,
    fov_deg: float,
    range_m: float,
    lat: float,
    lon: float,
    *,
    accuracy_m: float = 0.0,
) -> bool:
    """Whether a camera may see a point known to within `accuracy_m`: in range, and within half its field of view.

    The sector is widened by the angle under which the uncertainty appears, asin(accuracy ⁄ distance). A camera with
    a field of 360° sees all around; a point at the camera itself is in view. Walls are not known.
    """
    metres = distance_m(camera_lat, camera_lon, lat, lon)
    if metres <= accuracy_m + 1.0:  # a metre from the camera no bearing means anything
        return True
    if metres - accuracy_m > range_m:
        return False
    if fov_deg >= 360.0:
        return True
    turn = abs((bearing_deg(camera_lat, camera_lon, lat, lon) - camera_bearing + 180.0) % 360.0 - 180.0)
    return turn <= fov_deg / 2 + math.degrees(math.asin(accuracy_m / metres))


def sector(lat: float, lon: float, bearing: float, fov_deg: float, range_m: float) -> list[list[float]]:
    """What `in_view` says a camera may see, as the closed ring of a GeoJSON polygon: [lon, lat], a corner every 10° or less.

    Counter-clockwise, as RFC 7946, 3.1.6 wants it.
    """
    steps = max(2, math.ceil(min(fov_deg, 360.0) / 10.0))
    turns = [bearing + fov_deg / 2 - fov_deg * step / steps for step in range(steps + 1)]
    arc = [destination(lat, lon, turn % 360.0, range_m) for turn in turns]
    ring = arc if fov_deg >= 360.0 else [(lat, lon), *arc, (lat, lon)]
    return [[round(x, 6), round(y, 6)] for y, x in [*ring[:-1], ring[0]]]


class Region:
    """Polygons kept ready for many questions: about 3 µs each. Its edge belongs to it."""

    def __init__(self, geometry: BaseGeometry) -> None:
        self._geometry = geometry
        shapely.prepare(geometry)
        self.shape = geometry
        """The polygons themselves, for whoever cuts with them; not to be changed."""
        self.bounds: tuple[float, float, float, float] = geometry.bounds
        """West, south, east, north."""
        # For distances: squeezed so that a degree of longitude weighs as much as one of latitude at the middle.
        self._squeeze = max(math.cos(math.radians((self.bounds[1] + self.bounds[3]) / 2)), 1e-6)
        self._flat = shapely.transform(geometry, lambda points: points * (self._squeeze, 1.0))
        shapely.prepare(self._flat)

    @classmethod
    def from_geojson(cls, document: Mapping[str, Any]) -> "Region":
        """From a Geometry, Feature or FeatureCollection (RFC 7946), all its polygons together; else `Invalid`."""
        kind = document.get("type")
        parts = document.get("features", []) if kind == "FeatureCollection" else [document]
        try:
            shapes = [shape(dict(part["geometry"] if part.get("type") == "Feature" else part)) for part in parts]
            whole = shapely.union_all(shapes)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError, shapely.errors.ShapelyError) as error:
            raise Invalid("not a GeoJSON area", errors={"geometry": ["cannot be read"]}) from error
        if whole.geom_type not in {"Polygon", "MultiPolygon"} or whole.is_empty:
            raise Invalid("not a GeoJSON area", errors={"geometry": ["must be one or more polygons"]})
        return cls(whole)

    @classmethod
    def from_text(cls, text: str) -> "Region":
        """From the text of a GeoJSON file; `Invalid` where it is not one."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise Invalid("not JSON", errors={"geometry": ["is not JSON"]}) from error
        if not isinstance(document, dict):
            raise Invalid("not a GeoJSON area", errors={"geometry": ["must be an object"]})
        return cls.from_geojson(document)

    def contains(self, lat: float, lon: float) -> bool:
        """Whether the point lies inside or on the edge."""
        west, south, east, north = self.bounds
        if not (south <= lat <= north and west <= lon <= east):
            return False
        return bool(shapely.intersects_xy(self._geometry, lon, lat))

    def is_near(self, lat: float, lon: float, metres: float) -> bool:
        """Whether the point may lie within `metres` of the region: a cheap look at its bounds, never a false no."""
        west, south, east, north = self.bounds
        high = metres / 110_000.0  # no degree of latitude is shorter
        wide = high / max(math.cos(math.radians(min(89.9, abs(lat) + high))), 1e-6)
        return south - high <= lat <= north + high and west - wide <= lon <= east + wide

    def distance_m(self, lat: float, lon: float) -> float:
        """Metres to the nearest point of the region, 0 inside; good to 1 % within 100 km of a city's region."""
        if self.contains(lat, lon):
            return 0.0
        line = shapely.shortest_line(self._flat, shapely.Point(lon * self._squeeze, lat))
        near_x, near_lat = line.coords[0]
        return distance_m(lat, lon, near_lat, near_x / self._squeeze)
