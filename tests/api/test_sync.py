"""What a phone fetches when it wakes up, and the city's figures."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.desk import desk
from domain.dispatch import queries as dispatch_queries
from domain.dispatch import service as dispatch
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.incidents.states import AssignmentStatus
from domain.insights import rules
from domain.people import queries as people_queries
from domain.people import service as people
from tests.api.conftest import Enqueued, Hand
from tests.factories.people import SECRET, Signed, signed_in, staff
from workers import figures
from workers.context import Context

HERE = {"lat": 31.5204, "lon": 74.3587, "accuracy_m": 12.0}


def sos(clock: Hand, **fields: Any) -> str:
    call = CallForHelp("app", **{"position": dict(HERE), "device": uuid.uuid4().hex, **fields})
    raised = incidents.raise_sos(facts(call, now=clock()), now=clock(), secret=SECRET, link_ttl=timedelta(hours=6))
    return str(raised.incident["_id"])


def officer(clock: Hand, *services: str) -> Signed:
    """A responder on an available unit."""
    unit = f"uni_{uuid.uuid4().hex[:8]}"
    dispatch_queries.units().insert_one(
        {
            "_id": unit,
            "city": "lahore",
            "agency": "punjab_police",
            "name": unit,
            "services": list(services or ["police"]),
        }
        | {"status": "available", "position": {**HERE, "at": clock()}, "cells": {}}
    )
    held = [{"role": "responder", "city": "lahore", "agency_id": "punjab_police", "group_id": ""}]
    return signed_in(clock(), roles=held, unit_id=unit, duty="available")


def offer(app: Flask, clock: Hand, incident: str, who: Signed, service: str = "police") -> str:
    unit = dispatch_queries.units().find_one({"_id": _unit(who)})
    assert unit is not None
    with app.app_context():
        doc = dispatch.assign(incident, service, unit["_id"], desk("lahore"), by="per_1", now=clock())
    return str(next(each for each, found in doc["assignments"].items() if found["unit"] == unit["_id"]))


def _unit(who: Signed) -> str:
    return str(people_queries.get(who.person_id).unit_id)


# sync


def sync(api: FlaskClient, who: Signed, cursor: str = "") -> Any:
    answer = api.get("/v1/sync" + (f"?cursor={cursor}" if cursor else ""), headers=who.headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def test_a_first_sync_has_everything_and_a_second_only_what_changed(api: FlaskClient, clock: Hand) -> None:
    citizen = signed_in(clock(), name="Ayesha")
    incident = sos(clock, person=citizen.person_id)
    clock.forward(seconds=30)
    first = sync(api, citizen)
    assert {(item["kind"], item["id"]) for item in first["items"]} == {
        ("sos", incident),
        ("profile", citizen.person_id),
    }
    clock.forward(seconds=30)
    assert sync(api, citizen, first["cursor"])["items"] == []
    people.change_profile(citizen.person_id, {"name": "Aisha"}, secret=SECRET, now=clock())
    second = sync(api, citizen, first["cursor"])
    assert [(item["kind"], item["body"]["name"]) for item in second["items"]] == [("profile", "Aisha")]


def test_many_changes_come_in_pieces_each_once(api: FlaskClient, clock: Hand) -> None:
    citizen = signed_in(clock(), name="Ayesha")
    made = {sos(clock, person=citizen.person_id, note="x" * 50) for _ in range(30)}
    clock.forward(seconds=30)
    found, cursor, more = [], "", True
    while more:
        answer = sync(api, citizen, cursor)
        assert len(str(answer)) < 8192
        found += [item["id"] for item in answer["items"] if item["kind"] == "sos"]
        cursor, more = answer["cursor"], answer["more"]
    assert sorted(found) == sorted(made)
    assert sync(api, citizen, cursor)["items"] == []


def test_however_many_sos_there_are_sync_has_each_of_them(api: FlaskClient, clock: Hand) -> None:
    """More than one answer looks at, made at two times, some of the same millisecond."""
    citizen = signed_in(clock(), name="Ayesha")
    made = {sos(clock, person=citizen.person_id) for _ in range(70)}
    clock.forward(seconds=5)
    made |= {sos(clock, person=citizen.person_id) for _ in range(70)}
    clock.forward(seconds=30)
    found, cursor, more = [], "", True
    while more:
        answer = sync(api, citizen, cursor)
        found += [item["id"] for item in answer["items"] if item["kind"] == "sos"]
        cursor, more = answer["cursor"], answer["more"]
    assert sorted(found) == sorted(made)
    clock.forward(seconds=30)
    oldest = min(made)
    incidents.change(oldest, lambda draft: draft.flag("late"), now=clock())
    assert [item["id"] for item in sync(api, citizen, cursor)["items"]] == [oldest]


def test_a_new_phone_gets_what_the_unit_has_and_nothing_that_is_over(api: FlaskClient, app: Flask, clock: Hand) -> None:
    who = officer(clock)
    over, going_on = (offer(app, clock, sos(clock), who) for _ in range(2))
    api.post(f"/v1/assignments/{over}/decline", json={}, headers=who.headers)
    clock.forward(seconds=30)
    first = sync(api, who)
    assert [item["id"] for item in first["items"] if item["kind"] == "assignment"] == [going_on]
    assert first["tombstones"] == []


def test_an_assignment_that_is_no_longer_the_unit_s_is_a_tombstone(api: FlaskClient, app: Flask, clock: Hand) -> None:
    first, second = officer(clock), officer(clock)
    incident = sos(clock)
    mine, theirs = offer(app, clock, incident, first), offer(app, clock, incident, second)
    before = sync(api, first)
    assert [item["id"] for item in before["items"] if item["kind"] == "assignment"] == [mine]
    clock.forward(seconds=30)
    api.post(f"/v1/assignments/{theirs}/accept", headers=second.headers)
    after = sync(api, first, before["cursor"])
    assert [(each["kind"], each["id"]) for each in after["tombstones"]] == [("assignment", mine)]


@pytest.mark.parametrize("cursor", ["zzz", "W10", "WzFd", "bnVsbA"])
def test_a_cursor_that_cannot_be_read_gives_everything(api: FlaskClient, clock: Hand, cursor: str) -> None:
    who = signed_in(clock())
    clock.forward(seconds=30)
    assert [item["kind"] for item in sync(api, who, cursor)["items"]] == ["profile"]


def test_an_old_cursor_is_410(api: FlaskClient, clock: Hand) -> None:
    cursor = sync(api, signed_in(clock()))["cursor"]
    clock.forward(days=91)
    answer = api.get(f"/v1/sync?cursor={cursor}", headers=signed_in(clock()).headers)
    assert (answer.status_code, answer.get_json()["code"]) == (410, "cursor_over")


# app-config


@pytest.mark.parametrize(
    ("query", "city"),
    [("city=karachi", "karachi"), ("at=33.69,73.05", "islamabad"), ("at=31.1,74.9", "lahore"), ("", None)],
)
def test_app_config_of_a_city(api: FlaskClient, query: str, city: str | None) -> None:
    answer = api.get(f"/v1/app-config?{query}")
    assert answer.status_code == 200
    found = answer.get_json()
    assert city in (None, found["city"])
    assert {"15", "1122"} <= {line["number"] for line in found["helplines"]}
    assert len(answer.get_data()) < 8192
    assert api.get(f"/v1/app-config?{query}", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_app_config_of_nowhere(api: FlaskClient) -> None:
    assert api.get("/v1/app-config?city=atlantis").status_code == 404
    assert api.get("/v1/app-config?at=31").status_code == 422


# duty


def test_off_duty_ends_offers_and_what_is_held(api: FlaskClient, app: Flask, clock: Hand) -> None:
    who, incident, other = officer(clock), sos(clock), sos(clock)
    held = offer(app, clock, incident, who)
    api.post(f"/v1/assignments/{held}/accept", headers=who.headers)
    offer(app, clock, other, who)
    assert len(api.get("/v1/responder/assignments", headers=who.headers).get_json()["items"]) == 2
    gone = api.put("/v1/responder/duty", json={"status": "off_duty"}, headers=who.headers)
    assert gone.get_json()["status"] == "off_duty"
    assert api.get("/v1/responder/assignments", headers=who.headers).get_json()["items"] == []
    assert incidents.get(incident)["status"] == "open"
    assert dispatch_queries.unit(_unit(who)).get("lease") is None


def test_a_unit_stays_on_duty_while_somebody_on_it_does(api: FlaskClient, clock: Hand) -> None:
    first = officer(clock)
    held = [{"role": "responder", "city": "lahore", "agency_id": "punjab_police", "group_id": ""}]
    second = signed_in(clock(), roles=held, unit_id=_unit(first), duty="available")
    duty = "/v1/responder/duty"
    assert api.put(duty, json={"status": "off_duty"}, headers=first.headers).get_json()["status"] == "available"
    assert api.put(duty, json={"status": "busy"}, headers=second.headers).get_json()["status"] == "busy"
    assert api.put(duty, json={"status": "off_duty"}, headers=second.headers).get_json()["status"] == "off_duty"


@pytest.mark.parametrize("body", [{}, {"status": "asleep"}, {"status": 1}, []])
def test_a_duty_that_is_none_is_422(api: FlaskClient, clock: Hand, body: Any) -> None:
    assert api.put("/v1/responder/duty", json=body, headers=officer(clock).headers).status_code == 422


def test_without_a_unit_there_is_no_duty(api: FlaskClient, clock: Hand) -> None:
    held = [{"role": "responder", "city": "lahore", "agency_id": "punjab_police", "group_id": ""}]
    answer = api.put("/v1/responder/duty", json={"status": "busy"}, headers=signed_in(clock(), roles=held).headers)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "no_unit")
    assert api.put("/v1/responder/duty", json={"status": "busy"}, headers=signed_in(clock()).headers).status_code == 403


def test_the_newest_position_counts_whenever_it_comes(api: FlaskClient, clock: Hand) -> None:
    who = officer(clock)
    clock.forward(minutes=1)
    sent = {**who.headers, "Sent-At": clock().isoformat()}
    points = [
        {"lat": 31.5 + number / 4, "lon": 74.3, "captured_at": (clock() - timedelta(seconds=age)).isoformat()}
        for number, age in enumerate((20, 5, 40))
    ]
    assert api.post("/v1/responder/positions", json={"positions": points}, headers=sent).status_code == 202
    assert dispatch_queries.unit(_unit(who))["position"]["lat"] == 31.75
    api.post("/v1/responder/positions", json={"positions": points[2:]}, headers=sent)
    assert dispatch_queries.unit(_unit(who))["position"]["lat"] == 31.75


def test_others_assignments_do_not_exist(api: FlaskClient, app: Flask, clock: Hand) -> None:
    mine = offer(app, clock, sos(clock), officer(clock))
    for path in (f"/v1/assignments/{mine}/accept", "/v1/assignments/asg_none/accept"):
        answer = api.post(path, headers=officer(clock).headers)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "assignment_not_found")


def test_a_step_that_is_not_possible_says_how_it_stands(api: FlaskClient, app: Flask, clock: Hand) -> None:
    who = officer(clock)
    mine = offer(app, clock, sos(clock), who)
    answer = api.post(f"/v1/assignments/{mine}/on_scene", headers=who.headers)
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["current"]) == (
        409, "wrong_transition", "offered",
    )  # fmt: skip
    second = offer(app, clock, sos(clock), who)
    assert api.post(f"/v1/assignments/{mine}/accept", headers=who.headers).status_code == 200
    taken = api.post(f"/v1/assignments/{second}/accept", headers=who.headers)
    assert (taken.status_code, taken.get_json()["code"]) == (409, "unit_taken")
    assert api.post(f"/v1/assignments/{mine}/mayday", headers=who.headers).get_json()["mayday"] is True


# figures


def test_times_to_answer_dispatch_and_arrive(
    api: FlaskClient, app: Flask, clock: Hand, settings: Any, enqueued: Enqueued
) -> None:
    clock.forward(days=3)
    began = clock()
    context = Context(settings, clock, enqueued, positions=None, channels={})  # type: ignore[arg-type]  # not asked
    for waits in (20, 100):
        clock.forward(minutes=30)
        who, incident = officer(clock), sos(clock)
        clock.forward(seconds=3)
        mine = offer(app, clock, incident, who)
        clock.forward(seconds=waits)
        with app.app_context():
            dispatch.accept(incident, mine, desk("lahore"), by="per_1", via="app", now=clock())
            clock.forward(minutes=5)
            doc = dispatch.progress(incident, mine, AssignmentStatus.ON_SCENE, by="per_1", now=clock())
        for event in doc["pending_events"]:
            if event["type"] == "assignment.accepted":
                figures.dispatched(event, context)
                figures.dispatched(event, context)  # a job may run twice
            if event["type"] == "assignment.on_scene":
                figures.arrived(event, context)
    sos(clock)
    clock.forward(seconds=1)
    who = staff(clock(), "analyst")
    query = f"city=lahore&from={began.isoformat().replace('+00:00', 'Z')}"
    found = api.get(f"/v1/insights/response?{query}", headers=who.headers).get_json()
    assert (found["incidents"], found["never_dispatched"]) == (3, 1)
    measures = {(each["measure"], each["service"]): each for each in found["measures"]}
    assert measures["answer", None] | {"p90_s": 0} == {
        "measure": "answer", "service": None, "n": 2, "p50_s": 3.0, "p90_s": 0, "target_s": 10.0, "within": 1.0,
    }  # fmt: skip
    assert (measures["dispatch", None]["within"], measures["dispatch", None]["p90_s"]) == (0.5, 103.0)
    assert measures["arrival", "police"]["p50_s"] == 323.0
    text = api.get("/metrics").get_data(as_text=True)
    assert 'amaan_response_seconds_bucket{city="lahore",le="30.0",measure="dispatch"} 1.0' in text
    assert 'amaan_response_seconds_count{city="lahore",measure="dispatch"} 2.0' in text
    figures.unanswered({"id": "e1", "city": "lahore", "subject": "inc_1"}, context)
    assert 'amaan_unanswered_total{city="lahore"} 1.0' in api.get("/metrics").get_data(as_text=True)


def test_figures_are_for_those_who_may(api: FlaskClient, clock: Hand) -> None:
    path = "/v1/insights/response?city=lahore"
    assert api.get(path).status_code == 401
    assert api.get(path, headers=signed_in(clock()).headers).status_code == 403
    assert api.get(path, headers=staff(clock(), "analyst", city="karachi").headers).status_code == 404
    late = f"{path}&from=2026-01-01T00:00:00Z&to=2026-06-01T00:00:00Z"
    found = api.get(late, headers=staff(clock(), "analyst").headers).get_json()
    assert (found["from"], found["to"]) == ("2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z")


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([], 0.5, None), ([4.0], 0.9, 4.0), ([3.0, 1.0, 2.0, 4.0], 0.5, 2.0)]
)
def test_percentiles_by_nearest_rank(values: list[float], share: float, expected: float | None) -> None:
    assert rules.percentile(values, share) == expected
