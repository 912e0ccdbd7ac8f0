"""Cameras over HTTP: who keeps them, whose key says what, who sees a picture, and what an incident shows."""

import io
import uuid
from datetime import timedelta
from typing import Any

import hypothesis
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api.schemas import rfc3339
from domain.audit import chain
from domain.cameras import health, looks, observations, queries
from domain.cameras.health_rules import Sample
from domain.cameras.states import HealthState
from domain.cities.config import CameraSource
from domain.correlation import service as correlation
from runtime.media import Media
from runtime.settings import Settings
from tests.factories.cameras import PLACE, hold_city, seen, sos
from tests.factories.people import signed_in, staff

SIZE = (640, 360)


def picture() -> bytes:
    """A JPEG of one colour."""
    out = io.BytesIO()
    Image.new("RGB", SIZE, (40, 90, 40)).save(out, "JPEG")
    return out.getvalue()


JPEG = picture()
NEW = {
    "name": "Liberty roundabout",
    "position": {"lat": PLACE[0] + 0.0005, "lon": PLACE[1]},
    "bearing_deg": 180.0,
    "fov_deg": 70.0,
    "range_m": 150.0,
    "source": {"kind": "mjpeg", "url": "http://viewer:s3cret@cams.example/live/7"},
}


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings.model_copy(update={"media_url": f"file://{tmp_path_factory.mktemp('media')}"})


@pytest.fixture(autouse=True)
def _city(app: Flask, monkeypatch: pytest.MonkeyPatch, clock: Any) -> None:
    hold_city(monkeypatch, CameraSource("http", "cams.example", "/live/"))
    clock.forward(minutes=2)


@pytest.fixture
def admin(app: Flask, clock: Any) -> Any:
    return staff(clock(), "admin")


@pytest.fixture
def operator(app: Flask, clock: Any) -> Any:
    return staff(clock(), "operator")


def said(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json(force=True).get("code", "")


def add(api: FlaskClient, who: Any, *, key: str | None = None, **fields: Any) -> Any:
    headers = {**who.headers, "Idempotency-Key": key or str(uuid.uuid4())}
    return api.post("/v1/cameras", json={**NEW, "city": "lahore", **fields}, headers=headers)


def audited(clock: Any, action: str) -> int:
    entries = chain._audit().find({"chain": chain.chain_of("lahore", clock()), "action": action})
    return len(list(entries))


def test_a_camera_is_added_read_changed_and_retired(api: FlaskClient, admin: Any, operator: Any, clock: Any) -> None:
    key = str(uuid.uuid4())
    made = add(api, admin, key=key)
    assert made.status_code == 201
    body = made.get_json()
    assert body["source"] == {"kind": "mjpeg", "url": "http://cams.example/live/7", "with_password": True}
    assert "s3cret" not in made.get_data(as_text=True)
    assert (body["health"]["state"], body["gateway"], "gateway_key" in body) == ("unknown", False, False)
    again = add(api, admin, key=key)
    assert (again.status_code, again.get_json()["id"]) == (200, body["id"])
    assert said(add(api, admin, key=key, name="Another")) == (409, "idempotency_conflict")

    here = f"/v1/cameras/{body['id']}"
    read = api.get(here, headers=operator.headers)
    assert read.get_json()["name"] == "Liberty roundabout"
    assert api.get(here, headers={**operator.headers, "If-None-Match": read.headers["ETag"]}).status_code == 304
    assert said(api.patch(here, json={"name": "x"}, headers=operator.headers)) == (403, "not_allowed")
    stale = {**admin.headers, "If-Match": '"99"'}
    assert said(api.patch(here, json={"name": "x"}, headers=stale)) == (412, "precondition_failed")
    gate = {"name": "gate", "corners": [[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]]}
    facts = {"enabled": False, "bearing_deg": 90, "zones": [gate]}
    changed = api.patch(here, json=facts, headers=admin.headers).get_json()
    assert changed["zones"] == [gate]
    assert queries.camera(body["id"])["zones"] == {"gate": gate["corners"]}
    assert (changed["enabled"], changed["bearing_deg"], changed["version"]) == (False, 90.0, 2)
    assert api.delete(here, headers=admin.headers).status_code == 204
    assert said(api.get(here, headers=admin.headers)) == (404, "camera_not_found")
    assert said(api.delete(here, headers=admin.headers)) == (404, "camera_not_found")
    assert audited(clock, "camera.added") >= 1
    assert audited(clock, "camera.retired") == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"source": {"kind": "mjpeg", "url": "http://127.0.0.1:9/live/7"}}, "camera_source_not_allowed"),
        ({"source": {"kind": "file", "path": "/etc/passwd"}}, "camera_source_not_allowed"),
        ({"source": {"kind": "mjpeg"}}, "invalid"),
        ({"source": {"kind": "ftp"}}, "invalid"),
        ({"position": {"lat": 91, "lon": 0}}, "invalid"),
        ({"bearing_deg": 400}, "invalid"),
        ({"range_m": "far"}, "invalid"),
        ({"zones": [{"name": "gate", "corners": [[0, 0], [1, 1]]}]}, "invalid"),
        ({"zones": [{"name": "gate\n", "corners": [[0, 0], [1, 1], [0, 1]]}]}, "invalid"),
        ({"masks": [[[0, 0], [2, 1], [1, 1]]]}, "invalid"),
        ({"name": ""}, "invalid"),
    ],
)
def test_what_is_refused(api: FlaskClient, admin: Any, change: dict[str, Any], code: str) -> None:
    assert said(add(api, admin, **change)) == (422, code)


def test_nothing_needed_may_be_missing(api: FlaskClient, admin: Any) -> None:
    answer = api.post("/v1/cameras", json={"name": "x"}, headers=admin.headers)
    assert set(answer.get_json()["errors"]) == {"position", "bearing_deg", "fov_deg", "range_m", "source"}


def test_pages(api: FlaskClient, admin: Any) -> None:
    ids = {add(api, admin, name=f"c{n}").get_json()["id"] for n in range(5)}
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2, "city": "lahore"}
    while True:
        page = api.get("/v1/cameras", query_string=query, headers=admin.headers).get_json()
        found += [each["id"] for each in page["items"]]
        if "next" not in page:
            break
        query["cursor"] = page["next"]
    assert ids <= set(found)
    assert found == sorted(set(found))


def test_who_lent_a_camera_sees_and_changes_that_one(api: FlaskClient, admin: Any, clock: Any) -> None:
    held = [{"role": "camera_owner", "city": "lahore", "agency_id": "", "group_id": ""}]
    owner, other = signed_in(clock(), roles=held), signed_in(clock(), roles=held)
    theirs = add(api, owner)
    assert (theirs.status_code, theirs.get_json()["owner"]) == (201, owner.person_id)
    citys = add(api, admin).get_json()["id"]
    here = f"/v1/cameras/{theirs.get_json()['id']}"
    listed = api.get("/v1/cameras", headers=owner.headers).get_json()["items"]
    assert [each["id"] for each in listed] == [theirs.get_json()["id"]]
    assert api.get("/v1/cameras", headers=other.headers).get_json()["items"] == []
    assert api.patch(here, json={"enabled": False}, headers=owner.headers).status_code == 200
    assert said(api.get(here, headers=other.headers)) == (404, "camera_not_found")
    assert said(api.patch(f"/v1/cameras/{citys}", json={"enabled": False}, headers=owner.headers))[0] == 404
    assert said(add(api, owner, city="karachi"))[0] == 404
    folder = {"kind": "file", "path": "var/footage/of-the-city.mp4"}
    assert said(add(api, owner, source=folder)) == (422, "camera_source_not_allowed")
    assert said(api.get(f"{here}/observations", headers=owner.headers)) == (403, "not_allowed")


def test_another_citys_cameras_are_not_there(api: FlaskClient, admin: Any, clock: Any) -> None:
    camera_id = add(api, admin).get_json()["id"]
    stranger = staff(clock(), "operator", city="karachi")
    for path in (f"/v1/cameras/{camera_id}", f"/v1/cameras/{camera_id}/observations", "/v1/cameras?city=lahore"):
        assert api.get(path, headers=stranger.headers).status_code == 404
    assert api.get(f"/v1/cameras/{camera_id}").status_code == 401
    citizen = signed_in(clock())
    assert api.get(f"/v1/cameras/{camera_id}", headers=citizen.headers).status_code == 403


def test_a_gateway_says_what_it_saw_and_nothing_else(api: FlaskClient, admin: Any, clock: Any, enqueued: Any) -> None:
    made = add(api, admin, key="gateway-camera-0001", gateway=True, source={"kind": "gateway"}).get_json()
    again = add(api, admin, key="gateway-camera-0001", gateway=True, source={"kind": "gateway"}).get_json()
    assert made["gateway_key"] == again["gateway_key"]
    here = f"/v1/cameras/{made['id']}/observations"
    body = {
        "captured_at": rfc3339(clock()),
        "view": "seen",
        "people": 2,
        "findings": [{"kind": "lying", "confidence": 0.8}],
    }
    headers = {"Gateway-Key": made["gateway_key"], "Idempotency-Key": str(uuid.uuid4())}
    posted = api.post(here, json=body, headers=headers)
    assert posted.status_code == 201
    assert (posted.get_json()["people"], posted.get_json()["by"], posted.get_json()["stills"]) == (2, "gateway", [])
    assert enqueued.jobs[-1] == ("drain", ("observations", posted.get_json()["id"]))
    repeated = api.post(here, json=body, headers=headers)
    assert (repeated.status_code, repeated.get_json()["id"]) == (200, posted.get_json()["id"])
    assert said(api.post(here, json={**body, "people": 3}, headers=headers)) == (409, "idempotency_conflict")

    other = add(api, admin, gateway=True).get_json()
    for path, key in (
        (here, other["gateway_key"]),
        (here, ""),
        (here, "amg_guess"),
        ("/v1/cameras/cam_none/observations", made["gateway_key"]),
    ):
        assert said(api.post(path, json=body, headers={"Gateway-Key": key})) == (401, "gateway_key_unknown")
    for path in (f"/v1/cameras/{made['id']}", here, "/v1/cameras"):  # one purpose
        assert api.get(path, headers={"Gateway-Key": made["gateway_key"]}).status_code == 401
        assert api.get(path, headers={"Authorization": f"Bearer {made['gateway_key']}"}).status_code == 401

    fresh = api.post(f"/v1/cameras/{made['id']}/gateway-key", headers=admin.headers).get_json()["gateway_key"]
    assert said(api.post(here, json=body, headers=headers)) == (401, "gateway_key_unknown")
    assert api.post(here, json=body, headers={"Gateway-Key": fresh}).status_code == 201
    assert api.delete(f"/v1/cameras/{made['id']}/gateway-key", headers=admin.headers).status_code == 204
    assert said(api.post(here, json=body, headers={"Gateway-Key": fresh}))[0] == 401


@pytest.mark.parametrize(
    "change",
    [
        {"captured_at": "yesterday"},
        {"captured_at": "2020-01-01T00:00:00Z"},
        {"captured_at": "2031-01-01T00:00:00Z"},
        {"plates": [{"text": "LEC 7341", "score": 0.9, "t": 900.0}]},
        {"view": "busy"},
        {"view": "clear", "people": 2},
        {"view": "clear", "findings": [{"kind": "fall", "confidence": 0.5}]},
        {"findings": [{"kind": "dancing", "confidence": 0.5}]},
        {"findings": [{"kind": "fall", "confidence": 1.5}]},
        {"people": -1},
        {"health": {"reason": "<b>"}},
    ],
)
def test_a_gateways_nonsense_is_refused(api: FlaskClient, admin: Any, clock: Any, change: dict[str, Any]) -> None:
    made = add(api, admin, gateway=True, source={"kind": "gateway"}).get_json()
    body = {"captured_at": rfc3339(clock()), "view": "seen", **change}
    headers = {"Gateway-Key": made["gateway_key"]}
    assert said(api.post(f"/v1/cameras/{made['id']}/observations", json=body, headers=headers)) == (422, "invalid")
    assert queries.observations().count_documents({"camera": made["id"]}) == 0


def test_a_gateway_that_talks_without_end_is_told_to_wait(api: FlaskClient, admin: Any, clock: Any) -> None:
    made = add(api, admin, gateway=True, source={"kind": "gateway"}).get_json()
    body = {"captured_at": rfc3339(clock()), "view": "clear"}
    headers = {"Gateway-Key": made["gateway_key"]}
    answers = [api.post(f"/v1/cameras/{made['id']}/observations", json=body, headers=headers) for _ in range(121)]
    assert [each.status_code for each in answers[:3]] == [201, 200, 200]
    assert said(answers[-1]) == (429, "limit_reached")
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.fixture
def looked(app: Flask, settings: Settings, api: FlaskClient, admin: Any, clock: Any) -> tuple[str, str]:
    """(incident, observation): an SOS whose camera was looked at, as a worker does it."""
    for row in list(queries.cameras().find({"retired_at": None})):
        queries.cameras().delete_one({"_id": row["_id"]})
    add(api, admin)
    add(api, admin, name="Bank corner", bearing_deg=0.0)
    add(api, admin, name="Far gate", position={"lat": PLACE[0] + 0.001, "lon": PLACE[1]}, enabled=True)
    now = clock()
    incident = sos(uuid.uuid4().hex, at=now, category="medical")
    to_do = looks.ask(incident, now=now)
    claimed = looks.begin(to_do[0], now=now)
    assert claimed
    name = Media(settings.media_url).put(JPEG)
    found = queries.camera(claimed["camera"])
    stored = observations.of_look(found, claimed, seen("seen", ("lying", 0.9)), [name], at=now, now=now)
    looks.settle(to_do[0], stored["_id"], now=now)
    correlation.link_observation(stored["_id"], now=now)
    return incident, stored["_id"]


def test_an_incident_shows_each_asked_camera_and_what_links(
    api: FlaskClient, operator: Any, looked: tuple[str, str]
) -> None:
    incident, observation = looked
    body = api.get(f"/v1/incidents/{incident}", headers=operator.headers).get_json()
    first, second, third = body["cameras"]
    assert (first["name"], first["state"], first["findings"], first["confidence"]) == (
        "Liberty roundabout", "seen", ["lying"], {"lying": 0.9},
    )  # fmt: skip
    assert first["distance_m"] == pytest.approx(56, abs=1)
    assert first["stills"] == [f"/v1/observations/{observation}/stills/0"]
    assert (second["name"], second["state"]) == ("Far gate", "asked")
    assert (third["name"], third["state"], third["stills"]) == ("Bank corner", "not_covering", [])
    [link] = body["correlations"]
    assert link["other"] == {"kind": "observation", "id": observation}
    assert {each["kind"] for each in link["reasons"]} == {"distance", "time", "seen"}


def test_a_picture_is_shown_to_who_may_see_it_and_each_sight_is_logged(
    api: FlaskClient, operator: Any, admin: Any, looked: tuple[str, str], clock: Any
) -> None:
    _, observation = looked
    here = f"/v1/observations/{observation}/stills/0"
    before = audited(clock, "still.read")
    answer = api.get(here, headers=operator.headers)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    shown = Image.open(io.BytesIO(answer.get_data()))
    assert shown.width == SIZE[0]
    assert shown.height > SIZE[1]  # the line that says who looked, and when
    assert np.asarray(shown.crop((0, 0, *SIZE)).convert("L")).max() > 100  # and marks all over it
    assert answer.headers["Cache-Control"] == "private, max-age=60"
    assert audited(clock, "still.read") == before + 1
    assert said(api.get(here, headers=admin.headers)) == (403, "not_allowed")
    assert api.get(here).status_code == 401
    assert api.get(here, headers=staff(clock(), "operator", city="karachi").headers).status_code == 404
    assert said(api.get(here[:-1] + "1", headers=operator.headers)) == (404, "still_not_found")
    assert said(api.get("/v1/observations/obs_none/stills/0", headers=operator.headers))[0] == 404
    assert audited(clock, "still.read") == before + 1


def test_a_damaged_or_expired_picture_is_not_shown(
    api: FlaskClient, operator: Any, looked: tuple[str, str], settings: Settings
) -> None:
    here = f"/v1/observations/{looked[1]}/stills/0"
    [name] = queries.observation(looked[1])["stills"]
    media = Media(settings.media_url)
    with media._fs.open(media._path(name), "wb") as file:
        file.write(b"something else")
    assert said(api.get(here, headers=operator.headers)) == (404, "still_damaged")
    media.delete(name)
    assert said(api.get(here, headers=operator.headers)) == (404, "still_not_found")


def test_observations_are_listed_and_read_with_a_line_in_the_log(
    api: FlaskClient, operator: Any, looked: tuple[str, str], clock: Any
) -> None:
    incident, observation = looked
    camera_id = queries.observation(observation)["camera"]
    before = audited(clock, "observations.listed")
    here = f"/v1/cameras/{camera_id}/observations"
    page = api.get(here, headers=operator.headers).get_json()
    assert [each["id"] for each in page["items"]] == [observation]
    assert audited(clock, "observations.listed") == before + 1
    none = api.get(here, query_string={"until": rfc3339(clock() - timedelta(hours=1))}, headers=operator.headers)
    assert none.get_json()["items"] == []
    whole = api.get(f"/v1/observations/{observation}", headers=operator.headers).get_json()
    assert whole["correlations"][0]["other"] == {"kind": "incident", "id": incident}
    assert audited(clock, "observation.read") >= 1


def test_health_and_the_map_of_what_is_blind(api: FlaskClient, admin: Any, operator: Any, clock: Any) -> None:
    made = add(api, admin, name="Canal bank", record_minutes=3).get_json()
    assert made["record_minutes"] == 3
    camera_id = made["id"]
    here, whole = f"/v1/cameras/{camera_id}/health", {"city": "lahore", "which": "all"}
    assert api.get(here, headers=operator.headers).get_json()["state"] == "unknown"
    camera = queries.camera(camera_id)
    for _ in range(2):
        clock.forward(seconds=4)
        down = Sample(clock(), HealthState.DOWN, ("no_answer",))
        health.note(camera, down, by="recorder", kept_until=clock())
    shown = api.get(here, headers=operator.headers).get_json()
    assert (shown["state"], shown["reasons"], shown["by"]) == ("down", ["no_answer"], "recorder")
    assert shown["kept_until"] == rfc3339(clock())
    blind = api.get("/v1/cameras/map", query_string={"city": "lahore"}, headers=operator.headers)
    [feature] = [each for each in blind.get_json()["features"] if each["id"] == camera_id]
    assert (feature["properties"]["state"], feature["geometry"]["type"]) == ("down", "Polygon")
    assert feature["properties"]["since"] == rfc3339(clock() - timedelta(seconds=4))
    again = {**operator.headers, "If-None-Match": blind.headers["ETag"]}
    assert api.get("/v1/cameras/map", query_string={"city": "lahore"}, headers=again).status_code == 304
    clock.forward(seconds=4)
    for seconds in (0, 4, 8, 12):
        fine = Sample(clock() + timedelta(seconds=seconds), HealthState.OK, fps=12.0)
        health.note(camera, fine, by="recorder")
    changed = api.get("/v1/cameras/map", query_string={"city": "lahore"}, headers=again)
    assert camera_id not in {each["id"] for each in changed.get_json()["features"]}
    every = api.get("/v1/cameras/map", query_string=whole, headers=operator.headers).get_json()
    assert camera_id in {each["id"] for each in every["features"]}
    assert api.post(f"{here}/confirm", headers=operator.headers).status_code in {403, 404}
    assert api.post(f"{here}/confirm", headers=admin.headers).status_code == 200
    assert audited(clock, "camera.view_confirmed") == 1
    stranger = staff(clock(), "operator", city="karachi")
    assert api.get(here, headers=stranger.headers).status_code == 404
    assert api.get("/v1/cameras/map", query_string={"city": "lahore"}, headers=stranger.headers).status_code == 404


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


# Hypothesis looks at the state of `random` around each draw, and the store's client uses it in threads of its own.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@hypothesis.settings(
    max_examples=60, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_body_ends_in_an_error_of_ours(api: FlaskClient, admin: Any, clock: Any, data: st.DataObject) -> None:
    """Bad input is 4xx, and what is taken is whole."""
    source = st.fixed_dictionaries({"kind": st.sampled_from(["file", "mjpeg", "rtsp", "segments"]), "url": ANYTHING})
    odd = data.draw(st.dictionaries(st.sampled_from([*NEW, "zones", "masks", "city"]), ANYTHING | source, min_size=1))
    made = api.post("/v1/cameras", json={**NEW, "city": "lahore", **odd}, headers=admin.headers)
    assert made.status_code in {201, 404, 422}
    if made.status_code == 201:
        assert api.get(f"/v1/cameras/{made.get_json()['id']}", headers=admin.headers).status_code == 200
    cam = add(api, admin, gateway=True, source={"kind": "gateway"}).get_json()
    names = ["captured_at", "view", "people", "findings", "health", "detector", "seconds"]
    word = data.draw(st.dictionaries(st.sampled_from(names), ANYTHING, min_size=1))
    body = {"captured_at": rfc3339(clock()), "view": "seen", **word}
    headers = {"Gateway-Key": cam["gateway_key"]}
    assert api.post(f"/v1/cameras/{cam['id']}/observations", json=body, headers=headers).status_code in {201, 422}
