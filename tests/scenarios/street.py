"""What the people of a street do, for the scenarios of the neighbourhood watch: they found a group, join it, report what they
see and say what they think of it, each as their phone would, and whatever follows is worked off before anybody looks.
"""

import uuid
from datetime import timedelta
from typing import Any

import requests

from domain import geo
from domain.people import queries as people
from domain.people import sign_in
from domain.people.sign_in import Lifetimes
from tests.factories.people import SECRET, Signed, signed_in
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


def settled_in(city: SmallCity, *people_: Signed, days: float = 60.0) -> None:
    """These have had their accounts for a while, and the groups that they lead have stood as long."""
    for number, who in enumerate(people_):
        made = city.now() - timedelta(days=days + number)
        people.collection().update_one({"_id": who.person_id}, {"$set": {"created_at": made}})
        stood = {"$set": {"created_at": made, "placed_at": made}}
        city.store.watch_groups.update_many({"coordinator": who.person_id}, stood)


def here(metres: float = 0.0, **more: Any) -> Body:
    lat, lon = geo.destination(*PLACE, 90.0, metres)
    return {"lat": lat, "lon": lon, "accuracy_m": 10.0, **more}


def reports(city: SmallCity, who: Signed, category: str = "fire", metres: float = 0.0, **more: Any) -> Body:
    body = {"category": category, "position": here(metres), "note": "Smoke from a roof.", **more}
    return ok(call(city, who, "POST", "/watch/reports", body))


def says(city: SmallCity, who: Signed, report: Body, stand: str = "confirm", metres: float = 30.0) -> Body:
    body = {"stand": stand, "position": here(metres)}
    return ok(call(city, who, "POST", f"/watch/reports/{report['id']}/confirmations", body))
