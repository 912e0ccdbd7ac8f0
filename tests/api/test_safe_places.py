"""Safe places near by: nearest first, for anybody, and nothing made up."""

from datetime import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain import geo
from domain.cities.config import Text
from domain.cities.errors import BadCity
from domain.cities.places import Place, PlaceKind, parse_places
from tests.fakes.small_city import PLACE


def asked(api: FlaskClient, **query: Any) -> dict[str, Any]:
    answer = api.get("/v1/safe-places", query_string=query)
    assert answer.status_code == 200, answer.json
    assert len(answer.data) < 8192
    found: dict[str, Any] = answer.json or {}
    return found


def test_the_nearest_come_first_whoever_asks(api: FlaskClient) -> None:
    found = asked(api, lat=PLACE[0], lon=PLACE[1])
    metres = [each["distance_m"] for each in found["items"]]
    assert (found["city"], metres) == ("lahore", sorted(metres))
    assert metres[0] < 2000
    assert {each["kind"] for each in found["items"]} == {"police", "hospital", "pharmacy"}
    shops = [each for each in found["items"] if each["kind"] == "pharmacy"]
    assert {each["open_now"] for each in shops} == {None}  # the map has no hours: it is not said that one is open
    assert all(each["name"]["en"] and each["name"]["ur"] for each in found["items"])
    assert any("OpenStreetMap" in line for line in found["attribution"])
    stations = asked(api, lat=PLACE[0], lon=PLACE[1], kind="police")["items"]
    assert all(each["kind"] == "police" and each["open_now"] is True for each in stations)
    assert len(asked(api, lat=PLACE[0], lon=PLACE[1], limit=2)["items"]) == 2


def test_what_the_city_has_no_list_of_is_not_made_up(api: FlaskClient) -> None:
    found = asked(api, lat=PLACE[0], lon=PLACE[1], kind="petrol_station")
    assert (found["items"], found["known"]) == ([], ["police", "hospital", "pharmacy"])


def test_just_outside_a_city_its_places_are_near_and_far_away_none_is(api: FlaskClient) -> None:
    outside = geo.destination(31.25, 74.25, 180.0, 15_000)
    assert asked(api, lat=outside[0], lon=outside[1])["items"]
    assert asked(api, lat=0, lon=0)["items"] == []


@pytest.mark.parametrize(("query", "code", "field"), [
    ({}, "no_position", "lat"), ({"lat": 31.5}, "no_position", "lon"), ({"lat": 91, "lon": 0}, "invalid", "lat"),
    ({"lat": 31.5, "lon": "x"}, "invalid", "lon"), ({"lat": 31.5, "lon": 74, "kind": "pub"}, "invalid", "kind"),
    ({"lat": 31.5, "lon": 74, "lng": 74}, "invalid", "lng"),
])  # fmt: skip
def test_a_position_is_needed(api: FlaskClient, query: dict[str, Any], code: str, field: str) -> None:
    answer = api.get("/v1/safe-places", query_string=query)
    assert answer.status_code == 422
    assert field in (answer.json or {})["errors"]
    assert (answer.json or {})["code"] == code or code == "invalid"


@pytest.mark.parametrize(("hours", "at", "is_open"), [
    ("", time(12), None), ("always", time(3), True), ("08:00-22:00", time(8), True), ("08:00-22:00", time(22), False),
    ("20:00-04:00", time(2), True), ("20:00-04:00", time(12), False), ("06:00-24:00", time(23, 59), True),
])  # fmt: skip
def test_hours_of_a_place(hours: str, at: time, is_open: bool | None) -> None:
    place = Place("x", PlaceKind.PHARMACY, Text("A", "A"), 31.5, 74.3, hours=hours)
    assert place.is_open(at) is is_open


def test_a_citys_own_list_is_read_and_wrong_hours_are_refused() -> None:
    entry = '{"id": "own/1", "name_en": "Shell, Mall Road", "name_ur": "", "lat": 31.5, "lon": 74.3, "hours": "%s"}'
    found = parse_places('{"petrol_stations": [' + entry % "always" + "]}", "x.json")
    assert found.by_kind[PlaceKind.PETROL_STATION][0].hours == "always"
    with pytest.raises(BadCity):
        parse_places('{"pharmacies": [' + entry % "25:00-26:00" + "]}", "x.json")
