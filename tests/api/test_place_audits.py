"""Places are rated by many and told of as a layer: nothing of one person, and dark streets of cameras beside it."""

import csv
import io
import uuid
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from domain import geo
from domain.audit.documents import AuditDoc
from domain.cameras.queries import observations
from domain.evidence.retention import is_held
from domain.people import queries as people
from domain.place_audits import queries, service
from domain.place_audits.states import Aspect
from sandbox.footage import draw, heads
from tests.api.conftest import Hand
from tests.factories.people import SECRET, Signed, signed_in, staff
from tests.workers.vision.test_redaction import visible
from workers.context import Context
from workers.photos import due_photos, redact_with

LANE = (31.5502, 74.3241)
K = 5


def ratings(stars: int) -> dict[str, int]:
    return {str(each): stars for each in Aspect}


def rate(api: FlaskClient, who: Signed, *, stars: int = 1, lane: tuple[float, float] = LANE, **more: Any) -> Any:
    body = {"position": {"lat": lane[0], "lon": lane[1]}, "ratings": ratings(stars), **more}
    answer = api.post("/v1/place-audits", json=body, headers={"Idempotency-Key": str(uuid.uuid4()), **who.headers})
    if answer.status_code == 201:
        service.fold((answer.json or {})["id"], secret=SECRET)
    return answer


def a_lane(number: int) -> tuple[float, float]:
    """A place of a test's own."""
    return geo.destination(*LANE, 90.0, 1500.0 * number)


def layer(api: FlaskClient, who: Signed, hour: int) -> dict[str, Any]:
    answer = api.get("/v1/insights/place-audits", query_string={"city": "lahore", "hour": hour}, headers=who.headers)
    assert answer.status_code == 200, answer.json
    found: dict[str, Any] = answer.json or {}
    return found


def test_a_cell_is_told_of_from_the_kth_person_on(api: FlaskClient, clock: Hand) -> None:
    planner, lane = staff(clock(), "analyst"), a_lane(1)
    cell = geo.cells(*lane).r9
    told = []
    for _ in range(K):
        made = rate(api, signed_in(clock()), stars=2, lane=lane)
        assert (made.status_code, made.json["cell"]) == (201, cell)
        told.append(cell in [each["id"] for each in layer(api, planner, made.json["hour"])["features"]])
    assert told == [False] * (K - 1) + [True]
    (feature,) = [each for each in layer(api, planner, 14)["features"] if each["id"] == cell]
    ring = feature["geometry"]["coordinates"][0]
    assert (ring[0], len(ring)) == (ring[-1], 7)
    assert (feature["properties"]["n"], feature["properties"]["score"]) == (K, 2.0)
    assert cell not in [each["id"] for each in layer(api, planner, 3)["features"]]
    citizen = signed_in(clock())
    near = api.get("/v1/place-audits/near", query_string={"lat": lane[0], "lon": lane[1]}, headers=citizen.headers).json
    assert near == {"city": "lahore", "hour": 14, "k": K, "items": [{"cell": cell, "n": K, "score": 2.0}]}


def test_what_is_told_is_not_moved_by_one_more(api: FlaskClient, clock: Hand) -> None:
    planner, lane = staff(clock(), "analyst"), a_lane(2)
    for _ in range(K):
        rate(api, signed_in(clock()), stars=3, lane=lane)
    before = layer(api, planner, 14)
    for _ in range(K - 1):
        rate(api, signed_in(clock()), stars=0, lane=lane)
        assert layer(api, planner, 14) == before


def test_where_somebody_stood_is_not_kept(api: FlaskClient, clock: Hand) -> None:
    made = rate(api, signed_in(clock()), lane=a_lane(3), note="x").json
    kept = queries.get(made["id"])
    assert not {"position", "lat", "lon"} & kept.keys()
    (cell,) = queries.place_cells().find({"cell": made["cell"]})
    assert kept["person"] not in str(cell)


def test_who_is_forgotten_waits_no_more_and_leaves_nothing(api: FlaskClient, clock: Hand) -> None:
    who, lane = signed_in(clock()), a_lane(4)
    made = rate(api, who, lane=lane).json
    assert len(next(iter(queries.place_cells().find({"cell": made["cell"]})))["waiting"]) == 1
    dropped: list[str] = []
    assert service.forget(who.person_id, secret=SECRET, drop=dropped.append) == 1
    assert dropped == []
    assert next(iter(queries.place_cells().find({"cell": made["cell"]})))["waiting"] == {}
    service.fold(made["id"], secret=SECRET)
    assert queries.of_person(who.person_id) == []


def test_a_retry_is_the_same_and_other_words_under_its_key_are_refused(api: FlaskClient, clock: Hand) -> None:
    who = signed_in(clock())
    body = {"position": {"lat": LANE[0], "lon": LANE[1]}, "ratings": ratings(1)}
    headers = {"Idempotency-Key": str(uuid.uuid4()), **who.headers}
    first = api.post("/v1/place-audits", json=body, headers=headers)
    again = api.post("/v1/place-audits", json=body, headers=headers)
    other = api.post("/v1/place-audits", json=body | {"note": "no"}, headers=headers)
    assert [each.status_code for each in (first, again, other)] == [201, 200, 409]
    mine = api.get("/v1/place-audits", headers=who.headers).json or {}
    assert [each["id"] for each in mine["items"]] == [(first.json or {})["id"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ratings": {**ratings(1), "lighting": 4}}, "ratings.lighting"),
        ({"ratings": {**ratings(1), "feeling": True}}, "ratings.feeling"),
        ({"ratings": {"lighting": 1}}, "ratings.feeling"),
        ({"position": {"lat": 0.5, "lon": 0.5}}, "position"),
        ({"position": None}, "position"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    api: FlaskClient, clock: Hand, change: dict[str, Any], field: str
) -> None:
    body = {"position": {"lat": LANE[0], "lon": LANE[1]}, "ratings": ratings(1), **change}
    answer = api.post("/v1/place-audits", json=body, headers=signed_in(clock()).headers)
    assert answer.status_code == 422
    assert field in (answer.json or {})["errors"]


def test_a_picture_is_kept_without_its_place(app: Flask, api: FlaskClient, clock: Hand) -> None:
    who = signed_in(clock())
    made = rate(api, who, lane=a_lane(5)).json
    image, exif = Image.new("RGB", (32, 24), "navy"), Image.Exif()
    exif[0x010F] = "a camera's maker"
    data = io.BytesIO()
    image.save(data, "JPEG", exif=exif)
    url = f"/v1/place-audits/{made['id']}/photo"
    answer = api.put(url, data=data.getvalue(), content_type="image/jpeg", headers=who.headers)
    assert (answer.status_code, (answer.json or {})["photo"]) == (200, True)
    kept = app.extensions["amaan"].evidence.media.get(queries.get(made["id"])["photo"]["sha256"])
    assert b"maker" not in kept
    name = queries.get(made["id"])["photo"]["sha256"]
    assert is_held(name)
    wrong = api.put(url, data=b"<svg/>", content_type="image/png", headers=who.headers)
    assert (wrong.status_code, (wrong.json or {})["code"]) == (422, "not_a_picture")
    assert api.put(url, data=b"", headers=who.headers).status_code == 422
    assert api.put(url, data=data.getvalue(), headers=signed_in(clock()).headers).status_code == 404
    dropped: list[str] = []
    service.forget(who.person_id, secret=SECRET, drop=dropped.append)
    assert dropped == [name]


@pytest.mark.timeout(60)
def test_others_see_a_picture_without_faces_and_only_where_something_may_be_told(
    app: Flask, api: FlaskClient, clock: Hand
) -> None:
    """A street with people in it: its author sees it as it is, a planner a copy in which nobody can be recognised."""
    lane, size = a_lane(9), (960, 540)
    authors, planner = [signed_in(clock()) for _ in range(K)], staff(clock(), "analyst")
    made, *_ = (rate(api, each, lane=lane).json for each in authors[:-1])
    street = next(iter(draw("crowd", 2.0, size, 8, 0)))
    drawn = [head for head in heads("crowd", 0.0, 2.0, size) if visible(street, head)]
    assert drawn
    url = f"/v1/place-audits/{made['id']}/photo"
    sent = cv2.imencode(".jpg", street)[1].tobytes()
    assert api.put(url, data=sent, content_type="image/jpeg", headers=authors[0].headers).status_code == 200
    assert api.get(url, headers=authors[0].headers).mimetype == "image/jpeg"
    assert api.get(url, headers=authors[1].headers).status_code == 404
    assert api.get(url, headers=planner.headers).status_code == 404

    asked: list[tuple[str, ...]] = []

    def enqueue(*job: str) -> bool:
        asked.append(job)
        return True

    context = Context(app.extensions["amaan"].settings, clock, enqueue, None, {})  # type: ignore[arg-type]
    for _ in range(2):
        due_photos(context, None)  # type: ignore[arg-type]
    assert asked == [("redact_photo", made["id"])]
    for _ in range(2):
        redact_with(context, made["id"])

    def listed(who: Signed) -> Any:
        return api.get("/v1/insights/place-audits/photos?city=lahore", headers=who.headers)

    shown = f"/v1/insights/place-audits/photos/{made['id']}"
    assert listed(planner).json["items"] == []  # fewer than k people have rated it
    assert api.get(shown, headers=planner.headers).status_code == 404
    rate(api, authors[-1], lane=lane)
    (row,) = listed(planner).json["items"]
    assert (row["id"], row["cell"], row.keys()) == (made["id"], made["cell"], {"id", "cell", "hour", "shown_at"})
    before = len(_seen(made["id"]))
    answer = api.get(shown, headers=planner.headers)
    assert (answer.status_code, answer.mimetype, len(_seen(made["id"])) - before) == (200, "image/jpeg", 1)
    image = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_COLOR)[: size[1]]
    copy = app.extensions["amaan"].evidence.media.get(queries.get(made["id"])["photo_shown"])
    clean = cv2.imdecode(np.frombuffer(copy, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[1] == size[0]
    assert not any(visible(clean, head) for head in drawn)
    for role in ("operator", "counsellor"):
        assert listed(staff(clock(), role)).status_code == 403

    # Another picture in its place: the old one and its copy are gone, and nothing is shown until it has its own.
    names = {queries.get(made["id"])["photo"]["sha256"], queries.get(made["id"])["photo_shown"]}
    other = cv2.imencode(".jpg", street[:, ::-1])[1].tobytes()
    assert api.put(url, data=other, content_type="image/jpeg", headers=authors[0].headers).status_code == 200
    assert api.get(shown, headers=planner.headers).status_code == 404
    for name in names:
        with pytest.raises(FileNotFoundError):
            app.extensions["amaan"].evidence.media.get(name)


def _seen(audit_id: str) -> list[Any]:
    return list(AuditDoc._get_collection().find({"action": "place_audit.photo_seen", "subject": audit_id}))


def test_dark_streets_of_cameras_stand_beside(api: FlaskClient, clock: Hand) -> None:
    lane = a_lane(6)
    night = clock() - timedelta(hours=12)  # 02:00 in Lahore
    for number, dark in enumerate((True, True, False)):
        observations().insert_one(
            {
                "_id": f"obs_dark{number}", "city": "lahore", "camera": f"cam_{number}", "at": night, "created_at": night,
                "cells": {"r9": geo.cells(*lane).r9}, "seen": {"health": {"dark": dark}},
            }
        )  # fmt: skip
    planner = staff(clock(), "analyst")
    (found,) = layer(api, planner, 2)["dark_streets"]["features"]
    assert {name: found["properties"][name] for name in ("cameras", "looks", "dark")} == {
        "cameras": 3, "looks": 3, "dark": 2,
    }  # fmt: skip
    assert layer(api, planner, 14)["dark_streets"]["features"] == []


def test_planners_take_it_along_and_it_is_logged(api: FlaskClient, clock: Hand) -> None:
    planner, lane = staff(clock(), "analyst"), a_lane(7)
    for _ in range(K):
        rate(api, signed_in(clock()), stars=1, lane=lane)
    url = "/v1/insights/place-audits/export"
    table = api.get(url, query_string={"city": "lahore"}, headers=planner.headers)
    rows = {row["cell"]: row for row in csv.DictReader(io.StringIO(table.text))}
    assert rows[geo.cells(*lane).r9] == {
        "cell": geo.cells(*lane).r9, "hour": "14", "n": "5", "score": "1.0", **{str(each): "1.0" for each in Aspect},
    }  # fmt: skip
    shapes = api.get(url, query_string={"city": "lahore", "format": "geojson"}, headers=planner.headers)
    assert shapes.mimetype == "application/geo+json"
    assert geo.cells(*lane).r9 in [each["id"] for each in (shapes.get_json(force=True))["features"]]
    logged = AuditDoc._get_collection().find({"action": "place_audits.exported", "actor": planner.person_id})
    assert [each["refs"] for each in logged] == [{"format": "csv"}, {"format": "geojson"}]
    operator = staff(clock(), "operator")
    assert api.get(url, query_string={"city": "lahore"}, headers=operator.headers).status_code == 403
    assert api.get(url, query_string={"city": "karachi"}, headers=planner.headers).status_code == 404
    assert (
        api.get("/v1/insights/place-audits", query_string={"city": "lahore"}, headers=planner.headers).status_code
        == 422
    )


def test_an_export_of_oneself_has_ones_audits(api: FlaskClient, clock: Hand) -> None:
    who = signed_in(clock())
    made = rate(api, who, lane=a_lane(8)).json
    body = api.get("/v1/me/export", headers=who.headers).json or {}
    assert [each["id"] for each in body["records"]["place_audits"]] == [made["id"]]
    assert people.get(who.person_id)
