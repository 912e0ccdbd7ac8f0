"""An auditor reads and verifies the chain; reading it stands on it."""

from typing import Any

from flask.testing import FlaskClient

from domain.audit import chain
from domain.audit.documents import AuditDoc
from tests.factories.people import staff


def test_an_auditor_reads_by_pages_and_leaves_a_trace(api: FlaskClient, clock: Any) -> None:
    auditor = staff(clock(), "auditor")
    for number in range(5):
        chain.append("lahore", "per_1", "evidence.viewed", f"evd_{number}", now=clock(), reason="case 7")
    where, subjects = "/v1/audit?city=lahore&limit=2", []
    while where:
        page = api.get(where, headers=auditor.headers).get_json()
        subjects += [each["subject"] for each in page["items"] if each["action"] == "evidence.viewed"]
        where = f"/v1/audit?city=lahore&limit=2&cursor={page['next']}" if "next" in page else ""
    assert subjects == [f"evd_{number}" for number in (4, 3, 2, 1, 0)]
    own = api.get("/v1/audit?city=lahore&subject=lahore", headers=auditor.headers).get_json()["items"]
    assert {each["actor"] for each in own} == {auditor.person_id}


def test_a_broken_chain_is_told(api: FlaskClient, clock: Any) -> None:
    auditor = staff(clock(), "auditor", city="karachi")
    for number in range(3):
        chain.append("karachi", "per_1", "evidence.viewed", f"evd_{number}", now=clock())
    where = f"/v1/audit/verify?city=karachi&day={clock():%Y-%m-%d}"
    whole = api.get(where, headers=auditor.headers).get_json()
    assert (whole["holds"], whole["entries"], "broken_at" in whole) == (True, 3, False)
    assert whole["signature"]
    AuditDoc._get_collection().update_one({"city": "karachi", "seq": 2}, {"$set": {"actor": "per_2"}})
    broken = api.get(where, headers=auditor.headers).get_json()
    assert (broken["holds"], broken["broken_at"], "signature" in broken) == (False, 2, False)


def test_the_chain_is_for_auditors_of_that_city(api: FlaskClient, clock: Any) -> None:
    for role in ("operator", "admin", "supervisor"):
        answer = api.get("/v1/audit?city=lahore", headers=staff(clock(), role, agency_id="edhi").headers)
        assert answer.status_code == 403
    other = staff(clock(), "auditor", city="karachi")
    assert api.get("/v1/audit?city=lahore", headers=other.headers).status_code == 404
    for query in ("", "?city=lahore&day=yesterday", "?city=%00&day=2026-11-23"):
        assert api.get(f"/v1/audit/verify{query}", headers=other.headers).status_code == 422
