"""Alerts over HTTP: who may, what is refused, chains, and what other systems read under `/cap`."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import etree

from domain.alerts import queries
from tests.api.conftest import Enqueued, Hand
from tests.factories.people import Signed, signed_in, staff

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
ATOM = "{http://www.w3.org/2005/Atom}"
XSD = Path(__file__).parents[3] / "shared" / "specs" / "cap" / "CAP-v1.2.xsd"
SQUARE = [[74.32, 31.49], [74.37, 31.49], [74.37, 31.53], [74.32, 31.53], [74.32, 31.49]]
AREA = {"geometry": {"type": "Polygon", "coordinates": [SQUARE]}, "name": {"en": "Gulberg", "ur": "گلبرگ"}}
TEXTS = {
    "en": {"event": "Flood", "headline": "Flood in Gulberg", "description": "Water & mud", "instruction": "Go up."},
    "ur": {"event": "سیلاب", "headline": "گلبرگ میں سیلاب", "instruction": "اوپر جائیں۔"},
}
BODY = {
    "city": "lahore", "texts": TEXTS, "category": "Met", "urgency": "Immediate", "severity": "Severe",
    "certainty": "Observed", "response": "Evacuate", "area": AREA,
}  # fmt: skip


@pytest.fixture
def operator(app: Any, clock: Hand) -> Signed:
    queries.alerts().delete_many({})
    return staff(clock(), "operator")


@pytest.fixture
def citizen(app: Any, clock: Hand) -> Signed:
    return signed_in(clock())


def post(api: FlaskClient, who: Signed, path: str = "", body: Any = None, key: str = "") -> Any:
    headers = {**who.headers, "Idempotency-Key": key or str(uuid.uuid4())}
    return api.post(f"/v1/alerts{path}", json={} if body is None else body, headers=headers)


def got(api: FlaskClient, who: Signed, path: str) -> dict[str, Any]:
    """What a GET under /v1 answers."""
    answer = api.get(f"/v1{path}", headers=who.headers)
    found: Any = answer.json
    assert answer.status_code == 200, found
    return dict(found)


def issued(api: FlaskClient, who: Signed, **changes: Any) -> dict[str, Any]:
    answer = post(api, who, body={**BODY, "issue": True, **changes})
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json
    return found


def listed(api: FlaskClient, who: Signed, **query: Any) -> list[str]:
    answer = api.get("/v1/alerts", query_string={"city": "lahore", **query}, headers=who.headers)
    found: Any = answer.json
    assert answer.status_code == 200, found
    return [row["id"] for row in found["items"]]


def test_a_draft_is_staffs_until_it_is_issued(
    api: FlaskClient, operator: Signed, citizen: Signed, enqueued: Enqueued
) -> None:
    answer = post(api, operator, body=BODY)
    assert (answer.status_code, answer.json["status"]) == (201, "draft")
    alert_id = answer.json["id"]
    assert api.get(f"/v1/alerts/{alert_id}", headers=citizen.headers).status_code == 404
    assert api.get(f"/cap/{alert_id}.xml").status_code == 404
    assert listed(api, citizen) == []
    assert listed(api, operator, status="draft") == [alert_id]
    assert api.get("/v1/alerts?city=lahore&status=all", headers=citizen.headers).status_code == 404
    done = post(api, operator, f"/{alert_id}/issue")
    assert (done.status_code, done.json["status"], done.json["life_critical"]) == (200, "issued", True)
    assert ("drain", ("alerts", alert_id)) in enqueued.jobs
    assert listed(api, citizen) == [alert_id]
    shown = api.get(f"/v1/alerts/{alert_id}", headers=citizen.headers)
    body: Any = shown.json
    assert body["texts"]["ur"]["headline"] == TEXTS["ur"]["headline"]
    assert "progress" not in body
    assert "source" not in body
    again = api.get(f"/v1/alerts/{alert_id}", headers={**citizen.headers, "If-None-Match": shown.headers["ETag"]})
    assert again.status_code == 304


def test_only_who_may_issue(api: FlaskClient, citizen: Signed, clock: Hand, operator: Signed) -> None:
    assert post(api, citizen, body=BODY).status_code == 403
    elsewhere = staff(clock(), "operator", city="karachi")
    assert post(api, elsewhere, body=BODY).status_code == 404
    alert = issued(api, operator)
    assert post(api, elsewhere, f"/{alert['id']}/cancel").status_code == 404
    assert api.get("/v1/alerts/alt_nobody", headers=citizen.headers).status_code == 404


def test_the_same_key_is_the_same_alert(api: FlaskClient, operator: Signed) -> None:
    key = str(uuid.uuid4())
    first, again = (post(api, operator, body={**BODY, "issue": True}, key=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["id"] == again.json["id"]
    other = post(api, operator, body={**BODY, "severity": "Minor"}, key=key)
    assert (other.status_code, other.json["code"]) == (409, "idempotency_conflict")


def polygon(*corners: Any) -> dict[str, Any]:
    return {"area": {"geometry": {"type": "Polygon", "coordinates": [list(corners)]}}}


CROSSED = polygon([74.3, 31.4], [74.4, 31.5], [74.4, 31.4], [74.3, 31.5], [74.3, 31.4])
MANY = polygon(*([74.3 + n / 10_000, 31.5 + (n % 2) / 10_000] for n in range(160)), [74.3, 31.4], [74.3, 31.5])


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        (CROSSED, "area.geometry", "alert_invalid"),
        (MANY, "area.geometry", "alert_invalid"),
        (polygon([67.0, 24.8], [67.1, 24.8], [67.1, 24.9], [67.0, 24.8]), "area.geometry", "alert_invalid"),
        (polygon([74.3, 31.5], [74.30001, 31.5], [74.3, 31.50001], [74.3, 31.5]), "area.geometry", "alert_invalid"),
        (polygon(["x", 31.5], [74.4, 31.5], [74.4, 31.6], [74.3, 31.5]), "area.geometry", "alert_invalid"),
        ({"area": {}}, "area", "alert_invalid"),
        ({"area": {"whole_city": True, **AREA}}, "area", "alert_invalid"),
        ({"area": {"groups": ["grp_nobody"]}}, "area.groups", "unknown_group"),
        ({"expires": "2026-11-20T00:00:00Z"}, "expires", "alert_invalid"),
        ({"expires": "2027-11-20T00:00:00Z"}, "expires", "alert_invalid"),
        ({"onset": "2026-11-26T00:00:00Z", "expires": "2026-11-25T00:00:00Z"}, "onset", "alert_invalid"),
        ({"severity": "Bad"}, "severity", "invalid"),
        ({"texts": {"en": TEXTS["en"]}, "issue": True}, "texts.ur.event", "alert_invalid"),
        ({"texts": {"en": {"headline": "x" * 161}}}, "texts.en.headline", "invalid"),
        ({"texts": {"en": {"description": "x" * 5000}}}, "texts.en.description", "invalid"),
        (
            {"texts": {"en": {"headline": "\u202e\u200b"}, "ur": TEXTS["ur"]}, "issue": True},
            "texts.en.headline",
            "alert_invalid",
        ),
    ],
)
def test_what_cannot_go_out_is_refused_by_field(
    api: FlaskClient, operator: Signed, changes: dict[str, Any], field: str, code: str
) -> None:
    answer = post(api, operator, body={**BODY, **changes})
    assert answer.status_code == 422
    assert field in answer.json["errors"], answer.json
    if code != "invalid":
        assert answer.json["code"] == code


def test_a_draft_can_be_changed_and_thrown_away(api: FlaskClient, operator: Signed) -> None:
    made = post(api, operator, body=BODY).json
    stale = {**operator.headers, "If-Match": '"99"'}
    assert api.patch(f"/v1/alerts/{made['id']}", json={}, headers=stale).status_code == 412
    answer = api.patch(f"/v1/alerts/{made['id']}", json={"severity": "Minor"}, headers=operator.headers)
    changed: Any = answer.json
    assert (answer.status_code, changed["severity"], changed["version"]) == (200, "Minor", 2)
    assert api.delete(f"/v1/alerts/{made['id']}", headers=operator.headers).status_code == 204
    assert api.delete(f"/v1/alerts/{made['id']}", headers=operator.headers).status_code == 204
    assert post(api, operator, f"/{made['id']}/issue").status_code == 409
    live = issued(api, operator)
    assert api.delete(f"/v1/alerts/{live['id']}", headers=operator.headers).status_code == 409
    assert api.patch(f"/v1/alerts/{live['id']}", json={}, headers=operator.headers).status_code == 409


def test_an_update_and_a_cancel_end_what_was_before(
    api: FlaskClient, operator: Signed, citizen: Signed, clock: Hand
) -> None:
    first = issued(api, operator)
    clock.forward(minutes=5)
    update = issued(api, operator, updates=first["id"], severity="Extreme")
    assert (update["msg_type"], update["references"]) == ("Update", [first["id"]])
    before = got(api, citizen, f"/alerts/{first['id']}")
    assert (before["status"], before["followed_by"]) == ("superseded", update["id"])
    assert listed(api, citizen) == [update["id"]]
    late = post(api, operator, body={**BODY, "updates": first["id"]})
    assert (late.status_code, late.json["code"]) == (409, "alert_over")
    clock.forward(minutes=5)
    reason = {"reason": {"en": "The water has gone.", "ur": "پانی اتر گیا۔"}}
    over, again = (post(api, operator, f"/{update['id']}/cancel", reason) for _ in range(2))
    assert (over.status_code, again.status_code) == (201, 200)
    assert over.json["id"] == again.json["id"]
    assert over.json["references"] == [first["id"], update["id"]]
    assert over.json["texts"]["en"]["headline"] == "Over: Flood in Gulberg"
    assert not over.json["life_critical"]
    assert listed(api, citizen) == []
    assert got(api, citizen, f"/alerts/{update['id']}")["status"] == "cancelled"


def test_who_lives_there_finds_it(api: FlaskClient, operator: Signed, citizen: Signed, clock: Hand) -> None:
    alert = issued(api, operator)["id"]
    assert listed(api, citizen, at="31.51,74.35") == [alert]
    assert listed(api, citizen, at="31.60,74.20") == []
    assert listed(api, citizen, mine="true") == []
    home = {"alerts": {"areas": [{"label": "home", "lat": 31.51, "lon": 74.35}]}}
    assert api.patch("/v1/me", json=home, headers=citizen.headers).status_code == 200
    kept = got(api, citizen, "/me")["alerts"]
    assert kept == {
        "areas": [{"label": "home", "cell": kept["areas"][0]["cell"]}], "whole_city": True, "follow_device": False,
    }  # fmt: skip
    assert listed(api, citizen, mine="true") == [alert]
    assert "31.51" not in str(got(api, citizen, "/me/export")["records"]["alerts"])
    clock.forward(hours=7)
    assert listed(api, signed_in(clock())) == []  # it has expired


def test_staff_see_the_feeds_of_their_city(api: FlaskClient, operator: Signed, citizen: Signed) -> None:
    assert got(api, operator, "/cap-feeds?city=lahore") == {"feeds": [], "items": []}
    assert api.get("/v1/cap-feeds?city=lahore", headers=citizen.headers).status_code == 403


def test_what_hides_or_turns_text_around_is_taken_out(api: FlaskClient, operator: Signed) -> None:
    words = {
        **TEXTS["en"],
        "headline": "Flood \u202eevacuate\u202c\u200b now \U0001f30a",
        "instruction": "One\nTwo\x07",
    }
    made = post(api, operator, body={**BODY, "texts": {**TEXTS, "en": words}}).json
    assert made["texts"]["en"]["headline"] == "Flood evacuate now \U0001f30a"
    assert made["texts"]["en"]["instruction"] == "One\nTwo"


def test_a_phones_place_is_kept_only_where_it_may_be(api: FlaskClient, citizen: Signed) -> None:
    def cells() -> Any:
        return got(api, citizen, "/me/export")["records"]["alerts"]["device_cell"]

    def move() -> None:
        body = {"near": {"lat": 31.51, "lon": 74.35}}
        assert api.put("/v1/me/devices/phone-1", json=body, headers=citizen.headers).status_code == 200

    move()
    assert cells() is None
    api.patch("/v1/me", json={"alerts": {"follow_device": True}}, headers=citizen.headers)
    move()
    assert cells().startswith("87")
    api.patch("/v1/me", json={"alerts": {"follow_device": False}}, headers=citizen.headers)
    assert cells() is None


@pytest.mark.skipif(not XSD.exists(), reason="the schema of OASIS is not here")
def test_what_is_published_is_valid_cap(api: FlaskClient, operator: Signed, clock: Hand) -> None:
    schema = etree.XMLSchema(etree.parse(XSD))
    first = issued(api, operator)
    clock.forward(minutes=1)
    later = {name: (clock() + timedelta(hours=hours)).isoformat() for name, hours in (("onset", 2), ("expires", 26))}
    update = issued(api, operator, updates=first["id"], area={"whole_city": True}, **later)
    clock.forward(minutes=1)
    over = post(api, operator, f"/{update['id']}/cancel").json
    for alert in (first, update, over):
        answer = api.get(f"/cap/{alert['id']}.xml")
        assert (answer.status_code, answer.mimetype) == (200, "application/cap+xml")
        root = etree.fromstring(answer.data)
        schema.assertValid(root)
        assert [info.findtext(f"{CAP}language") for info in root.iter(f"{CAP}info")] == ["en-GB", "ur-PK"]
    documents = {each["id"]: etree.fromstring(api.get(f"/cap/{each['id']}.xml").data) for each in (first, update, over)}
    sent = documents[first["id"]].findtext(f"{CAP}sent")
    sender = documents[first["id"]].findtext(f"{CAP}sender")
    references = (documents[over["id"]].findtext(f"{CAP}references") or "").split()
    assert references[0] == f"{sender},{first['id']},{sent}"
    assert [each.split(",")[1] for each in references] == [first["id"], update["id"]]
    pairs = (documents[first["id"]].findtext(f".//{CAP}polygon") or "").split()
    assert pairs[0] == pairs[-1] == "31.49000,74.32000"


def test_the_feed_lists_what_was_issued(api: FlaskClient, operator: Signed, clock: Hand) -> None:
    empty = api.get("/cap/feed.atom?city=lahore")
    assert empty.status_code == 200
    alert = issued(api, operator)
    answer = api.get("/cap/feed.atom?city=lahore")
    root = etree.fromstring(answer.data)
    (entry,) = root.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Flood in Gulberg"
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert (link.get("type"), str(link.get("href")).endswith(f"/cap/{alert['id']}.xml")) == (
        "application/cap+xml",
        True,
    )
    cached = api.get("/cap/feed.atom?city=lahore", headers={"If-None-Match": answer.headers["ETag"]})
    assert cached.status_code == 304
    assert api.get("/cap/feed.atom?city=nowhere").status_code == 404
    assert len(etree.fromstring(api.get("/cap/feed.atom").data).findall(f"{ATOM}entry")) == 1
    clock.forward(days=8)
    assert etree.fromstring(api.get("/cap/feed.atom?city=lahore").data).findall(f"{ATOM}entry") == []
