"""The control room over HTTP: who may, lists by filters and rank, and every step on an incident."""

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.desk import desk
from domain.audit.documents import AuditDoc
from domain.dispatch import queries as dispatch_queries
from domain.dispatch import service as dispatch
from domain.incidents import rules
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.tracks import service as tracks
from tests.api.conftest import Hand
from tests.factories.people import SECRET, Signed, signed_in, staff

HERE = {"lat": 31.5204, "lon": 74.3587, "accuracy_m": 12.0}


def sos(clock: Hand, **fields: Any) -> str:
    call = CallForHelp("app", **{"position": dict(HERE), "device": uuid.uuid4().hex, **fields})
    raised = incidents.raise_sos(facts(call, now=clock()), now=clock(), secret=SECRET, link_ttl=timedelta(hours=6))
    return str(raised.incident["_id"])


def unit(clock: Hand, *services: str, **fields: Any) -> str:
    name = f"uni_{uuid.uuid4().hex[:8]}"
    dispatch_queries.units().insert_one(
        {
            "_id": name,
            "city": "lahore",
            "agency": "punjab_police",
            "name": name,
            "services": list(services or ["police"]),
        }
        | {"status": "available", "position": {**HERE, "at": clock()}, "cells": {}}
        | fields
    )
    return name


@pytest.fixture
def operator(app: Flask, clock: Hand) -> Signed:
    return staff(clock(), "operator")


def listed(api: FlaskClient, who: Signed, query: str = "") -> list[str]:
    """Ids over all pages."""
    found, cursor = [], ""
    while True:
        page = api.get(f"/v1/incidents?limit=3&{query}{cursor}", headers=who.headers)
        assert page.status_code == 200, page.get_data(as_text=True)
        found += [row["id"] for row in page.get_json()["items"]]
        if "next" not in page.get_json():
            return found
        cursor = f"&cursor={page.get_json()['next']}"


def do(api: FlaskClient, who: Signed, incident: str, step: str, body: Any = None, status: int = 200) -> Any:
    answer = api.post(f"/v1/incidents/{incident}/{step}", json=body or {}, headers=who.headers)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


# Who may


@pytest.mark.parametrize(
    ("role", "status"),
    [("operator", 200), ("supervisor", 404), ("analyst", 403), ("counsellor", 403), ("admin", 403), ("auditor", 403)],
)
def test_who_reads_an_incident(api: FlaskClient, clock: Hand, role: str, status: int) -> None:
    incident = sos(clock)
    who = staff(clock(), role, agency_id="edhi")
    assert api.get(f"/v1/incidents/{incident}", headers=who.headers).status_code == status


def test_an_operator_without_the_second_factor_reads_nothing(api: FlaskClient, clock: Hand) -> None:
    who = signed_in(clock(), roles=[{"role": "operator", "city": "lahore", "agency_id": "", "group_id": ""}])
    answer = api.get("/v1/incidents", headers=who.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "second_factor_needed")


def test_another_city_s_incident_does_not_exist(api: FlaskClient, clock: Hand) -> None:
    incident = sos(clock)
    elsewhere = staff(clock(), "operator", city="karachi")
    assert api.get(f"/v1/incidents/{incident}", headers=elsewhere.headers).status_code == 404
    assert api.post(f"/v1/incidents/{incident}/resolve", json={}, headers=elsewhere.headers).status_code in (404, 422)
    assert listed(api, elsewhere, "city=lahore") == []


def test_a_supervisor_reads_what_concerns_the_agency(api: FlaskClient, clock: Hand) -> None:
    medical, police = sos(clock, category="medical"), sos(clock)
    who = staff(clock(), "supervisor", agency_id="rescue_1122")
    assert api.get(f"/v1/incidents/{medical}", headers=who.headers).status_code == 200
    assert api.get(f"/v1/incidents/{police}", headers=who.headers).status_code == 404
    assert police not in listed(api, who)
    assert medical in listed(api, who)


def test_a_responder_sees_the_caller_only_while_the_unit_has_it(api: FlaskClient, app: Flask, clock: Hand) -> None:
    incident, mine = sos(clock, phone="+923001234567", note="third floor"), unit(clock)
    held = [{"role": "responder", "city": "lahore", "agency_id": "punjab_police", "group_id": ""}]
    officer = signed_in(clock(), roles=held, unit_id=mine)
    path = f"/v1/incidents/{incident}"
    assert api.get(path, headers=officer.headers).status_code == 404
    with app.app_context():
        doc = dispatch.assign(incident, "police", mine, desk("lahore"), by="per_1", now=clock())
    row = api.get("/v1/incidents", headers=officer.headers).get_json()["items"][0]
    assert (row["id"], row["position"], row["trust"], row["rank"]) == (incident, None, None, None)
    assert row["area"]
    view = api.get(path, headers=officer.headers).get_json()
    assert (view["citizen"], view["position"], view["trust"]) == (None, None, None)
    assert api.get(f"{path}/track", headers=officer.headers).status_code == 404
    assignment = next(iter(doc["assignments"]))
    api.post(f"/v1/assignments/{assignment}/accept", headers=officer.headers)
    answer = api.get(path, headers=officer.headers)
    assert answer.get_json()["citizen"]["phone"] == "+923001234567"
    assert api.get("/v1/incidents", headers=officer.headers).get_json()["items"][0]["position"]["lat"]
    assert len(answer.get_data()) < 8192
    assert api.get(f"{path}/track", headers=officer.headers).status_code == 200


def test_a_silent_sos_shows_a_responder_no_number(api: FlaskClient, app: Flask, clock: Hand) -> None:
    incident, mine = sos(clock, phone="+923001234567", silent=True), unit(clock)
    held = [{"role": "responder", "city": "lahore", "agency_id": "punjab_police", "group_id": ""}]
    officer = signed_in(clock(), roles=held, unit_id=mine)
    with app.app_context():
        doc = dispatch.assign(incident, "police", mine, desk("lahore"), by="per_1", now=clock())
    answer = api.post(f"/v1/assignments/{next(iter(doc['assignments']))}/accept", headers=officer.headers).get_json()
    assert (answer["phone"], "silent" in answer["flags"]) == (None, True)
    assert api.get(f"/v1/incidents/{incident}", headers=officer.headers).get_json()["citizen"]["phone"] is None


def test_nobody_sees_the_control_room_s_view_of_their_own_sos(api: FlaskClient, clock: Hand) -> None:
    held = [{"role": "responder", "city": "lahore", "agency_id": "punjab_police", "group_id": ""}]
    officer = signed_in(clock(), roles=held, unit_id=unit(clock))
    incident = sos(clock, person=officer.person_id, verified=True)
    assert api.get(f"/v1/incidents/{incident}", headers=officer.headers).status_code == 404


def test_reading_is_on_the_audit_chain(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    incident = sos(clock)
    for path in ("", "/timeline", "/track"):
        assert api.get(f"/v1/incidents/{incident}{path}", headers=operator.headers).status_code == 200
    rows = AuditDoc.objects(city="lahore", subject=incident).order_by("at")
    assert [(row.actor, row.action) for row in rows] == [
        (operator.person_id, action) for action in ("incident.read", "incident.timeline.read", "incident.track.read")
    ]


# Lists


def test_lists_are_paged_without_loss_when_times_are_the_same(api: FlaskClient, clock: Hand) -> None:
    clock.forward(days=2)
    operator = staff(clock(), "operator")
    since = clock()
    made = [sos(clock) for _ in range(8)]
    clock.forward(seconds=1)
    made += [sos(clock) for _ in range(3)]
    found = listed(api, operator, f"since={since.isoformat().replace('+00:00', 'Z')}")
    assert sorted(found) == sorted(made)
    assert len(set(found)) == 11
    assert set(found[:3]) == set(made[8:])


def test_filters_by_status_category_time_and_place(api: FlaskClient, clock: Hand) -> None:
    clock.forward(days=2)
    operator = staff(clock(), "operator")
    since = clock().isoformat().replace("+00:00", "Z")
    near, far = sos(clock, category="fire"), sos(clock, position={"lat": 31.46, "lon": 74.40})
    done = sos(clock)
    do(api, operator, done, "resolve", {"resolution": "unfounded"})
    assert set(listed(api, operator, f"since={since}")) == {near, far}
    assert listed(api, operator, f"since={since}&status=closed") == [done]
    assert listed(api, operator, f"since={since}&category=fire") == [near]
    assert set(listed(api, operator, f"since={since}&near=31.52,74.358,900&status=open,closed")) == {
        near,
        done,
    }
    clock.forward(minutes=10)
    assert listed(api, operator, f"since={clock().isoformat().replace('+00:00', 'Z')}") == []


def test_by_rank_severity_and_trust_come_first(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    low, high, middle = sos(clock, category="suspicious"), sos(clock, category="fire"), sos(clock)
    doubted = sos(clock)
    incidents.change(doubted, lambda draft: draft.set("trust", {"score": 0.1, "parts": {}}), now=clock())
    order = [each for each in listed(api, operator, "order=rank") if each in {low, high, middle, doubted}]
    assert order == [high, middle, doubted, low]
    incidents.change(low, lambda draft: rules.duress(draft, by=None), now=clock())
    assert next(each for each in listed(api, operator, "order=rank") if each in {low, high}) == low


@pytest.mark.parametrize(
    "query",
    ["status=opened", "near=31", "near=1,1,9000", "near=91,1,9", "order=age", "cursor=zzz", "colour=red", "limit=0",
     "since=today"],
)  # fmt: skip
def test_a_filter_that_is_none_is_422(api: FlaskClient, operator: Signed, query: str) -> None:
    answer = api.get(f"/v1/incidents?{query}", headers=operator.headers)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["errors"]


# Steps


def test_an_incident_for_a_caller_is_made_once(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    headers = {**operator.headers, "Idempotency-Key": str(uuid.uuid4())}
    body = {"position": HERE, "phone": "03007654321", "category": "road_accident", "note": "a bus", "channel": "caller"}
    one, two = (api.post("/v1/incidents", json=body, headers=headers) for _ in range(2))
    assert (one.status_code, two.status_code) == (201, 200)
    assert one.get_json()["id"] == two.get_json()["id"]
    assert {slot["service"] for slot in one.get_json()["slots"]} == {"police", "medical"}
    other = api.post("/v1/incidents", json={**body, "note": "a car"}, headers=headers)
    assert (other.status_code, other.get_json()["code"]) == (409, "idempotency_conflict")


def test_a_counsellor_opens_one_but_does_not_read_it(api: FlaskClient, clock: Hand) -> None:
    who = staff(clock(), "counsellor")
    answer = api.post("/v1/incidents", json={"position": HERE, "category": "domestic_violence"}, headers=who.headers)
    assert answer.status_code == 201
    assert api.get(f"/v1/incidents/{answer.get_json()['id']}", headers=who.headers).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"category": "nonsense", "position": HERE}, 404),
        ({"position": HERE}, 422),
        ({"category": "fire", "position": {"lat": 24.86, "lon": 67.01}}, 404),
        ({"category": "fire", "position": {"lat": "x", "lon": 67.01}}, 422),
    ],
)
def test_an_incident_that_cannot_be(api: FlaskClient, operator: Signed, body: Any, status: int) -> None:
    assert api.post("/v1/incidents", json=body, headers=operator.headers).status_code == status


def test_assign_by_hand(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    incident, mine, far = sos(clock, category="assault"), unit(clock, "medical"), unit(clock, city="karachi")
    view = do(api, operator, incident, "assign", {"unit": mine})
    assert [(each["unit"], each["service"]) for each in view["assignments"]] == [(mine, "medical")]
    do(api, operator, incident, "assign", {"unit": far}, 404)
    do(api, operator, incident, "assign", {"unit": "uni_none"}, 404)


def test_merge_and_unmerge(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    one, other = sos(clock), sos(clock)
    view = do(api, operator, one, "merge", {"into": other})
    assert (view["status"], view["resolution"], view["merged_into"]) == ("closed", "duplicate", other)
    assert do(api, operator, one, "merge", {"into": other})["version"] == view["version"]
    assert incidents.get(other)["timeline"][-1] | {"at": 0, "seq": 0} == {
        "at": 0, "seq": 0, "kind": "merged_here", "by": operator.person_id, "merged": one
    }  # fmt: skip
    do(api, operator, other, "merge", {"into": one}, 409)
    do(api, operator, other, "merge", {"into": other}, 422)
    view = do(api, operator, one, "unmerge", {"reason": "another street"})
    assert (view["status"], view["merged_into"]) == ("open", None)
    do(api, operator, one, "unmerge", {"reason": "again"}, 409)


def test_a_merged_sos_shows_its_citizen_the_help_that_comes(
    api: FlaskClient, app: Flask, clock: Hand, operator: Signed
) -> None:
    one, other, mine = sos(clock), sos(clock), unit(clock)
    token = {"Sos-Token": incidents.sos_token(SECRET, one)}
    do(api, operator, one, "merge", {"into": other})
    view = api.get(f"/v1/sos/{one}", headers=token).get_json()
    assert (view["id"], view["status"], view["resolution"]) == (one, "open", None)
    with app.app_context():
        doc = dispatch.assign(other, "police", mine, desk("lahore"), by="per_1", now=clock())
        dispatch.accept(other, next(iter(doc["assignments"])), desk("lahore"), by="per_1", via="app", now=clock())
    after = api.get(f"/v1/sos/{one}", headers=token).get_json()
    assert (after["status"], after["services"][0]["agency"]) == ("acknowledged", "punjab_police")
    assert after["version"] > view["version"]
    api.post(f"/v1/sos/{one}/cancel", json={}, headers=token)
    assert api.get(f"/v1/sos/{one}", headers=token).get_json()["resolution"] == "cancelled_by_citizen"
    assert incidents.get(other)["status"] == "acknowledged"


def test_resolve_and_reopen(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    incident = sos(clock)
    do(api, operator, incident, "resolve", {"resolution": "duplicate"}, 422)
    assert do(api, operator, incident, "resolve", {"resolution": "unreachable"})["resolution"] == "unreachable"
    assert do(api, operator, incident, "resolve", {"resolution": "helped"}, 409)["current"] == "closed"
    do(api, operator, incident, "reopen", {"reason": " "}, 422)
    view = do(api, operator, incident, "reopen", {"reason": "called again"})
    assert (view["status"], view["unfilled"]) == ("open", ["police"])
    assert do(api, operator, incident, "reopen", {"reason": "x"}, 409)["code"] == "wrong_transition"


def test_the_ladder_rests_at_most_ten_minutes(api: FlaskClient, app: Flask, clock: Hand, operator: Signed) -> None:
    incident = sos(clock)
    do(api, operator, incident, "ladder", {"action": "stop"}, 422)
    view = do(api, operator, incident, "ladder", {"action": "pause", "reason": "calling her"})
    assert view["slots"][0]["paused"] is True
    assert incidents.get(incident)["ladder_due"] == clock() + timedelta(minutes=10)
    with app.app_context():
        assert dispatch.start(incident, desk("lahore"), now=clock())["slots"]["police"]["rung"] == -1
        clock.forward(minutes=10)
        after = dispatch.timers(incident, desk("lahore"), now=clock())
        assert after["slots"]["police"]["paused"] is False
        assert dispatch.timers(incident, desk("lahore"), now=clock())["slots"]["police"]["rung"] >= 0


def test_the_ladder_is_resumed_and_skipped_by_hand(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    incident = sos(clock)
    do(api, operator, incident, "ladder", {"action": "pause", "reason": "x"})
    clock.forward(seconds=30)
    assert do(api, operator, incident, "ladder", {"action": "resume"})["slots"][0]["rung"] >= 0
    before = incidents.get(incident)["slots"]["police"]["rung"]
    after = do(api, operator, incident, "ladder", {"action": "skip", "service": "police"})["slots"][0]
    assert (after["rung"], after["round"]) != (before, 0)
    do(api, operator, incident, "ladder", {"action": "skip", "service": "fire"}, 404)


def test_notes_messages_and_handover(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    incident = sos(clock)
    headers = {**operator.headers, "Idempotency-Key": str(uuid.uuid4())}
    path = f"/v1/incidents/{incident}"
    assert api.post(f"{path}/notes", json={"text": "black car"}, headers=headers).status_code == 201
    assert api.post(f"{path}/notes", json={"text": "black car"}, headers=headers).status_code == 200
    assert api.post(f"{path}/notes", json={"text": "white car"}, headers=headers).status_code == 409
    assert api.post(f"{path}/messages", json={"text": "We see you."}, headers=headers).status_code == 201
    token = {"Sos-Token": incidents.sos_token(SECRET, incident)}
    assert [each["text"] for each in api.get(f"/v1/sos/{incident}", headers=token).get_json()["messages"]] == [
        "We see you."
    ]
    api.post(f"/v1/sos/{incident}/messages", json={"text": "Hurry"}, headers=token)
    view = do(api, operator, incident, "handover", {"agency": "women_helpline", "reason": "wants to talk"})
    assert [each["agency"] for each in view["handovers"]] == ["women_helpline"]
    assert [(each["from"], each["text"]) for each in view["citizen"]["messages"]] == [
        ("control_room", "We see you."),
        ("citizen", "Hurry"),
    ]
    assert "black car" not in str(view["timeline"])
    do(api, operator, incident, "handover", {"agency": "scotland_yard", "reason": "x"}, 404)


def test_what_was_written_is_read_in_pages_that_fit(api: FlaskClient, clock: Hand) -> None:
    incident = sos(clock)
    token = {"Sos-Token": incidents.sos_token(SECRET, incident)}
    for number in range(12):
        body = {"text": f"{number} " + "مدد " * 200}
        assert api.post(f"/v1/sos/{incident}/messages", json=body, headers=token).status_code == 201
    assert len(api.get(f"/v1/sos/{incident}", headers=token).get_data()) < 8192
    found, cursor = [], ""
    while True:
        page = api.get(f"/v1/sos/{incident}/messages?limit=20{cursor}", headers=token)
        assert len(page.get_data()) < 8192
        found += [int(each["text"].split()[0]) for each in page.get_json()["items"]]
        if "next" not in page.get_json():
            break
        cursor = f"&cursor={page.get_json()['next']}"
    assert found == list(range(11, -1, -1))


def test_the_hundred_and_first_message_and_note_are_new_and_a_repeat_is_not(
    api: FlaskClient, clock: Hand, operator: Signed
) -> None:
    citizen = signed_in(clock())
    incident = sos(clock, person=citizen.person_id)
    words = [{"id": f"w_{n}", "at": clock(), "from": "citizen", "by": "x", "text": "hm"} for n in range(100)]
    incidents.incidents().update_one({"_id": incident}, {"$set": {"citizen.messages": words, "notes": words}})
    for who, path in (
        (citizen, f"/v1/sos/{incident}/messages"),
        (operator, f"/v1/incidents/{incident}/messages"),
        (operator, f"/v1/incidents/{incident}/notes"),
    ):
        headers = {**who.headers, "Idempotency-Key": str(uuid.uuid4())}
        assert [api.post(path, json={"text": "new"}, headers=headers).status_code for _ in range(2)] == [201, 200]


def test_an_edit_on_an_old_picture_is_412(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    incident = sos(clock)
    headers = {**operator.headers, "If-Match": 'W/"7"'}
    answer = api.post(f"/v1/incidents/{incident}/resolve", json={"resolution": "helped"}, headers=headers)
    assert answer.status_code == 412


def test_the_timeline_is_whole_however_long(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    incident = sos(clock)
    for number in range(230):
        incidents.change(incident, lambda draft, n=number: draft.entry("step", number=n), now=clock())  # type: ignore[misc]
    assert len(incidents.get(incident)["timeline"]) == 200
    found, cursor = [], ""
    while True:
        page = api.get(f"/v1/incidents/{incident}/timeline?limit=100{cursor}", headers=operator.headers).get_json()
        found += [entry["seq"] for entry in page["items"]]
        if "next" not in page:
            break
        cursor = f"&cursor={page['next']}"
    assert found == list(range(231, 0, -1))


# What its phone sends meanwhile


def test_positions_in_any_order_are_a_track_without_doubles(api: FlaskClient, clock: Hand, operator: Signed) -> None:
    incident = sos(clock)
    token = {"Sos-Token": incidents.sos_token(SECRET, incident), "Sent-At": clock().isoformat()}
    times = [clock() - timedelta(seconds=each) for each in (30, 10, 20, 10)]
    points = [{"lat": 31.5 + n / 1000, "lon": 74.3, "captured_at": at.isoformat()} for n, at in enumerate(times)]
    for _ in range(2):
        sent = api.post(f"/v1/sos/{incident}/positions", json={"positions": points}, headers=token)
        assert (sent.status_code, sent.get_json()) == (202, {"accepted": 4})
    track = tracks.read(incident)
    assert [point["captured_at"] for point in track] == [times[0], times[2], times[1]]
    assert incidents.get(incident)["position"]["lat"] == 31.503
    shown = api.get(f"/v1/incidents/{incident}/track", headers=operator.headers).get_json()
    assert len(shown["points"]) == 3


def test_a_flood_of_positions_is_taken_and_thinned(app: Flask, clock: Hand, operator: Signed) -> None:
    """A phone gone mad: a hundred a request, many at once, with times all over: each is answered, the track stays small."""
    incident = sos(clock)
    token = {"Sos-Token": incidents.sos_token(SECRET, incident), "Sent-At": clock().isoformat()}
    chance = random.Random(7)

    def send(number: int) -> int:
        ago = [timedelta(seconds=chance.uniform(0, 600 if number % 2 else 400_000)) for _ in range(100)]
        points = [{**HERE, "lat": 31.5 + number / 1000, "captured_at": (clock() - each).isoformat()} for each in ago]
        answer = app.test_client().post(f"/v1/sos/{incident}/positions", json={"positions": points}, headers=token)
        return answer.status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(40))) == {202}
    rows = list(tracks.tracks().find({"subject": incident}))
    assert max(len(row["points"]) for row in rows) <= 900
    assert len(rows) <= tracks.QUARTERS_A_DAY + 8
    path = f"/v1/incidents/{incident}/track"
    assert len(app.test_client().get(path, headers=operator.headers).get_json()["points"]) == 500


def test_positions_are_taken_half_an_hour_after_a_cancel(api: FlaskClient, clock: Hand) -> None:
    incident = sos(clock)
    token = {"Sos-Token": incidents.sos_token(SECRET, incident)}
    api.post(f"/v1/sos/{incident}/cancel", json={}, headers=token)
    clock.forward(minutes=29)
    body = {"positions": [HERE]}
    assert api.post(f"/v1/sos/{incident}/positions", json=body, headers=token).status_code == 202
    clock.forward(minutes=2)
    assert api.post(f"/v1/sos/{incident}/positions", json=body, headers=token).status_code == 409


@pytest.mark.parametrize("positions", [[], [HERE] * 101, [{"lat": 1}], [{"lat": 91, "lon": 0}], "here", None])
def test_a_batch_that_is_none_is_422(api: FlaskClient, clock: Hand, positions: Any) -> None:
    incident = sos(clock)
    token = {"Sos-Token": incidents.sos_token(SECRET, incident)}
    answer = api.post(f"/v1/sos/{incident}/positions", json={"positions": positions}, headers=token)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")
