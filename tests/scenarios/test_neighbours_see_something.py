"""Neighbours see something: a group of a few streets, a report, others who confirm it, and somebody who comes."""

import uuid
from typing import Any

import pytest
import requests

from domain import geo
from domain.people import queries as people
from domain.people import sign_in
from domain.people.sign_in import Lifetimes
from domain.watch import queries as watch
from tests.factories.people import SECRET, Signed, signed_in, staff
from tests.fakes.small_city import PLACE, SmallCity

Body = dict[str, Any]


def square(half_m: float = 400.0, *, middle: tuple[float, float] = PLACE) -> Body:
    """A GeoJSON square around a point."""
    corners = [geo.destination(*middle, bearing, half_m * 1.4142) for bearing in (45.0, 135.0, 225.0, 315.0, 45.0)]
    return {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in corners]]}


def call(city: SmallCity, who: Signed, method: str, path: str, body: Body | None = None, *, key: str = "") -> Any:
    token = sign_in.tokens_for(SECRET, who.person_id, who.session_id, Lifetimes(), now=city.now()).access_token
    headers = {"Idempotency-Key": key or str(uuid.uuid4()), "Authorization": f"Bearer {token}"}
    sent = (body or {}) if method != "GET" else None
    answer = requests.request(method, f"{city.url}/v1{path}", json=sent, headers=headers, timeout=10)
    assert answer.status_code < 500, answer.text
    assert len(answer.content) <= 8192
    city.settle()
    return answer


def ok(answer: Any) -> Body:
    assert answer.status_code < 300, answer.text
    found: Body = answer.json() if answer.content else {}
    return found


@pytest.fixture
def asma(small_city: SmallCity) -> Signed:
    return signed_in(small_city.now(), name="Asma", language="en")


def a_group(city: SmallCity, coordinator: Signed, **more: Any) -> Body:
    body = {"name": "Liberty, block C", "area": square(), "rules": "Say what somebody does.", **more}
    return ok(call(city, coordinator, "POST", "/watch/groups", body))


def joins(city: SmallCity, group: Body, coordinator: Signed, **fields: Any) -> Signed:
    """Somebody who comes in by the group's link."""
    link = ok(call(city, coordinator, "POST", f"/watch/groups/{group['id']}/link"))["token"]
    who = signed_in(city.now(), language="en", **fields)
    body = {"rules_version": group["rules_version"], "link": link}
    assert ok(call(city, who, "POST", f"/watch/groups/{group['id']}/members", body))["standing"] == "member"
    return who


def test_a_group_is_founded_joined_led_left_and_closed(small_city: SmallCity, asma: Signed) -> None:
    city = small_city
    key, body = str(uuid.uuid4()), {"name": "Block C", "area": square(), "rules": "Be kind."}
    made = call(city, asma, "POST", "/watch/groups", body, key=key)
    group = made.json()
    assert (made.status_code, group["standing"], group["role"], group["members"]) == (201, "member", "coordinator", 1)
    again = call(city, asma, "POST", "/watch/groups", body, key=key)
    assert (again.status_code, again.json()["id"]) == (200, group["id"])
    other = call(city, asma, "POST", "/watch/groups", {**body, "name": "Block D"}, key=key)
    assert other.json()["code"] == "idempotency_conflict"
    path = f"/watch/groups/{group['id']}"

    bilal = signed_in(city.now(), name="Bilal", language="en")
    around = ok(call(city, bilal, "GET", f"/watch/groups?lat={PLACE[0]}&lon={PLACE[1]}"))["items"]
    assert group["id"] in [each["id"] for each in around]
    unread = call(city, bilal, "POST", f"{path}/members", {"rules_version": 9})
    assert (unread.status_code, unread.json()["code"]) == (422, "rules_not_accepted")
    assert ok(call(city, bilal, "POST", f"{path}/members", {"rules_version": 1}))["standing"] == "requested"
    assert call(city, bilal, "GET", f"{path}/members").status_code == 403
    waiting = ok(call(city, asma, "GET", f"{path}/members?standing=requested"))["items"]
    assert [(each["person"], each["name"]) for each in waiting] == [(bilal.person_id, "Bilal")]
    ok(call(city, asma, "POST", f"{path}/members/{bilal.person_id}/admit"))
    chained = ok(call(city, asma, "GET", path))
    assert chained["members"] == 2

    ok(call(city, asma, "PUT", f"{path}/members/{bilal.person_id}/role", {"role": "deputy"}))
    ok(call(city, bilal, "PATCH", path, {"rules": "Be kind. Chase nobody."}))
    assert ok(call(city, asma, "GET", path))["rules_version"] == 2
    assert call(city, bilal, "POST", f"{path}/close").status_code == 404
    ok(call(city, asma, "PUT", f"{path}/members/{bilal.person_id}/role", {"role": "coordinator"}))
    assert call(city, asma, "PATCH", path, {"name": "Mine"}).status_code == 403
    stays = call(city, bilal, "DELETE", f"{path}/members/me")
    assert (stays.status_code, stays.json()["code"]) == (409, "leads_the_group")
    assert call(city, asma, "DELETE", f"{path}/members/me").status_code == 204
    assert watch.membership(group["id"], asma.person_id) is None, "nothing is kept of who left"
    ok(call(city, bilal, "POST", f"{path}/close"))
    assert watch.membership(group["id"], bilal.person_id) is None
    assert people.get(bilal.person_id).roles == []
    assert call(city, asma, "GET", path).status_code == 404


def test_invited_from_a_list_and_taken_out_for_good(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    path = f"/watch/groups/{group['id']}"
    dua = signed_in(city.now(), name="Dua")
    phones = {"phones": [dua.phone, "+923000000009", dua.phone]}
    assert ok(call(city, asma, "POST", f"{path}/invitations", phones))["invited"] == 2
    assert [each["standing"] for each in ok(call(city, dua, "GET", "/watch/groups"))["items"]] == ["invited"]
    assert ok(call(city, dua, "POST", f"{path}/members", {"rules_version": 1}))["standing"] == "member"
    assert call(city, asma, "DELETE", f"{path}/members/{dua.person_id}").status_code == 422
    assert call(city, asma, "DELETE", f"{path}/members/{dua.person_id}?reason=Threats").status_code == 204
    link = ok(call(city, asma, "POST", f"{path}/link"))["token"]
    call(city, dua, "DELETE", f"{path}/members/me")
    back = call(city, dua, "POST", f"{path}/members", {"rules_version": 1, "link": link})
    assert (back.status_code, back.json()["code"]) == (403, "removed_from_group")


@pytest.mark.parametrize(
    "area",
    [
        {"type": "Point", "coordinates": [74.3, 31.5]},
        {
            "type": "Polygon",
            "coordinates": [[[74.34, 31.5], [74.35, 31.51], [74.35, 31.5], [74.34, 31.51], [74.34, 31.5]]],
        },
        {"type": "Polygon", "coordinates": [[["a", 1]]]},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": [[[179.9, 31.5], [-179.9, 31.5], [-179.9, 31.6], [179.9, 31.5]]]},
        square(20.0, middle=(28.0, 68.0)),
        square(5.0),
        square(6000.0),
        {"type": "Polygon", "coordinates": [[[74.34 + 0.0000001 * n, 31.5] for n in range(10_000)]]},
    ],
    ids=[
        "a point",
        "crosses itself",
        "no numbers",
        "nothing",
        "antimeridian",
        "no city",
        "a room",
        "a district",
        "long",
    ],
)
def test_an_area_that_cannot_be_is_refused(small_city: SmallCity, asma: Signed, area: Body) -> None:
    body = {"name": "Block C", "area": area, "rules": "Be kind."}
    refused = call(small_city, asma, "POST", "/watch/groups", body)
    assert (refused.status_code, refused.json()["code"], list(refused.json()["errors"])) == (
        422,
        "group_invalid",
        ["area"],
    )


def test_an_alert_reaches_the_area_of_a_group(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    operator = staff(city.now(), "operator")
    texts = {each: {"event": "Gas", "headline": "Gas leak", "instruction": "Stay in."} for each in ("en", "ur")}
    body = {"category": "Safety", "severity": "Severe", "urgency": "Immediate", "certainty": "Likely",
            "texts": texts, "city": "lahore"}  # fmt: skip
    known = ok(call(city, operator, "POST", "/alerts", {**body, "area": {"groups": [group["id"]]}}))
    assert known["area"]["geometry"]["type"] == "Polygon"
    unknown = call(city, operator, "POST", "/alerts", {**body, "area": {"groups": ["grp_nobody"]}})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_group")
