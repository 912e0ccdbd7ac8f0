"""Who works for the city and calls for help is a citizen then; and who has several roles sees what each lets them see."""

import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.desk import desk
from domain.dispatch import queries as dispatch_queries
from domain.dispatch import service as dispatch
from domain.incidents import rules
from domain.incidents import service as incidents
from domain.people import queries as people
from tests.api.conftest import Hand
from tests.factories.people import Signed, signed_in, staff

HERE = {"lat": 31.5204, "lon": 74.3587, "accuracy_m": 12.0}
POLICE = "punjab_police"


def held(role: str, **place: str) -> dict[str, str]:
    return {"role": role, "city": "lahore", "agency_id": "", "group_id": "", **place}


def unit(clock: Hand, *services: str, agency: str = POLICE) -> str:
    name = f"uni_{uuid.uuid4().hex[:8]}"
    dispatch_queries.units().insert_one(
        {"_id": name, "city": "lahore", "agency": agency, "name": name, "services": list(services or ["police"])}
        | {"status": "available", "position": {**HERE, "at": clock()}, "cells": {}}
    )
    return name


def sos(api: FlaskClient, who: Signed | None = None, **body: Any) -> str:
    headers = {**(who.headers if who else {}), "Idempotency-Key": str(uuid.uuid4())}
    answer = api.post("/v1/sos", json={"position": HERE, "device": uuid.uuid4().hex, **body}, headers=headers)
    return str(answer.get_json()["id"])


def asked(app: Flask, clock: Hand, incident: str, unit_id: str, service: str = "police") -> str:
    with app.app_context():
        doc = dispatch.assign(incident, service, unit_id, desk("lahore"), by="per_1", now=clock())
    return str(next(each for each, found in doc["assignments"].items() if found["unit"] == unit_id))


def listed(api: FlaskClient, who: Signed) -> dict[str, dict[str, Any]]:
    answer = api.get("/v1/incidents?limit=100", headers=who.headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return {row["id"]: row for row in answer.get_json()["items"]}


@pytest.mark.parametrize("role", ["operator", "supervisor"])
def test_staff_see_the_citizen_s_side_of_their_own_sos(api: FlaskClient, clock: Hand, role: str) -> None:
    who = staff(clock(), role, agency_id=POLICE if role == "supervisor" else "")
    colleague = staff(clock(), role, agency_id=POLICE if role == "supervisor" else "")
    mine = sos(api, who, services={"police": True})
    before = api.get(f"/v1/sos/{mine}", headers=who.headers).get_json()
    incidents.change(mine, lambda draft: rules.duress(draft, by=None), now=clock())
    after = api.get(f"/v1/sos/{mine}", headers=who.headers).get_json()
    assert after["resolution"] == "cancelled_by_citizen"
    assert after.keys() == before.keys()
    assert mine not in listed(api, who)
    assert "duress" in listed(api, colleague)[mine]["flags"]
    for path in ("", "/timeline", "/track"):
        assert api.get(f"/v1/incidents/{mine}{path}", headers=who.headers).status_code == 404
        assert api.get(f"/v1/incidents/{mine}{path}", headers=colleague.headers).status_code == 200
    body = {"resolution": "false_alarm", "reason": "I am fine"}
    assert api.post(f"/v1/incidents/{mine}/resolve", json=body, headers=who.headers).status_code == 404


def test_a_responder_s_own_sos_is_not_among_the_unit_s_assignments(api: FlaskClient, app: Flask, clock: Hand) -> None:
    unit_id = unit(clock)
    crew = [signed_in(clock(), roles=[held("responder", agency_id=POLICE)], unit_id=unit_id) for _ in range(2)]
    who, colleague = crew
    mine = sos(api, who, services={"police": True})
    assignment = asked(app, clock, mine, unit_id)
    clock.forward(seconds=10)

    def seen_by(person: Signed) -> list[bool]:
        cursor = api.get("/v1/sync", headers=person.headers).get_json()
        return [
            any(each["id"] == assignment for each in found)
            for found in (
                api.get("/v1/responder/assignments", headers=person.headers).get_json()["items"],
                cursor["items"] + cursor["tombstones"],
            )
        ] + [mine in listed(api, person)]

    assert seen_by(who) == [False] * 3
    assert seen_by(colleague) == [True] * 3
    assert api.post(f"/v1/assignments/{assignment}/accept", headers=who.headers).status_code == 404
    assert api.post(f"/v1/assignments/{assignment}/accept", headers=colleague.headers).status_code == 200


def test_two_roles_see_the_union_of_what_each_sees(api: FlaskClient, app: Flask, clock: Hand) -> None:
    """A supervisor of the police who also rides on an ambulance: of what only the ambulance has, a responder's eyes."""
    ambulance = unit(clock, "medical", agency="rescue_1122")
    both = signed_in(
        clock(), second_factor_given=True, unit_id=ambulance,
        roles=[held("supervisor", agency_id=POLICE), held("responder", agency_id="rescue_1122")],
    )  # fmt: skip
    supervisor = staff(clock(), "supervisor", agency_id=POLICE)
    responder = signed_in(clock(), roles=[held("responder", agency_id="rescue_1122")], unit_id=ambulance)
    police = sos(api, services={"police": True})
    medical = sos(api, services={"medical": True})
    elsewhere = sos(api, services={"fire": True})
    asked(app, clock, medical, ambulance, "medical")
    rows, by_one, by_other = (listed(api, who) for who in (both, supervisor, responder))
    mine = {police, medical, elsewhere}
    assert rows.keys() & mine == (by_one.keys() | by_other.keys()) & mine == {police, medical}
    assert rows[police] == by_one[police]
    assert rows[medical] == by_other[medical]
    assert (rows[medical]["position"], rows[medical]["trust"], rows[police]["position"] is None) == (None, None, False)
    whole = api.get(f"/v1/incidents/{medical}", headers=both.headers).get_json()
    assert whole == api.get(f"/v1/incidents/{medical}", headers=responder.headers).get_json()
    assert whole["citizen"] is None
    assert api.get(f"/v1/incidents/{medical}/track", headers=both.headers).status_code == 404
    assert api.get(f"/v1/incidents/{police}/track", headers=both.headers).status_code == 200
    assert people.get(both.person_id).unit_id == ambulance


def test_lists_that_are_polled_answer_304_until_something_changes(api: FlaskClient, clock: Hand) -> None:
    operator = staff(clock(), "operator")
    mine = sos(api, services={"police": True})
    for path in ("/v1/incidents?limit=100", f"/v1/incidents/{mine}/timeline", "/v1/units", "/v1/cameras"):
        first = api.get(path, headers=operator.headers)
        known = {**operator.headers, "If-None-Match": first.headers["ETag"]}
        assert (first.status_code, api.get(path, headers=known).status_code) == (200, 304), path
    first = api.get("/v1/incidents?limit=100", headers=operator.headers)
    incidents.change(mine, lambda draft: draft.flag("late"), now=clock())
    again = api.get("/v1/incidents?limit=100", headers={**operator.headers, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
