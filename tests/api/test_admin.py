"""What an admin keeps, over HTTP: cities, agencies, units, staff, sessions; and what others may not."""

import uuid
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient

from domain.audit import chain
from domain.audit.documents import AuditDoc
from domain.cities import service as cities
from domain.cities.presets import PRESETS
from domain.people import queries, second_factor
from tests.factories.people import SECRET, phone, signed_in, staff


def said(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json(force=True).get("code", "")


@pytest.fixture(scope="module", autouse=True)
def lahore(app: Any, clock: Any) -> None:
    cities.load_preset(Path(PRESETS) / "lahore.toml", now=clock())


@pytest.fixture
def admin(api: FlaskClient, clock: Any) -> Any:
    clock.forward(minutes=1)
    return staff(clock(), "admin")


def new_unit(api: FlaskClient, who: Any, **fields: Any) -> Any:
    body = {"name": "Car 12", "agency_id": "punjab_police", "services": ["police"], "city": "lahore", **fields}
    return api.post("/v1/units", json=body, headers=who.headers)


def new_staff(api: FlaskClient, who: Any, role: str, **fields: Any) -> Any:
    body = {"phone": phone(), "city": "lahore", "roles": [{"role": role, "agency_id": "punjab_police"}], **fields}
    return api.post("/v1/staff", json=body, headers=who.headers)


def test_only_staff_with_a_second_factor_come_in(api: FlaskClient, clock: Any) -> None:
    citizen = signed_in(clock())
    held = [{"role": "admin", "city": "lahore", "agency_id": "", "group_id": ""}]
    without = signed_in(clock(), roles=held)
    for path in ("/v1/cities", "/v1/units", "/v1/staff", "/v1/sessions", "/v1/agencies"):
        assert said(api.get(path)) == (401, "unauthenticated")
        assert said(api.get(path, headers=citizen.headers)) == (403, "not_allowed")
        assert said(api.get(path, headers=without.headers)) == (403, "second_factor_needed")


def test_another_city_is_not_there(api: FlaskClient, clock: Any) -> None:
    stranger = staff(clock(), "admin", city="karachi")
    seen = api.get("/v1/cities", headers=stranger.headers).get_json()["items"]
    assert [each["id"] for each in seen] == ["karachi"]
    assert api.get("/v1/cities/lahore", headers=stranger.headers).status_code == 404
    assert new_unit(api, stranger).status_code == 404
    assert new_staff(api, stranger, "operator").status_code == 404
    somebody = staff(clock(), "operator")
    assert api.get(f"/v1/staff/{somebody.person_id}", headers=stranger.headers).status_code == 404
    assert api.delete(f"/v1/staff/{somebody.person_id}", headers=stranger.headers).status_code == 404
    mine = f"/v1/sessions/{somebody.person_id}.{somebody.session_id}"
    assert api.delete(mine, headers=stranger.headers).status_code == 404


def test_a_city_is_changed_by_version_with_a_reason(api: FlaskClient, admin: Any, clock: Any) -> None:
    first = api.get("/v1/cities/lahore", headers=admin.headers)
    config, version = first.get_json()["config"], first.get_json()["version"]
    assert first.headers["ETag"] == f'W/"{version}"'
    config["boundary_slack_m"] = 250
    body = {"config": config, "reason": "phones at the canal"}
    stale = api.put("/v1/cities/lahore", json=body, headers={**admin.headers, "If-Match": '"0"'})
    assert said(stale) == (412, "precondition_failed")
    done = api.put("/v1/cities/lahore", json=body, headers={**admin.headers, "If-Match": f'"{version}"'})
    assert done.get_json()["version"] == version + 1
    bad = {"config": {**config, "ladders": []}, "reason": "nobody is asked"}
    refused = api.put("/v1/cities/lahore", json=bad, headers=admin.headers)
    assert said(refused) == (422, "bad_city_config")
    other = {"config": {**config, "id": "karachi"}, "reason": "wrong one"}
    assert said(api.put("/v1/cities/lahore", json=other, headers=admin.headers)) == (422, "bad_city_config")
    assert chain.verify("lahore", clock()).broken_at is None


def test_agencies_are_part_of_the_city(api: FlaskClient, admin: Any) -> None:
    before = api.get("/v1/agencies?city=lahore", headers=admin.headers).get_json()["items"]
    assert {"punjab_police", "rescue_1122"} <= {each["id"] for each in before}
    body = {
        "id": f"ward_{uuid.uuid4().hex[:8]}",
        "names": {"en": "Ward patrol", "ur": "محلہ گشت"},
        "kind": "police",
        "services": ["police"],
        "phone": "15",
        "reason": "new patrol",
    }
    assert api.post("/v1/agencies", json=body, headers=admin.headers).status_code == 201
    assert api.post("/v1/agencies", json=body, headers=admin.headers).status_code == 200
    path = f"/v1/agencies/{body['id']}"
    changed = api.patch(path, json={"phone": "1122", "reason": "it moved"}, headers=admin.headers).get_json()
    assert (changed["phone"], changed["names"]["ur"]) == ("1122", "محلہ گشت")
    unknown = api.patch("/v1/agencies/nobody", json={"phone": "1", "reason": "none"}, headers=admin.headers)
    assert unknown.status_code in (404, 422)
    assert said(api.post("/v1/agencies", json={**body, "kind": "band"}, headers=admin.headers)) == (422, "invalid")


def test_units_are_added_once_changed_and_retired(api: FlaskClient, admin: Any) -> None:
    headers = {**admin.headers, "Idempotency-Key": str(uuid.uuid4())}
    body = {"name": "Car 9", "agency_id": "punjab_police", "services": ["police"], "phone": "0300 1234567"}
    added, again = (api.post("/v1/units", json=body, headers=headers) for _ in range(2))
    assert (added.status_code, again.status_code) == (201, 200)
    unit = added.get_json()
    assert (unit["status"], unit["phone"], unit["id"]) == ("off_duty", "+923001234567", again.get_json()["id"])
    path = f"/v1/units/{unit['id']}"
    changed = api.patch(path, json={"skills": ["women_police"]}, headers=admin.headers).get_json()
    assert (changed["skills"], changed["name"]) == (["women_police"], "Car 9")
    assert said(api.patch(path, json={"agency_id": "nobody"}, headers=admin.headers)) == (404, "agency_not_found")
    assert said(new_unit(api, admin, agency_id="nobody")) == (404, "agency_not_found")
    assert api.delete(path, headers=admin.headers).status_code == 204
    listed = api.get("/v1/units?limit=100", headers=admin.headers).get_json()["items"]
    assert unit["id"] not in {each["id"] for each in listed}
    assert said(api.get("/v1/units/unt_none", headers=admin.headers)) == (404, "unit_not_found")


def test_lists_of_units_come_by_pages(api: FlaskClient, admin: Any) -> None:
    for number in range(5):
        new_unit(api, admin, agency_id="motorway_police", name=f"Ambulance {number}", services=["medical"])
    names: list[str] = []
    where = "/v1/units?agency_id=motorway_police&limit=2"
    while where:
        page = api.get(where, headers=admin.headers).get_json()
        names += [each["name"] for each in page["items"]]
        where = f"/v1/units?agency_id=motorway_police&limit=2&cursor={page['next']}" if "next" in page else ""
    assert sorted(names) == [f"Ambulance {number}" for number in range(5)]


def test_a_supervisor_keeps_the_units_of_the_agency_alone(api: FlaskClient, admin: Any, clock: Any) -> None:
    theirs = new_unit(api, admin).get_json()["id"]
    others = new_unit(api, admin, agency_id="edhi", services=["medical"]).get_json()["id"]
    supervisor = staff(clock(), "supervisor", agency_id="punjab_police")
    headers = supervisor.headers
    assert api.patch(f"/v1/units/{theirs}", json={"name": "Car 1"}, headers=headers).status_code == 200
    assert api.patch(f"/v1/units/{others}", json={"name": "Car 1"}, headers=headers).status_code == 404
    assert api.patch(f"/v1/units/{theirs}", json={"agency_id": "edhi"}, headers=headers).status_code == 404
    seen = api.get("/v1/units?agency_id=edhi&limit=100", headers=headers).get_json()["items"]
    assert {each["agency_id"] for each in seen} <= {"punjab_police"}
    assert new_unit(api, supervisor).status_code == 201
    assert new_unit(api, supervisor, agency_id="edhi").status_code == 404
    assert said(api.delete(f"/v1/staff/{supervisor.person_id}", headers=headers)) == (403, "not_allowed")


def test_a_responder_is_on_one_unit_at_a_time(api: FlaskClient, admin: Any) -> None:
    first, second = (new_unit(api, admin).get_json()["id"] for _ in range(2))
    person = new_staff(api, admin, "responder", name="Bilal", skills=["first_aid"]).get_json()
    assert "enrolment_code" not in person
    for unit in (first, second):
        answer = api.put(f"/v1/units/{unit}/responders/{person['id']}", headers=admin.headers)
        assert answer.get_json()["responders"] == [person["id"]]
    assert api.get(f"/v1/units/{first}", headers=admin.headers).get_json()["responders"] == []
    assert queries.get(person["id"]).unit_id == second
    assert [each.id for each in queries.responders_of([second])] == [person["id"]]
    api.delete(f"/v1/units/{second}/responders/{person['id']}", headers=admin.headers)
    assert not queries.get(person["id"]).unit_id
    citizen = new_staff(api, admin, "operator").get_json()["id"]
    refused = api.put(f"/v1/units/{first}/responders/{citizen}", headers=admin.headers)
    assert said(refused) == (409, "not_a_responder")


def test_staff_get_a_code_for_their_second_factor_and_can_use_it(api: FlaskClient, admin: Any, clock: Any) -> None:
    number = phone()
    added = new_staff(api, admin, "operator", phone=number, name="Ayesha").get_json()
    who = signed_in(
        clock(), phone=number, roles=[{"role": "operator", "city": "lahore", "agency_id": "", "group_id": ""}]
    )
    assert who.person_id == added["id"]
    begun = api.post(
        "/v1/auth/second-factor/enrolment",
        json={"enrolment_code": added["enrolment_code"].upper()},
        headers=who.headers,
    )
    totp = pyotp.parse_uri(begun.get_json()["uri"])
    assert isinstance(totp, pyotp.TOTP)
    code = totp.at(clock())
    assert api.post("/v1/auth/second-factor", json={"code": code}, headers=who.headers).status_code == 204
    assert api.get("/v1/units", headers=who.headers).status_code == 200
    again = api.post(
        "/v1/auth/second-factor/enrolment", json={"enrolment_code": added["enrolment_code"]}, headers=who.headers
    )
    assert said(again) == (409, "second_factor_exists")
    renewed = api.post(f"/v1/staff/{who.person_id}/enrolment", headers=admin.headers)
    assert renewed.status_code == 201
    assert said(api.get("/v1/units", headers=who.headers)) == (401, "session_ended")
    assert second_factor.begin(
        queries.get(who.person_id), renewed.get_json()["enrolment_code"], secret=SECRET, now=clock()
    ).startswith("otpauth://")


def test_roles_need_their_place(api: FlaskClient, admin: Any) -> None:
    refused = new_staff(api, admin, "responder", roles=[{"role": "responder"}])
    assert said(refused) == (422, "role_invalid")
    assert "roles.0.agency_id" in refused.get_json()["errors"]
    for role in ("citizen", "king"):
        assert said(new_staff(api, admin, role)) == (422, "invalid")


def test_changing_roles_keeps_those_of_other_cities(api: FlaskClient, admin: Any, clock: Any) -> None:
    held = [
        {"role": "analyst", "city": "karachi", "agency_id": "", "group_id": ""},
        {"role": "operator", "city": "lahore", "agency_id": "", "group_id": ""},
    ]
    who = signed_in(clock(), roles=held)
    path = f"/v1/staff/{who.person_id}"
    changed = api.patch(path, json={"roles": [{"role": "auditor"}], "name": "Nadia"}, headers=admin.headers).get_json()
    assert {(each["role"], each["city"]) for each in changed["roles"]} == {
        ("analyst", "karachi"),
        ("auditor", "lahore"),
    }
    assert api.delete(path, headers=admin.headers).status_code == 204
    assert [held.city for held in queries.get(who.person_id).roles] == ["karachi"]
    assert said(api.get("/v1/me", headers=who.headers)) == (401, "session_ended")


def test_a_stolen_laptop_is_shut_out(api: FlaskClient, admin: Any, clock: Any) -> None:
    who = staff(clock(), "operator", name="Hamza")
    listed = api.get(f"/v1/sessions?person_id={who.person_id}", headers=admin.headers).get_json()["items"]
    assert [each["person_id"] for each in listed] == [who.person_id]
    assert api.delete(f"/v1/sessions/{listed[0]['id']}", headers=admin.headers).status_code == 204
    assert said(api.get("/v1/units", headers=who.headers)) == (401, "session_ended")
    everybody = api.get("/v1/sessions?limit=100", headers=admin.headers).get_json()["items"]
    assert admin.person_id in {each["person_id"] for each in everybody}
    for path in ("/v1/sessions/x", f"/v1/sessions/{who.person_id}.none", "/v1/sessions/.."):
        assert api.delete(path, headers=admin.headers).status_code == 404


def test_every_change_is_on_the_chain_without_names_or_numbers(api: FlaskClient, admin: Any, clock: Any) -> None:
    number = phone()
    added = new_staff(api, admin, "analyst", phone=number, name="Rabia").get_json()
    api.delete(f"/v1/staff/{added['id']}", headers=admin.headers)
    entries = list(AuditDoc.objects(actor=admin.person_id).order_by("seq"))
    assert [entry.action for entry in entries] == ["staff.added", "staff.dismissed"]
    text = str([entry.to_mongo() for entry in entries])
    assert number not in text
    assert "Rabia" not in text
    assert chain.verify("lahore", clock()).broken_at is None


@pytest.mark.parametrize("how", ["dismissed", "another role"])
def test_who_is_no_responder_any_more_is_asked_no_more(api: FlaskClient, admin: Any, how: str) -> None:
    unit, person = new_unit(api, admin).get_json()["id"], new_staff(api, admin, "responder").get_json()["id"]
    assert api.put(f"/v1/units/{unit}/responders/{person}", headers=admin.headers).status_code == 200
    assert [each.id for each in queries.responders_of([unit])] == [person]
    if how == "dismissed":
        assert api.delete(f"/v1/staff/{person}", headers=admin.headers).status_code == 204
    else:
        body = {"city": "lahore", "roles": [{"role": "analyst"}]}
        answer = api.patch(f"/v1/staff/{person}", json=body, headers=admin.headers)
        assert (answer.status_code, answer.get_json()["unit_id"]) == (200, "")
    assert queries.responders_of([unit]) == []
    assert api.get(f"/v1/units/{unit}", headers=admin.headers).get_json()["responders"] == []
