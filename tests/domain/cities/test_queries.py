"""A position finds its city fast and without the store; what people call a place; which city owns a number."""

import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from mongoengine.connection import ConnectionFailure

from domain.cities import atlas, queries
from domain.cities.config import Purpose
from domain.cities.errors import BadCity, UnknownCity
from domain.cities.places import PlaceKind, parse_places
from domain.cities.presets import PRESETS

GULBERG = (31.509, 74.347)
SEA_VIEW = (24.778, 66.98)  # a kilometre off Karachi's coast
MURIDKE = (31.802, 74.255)  # a town north of Lahore


@pytest.fixture(autouse=True)
def _no_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test here runs without any document store."""

    def nobody() -> None:
        raise ConnectionFailure("You have not defined a default connection")

    monkeypatch.setattr(queries, "city_configs", nobody)
    queries.forget()
    yield
    queries.forget()
    atlas.use()


@pytest.mark.parametrize(
    ("position", "city"),
    [
        (GULBERG, "lahore"),
        ((33.7215, 73.0433), "islamabad"),
        ((24.8607, 67.0011), "karachi"),
        (SEA_VIEW, "karachi"),
        (MURIDKE, None),
        ((33.5973, 73.0479), None),  # Rawalpindi, across the road from Islamabad
        ((0.0, 0.0), None),
        ((90.0, 180.0), None),
        ((-90.0, -180.0), None),
    ],
)
def test_the_city_of_a_position(position: tuple[float, float], city: str | None) -> None:
    assert queries.city_at(*position) == city


@pytest.mark.parametrize("position", [GULBERG, (24.8607, 67.0011), MURIDKE])
def test_the_city_of_a_position_costs_microseconds(position: tuple[float, float]) -> None:
    queries.city_at(*position)
    best = min(_seconds(position) for _ in range(20))
    assert best < 50e-6


def _seconds(position: tuple[float, float]) -> float:
    started = time.perf_counter()
    for _ in range(100):
        queries.city_at(*position)
    return (time.perf_counter() - started) / 100


def test_the_slack_gives_way_to_a_city_that_really_holds_the_place(tmp_path: Path) -> None:
    _copy_presets(tmp_path)
    lahore = tmp_path / "lahore.toml"
    lahore.write_text(lahore.read_text("utf-8").replace("boundary_slack_m = 200", "boundary_slack_m = 20000"), "utf-8")
    east = {
        "type": "Polygon",
        "coordinates": [[[74.66, 31.5], [74.8, 31.5], [74.8, 31.6], [74.66, 31.6], [74.66, 31.5]]],
    }
    atlas.use(tmp_path)
    assert queries.city_at(31.55, 74.7) == "lahore"
    _make_city(tmp_path, "neighbour", east)
    atlas.use(tmp_path)
    assert queries.city_at(31.55, 74.7) == "neighbour"
    assert queries.city_at(*GULBERG) == "lahore"


def test_the_nearest_city_for_a_handover() -> None:
    assert queries.nearest_city(*GULBERG) == ("lahore", 0.0)
    city, metres = queries.nearest_city(*MURIDKE)
    assert city == "lahore"
    assert 8_000 < metres < 20_000
    assert queries.nearest_city(33.5973, 73.0479).city == "islamabad"
    assert queries.nearest_city(25.396, 68.3578).city == "karachi"


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("+924200000015", ("lahore", Purpose.SOS)),
        ("924200000015", ("lahore", Purpose.SOS)),
        ("+92 42 0000 1043", ("lahore", Purpose.HELPLINE)),
        ("+922100000016", ("karachi", Purpose.REPLIES)),
        ("+923001234567", None),
        ("", None),
        ("Amaan", None),
    ],
)
def test_the_city_of_an_inbound_number(number: str, found: tuple[str, Purpose] | None) -> None:
    assert queries.city_for_number(number) == found


def test_a_place_has_the_name_that_people_use() -> None:
    assert queries.area_name("lahore", *GULBERG, "en") == "Gulberg III"
    assert queries.area_name("lahore", *GULBERG, "ur") == "گلبرگ 3"
    assert queries.area_name("karachi", 25.3, 67.3, "en") == "Malir"
    assert queries.area_name("karachi", 25.3, 67.3, "ur-PK") == "ملیر"
    assert queries.area_name("islamabad", *GULBERG, "ur") == "اسلام آباد"  # outside: the city's own name


def test_the_nearest_places_come_nearest_first() -> None:
    found = queries.nearest_places("lahore", "police", *GULBERG, limit=5)
    assert len(found) == 5
    assert [near.distance_m for near in found] == sorted(near.distance_m for near in found)
    assert all(near.place.kind == PlaceKind.POLICE for near in found)
    assert queries.nearest_places("lahore", PlaceKind.HOSPITAL, *GULBERG, within_m=1) == []
    with pytest.raises(ValueError, match="zoo"):
        queries.nearest_places("lahore", "zoo", *GULBERG)


def test_whom_to_name_beside_a_map() -> None:
    assert any("OpenStreetMap" in line for line in queries.attribution("karachi"))


def test_an_unknown_city_is_said_to_be() -> None:
    for ask in (
        lambda: queries.current("atlantis"),
        lambda: queries.area_name("atlantis", *GULBERG, "en"),
        lambda: queries.nearest_places("atlantis", "area", *GULBERG),
        lambda: queries.attribution("atlantis"),
    ):
        with pytest.raises(UnknownCity):
            ask()


def test_without_a_store_the_preset_serves() -> None:
    city = queries.current("lahore")
    assert city.version == 0
    assert city.ladder("medical").rungs
    assert queries.known() == ["islamabad", "karachi", "lahore"]


def test_one_broken_preset_does_not_take_the_others_along(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _copy_presets(tmp_path)
    (tmp_path / "karachi.toml").write_text("id = 7", encoding="utf-8")
    (tmp_path / "islamabad.boundary.geojson").write_text("{}", encoding="utf-8")
    atlas.use(tmp_path)
    assert queries.known() == ["lahore"]
    assert queries.city_at(*GULBERG) == "lahore"
    assert "karachi.toml" in caplog.text
    assert "islamabad.boundary.geojson" in caplog.text


def test_no_preset_at_all(tmp_path: Path) -> None:
    atlas.use(tmp_path)
    assert queries.city_at(*GULBERG) is None
    with pytest.raises(UnknownCity):
        queries.nearest_city(*GULBERG)


def test_a_preset_is_named_after_its_city(tmp_path: Path) -> None:
    _copy_presets(tmp_path)
    shutil.copy(tmp_path / "lahore.toml", tmp_path / "multan.toml")
    with pytest.raises(BadCity, match=r"multan\.toml: id "):
        atlas.read_sheet(tmp_path / "multan.toml")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"police": [7]}',
        '{"police": [{"id": "node/1", "name_en": "A", "name_ur": ""}]}',
        '{"police": [{"id": "node/1", "name_en": "", "name_ur": "", "lat": 31, "lon": 74}]}',
        '{"areas": [{"id": "a", "name_en": "A", "name_ur": "", "lat": 131, "lon": 74}]}',
        '{"areas": [{"id": "a", "name_en": "A", "name_ur": "", "lat": "north", "lon": 74}]}',
    ],
)
def test_broken_places_are_named(text: str) -> None:
    with pytest.raises(BadCity, match=r"x\.places\.json: "):
        parse_places(text, "x.places.json")


def _copy_presets(directory: Path) -> None:
    shutil.copytree(PRESETS, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))


def _make_city(directory: Path, city: str, boundary: Mapping[str, object]) -> None:
    text = (directory / "islamabad.toml").read_text(encoding="utf-8")
    text = text.replace('id = "islamabad"', f'id = "{city}"').replace("islamabad.", f"{city}.")
    (directory / f"{city}.toml").write_text(text, encoding="utf-8")
    (directory / f"{city}.boundary.geojson").write_text(_json(boundary), encoding="utf-8")
    (directory / f"{city}.places.json").write_text("{}", encoding="utf-8")


def _json(value: object) -> str:
    return repr(value).replace("'", '"')
