"""Drills over HTTP: who may begin one, for whom, with which bodies; one request makes one drill."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.cities import queries as cities
from domain.drills import queries as drills
from domain.notices import service as notices
from domain.notices.states import NoticeKind
from tests.factories.people import Signed, signed_in, staff


@pytest.fixture(autouse=True)
def no_drill_goes_on(app: Any) -> None:
    drills.drills().delete_many({})


def start(api: FlaskClient, who: Signed, key: str = "", **body: Any) -> Any:
    headers = {**who.headers, "Idempotency-Key": key or str(uuid.uuid4())}
    return api.post("/v1/drills", json=body, headers=headers)


def test_what_is_left_out_is_as_the_city_plans_it_and_a_retry_meets_the_same_drill(
    api: FlaskClient, clock: Any, enqueued: Any
) -> None:
    operator = staff(clock(), "operator")
    plan = cities.current("lahore").drills
    assert plan is not None
    key = str(uuid.uuid4())
    first, again = (start(api, operator, key, city="lahore") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    other = start(api, operator, key, city="lahore", channels=["sms"])
    assert (other.status_code, other.get_json()["code"]) == (409, "idempotency_conflict")
    made = first.get_json()
    assert again.get_json()["id"] == made["id"]
    assert (made["roles"], made["channels"]) == (list(plan.roles), [str(each) for each in plan.channels])
    assert ("drill", (made["id"],)) in enqueued.jobs
    listed = api.get("/v1/drills?city=lahore", headers=operator.headers).get_json()["items"]
    assert [each["id"] for each in listed] == [made["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"roles": []}, "roles"),
        ({"roles": ["citizen"]}, "roles"),
        ({"roles": ["nobody"]}, "roles"),
        ({"channels": ["pigeon"]}, "channels"),
        ({"channels": "sms"}, "channels"),
        ({"answer_within_min": 0}, "answer_within_min"),
        ({"answer_within_min": "soon"}, "answer_within_min"),
        ({"agency_id": "a b"}, "agency_id"),
        ({"city": "\x00"}, "city"),
    ],
)
def test_a_wrong_body_is_told_by_field(api: FlaskClient, clock: Any, body: dict[str, Any], field: str) -> None:
    answer = start(api, staff(clock(), "operator"), **{"city": "lahore", **body})
    assert answer.status_code == 422
    assert any(name.startswith(field) for name in answer.get_json()["errors"]), answer.get_json()


def test_a_supervisor_drills_the_own_agency_alone(api: FlaskClient, clock: Any) -> None:
    own = staff(clock(), "supervisor", agency_id="rescue_1122")
    assert start(api, own, city="lahore", agency_id="edhi").status_code in {404, 422}
    assert start(api, own, city="karachi").status_code == 404
    made = start(api, own, city="lahore", channels=["sms"])
    assert (made.status_code, made.get_json()["agency_id"]) == (201, "rescue_1122")
    other = staff(clock(), "supervisor", agency_id="edhi")
    for path in ("", "/unreached"):
        assert api.get(f"/v1/drills/{made.get_json()['id']}{path}", headers=own.headers).status_code == 200
        assert api.get(f"/v1/drills/{made.get_json()['id']}{path}", headers=other.headers).status_code == 404
    assert api.get("/v1/drills?city=lahore", headers=other.headers).get_json()["items"] == []


def test_who_has_no_business_with_drills_is_told_so(api: FlaskClient, clock: Any) -> None:
    for who in (signed_in(clock()), staff(clock(), "analyst"), staff(clock(), "counsellor")):
        assert start(api, who, city="lahore").status_code == 403
        assert api.get("/v1/drills?city=lahore", headers=who.headers).status_code == 403
    assert start(api, staff(clock(), "operator"), city="atlantis").status_code == 404
    assert start(api, staff(clock(), "operator"), city="lahore", agency_id="none_such").status_code in {404, 422}


def test_a_drill_is_stopped_once(api: FlaskClient, clock: Any) -> None:
    operator = staff(clock(), "operator")
    made = start(api, operator, city="lahore").get_json()
    stop = f"/v1/drills/{made['id']}/stop"
    assert api.post(stop, headers=operator.headers).get_json()["status"] == "withdrawn"
    again = api.post(stop, headers=operator.headers)
    assert (again.status_code, again.get_json()["code"]) == (409, "drill_over")
    assert api.post("/v1/drills/drl_none/stop", headers=operator.headers).status_code == 404


def test_the_page_of_a_link_that_opens_nothing(api: FlaskClient) -> None:
    for token in ("none", "0" * 12, "x" * 500):
        answer = api.get(f"/t/drill/{token}?lang=en")
        assert answer.status_code == 404
        assert "opens nothing" in answer.get_data(as_text=True)


def test_a_notice_of_the_machine_is_every_citys_and_a_citys_own_is_not(api: FlaskClient, clock: Any) -> None:

    everywhere = notices.see(NoticeKind.QUEUE_AWAY, "redis", city="*", now=clock())
    lahore = notices.see(NoticeKind.LADDER_UNANSWERED, "inc_1", city="lahore", now=clock(), tell=False)
    operator, elsewhere = staff(clock(), "operator"), staff(clock(), "operator", city="karachi")
    here = api.get("/v1/notices?city=lahore&limit=1", headers=operator.headers).get_json()
    rest = api.get(f"/v1/notices?city=lahore&cursor={here['next']}", headers=operator.headers).get_json()
    assert {each["id"] for each in (*here["items"], *rest["items"])} == {everywhere, lahore}
    there = api.get("/v1/notices?city=karachi", headers=elsewhere.headers).get_json()["items"]
    assert [each["id"] for each in there] == [everywhere]
    assert api.get(f"/v1/notices/{lahore}", headers=elsewhere.headers).status_code == 404
    assert api.get("/v1/notices?city=lahore", headers=elsewhere.headers).status_code == 404
    assert api.get(f"/v1/notices/{everywhere}", headers=elsewhere.headers).status_code == 200
    assert api.get("/v1/notices?city=lahore", headers=staff(clock(), "analyst").headers).status_code == 403
    for query in ("status=gone", "cursor=none", "limit=0", "colour=red"):
        assert api.get(f"/v1/notices?city=lahore&{query}", headers=operator.headers).status_code == 422


def test_figures_of_carriers_are_for_those_who_read_figures(api: FlaskClient, clock: Any) -> None:
    assert api.get("/v1/insights/carriers?city=lahore", headers=staff(clock(), "analyst").headers).status_code == 200
    assert api.get("/v1/insights/carriers?city=lahore", headers=staff(clock(), "counsellor").headers).status_code == 403
    assert (
        api.get(
            "/v1/insights/carriers?city=lahore", headers=staff(clock(), "analyst", city="karachi").headers
        ).status_code
        == 404
    )
    analyst = staff(clock(), "analyst")
    for query in ("", "?city=lahore&from=yesterday", "?city=lahore&carrier=fcm"):
        assert api.get(f"/v1/insights/carriers{query}", headers=analyst.headers).status_code == 422
