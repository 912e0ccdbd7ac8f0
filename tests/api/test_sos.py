"""An SOS over HTTP: raised by whoever sends it, followed, cancelled; units are offered it by the real reactions."""

import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from domain.dispatch import queries as dispatch_queries
from domain.dispatch import rules as dispatch_rules
from domain.dispatch import service as dispatch
from domain.incidents import service as incidents
from tests.api.conftest import Enqueued, Hand
from tests.factories.people import SECRET, signed_in

HERE = {"lat": 31.5204, "lon": 74.3587, "accuracy_m": 12}


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def raised(api: FlaskClient, body: Any = None, **headers: str) -> dict[str, Any]:
    answer = api.post("/v1/sos", json=body or {"position": HERE, "device": "phone-1"}, headers={**key(), **headers})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def test_an_sos_is_taken_and_followed_by_its_own_token(api: FlaskClient, enqueued: Enqueued) -> None:
    sos = raised(api)
    assert sos["status"] == "open"
    assert sos["cancel_requires_pin"] is False
    assert ("drain", ("incidents", sos["id"])) in enqueued.jobs
    answer = api.get(f"/v1/sos/{sos['id']}", headers={"Sos-Token": sos["sos_token"]})
    assert answer.status_code == 200
    assert answer.get_json()["unfilled"] == ["police"]
    again = api.get(
        f"/v1/sos/{sos['id']}", headers={"Sos-Token": sos["sos_token"], "If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    assert api.get(f"/v1/sos/{sos['id']}").status_code == 401
    assert api.get(f"/v1/sos/{sos['id']}", headers={"Sos-Token": "x"}).status_code == 401


def test_the_same_key_is_the_same_sos(api: FlaskClient) -> None:
    headers = key()
    first = api.post("/v1/sos", json={"position": HERE, "device": "phone-2"}, headers=headers)
    fresher = {"position": {**HERE, "lat": 31.53}, "device": "phone-2"}
    second = api.post("/v1/sos", json=fresher, headers=headers)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.get_json() == second.get_json()
    assert incidents.get(first.get_json()["id"])["position"]["lat"] == 31.53


def test_a_unit_is_offered_accepts_and_the_citizen_sees_it(api: FlaskClient, app: Flask, clock: Hand) -> None:
    dispatch_queries.units().insert_one(
        {"_id": "uni_1", "city": "lahore", "agency": "punjab_police", "name": "L-1", "services": ["police"]}
        | {"status": "off_duty", "position": {**HERE, "at": clock()}, "cells": {}}
    )
    officer = signed_in(
        clock(),
        roles=[{"role": "responder", "city": "lahore", "agency_id": "punjab_police", "group_id": ""}],
        unit_id="uni_1",
    )
    duty = api.put("/v1/responder/duty", json={"status": "available"}, headers=officer.headers)
    assert duty.status_code == 200, duty.get_data(as_text=True)
    clock.forward(seconds=1)
    batch = {"positions": [{**HERE, "lat": 31.521}]}
    assert api.post("/v1/responder/positions", json=batch, headers=officer.headers).status_code == 202
    sos = raised(api)
    from api.desk import desk

    with app.app_context():
        dispatch.start(sos["id"], desk("lahore"), now=clock())
    listed = api.get("/v1/responder/assignments", headers=officer.headers).get_json()["items"]
    assert [each["incident_id"] for each in listed] == [sos["id"]]
    assert listed[0]["position"] is None
    assignment = listed[0]["id"]
    for step, status in (("accept", "accepted"), ("en_route", "en_route"), ("on_scene", "on_scene")):
        answer = api.post(f"/v1/assignments/{assignment}/{step}", headers=officer.headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.get_json()["status"] == status
    view = api.get(f"/v1/sos/{sos['id']}", headers={"Sos-Token": sos["sos_token"]}).get_json()
    assert view["status"] == "on_scene"
    assert view["services"][0]["agency"] == "punjab_police"
    done = api.post(f"/v1/assignments/{assignment}/clear", json={}, headers=officer.headers)
    assert done.get_json()["status"] == "cleared"
    token = dispatch_rules.link_for(SECRET, assignment)
    assert api.get(f"/a/{token}").status_code == 200


def test_cancel_without_pins_needs_none(api: FlaskClient) -> None:
    sos = raised(api)
    answer = api.post(f"/v1/sos/{sos['id']}/cancel", json={}, headers={"Sos-Token": sos["sos_token"]})
    assert answer.status_code == 200
    assert answer.get_json()["resolution"] == "cancelled_by_citizen"


@pytest.mark.parametrize("lang", ["en", "ur"])
def test_the_one_tap_page_shows_then_acts(api: FlaskClient, app: Flask, clock: Hand, lang: str) -> None:
    unit = f"uni_{lang}"
    dispatch_queries.units().insert_one(
        {"_id": unit, "city": "lahore", "agency": "rescue_1122", "name": unit, "services": ["medical"]}
        | {"status": "available", "position": {**HERE, "at": clock()}, "cells": {}}
    )
    sos = raised(api, {"position": HERE, "category": "medical", "device": "phone-9"})
    from api.desk import desk

    with app.app_context():
        doc = dispatch.assign(sos["id"], "medical", unit, desk("lahore"), by="per_1", now=clock())
    assignment = next(iter(doc["assignments"]))
    path = f"/a/{dispatch_rules.link_for(SECRET, assignment)}?lang={lang}"
    shown = api.get(path)
    assert shown.status_code == 200
    assert incidents.get(sos["id"])["assignments"][assignment]["status"] == "offered"
    done = api.post(path, data={"do": "accept"})
    assert done.status_code == 303
    assert incidents.get(sos["id"])["assignments"][assignment]["status"] == "accepted"
    assert "geo:31.5204" in api.get(path).get_data(as_text=True)
