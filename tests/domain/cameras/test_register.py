"""The register: cameras by city and owner, changes by version, keys of gateways, and how long what was seen is kept."""

from datetime import timedelta
from typing import Any

import pytest

from domain.cameras import looks, observations, queries, registry
from domain.cameras.errors import CameraChanged, CameraNotFound, GatewayKeyUnknown, ObservationNotFound
from domain.cities import queries as cities
from domain.errors import Invalid
from tests.factories.cameras import NOON, PLACE, SECRET, camera, seen, sos

pytestmark = pytest.mark.usefixtures("documents")


def change(camera_id: str, facts: dict[str, Any], **how: Any) -> Any:
    return registry.change(camera_id, facts, cities.current("lahore"), secret=SECRET, now=NOON, **how)


def test_pages_of_a_city_and_of_an_owner() -> None:
    ids = sorted(camera(f"c{n}", owner="per_1" if n % 2 else "per_2")["_id"] for n in range(7))
    registry.retire(ids[3], now=NOON)
    kept = [each for each in ids if each != ids[3]]
    first, after = queries.listed("lahore", limit=4)
    rest, end = queries.listed("lahore", after=after, limit=4)
    assert [row["_id"] for row in (*first, *rest)] == kept
    assert end is None
    mine, _ = queries.listed("lahore", owner="per_1", limit=10)
    assert {row["owner"] for row in mine} == {"per_1"}
    assert queries.listed("karachi", limit=10) == ([], None)


def test_a_change_is_of_the_version_that_was_seen() -> None:
    made = camera("one")
    changed = change(made["_id"], {"bearing_deg": 90.0, "health": {"state": "ok"}}, if_version=1)
    assert (changed["bearing_deg"], changed["version"], changed["health"]["state"]) == (90.0, 2, "unknown")
    with pytest.raises(CameraChanged):
        change(made["_id"], {"bearing_deg": 10.0}, if_version=1)
    moved = change(made["_id"], {"position": {"lat": PLACE[0] + 0.1, "lon": PLACE[1]}})
    assert moved["cells"] != made["cells"]
    registry.retire(made["_id"], now=NOON)
    for attempt in (lambda: change(made["_id"], {"name": "x"}), lambda: registry.retire(made["_id"], now=NOON)):
        with pytest.raises(CameraNotFound):
            attempt()


@pytest.mark.parametrize(
    "facts",
    [
        {"position": {"lat": 91, "lon": 0}},
        {"bearing_deg": 361.0},
        {"fov_deg": 0.0},
        {"range_m": -1.0},
        {"source": {"kind": "x"}},
    ],
)
def test_what_cannot_be(facts: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        camera("one", **facts)
    assert queries.cameras().count_documents({}) == 0


def test_the_same_key_with_another_camera_is_refused() -> None:
    facts = {"name": "a", "position": {"lat": PLACE[0], "lon": PLACE[1]}, "source": {"kind": "gateway"}}
    how: dict[str, Any] = {"secret": SECRET, "now": NOON}
    config = cities.current("lahore")
    assert registry.add("cam_1", facts, config, fingerprint="f1", **how)[1]
    assert not registry.add("cam_1", facts, config, fingerprint="f1", **how)[1]
    with pytest.raises(CameraChanged) as refused:
        registry.add("cam_1", facts, config, fingerprint="f2", **how)
    assert refused.value.error_code == "idempotency_conflict"


def test_a_gateways_key_opens_one_camera_until_a_new_one() -> None:
    one, other = camera("one")["_id"], camera("other")["_id"]
    first = registry.issue_key(one, secret=SECRET, now=NOON)
    assert registry.issue_key(one, secret=SECRET, now=NOON, renew=False) == first
    assert registry.by_gateway(one, first)["_id"] == one
    assert first not in str(queries.cameras().find_one({"_id": one}))
    second = registry.issue_key(one, secret=SECRET, now=NOON)
    assert registry.by_gateway(one, second)
    registry.issue_key(other, secret=SECRET, now=NOON)
    for camera_id, key in ((one, first), (other, second), ("cam_none", second), (one, ""), ("cam_none", "")):
        with pytest.raises(GatewayKeyUnknown):
            registry.by_gateway(camera_id, key)
    registry.revoke_key(one, now=NOON)
    with pytest.raises(GatewayKeyUnknown):
        registry.by_gateway(one, second)
    assert registry.issue_key(one, secret=SECRET, now=NOON) not in (first, second)


def test_a_gateways_observation_is_kept_once() -> None:
    made = camera("one", source={"kind": "gateway"})
    how: dict[str, Any] = {"at": NOON, "now": NOON}
    first, created = observations.of_gateway(made, "key-1", "f1", seen("down", reason="no_answer"), **how)
    assert created
    assert [each["type"] for each in first["pending_events"]] == ["observation.made"]
    assert observations.of_gateway(made, "key-1", "f1", seen("clear"), **how)[0]["view"] == "down"
    with pytest.raises(CameraChanged):
        observations.of_gateway(made, "key-1", "f2", seen("clear"), **how)
    health = queries.camera(made["_id"])["health"]
    assert (health["state"], health["reasons"]) == ("down", ["no_answer"])
    observations.of_gateway(made, "key-0", "f", seen("clear"), at=NOON - timedelta(minutes=1), now=NOON)
    assert queries.camera(made["_id"])["health"]["state"] == "down"  # older news changes nothing


def test_pages_of_a_cameras_observations() -> None:
    made = camera("one", source={"kind": "gateway"})
    for n in range(5):  # two of the same moment
        at = NOON + timedelta(seconds=n // 2)
        observations.of_gateway(made, f"key-{n}", "f", seen("clear"), at=at, now=NOON)
    found: list[Any] = []
    after = None
    while True:
        page, after = queries.of_camera(made["_id"], after=after, limit=2)
        found += page
        if after is None:
            break
    assert len({row["_id"] for row in found}) == len(found) == 5
    assert [row["at"] for row in found] == sorted((row["at"] for row in found), reverse=True)
    span: dict[str, Any] = {"since": NOON + timedelta(seconds=1), "until": NOON + timedelta(seconds=1)}
    assert len(queries.of_camera(made["_id"], limit=10, **span)[0]) == 2


def look_of(key: str, at: Any, stills: list[str], *, die: bool = False) -> str:
    incident = sos(key, at=at)
    [look] = looks.ask(incident, now=at)
    claimed = looks.begin(look, now=at)
    assert claimed
    looks.note_stills(claimed, stills)
    if die:
        looks.shed(claimed, now=at)
        return ""
    stored = observations.of_look(queries.camera(claimed["camera"]), claimed, seen(), stills, at=at, now=at)
    looks.settle(look, stored["_id"], now=at)
    return str(stored["_id"])


def test_kept_as_long_as_the_city_says_and_a_picture_as_long_as_somebody_shows_it() -> None:
    camera("one")
    days = cities.current("lahore").retention_days["observations"]  # type: ignore[index]
    old = look_of("a", NOON, ["s-old", "s-both"])
    young = look_of("b", NOON + timedelta(days=1), ["s-both", "s-young"])
    dropped: list[str] = []
    config = cities.current("lahore")
    assert observations.expire(config, dropped.append, now=NOON + timedelta(days=days, minutes=-1)) == []
    assert observations.expire(config, dropped.append, now=NOON + timedelta(days=days)) == [old]
    assert dropped == ["s-old"]
    assert queries.observation(young)
    with pytest.raises(ObservationNotFound):
        queries.observation(old)


def test_a_picture_that_no_observation_has_is_forgotten_with_its_look() -> None:
    camera("one")
    look_of("a", NOON, ["s-shown"])
    look_of("b", NOON + timedelta(minutes=1), ["s-shown", "s-orphan"], die=True)
    dropped: list[str] = []
    assert observations.forget_looks(dropped.append, now=NOON + timedelta(hours=23)) == 0
    assert observations.forget_looks(dropped.append, now=NOON + timedelta(days=2)) == 2
    assert dropped == ["s-orphan"]
