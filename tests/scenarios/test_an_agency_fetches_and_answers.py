"""You said, they did: a street light is handed over, the agency fetches it by Open311, repairs it, and everybody hears."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from lxml import etree

from domain.handovers import service as handovers
from domain.ids import derived_id
from tests.factories.people import signed_in, staff
from tests.fakes.small_city import PLACE, SmallCity
from tests.scenarios.street import a_group, call, joins, ok, reports, settled_in

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "open311"
needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="../shared/specs/open311 is not there")
AGENCY = "sui_northern"


@pytest.fixture
def desk(small_city: SmallCity) -> Iterator[str]:
    """The agency's api_key."""
    for name in (
        "watch_handovers",
        "watch_reports",
        "watch_clusters",
        "watch_groups",
        "watch_members",
        "watch_follows",
    ):
        small_city.store[name].delete_many({})
    takes = ["street_light", "hanging_wire", "noise"]
    _, key = handovers.open_desk("lahore", AGENCY, takes, now=small_city.now())
    yield key
    handovers.close_desk("lahore", AGENCY)


def fetch(city: SmallCity, path: str, **query: str) -> requests.Response:
    found = requests.get(f"{city.url}/open311/v2/{path}", params={"jurisdiction_id": "lahore", **query}, timeout=10)
    assert found.status_code < 500, found.text
    return found


def send(city: SmallCity, path: str, **form: str) -> requests.Response:
    found = requests.post(f"{city.url}/open311/v2/{path}", data={"jurisdiction_id": "lahore", **form}, timeout=10)
    assert found.status_code < 500, found.text
    city.settle()
    return found


def test_you_said_they_did(small_city: SmallCity, desk: str) -> None:
    city = small_city
    asma, operator = signed_in(city.now(), name="Asma", language="en"), staff(city.now(), "operator")
    group = a_group(city, asma)
    saw, other = (joins(city, group, asma) for _ in range(2))
    lamp = reports(city, saw, "street_light", note="The lamp at the corner is out.")
    again = reports(city, other, "street_light", note="کونے والی بتی بند ہے")
    assert [each["id"] for each in again["same_as"]] == [lamp["id"]], "is it this one?"
    assert call(city, other, "PUT", f"/watch/reports/{lamp['id']}/follow").status_code == 204
    assert ok(call(city, other, "GET", f"/watch/reports/{lamp['id']}"))["followed"]
    assert call(city, other, "POST", f"/watch/reports/{lamp['id']}/handover").status_code == 403
    made = ok(call(city, asma, "POST", f"/watch/reports/{lamp['id']}/handover"))
    assert ok(call(city, operator, "POST", f"/watch/reports/{lamp['id']}/handover"))["id"] == made["id"]

    (public,) = fetch(city, "requests.json").json()
    assert (public["service_request_id"], public["status"]) == (made["id"], "open")
    reads = len(list(city.store.audit.find({"action": "handover.read"})))
    (own,) = fetch(city, f"requests/{made['id']}.json", api_key=desk).json()
    assert (own["lat"], own["long"]) == (round(PLACE[0], 6), round(PLACE[1], 6)), "the agency knows where"
    assert (public["lat"], public["long"]) != (own["lat"], own["long"]), "the public does not"
    read = [row["actor"] for row in city.store.audit.find({"action": "handover.read"}).sort("at", 1)]
    assert read[reads:] == [f"agency:{AGENCY}"]

    said = {"api_key": desk, "service_request_id": made["id"], "status": "closed", "description": "New lamp fitted."}
    first = send(city, "servicerequestupdates.json", **said, update_id="77")
    assert first.json() == send(city, "servicerequestupdates.json", **said, update_id="77").json()
    shown = ok(call(city, saw, "GET", f"/watch/reports/{lamp['id']}"))["handover"]
    assert (shown["status"], shown["notes"], shown["agency"]) == ("closed", "New lamp fitted.", AGENCY)
    (row,) = ok(call(city, other, "GET", f"/watch/groups/{group['id']}/handovers"))["items"]
    assert (row["status"], row["notes"], len(row["updates"])) == ("closed", "New lamp fitted.", 1)
    told = [
        each["recipient"]["id"]
        for each in city.store.deliveries.find({"purpose": "watch_moderation", "subject": lamp["id"]})
    ]
    assert sorted(set(told)) == sorted({saw.person_id, other.person_id, asma.person_id})
    assert told.count(asma.person_id) == 1
    assert call(city, signed_in(city.now()), "GET", f"/watch/groups/{group['id']}/handovers").status_code == 404


def test_what_was_taken_back_is_told_without_words_and_place(small_city: SmallCity, desk: str) -> None:
    city = small_city
    asma = signed_in(city.now(), name="Asma", language="en")
    saw = joins(city, a_group(city, asma), asma)
    lamp = reports(city, saw, "street_light", note="The lamp before my door, number 7, is out.")
    made = ok(call(city, asma, "POST", f"/watch/reports/{lamp['id']}/handover"))
    path = f"requests/{made['id']}.json"
    (before,) = fetch(city, path, api_key=desk).json()
    assert ("number 7" in before["description"], before["lat"]) == (True, round(PLACE[0], 6))
    ok(call(city, saw, "POST", f"/watch/reports/{lamp['id']}/withdraw"))
    (after,) = fetch(city, path, api_key=desk).json()
    assert (after["service_request_id"], after["description"]) == (made["id"], None)
    assert (after["lat"], after["long"]) == (round(lamp["place"]["lat"], 6), round(lamp["place"]["lon"], 6))
    assert fetch(city, path).status_code == 404, "the public reads nothing of it"


def test_neighbours_who_believe_it_need_no_coordinator(small_city: SmallCity, desk: str) -> None:
    city = small_city
    asma = signed_in(city.now(), name="Asma", language="en")
    group = a_group(city, asma)
    saw, *others = (joins(city, group, asma) for _ in range(5))
    settled_in(city, asma, saw, *others)
    lamp = reports(city, saw, "street_light")
    for who in others:
        body = {"stand": "confirm", "position": {"lat": PLACE[0], "lon": PLACE[1]}}
        ok(call(city, who, "POST", f"/watch/reports/{lamp['id']}/confirmations", body))
    assert ok(call(city, saw, "GET", f"/watch/reports/{lamp['id']}"))["handover"]["status"] == "open"
    dogs = reports(city, saw, "stray_dogs")
    refused = call(city, asma, "POST", f"/watch/reports/{dogs['id']}/handover")
    assert (refused.status_code, refused.json()["code"]) == (409, "nobody_takes_it")
    fire = reports(city, saw, "fire")
    assert call(city, asma, "POST", f"/watch/reports/{fire['id']}/handover").json()["code"] == "not_handed_over"


def test_an_agency_brings_a_request_and_who_sent_it_is_not_kept(small_city: SmallCity, desk: str) -> None:
    city = small_city
    place = {"lat": str(PLACE[0]), "long": str(PLACE[1])}
    form = {"api_key": desk, "service_code": "hanging_wire", **place, "description": "Wire by the bakery", "email": "x@y.pk",
            "first_name": "Ali", "phone": "111", "attribute[SPARKS]": "sparks"}  # fmt: skip
    made = send(city, "requests.json", **form)
    assert made.status_code == 201
    (one,) = made.json()
    (read,) = fetch(city, f"requests/{one['service_request_id']}.json").json()
    assert (read["description"], read["service_code"]) == ("Wire by the bakery", "hanging_wire")
    kept = json.dumps([*city.store.watch_reports.find({}), *city.store.watch_handovers.find({})], default=str)
    assert "x@y.pk" not in kept
    assert "Ali" not in kept
    assert derived_id("per", "open311", "lahore", AGENCY, "111") not in kept, "nor what anybody makes of a number"
    again = {**form, "service_code": "street_light", "description": "Dark"}
    assert send(city, "requests.json", **again).status_code == 201
    assert len({row["author"] for row in city.store.watch_reports.find({})}) == 1, "who sends much is known by a name"
    (waits,) = send(city, "requests.json", **{**form, "description": "Call 0300 1234567"}).json()
    assert "service_request_id" not in waits
    assert fetch(city, f"tokens/{waits['token']}.json").status_code == 404, "a human reads it first"
    held = city.store.watch_handovers.find_one({"token": waits["token"]})
    operator = staff(city.now(), "operator")
    decision = {"status": "published", "reason": "Their own number."}
    ok(call(city, operator, "POST", f"/watch/reports/{held['report']}/decision", decision))
    assert fetch(city, f"tokens/{waits['token']}.json").json() == [
        {"service_request_id": held["_id"], "token": waits["token"]}
    ]


PLACED = {"lat": str(PLACE[0]), "long": str(PLACE[1])}


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"service_code": "noise", **PLACED}, 403, "api_key"),
        ({"api_key": "wrong", "service_code": "noise", **PLACED}, 403, "api_key"),
        ({"api_key": "KEY", **PLACED}, 400, "service_code was not provided"),
        ({"api_key": "KEY", "service_code": "fire", **PLACED}, 404, "service_code was not found"),
        ({"api_key": "KEY", "service_code": "noise", "address_string": "Mall Road"}, 400, "lat and long"),
        ({"api_key": "KEY", "service_code": "noise", "lat": "nan", "long": "0"}, 400, "no place"),
        ({"api_key": "KEY", "service_code": "noise", "lat": "24.86", "long": "67.0"}, 400, "karachi"),
        ({"api_key": "KEY", "service_code": "noise", "lat": "51.5", "long": "0.1"}, 400, "1122"),
        ({"api_key": "KEY", "service_code": "noise", **PLACED, "description": "x" * 4001}, 400, "characters"),
        ({"api_key": "KEY", "service_code": "hanging_wire", **PLACED}, 400, "SPARKS"),
        ({"jurisdiction_id": "", "api_key": "KEY"}, 400, "jurisdiction_id was not provided"),
        ({"jurisdiction_id": "paris", "api_key": "KEY"}, 404, "jurisdiction_id was not found"),
    ],
)
def test_what_cannot_be_is_refused_as_the_standard_says(
    small_city: SmallCity, desk: str, form: dict[str, str], status: int, said: str
) -> None:
    sent = {name: desk if value == "KEY" else value for name, value in form.items()}
    refused = send(small_city, "requests.json", **sent)
    (error,) = refused.json()
    assert (refused.status_code, error["code"]) == (status, status)
    assert said in error["description"]
    as_xml = etree.fromstring(send(small_city, "requests.xml", **sent).content)
    assert [each.tag for each in as_xml.iter()] == ["errors", "error", "code", "description"]
    for odd in ("nowhere.json", "requests/srq_none.json", "services/none.json", "tokens/none.json"):
        assert fetch(small_city, odd).json()[0]["code"] == 404


def test_outside_every_city_one_is_told_whom_to_turn_to(small_city: SmallCity, desk: str) -> None:
    who = signed_in(small_city.now())
    for lat, lon, near in ((31.5, 73.9, "lahore"), (51.5, 0.1, None)):
        body = {"category": "fire", "position": {"lat": lat, "lon": lon}}
        refused = call(small_city, who, "POST", "/watch/reports", body)
        assert refused.status_code == 422
        turn_to = refused.json()["turn_to"]
        assert [each["number"] for each in turn_to["numbers"]] == ["15", "1122", "112"]
        assert turn_to.get("city") == near


@needs_specs
def test_answers_have_the_shapes_of_the_standards_own_examples(small_city: SmallCity, desk: str) -> None:
    """Every field that we send is one of the standard's, in the element where the standard has it, in both formats."""
    city = small_city
    form = {
        "api_key": desk,
        "service_code": "hanging_wire",
        **PLACED,
        "description": "ے & <b>",
        "attribute[SPARKS]": "no",
    }
    made = send(city, "requests.xml", **form)
    number = etree.fromstring(made.content).findtext("request/service_request_id")
    held = send(city, "requests.xml", **{**form, "description": "call 0300 1234567"})
    token = etree.fromstring(held.content).findtext("request/token")
    ours = {
        "service-list": "services", "service-definition": "services/hanging_wire", "service-requests": "requests",
        "service-request": f"requests/{number}",
    }  # fmt: skip
    for sample, path in ours.items():
        got = fetch(city, f"{path}.xml")
        assert got.headers["Content-Type"] == "text/xml; charset=utf-8"
        assert got.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
        theirs = etree.fromstring((SPECS / f"spec_xml-{sample}.xml").read_bytes())
        assert _paths(etree.fromstring(got.content)) == _paths(theirs), sample
        as_json = fetch(city, f"{path}.json")
        assert as_json.headers["Content-Type"] == "application/json; charset=utf-8"
        assert _keys(as_json.json()) == _json_keys(f"spec_json-{sample}.json"), sample
    posted = etree.fromstring((SPECS / "spec_xml-service-request-post.xml").read_bytes())
    assert _paths(etree.fromstring(made.content)) == _paths(posted)
    assert token
    city.store.watch_reports.update_many({}, {"$set": {"status": "published"}})
    named = etree.fromstring(fetch(city, f"tokens/{token}.xml").content)
    assert _paths(named) == _paths(etree.fromstring((SPECS / "spec_xml-request-from-token.xml").read_bytes()))
    boston = json.loads((SPECS / "node-open311__discovery-boston.json").read_text())
    assert _keys(fetch(city, "discovery.json").json()) == _keys(boston)
    assert etree.fromstring(fetch(city, "discovery.xml").content).tag == "discovery"


def _paths(root: Any) -> set[str]:
    tree = root.getroottree()
    return {"/".join(part.partition("[")[0] for part in tree.getpath(each).split("/")) for each in root.iter("*")}


def _keys(value: Any, at: str = "") -> set[str]:
    if isinstance(value, list):
        return set().union(*(_keys(each, f"{at}[]") for each in value)) if value else set()
    if isinstance(value, dict):
        return {f"{at}.{name}" for name in value}.union(*(_keys(each, f"{at}.{name}") for name, each in value.items()))
    return set()


def _json_keys(name: str) -> set[str]:
    return _keys(json.loads(re.sub(r":\s*0+(\d)", r":\1", (SPECS / name).read_text())))  # the standard's own has 001


def test_keys_of_requests_are_unique(small_city: SmallCity, desk: str) -> None:
    form = {"jurisdiction_id": "lahore", "api_key": desk, "service_code": "noise", **PLACED, "account_id": "7"}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    twice = [
        requests.post(f"{small_city.url}/open311/v2/requests.json", data=form, headers=key, timeout=10).json()
        for _ in range(2)
    ]
    assert twice[0] == twice[1]
    small_city.settle()
