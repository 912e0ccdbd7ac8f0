"""Geometry holds everywhere on Earth: at the poles, across the antimeridian, for circles of a metre and of 100 km."""

import math
from typing import Any

import h3
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from domain import geo
from domain.errors import Invalid

LATS = st.floats(-90, 90)
LONS = st.floats(-180, 180)
POINTS = st.tuples(LATS, LONS)
BEARINGS = st.floats(0, 359.999)
RADII = st.one_of(st.floats(0, 1), st.floats(0, 5_000), st.floats(0, geo.MAX_RADIUS_M))
LAHORE = (31.5204, 74.3587)
PENTAGON = h3.cell_to_latlng("85080003fffffff")  # of resolution 5: five neighbours instead of six

quick = settings(deadline=None, max_examples=150)


@pytest.mark.parametrize(
    ("one", "other", "metres"),
    [
        ((31.5204, 74.3587), (33.6844, 73.0479), 270_200),  # Lahore to Islamabad
        ((0, 0), (0, 1), 111_195),  # a degree of the equator
        ((0, 0), (0, 180), math.pi * geo.EARTH_RADIUS_M),  # antipodes
        ((90, 0), (-90, 77), math.pi * geo.EARTH_RADIUS_M),
        ((90, 10), (90, -170), 0),  # a pole is one point
        ((10, 180), (10, -180), 0),  # the antimeridian is one line
        ((0, 179.5), (0, -179.5), 111_195),
    ],
)
def test_known_distances(one: tuple[float, float], other: tuple[float, float], metres: float) -> None:
    assert geo.distance_m(*one, *other) == pytest.approx(metres, rel=1e-3, abs=0.01)


@quick
@given(POINTS, POINTS, POINTS)
def test_distance_is_a_metric(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> None:
    ab, bc, ac = geo.distance_m(*a, *b), geo.distance_m(*b, *c), geo.distance_m(*a, *c)
    assert ab == pytest.approx(geo.distance_m(*b, *a))
    assert geo.distance_m(*a, *a) == 0
    assert 0 <= ac <= ab + bc + 1  # near antipodes the last bits of the formula are worth decimetres
    assert ac <= math.pi * geo.EARTH_RADIUS_M + 0.01


@quick
@given(POINTS, BEARINGS, st.floats(1, 1_000_000))
def test_going_somewhere_arrives_that_far_off_in_that_direction(
    start: tuple[float, float], bearing: float, metres: float
) -> None:
    lat, lon = geo.destination(*start, bearing, metres)
    assert geo.is_position(lat, lon)
    assert geo.distance_m(*start, lat, lon) == pytest.approx(metres, rel=1e-6, abs=0.1)
    assume(abs(start[0]) < 89)  # at a pole every direction is south or north
    turn = abs((geo.bearing_deg(*start, lat, lon) - bearing + 180) % 360 - 180)
    assert turn * math.pi / 180 * metres < 1


@quick
@given(POINTS, POINTS)
@example((0.0, 0.0), (0.0, 0.0))
@example((10.0, 0.0), (11.0, -1e-14))
def test_a_bearing_is_in_its_range(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert 0 <= geo.bearing_deg(*a, *b) < 360


@pytest.mark.parametrize(("other", "bearing"), [((1, 0), 0), ((0, 1), 90), ((-1, 0), 180), ((0, -1), 270)])
def test_bearings_go_clockwise_from_north(other: tuple[float, float], bearing: float) -> None:
    assert geo.bearing_deg(0, 0, *other) == pytest.approx(bearing)
    assert geo.bearing_deg(0, 179.5, 0, -179.5) == pytest.approx(90)


@quick
@given(POINTS)
@example((90.0, 0.0))
@example((-90.0, 180.0))
@example((0.0, 180.0))
@example(PENTAGON)
def test_cells_hold_the_point_at_each_resolution(point: tuple[float, float]) -> None:
    cells = geo.cells(*point)
    assert [h3.get_resolution(cell) for cell in cells] == list(geo.RESOLUTIONS)
    assert cells._fields == tuple(f"r{resolution}" for resolution in geo.RESOLUTIONS)
    for cell, resolution in zip(cells, geo.RESOLUTIONS, strict=True):
        centre = h3.cell_to_latlng(cell)
        assert geo.distance_m(*point, *centre) <= 1.2 * h3.average_hexagon_edge_length(resolution, unit="m")


@settings(deadline=None, max_examples=400)
@given(POINTS, RADII, BEARINGS, st.floats(0, 1))
@example((90.0, 0.0), geo.MAX_RADIUS_M, 12.0, 1.0)
@example((-90.0, -180.0), 30_000.0, 200.0, 1.0)
@example((0.0, 180.0), 5_000.0, 90.0, 1.0)
@example((0.0, -180.0), 700.0, 270.0, 1.0)
@example(PENTAGON, geo.MAX_RADIUS_M, 45.0, 0.9)
@example(LAHORE, 0.0, 0.0, 0.0)
def test_a_disk_covers_the_whole_circle(
    centre: tuple[float, float], radius_m: float, bearing: float, part: float
) -> None:
    resolution, cells = geo.disk(*centre, radius_m)
    inside = geo.destination(*centre, bearing, radius_m * part)
    assert geo.cells(*inside)[geo.RESOLUTIONS.index(resolution)] in cells


def test_no_cell_reaches_farther_than_a_disk_reckons_with() -> None:
    edge = h3.average_hexagon_edge_length(2, unit="m")
    every = (cell for base in h3.get_res0_cells() for cell in h3.cell_to_children(base, 2))
    reach = max(
        geo.distance_m(*h3.cell_to_latlng(cell), *vertex) / edge
        for cell in every
        for vertex in h3.cell_to_boundary(cell)
    )
    assert reach < geo._REACH - 0.05


@quick
@given(POINTS, RADII)
@example(PENTAGON, geo.MAX_RADIUS_M)
@example(PENTAGON, 40_000.0)
@example((90.0, 0.0), geo.MAX_RADIUS_M)
def test_a_disk_is_small_and_holds_no_cell_twice(centre: tuple[float, float], radius_m: float) -> None:
    resolution, cells = geo.disk(*centre, radius_m)
    assert resolution in geo.RESOLUTIONS
    assert len(cells) == len(set(cells)) <= (80 if radius_m <= 40_000 else 300)
    edge = h3.average_hexagon_edge_length(resolution, unit="m")
    assert all(geo.distance_m(*centre, *h3.cell_to_latlng(cell)) <= radius_m + 1.3 * edge for cell in cells)


def test_the_resolution_follows_the_radius() -> None:
    assert [geo.disk(*LAHORE, radius).resolution for radius in (0, 700, 701, 5_000, 5_001, 100_000)] == [
        9, 9, 7, 7, 5, 5,
    ]  # fmt: skip


@pytest.mark.parametrize("radius_m", [-1.0, geo.MAX_RADIUS_M + 1, 2e7, math.inf, math.nan])
def test_a_radius_beyond_a_city_is_refused(radius_m: float) -> None:
    with pytest.raises(Invalid):
        geo.disk(*LAHORE, radius_m)


@quick
@given(POINTS, st.sampled_from(geo.RESOLUTIONS))
def test_fuzzing_is_stable_and_stays_in_the_cell(point: tuple[float, float], resolution: int) -> None:
    fuzzed = geo.fuzz(*point, resolution)
    assert h3.latlng_to_cell(*fuzzed, resolution) == h3.latlng_to_cell(*point, resolution)
    assert geo.fuzz(*fuzzed, resolution) == fuzzed


@quick
@given(POINTS, BEARINGS, st.floats(1, 359), st.floats(10, 500), BEARINGS, st.floats(2, 1_000))
def test_a_camera_sees_its_sector_and_nothing_else(
    camera: tuple[float, float], facing: float, fov: float, reach: float, bearing: float, metres: float
) -> None:
    assume(abs(camera[0]) < 89)
    turn = abs((bearing - facing + 180) % 360 - 180)
    assume(abs(turn - fov / 2) > 0.01 and abs(metres - reach) > 0.01)
    point = geo.destination(*camera, bearing, metres)
    seen = geo.in_view(*camera, facing, fov, reach, *point)
    assert seen == (turn < fov / 2 and metres < reach)
    assert geo.in_view(*camera, facing, 360, reach, *point) == (metres < reach)


@quick
@given(POINTS, BEARINGS, st.floats(1, 359), st.floats(10, 500), BEARINGS, st.floats(0, 1_000), st.floats(0, 200))
@example((1.9, 0.0), 31.0, 1.0, 10.0, 0.0, 1.0, 1.0)
def test_an_uncertain_point_is_seen_wherever_any_place_that_it_may_be_is(
    camera: tuple[float, float],
    facing: float,
    fov: float,
    reach: float,
    bearing: float,
    metres: float,
    accuracy: float,
) -> None:
    assume(abs(camera[0]) < 89)
    truth = geo.destination(*camera, bearing, metres)
    assume(geo.in_view(*camera, facing, fov, reach, *truth))
    measured = geo.destination(*truth, (bearing * 7) % 360, accuracy * 0.999)
    assert geo.in_view(*camera, facing, fov, reach, *measured, accuracy_m=accuracy + 0.01)


@pytest.mark.parametrize(
    ("lat", "lon", "good"),
    [
        (0, 0, True),
        (90, 180, True),
        (-90, -180, True),
        (90.001, 0, False),
        (0, -180.001, False),
        (math.nan, 0, False),
        (0, math.nan, False),
        (math.inf, 0, False),
    ],
)
def test_what_a_position_is(lat: float, lon: float, good: bool) -> None:
    assert geo.is_position(lat, lon) is good


SQUARE: dict[str, Any] = {"type": "Polygon", "coordinates": [[[74, 31], [75, 31], [75, 32], [74, 32], [74, 31]]]}


def test_a_region_holds_its_inside_and_its_edge() -> None:
    region = geo.Region.from_geojson(SQUARE)
    assert region.contains(31.5, 74.5)
    assert region.contains(31.0, 74.5)
    assert region.contains(32.0, 75.0)
    assert not region.contains(30.9999, 74.5)
    assert not region.contains(74.5, 31.5)  # latitude first


def test_a_region_can_be_a_collection_with_holes() -> None:
    hole = [[74.4, 31.4], [74.6, 31.4], [74.6, 31.6], [74.4, 31.6], [74.4, 31.4]]
    holed = {"type": "Polygon", "coordinates": [SQUARE["coordinates"][0], hole]}
    island = {"type": "Polygon", "coordinates": [[[77, 31], [78, 31], [78, 32], [77, 31]]]}
    features = [{"type": "Feature", "properties": {}, "geometry": geometry} for geometry in (holed, island)]
    region = geo.Region.from_geojson({"type": "FeatureCollection", "features": features})
    assert not region.contains(31.5, 74.5)
    assert region.contains(31.1, 74.1)
    assert region.contains(31.1, 77.9)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"type": "Point", "coordinates": [74, 31]},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[74, 31], [75, 31]]]},
        {"type": "Polygon", "coordinates": "no"},
        {"type": "Feature", "geometry": None},
        {"type": "FeatureCollection", "features": []},
        {"type": "FeatureCollection", "features": [7]},
    ],
)
def test_what_is_no_area_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        geo.Region.from_geojson(document)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '"Polygon"'])
def test_text_that_is_no_geojson_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        geo.Region.from_text(text)


@quick
@given(st.floats(30, 33), st.floats(73, 76), st.floats(0, 200_000))
def test_distance_to_a_region_and_its_cheap_look(lat: float, lon: float, metres: float) -> None:
    region = geo.Region.from_geojson(SQUARE)
    away = region.distance_m(lat, lon)
    assert (away == 0) == region.contains(lat, lon)
    clamped = (min(max(lat, 31), 32), min(max(lon, 74), 75))
    assert away == pytest.approx(geo.distance_m(lat, lon, *clamped), rel=0.02, abs=5)
    if away <= metres * 0.98:
        assert region.is_near(lat, lon, metres)
