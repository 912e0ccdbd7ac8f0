"""A city that would let an SOS fall through is refused, and the message names the file and the key."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.cities import hours
from domain.cities.camera_sources import is_allowed
from domain.cities.config import ChannelName, CityConfig, Hours, Kept, Service, Text, Who
from domain.cities.errors import BadCity
from domain.cities.presets import PRESETS, merge, read_preset
from domain.cities.rules import MAX_CALLBACK_S, parse

Body = dict[str, Any]


@pytest.fixture
def body() -> Body:
    """Lahore's complete table, to be broken."""
    return copy.deepcopy(read_preset(PRESETS / "lahore.toml"))


def ladder(body: Body, name: str) -> Body:
    found: Body = next(each for each in body["ladders"] if each["id"] == name)
    return found


def named(body: Body, key: str, field: str, name: str) -> Body:
    found: Body = next(each for each in body[key] if each[field] == name)
    return found


BREAKS: list[tuple[str, Callable[[Body], object]]] = [
    ("id", lambda body: body.update(id="Lahore!")),
    ("name_ur", lambda body: body.pop("name_ur")),
    ("name_en", lambda body: body.update(name_en="  ")),
    ("timezone", lambda body: body.update(timezone="Asia/Lahore")),
    ("timezone", lambda body: body.update(timezone="../etc/passwd")),
    ("languages", lambda body: body.update(languages=[])),
    ("plates_country", lambda body: body.update(plates_country="xx")),
    ("boundary_slack_m", lambda body: body.update(boundary_slack_m=-1)),
    ("boundary_slack_m", lambda body: body.update(boundary_slack_m=True)),
    ("quiet_hour", lambda body: body.update(quiet_hour={"from": "22:00", "to": "07:00"})),
    ("inbound[0].purpose", lambda body: body["inbound"][0].update(purpose="spam")),
    ("inbound[0].number", lambda body: body["inbound"][0].update(number="042-111")),
    ("inbound[1].number", lambda body: body["inbound"][1].update(number=body["inbound"][0]["number"])),
    ("agencies[0].phone", lambda body: body["agencies"][0].update(phone="12345")),
    ("agencies[0].kind", lambda body: body["agencies"][0].update(kind="army")),
    ("agencies[0].services", lambda body: body["agencies"][0].update(services=["police", "police"])),
    ("agencies", lambda body: named(body, "agencies", "id", "punjab_police").update(services=[])),
    ("agencies", lambda body: body.update(agencies=[])),
    ("helplines[0].source", lambda body: body["helplines"][0].pop("source")),
    ("helplines[0].last_verified", lambda body: body["helplines"][0].update(last_verified="")),
    ("helplines[0].last_verified", lambda body: body["helplines"][0].update(last_verified="last year")),
    ("helplines.1043.fallback", lambda body: named(body, "helplines", "number", "1043").update(fallback="1044")),
    ("helplines.1043.fallback", lambda body: named(body, "helplines", "number", "1043").update(fallback="1043")),
    ("helplines[0].hours", lambda body: body["helplines"][0].update(hours="sometimes")),
    ("helplines[0].hours[0].days", lambda body: body["helplines"][0].update(hours=[{"days": ["monday"]}])),
    ("helplines[0].hours[0].to", lambda body: body["helplines"][0].update(hours=[{"days": ["mon"], "from": "09:00"}])),
    ("categories[3].services", lambda body: body["categories"][3].update(services=[])),
    ("categories[3].services", lambda body: body["categories"][3].update(services=["army"])),
    ("categories[3].severity", lambda body: body["categories"][3].update(severity="severe")),
    ("categories[3].urgency", lambda body: body["categories"][3].update(urgency="Now")),
    ("categories[3].certainty", lambda body: body["categories"][3].pop("certainty")),
    ("categories[3].discreet", lambda body: body["categories"][3].update(discreet="yes")),
    ("categories.gas_leak.agency", lambda body: named(body, "categories", "code", "gas_leak").update(agency="nobody")),
    ("default_category", lambda body: body.update(default_category="none")),
    ("ladders", lambda body: body["ladders"].remove(ladder(body, "fire"))),
    ("ladders", lambda body: body["ladders"].append({**ladder(body, "fire"), "id": "fire-2"})),
    ("ladders", lambda body: ladder(body, "fire").update(categories=["fire"])),
    ("ladders.police-later", lambda body: ladder(body, "police-later").update(categories=["nothing"])),
    ("ladders.police-later", lambda body: ladder(body, "police-later").update(categories=["harassment"])),
    ("ladders[0].rungs", lambda body: ladder(body, "police")["rungs"].pop()),
    ("ladders[0].rungs", lambda body: ladder(body, "police")["rungs"].pop(0)),
    ("ladders[0].rungs", lambda body: ladder(body, "police").update(rungs=[])),
    ("ladders[0].rungs[0].who", lambda body: ladder(body, "police")["rungs"][0].update(who="friends")),
    ("ladders[0].rungs[0].who", lambda body: ladder(body, "police")["rungs"][0].update(who="operator_callback")),
    ("ladders[0].rungs[0].k", lambda body: ladder(body, "police")["rungs"][0].update(k=0)),
    ("ladders[0].rungs[0].radius_m", lambda body: ladder(body, "police")["rungs"][0].update(radius_m=1_000_000)),
    ("ladders[0].rungs[0].channels", lambda body: ladder(body, "police")["rungs"][0].update(channels=["fcm"])),
    ("ladders[0].rungs[0].channels", lambda body: ladder(body, "police")["rungs"][0].update(channels=["fax"])),
    ("ladders[0].rungs[0].channels", lambda body: ladder(body, "police")["rungs"][0].update(channels=[])),
    ("ladders[0].rungs[2].k", lambda body: ladder(body, "police")["rungs"][2].update(k=3)),
    ("ladders[0].rungs[1].after_s", lambda body: ladder(body, "police")["rungs"][1].update(after_s=-5)),
    ("ladders[0].callback_s", lambda body: ladder(body, "police").update(callback_s=MAX_CALLBACK_S + 1)),
    ("ladders[0].repeat_after_s", lambda body: ladder(body, "police").update(repeat_after_s=0)),
    ("ladders[0].stall_after_s", lambda body: ladder(body, "police").pop("stall_after_s")),
    ("quiet_hours.from", lambda body: body["quiet_hours"].update({"from": "25:00"})),
    ("retention_days.tracks", lambda body: body["retention_days"].pop("tracks")),
    ("retention_days.everything", lambda body: body["retention_days"].update(everything=1)),
    ("closed_incidents", lambda body: body.update(closed_incidents="keep")),
    ("targets.arrival_s.fire", lambda body: body["targets"]["arrival_s"].pop("fire")),
    ("camera_sources[0].scheme", lambda body: body["camera_sources"][0].update(scheme="gopher")),
    ("camera_sources[0].path", lambda body: body["camera_sources"][0].update(path="var/../../etc/")),
    ("camera_sources[0].path", lambda body: body["camera_sources"][0].update(path="var/footage")),
    ("camera_detectors[0].name", lambda body: body.update(camera_detectors=[{"name": "Not One"}])),
    ("camera_detectors[0].options", lambda body: body.update(camera_detectors=[{"name": "smoke", "options": 3}])),
    ("camera_detectors[0].model", lambda body: body.update(camera_detectors=[{"model": "/srv/knives.onnx"}])),
    ("camera_detectors[0].name", lambda body: body.update(camera_detectors=[{"model": "a.toml", "name": "smoke"}])),
    ("camera_detectors", lambda body: body.update(camera_detectors=[{"name": "smoke"}, {"name": "smoke"}])),
    ("camera_sources[0].host", lambda body: body["camera_sources"][0].update(scheme="rtsp", host="10.0.0.0/99")),
]


@pytest.mark.parametrize(("key", "breaks"), BREAKS, ids=[f"{index}-{key}" for index, (key, _) in enumerate(BREAKS)])
def test_a_broken_city_is_refused_by_file_and_key(body: Body, key: str, breaks: Callable[[Body], object]) -> None:
    breaks(body)
    with pytest.raises(BadCity) as refused:
        parse(body, "lahore.toml")
    assert refused.value.detail.startswith(f"lahore.toml: {key} ")
    assert list(refused.value.data["errors"]) == [key]


@pytest.mark.parametrize("value", [None, 7, "lahore", [], {"id": "lahore"}, {"agencies": 7}, {"agencies": [7]}])
def test_what_is_no_city_at_all_is_refused(value: Any) -> None:
    with pytest.raises(BadCity):
        parse(value, "x.toml")


def test_a_good_city_is_frozen_and_complete(body: Body) -> None:
    city = parse(body, "lahore.toml", version=7)
    assert city.version == 7
    assert set(city.retention_days) == set(Kept)
    with pytest.raises(AttributeError):
        city.id = "elsewhere"  # type: ignore[misc]


def test_a_low_trust_call_is_called_back_first_and_units_follow_by_themselves(body: Body) -> None:
    found = parse(body, "lahore.toml").ladder(Service.POLICE)
    usual, checked = found.climb(), found.climb(callback_first=True)
    assert usual[0].who == Who.UNITS
    assert usual[0].after_s == 0
    assert [rung.who for rung in checked] == [Who.OPERATOR_CALLBACK, *(rung.who for rung in usual)]
    assert checked[0].after_s == 0
    assert 0 < checked[1].after_s <= MAX_CALLBACK_S
    assert checked[2:] == usual[1:]


def test_a_city_may_do_without_call_backs(body: Body) -> None:
    ladder(body, "police")["callback_s"] = 0
    found = parse(body, "lahore.toml").ladder("police")
    assert found.climb(callback_first=True) == found.climb()


def test_the_ladder_of_a_category_goes_before_that_of_its_service(body: Body) -> None:
    city = parse(body, "lahore.toml")
    assert city.ladder("police", "harassment").id == "police-personal"
    assert city.ladder("police", "robbery").id == city.ladder("police", None).id == "police"
    assert city.ladder("medical", "harassment").id == "medical"
    with pytest.raises(KeyError):
        city.ladder("army")


def test_an_unknown_category_is_the_default_one(body: Body) -> None:
    city = parse(body, "lahore.toml")
    assert city.category("no_such_thing") == city.category(None) == city.category("unspecified")
    assert city.category("fire").services == (Service.FIRE, Service.MEDICAL)


def test_a_text_is_in_the_language_asked_for() -> None:
    both, english_only = Text("Police", "پولیس"), Text("Police", "")
    assert [both.in_language(tag) for tag in ("ur", "ur-PK", "UR", "en", "en-GB", "pa", "")] == [
        "پولیس", "پولیس", "پولیس", "Police", "Police", "Police", "Police",
    ]  # fmt: skip
    assert english_only.in_language("ur") == "Police"


# --- presets that extend another --------------------------------------------------------------------------------------


def test_a_city_wins_over_what_it_extends() -> None:
    base = {"a": 1, "t": {"x": 1, "y": 2}, "l": [{"id": "p", "v": 1, "w": 2}, {"id": "q", "v": 1}], "plain": [1, 2]}
    own = {"t": {"y": 3}, "l": [{"id": "q", "v": 9}, {"id": "r", "v": 5}], "plain": [3]}
    assert merge(base, own) == {
        "a": 1,
        "t": {"x": 1, "y": 3},
        "l": [{"id": "p", "v": 1, "w": 2}, {"id": "q", "v": 9}, {"id": "r", "v": 5}],
        "plain": [3],
    }


@pytest.mark.parametrize("extends", ['"missing.toml"', '"../outside.toml"', '"/etc/passwd"', "7"])
def test_a_preset_extends_only_a_file_beside_it(tmp_path: Path, extends: str) -> None:
    (tmp_path / "multan.toml").write_text(f"extends = {extends}\n", encoding="utf-8")
    with pytest.raises(BadCity):
        read_preset(tmp_path / "multan.toml")


@pytest.mark.parametrize("content", [b"id = ", b"\xff\xfe"])
def test_a_preset_that_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "multan.toml").write_bytes(content)
    with pytest.raises(BadCity, match=r"multan\.toml"):
        read_preset(tmp_path / "multan.toml")


# --- hours ------------------------------------------------------------------------------------------------------------


def local(city: CityConfig, day: int, clock: str) -> datetime:
    """A moment of January 2026 (the 5th is a Monday) by the city's clock, in UTC."""
    return datetime.fromisoformat(f"2026-01-{day:02d}T{clock}").replace(tzinfo=city.zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("21:59", False), ("22:00", True), ("23:59", True), ("00:00", True), ("06:59", True), ("07:00", False)],
)
def test_quiet_hours_pass_midnight_in_local_time(body: Body, clock: str, quiet: bool) -> None:
    city = parse(body, "lahore.toml")
    assert hours.is_quiet(city, local(city, 5, clock)) is quiet
    ends = local(city, 5 if clock < "12:00" else 6, "07:00") if quiet else None
    assert hours.quiet_until(city, local(city, 5, clock)) == ends


@pytest.mark.parametrize(
    ("day", "clock", "is_open"),
    [(5, "08:59", False), (5, "09:00", True), (9, "16:59", True), (9, "17:00", False), (10, "12:00", False)],
)
def test_a_weekday_helpline(body: Body, day: int, clock: str, is_open: bool) -> None:
    city = parse(body, "lahore.toml")
    (line,) = [line for line in city.helplines if line.number == "0800-39393"]
    assert hours.is_open(line.hours, city, local(city, day, clock)) is is_open


@pytest.mark.parametrize(
    ("day", "clock", "is_open"),
    [(9, "21:59", False), (9, "22:00", True), (10, "01:59", True), (10, "02:00", False), (9, "01:00", False)],
)
def test_a_night_that_begins_on_friday_ends_on_saturday(body: Body, day: int, clock: str, is_open: bool) -> None:
    body["helplines"][0]["hours"] = [{"days": ["fri"], "from": "22:00", "to": "02:00"}]
    city = parse(body, "lahore.toml")
    assert hours.is_open(city.helplines[0].hours, city, local(city, day, clock)) is is_open


def test_whole_days_and_the_end_of_a_day(body: Body) -> None:
    body["helplines"][0]["hours"] = [{"days": ["sat"]}]
    body["helplines"][1]["hours"] = [{"days": ["sat"], "from": "12:00", "to": "24:00"}]
    city = parse(body, "lahore.toml")
    whole, evening = city.helplines[0].hours, city.helplines[1].hours
    moments = [local(city, 9, "23:59"), local(city, 10, "00:00"), local(city, 10, "23:59"), local(city, 11, "00:00")]
    assert [hours.is_open(whole, city, moment) for moment in moments] == [False, True, True, False]
    assert [hours.is_open(evening, city, moment) for moment in moments] == [False, False, True, False]


def test_hours_that_nobody_states_are_not_guessed(body: Body) -> None:
    city = parse(body, "lahore.toml")
    assert hours.is_open(Hours((), stated=False), city, local(city, 5, "12:00")) is None
    assert hours.is_open(Hours(()), city, local(city, 5, "12:00")) is True


# --- cameras ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("file:var/footage/a.mp4", True),
        ("file:var/footage/deep/a.mp4", True),
        ("file:var/footage/../secret", False),
        ("file:var/footage/%2e%2e/secret", False),
        ("file:var/footage/%252e%252e/secret", False),
        ("file:/var/footage/a.mp4", False),
        ("file:///var/footage/a.mp4", False),
        ("file://host/var/footage/a.mp4", False),
        ("file:/etc/passwd", False),
        ("/etc/passwd", False),
        ("rtsp://10.20.3.4/live/1", True),
        ("rtsp://user:secret@10.20.3.4:554/live/1", True),
        ("rtsp://10.21.3.4/live/1", False),
        ("rtsp://10.20.3.4.evil.example/live/1", False),
        ("rtsp://10.20.3.4/admin/1", False),
        ("rtsp://10.20.3.4/live/..\\admin", False),
        ("rtsp://[::1]/live/1", False),
        ("http://10.20.3.4/live/1", False),
        ("http://CAMS.example.org/mjpeg", True),
        ("http://cams.example.org", True),
        ("http://cams.example.org.evil.example/", False),
        ("http://evil.example@cams.example.org/", True),
        ("http://cams.example.org@evil.example/", False),
        ("http://[broken/", False),
        ("gopher://cams.example.org/", False),
        ("", False),
    ],
)
def test_camera_addresses_stay_on_the_list(body: Body, address: str, allowed: bool) -> None:
    body["camera_sources"] = [
        {"scheme": "file", "path": "var/footage/"},
        {"scheme": "rtsp", "host": "10.20.0.0/16", "path": "/live/"},
        {"scheme": "http", "host": "cams.example.org"},
    ]
    assert is_allowed(parse(body, "lahore.toml"), address) is allowed


def test_supervisors_are_reached_by_voice(body: Body) -> None:
    for found in parse(body, "lahore.toml").ladders:
        (rung,) = [rung for rung in found.rungs if rung.who == Who.SUPERVISORS]
        assert rung.channels[0] == ChannelName.VOICE


def test_a_city_names_detectors_and_models_of_its_own(body: Body) -> None:
    body["camera_detectors"] = [{"name": "smoke", "options": {"least": 0.5}}, {"model": "models/knives.toml"}]
    smoke, knives = parse(body, "lahore.toml").camera_detectors
    assert (smoke.name, smoke.options, smoke.model) == ("smoke", {"least": 0.5}, "")
    assert (knives.name, knives.model) == ("", "models/knives.toml")
