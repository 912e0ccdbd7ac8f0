"""Every city that we ship is whole: whoever raises an SOS there has a ladder that never ends in silence."""

import json
import re
from pathlib import Path

import phonenumbers
import pytest
import shapely
from shapely.geometry import shape

from domain import geo
from domain.cities.atlas import Sheet, read_sheet
from domain.cities.config import Category, CityConfig, Purpose, Service, Who
from domain.cities.places import PlaceKind
from domain.cities.presets import PRESETS, preset_paths
from domain.phones import parse_phone

CITIES = sorted(preset_paths())
SHARED_GEO = PRESETS.parent.parent / "shared" / "geo"
URDU = re.compile(r"[\u0600-\u06ff]")

# Places that everybody knows, and where they are.
KNOWN = {
    "lahore": [(31.5882, 74.3107), (31.5925, 74.3095), (31.5216, 74.4036), (31.4805, 74.3239), (31.6047, 74.5730)],
    "islamabad": [(33.7295, 73.0372), (33.7294, 73.0931), (33.6938, 73.0652), (33.747, 73.139)],
    "karachi": [(24.8749, 67.0395), (24.9065, 67.1608), (24.8138, 67.0300), (24.9461, 67.0056), (25.0, 67.3)],
}
# Towns beyond the boundary, by name and position.
BEYOND = {
    "lahore": {"Kasur": (31.1187, 74.4631), "Sheikhupura": (31.7131, 73.9783), "Amritsar": (31.634, 74.8723)},
    "islamabad": {"Rawalpindi": (33.5973, 73.0479), "Murree": (33.907, 73.3943), "Taxila": (33.7463, 72.8397)},
    "karachi": {"Hub": (25.0658, 66.8824), "Thatta": (24.7461, 67.9236), "Hyderabad": (25.396, 68.3578)},
}


@pytest.fixture(scope="module", params=CITIES)
def sheet(request: pytest.FixtureRequest) -> Sheet:
    """Each preset in turn, read from disk as it is."""
    return read_sheet(PRESETS / f"{request.param}.toml")


@pytest.fixture(scope="module")
def city(sheet: Sheet) -> CityConfig:
    return sheet.config


def test_the_three_cities_are_there() -> None:
    assert CITIES == ["islamabad", "karachi", "lahore"]


def test_names_and_languages(city: CityConfig) -> None:
    assert city.zone.key == "Asia/Karachi"
    assert set(city.languages) == {"ur", "en"}
    texts = [city.names, *(agency.names for agency in city.agencies.values())]
    texts += [line.names for line in city.helplines] + [category.names for category in city.categories.values()]
    for text in texts:
        assert URDU.search(text.ur), text
        assert not URDU.search(text.en), text


def test_each_category_and_service_has_a_ladder_that_never_ends_in_silence(city: CityConfig) -> None:
    for category in city.categories.values():
        assert category.services
        for service in category.services:
            ladder = city.ladder(service, category.code)
            assert ladder.service == service
            assert ladder.rungs[0].who == Who.UNITS
            assert ladder.rungs[-1].who == Who.ALL_ON_DUTY
            assert ladder.repeat_after_s > 0
            assert ladder.receipt_wait_s == 5
            assert any("voice" in rung.channels for rung in ladder.rungs if rung.who == Who.SUPERVISORS)


def test_the_last_rung_comes_within_minutes(city: CityConfig) -> None:
    for ladder in city.ladders:
        whole = sum(rung.after_s for rung in ladder.climb(callback_first=True))
        urgent = any(city.category(code).urgency == "Immediate" for code in ladder.categories) or not ladder.categories
        assert whole <= (180 if urgent else 600)


def test_rings_grow(city: CityConfig) -> None:
    for ladder in city.ladders:
        rings = [(rung.k, rung.radius_m) for rung in ladder.rungs if rung.radius_m]
        assert rings == sorted(rings)
        assert len(set(rings)) == len(rings)


def test_each_service_has_an_agency_that_answers(city: CityConfig) -> None:
    for service in Service:
        assert any(agency.hours.always for agency in city.agencies_for(service))


def test_what_violence_is_is_discreet_and_asks_for_a_woman(city: CityConfig) -> None:
    codes: dict[str, Category] = dict(city.categories)
    for code in ("harassment", "domestic_violence", "sexual_violence"):
        assert codes[code].discreet
        assert "women_police" in codes[code].skills
    assert {"medical", "fire", "kidnapping", "robbery", "road_accident", "building_collapse", "gas_leak", "flood",
            "missing_person", "other"} <= set(codes)  # fmt: skip


def test_numbers_can_be_dialled(city: CityConfig) -> None:
    for number in [agency.phone for agency in city.agencies.values()] + [line.number for line in city.helplines]:
        assert (number.isdigit() and 2 <= len(number) <= 4) or parse_phone(number)


def test_helplines_say_where_they_are_from(city: CityConfig) -> None:
    verified_by_the_product = {"15", "1122", "16", "115", "130", "1043", "1094", "1099", "1121", "1787", "1799",
                               "0800-39393"}  # fmt: skip
    for line in city.helplines:
        assert line.source
        assert line.verified <= (line.number in verified_by_the_product), line.number
        assert bool(line.last_verified) == line.verified
        assert line.fallback or line.number == "15"
    assert {"15", "1122"} <= {line.number for line in city.helplines}


def test_inbound_numbers_are_nobodys(city: CityConfig) -> None:
    """A preset that goes live unchanged must not send people to a stranger's phone."""
    assert Purpose.SOS in city.inbound.values()
    for number in city.inbound:
        parsed = phonenumbers.parse(number, None)
        assert parsed.country_code == 92
        assert not phonenumbers.is_valid_number(parsed)


def test_inbound_numbers_belong_to_one_city() -> None:
    numbers = [number for city in CITIES for number in read_sheet(PRESETS / f"{city}.toml").config.inbound]
    assert len(numbers) == len(set(numbers))


def test_targets_are_those_of_the_field(city: CityConfig) -> None:
    assert (city.targets.answer_s, city.targets.dispatch_s) == (10, 60)
    assert set(city.targets.arrival_s) == set(Service)


def test_the_boundary_holds_what_everybody_knows(sheet: Sheet) -> None:
    for lat, lon in KNOWN[sheet.config.id]:
        assert sheet.boundary.contains(lat, lon), (lat, lon)
        assert any(district.region.contains(lat, lon) for district in sheet.districts)


def test_the_boundary_leaves_out_towns_beyond(sheet: Sheet) -> None:
    for name, (lat, lon) in BEYOND[sheet.config.id].items():
        assert not sheet.boundary.contains(lat, lon), name
        assert sheet.boundary.distance_m(lat, lon) > 0


def test_cities_do_not_overlap() -> None:
    sheets = {city: read_sheet(PRESETS / f"{city}.toml") for city in CITIES}
    for city, points in KNOWN.items():
        for lat, lon in points:
            assert [name for name, sheet in sheets.items() if sheet.boundary.contains(lat, lon)] == [city]


@pytest.mark.skipif(not SHARED_GEO.is_dir(), reason="the facts are not on this machine")
def test_neighbouring_districts_are_outside() -> None:
    document = json.loads((SHARED_GEO / "pk_neighbour_districts.geojson").read_text(encoding="utf-8"))
    boundaries = {city: _geometry(city) for city in CITIES}
    for feature in document["features"]:
        neighbour = shape(feature["geometry"]).buffer(0)
        inner = neighbour.buffer(-0.002)  # beyond what simplifying moves: 200 m
        for city, boundary in boundaries.items():
            assert not boundary.intersects(inner), (city, feature["properties"]["name"])


@pytest.mark.skipif(not SHARED_GEO.is_dir(), reason="the facts are not on this machine")
def test_simplifying_moved_the_boundary_little() -> None:
    document = json.loads((SHARED_GEO / "pk_city_districts.geojson").read_text(encoding="utf-8"))
    for city in CITIES:
        parts = [f["geometry"] for f in document["features"] if f["properties"]["city"].lower() == city]
        whole = shapely.union_all([shape(part).buffer(0) for part in parts])
        assert whole.symmetric_difference(_geometry(city)).area / whole.area < 0.005


def test_places_lie_in_their_city(sheet: Sheet) -> None:
    least = {PlaceKind.POLICE: 8, PlaceKind.HOSPITAL: 40, PlaceKind.AREA: 30}
    for kind, count in least.items():
        places = sheet.places.by_kind[kind]
        assert len(places) >= count
        assert len({place.id for place in places}) == len(places)
        for place in places:
            assert sheet.boundary.distance_m(place.lat, place.lon) < 500, place
            assert place.names.en
    assert all(URDU.search(area.names.ur) for area in sheet.places.by_kind[PlaceKind.AREA])


def test_sources_are_named_and_their_licences_lie_beside(sheet: Sheet) -> None:
    named = " ".join(sheet.places.attribution)
    assert "OpenStreetMap contributors" in named
    assert "pak-geodata" in named
    licence = (PRESETS / "LICENCE.md").read_text(encoding="utf-8")
    assert "opendatacommons.org/licenses/odbl" in licence
    assert "Copyright (c) 2026 Sohaib Bin Mohsin" in licence


def test_the_footprint_is_a_city_not_a_country(sheet: Sheet) -> None:
    west, south, east, north = sheet.boundary.bounds
    assert geo.distance_m(south, west, north, east) < 150_000


def _geometry(city: str) -> shapely.geometry.base.BaseGeometry:
    document = json.loads((PRESETS / f"{city}.boundary.geojson").read_text(encoding="utf-8"))
    return shapely.union_all([shape(feature["geometry"]) for feature in document["features"]])


def test_files_are_small_enough_to_read_at_start() -> None:
    assert sum(path.stat().st_size for path in Path(PRESETS).rglob("*.*json")) < 400_000
