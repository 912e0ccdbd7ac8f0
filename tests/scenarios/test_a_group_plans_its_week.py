"""A group plans its week: a beat, patrols on it, a race for the last place, a swap, a reminder, a check-in, somebody who is
missed; a workshop with its calendar; a warning to all with the counts of who knows; what neighbours say below a report.
"""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from domain import geo
from domain.cities import queries as cities
from domain.people import queries as people
from domain.people import sign_in
from domain.people.sign_in import Lifetimes
from tests.factories.people import SECRET, Signed, signed_in, staff
from tests.fakes.small_city import PLACE, SmallCity

Body = dict[str, Any]

pytestmark = pytest.mark.timeout(60)


def square(half_m: float = 400.0, *, middle: tuple[float, float] = PLACE) -> Body:
    """A GeoJSON square around a point."""
    corners = [geo.destination(*middle, bearing, half_m * 1.4142) for bearing in (45.0, 135.0, 225.0, 315.0, 45.0)]
    return {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in corners]]}


def call(city: SmallCity, who: Signed, method: str, path: str, body: Body | None = None, *, key: str = "") -> Any:
    token = sign_in.tokens_for(SECRET, who.person_id, who.session_id, Lifetimes(), now=city.now()).access_token
    headers = {"Idempotency-Key": key or str(uuid.uuid4()), "Authorization": f"Bearer {token}"}
    sent = (body or {}) if method in ("POST", "PUT", "PATCH") else None
    answer = requests.request(method, f"{city.url}/v1{path}", json=sent, headers=headers, timeout=10)
    assert answer.status_code < 500, answer.text
    assert len(answer.content) <= 8192
    city.settle()
    return answer


def ok(answer: Any) -> Body:
    assert answer.status_code < 300, answer.text
    found: Body = answer.json() if answer.content else {}
    return found


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def with_phone(city: SmallCity, name: str) -> tuple[Signed, str]:
    """Somebody with an app: (who, the address of their pushes)."""
    who, token = signed_in(city.now(), name=name, language="en"), f"push-{uuid.uuid4().hex}"
    phone: Body = {"id": "dev_a", "token": token, "session_id": who.session_id, "seen_at": city.now()}
    people.collection().update_one({"_id": who.person_id}, {"$set": {"devices": {"dev_a": phone}}})
    return who, token


def pushes(city: SmallCity, token: str) -> list[str]:
    """What was pushed to a phone, by kind and words."""
    return [f"{each['data']['type']}: {each['notification']['body']}" for each in city.carriers.device(token)["pushes"]]


class Street:
    """A watch group: its coordinator Asma, and neighbours, each with an app."""

    def __init__(self, city: SmallCity, neighbours: int = 3) -> None:
        self.city = city
        self.asma, self.asmas_phone = with_phone(city, "Asma")
        body = {"name": "Liberty, block C", "area": square(), "rules": "Go in pairs. Chase nobody."}
        self.group = ok(call(city, self.asma, "POST", "/watch/groups", body))
        self.link = ok(call(city, self.asma, "POST", f"/watch/groups/{self.group['id']}/link"))["token"]
        self.neighbours = [self.joins(f"Neighbour {number}") for number in range(neighbours)]

    def joins(self, name: str, *, app: bool = True) -> tuple[Signed, str]:
        who, token = with_phone(self.city, name) if app else (signed_in(self.city.now(), name=name, language="en"), "")
        body = {"rules_version": 1, "link": self.link}
        ok(call(self.city, who, "POST", f"/watch/groups/{self.group['id']}/members", body))
        return who, token

    def beat(self, **more: Any) -> Body:
        body = {"group": self.group["id"], "name": "Market", "geometry": square(120.0), **more}
        return ok(call(self.city, self.asma, "POST", "/watch/beats", body))

    def plan(self, beat: Body, *, days: int = 1, since: str = "22:00", until: str = "00:30", capacity: int = 2) -> Any:
        today = self.city.now().astimezone(cities.current("lahore").zone).date()
        dates = [(today + timedelta(days=number + 1)).isoformat() for number in range(days)]
        body = {"beat": beat["id"], "dates": dates, "since": since, "until": until, "capacity": capacity}
        return ok(call(self.city, self.asma, "POST", "/watch/patrols", body))["items"]

    def until(self, time: str, **ahead: float) -> None:
        """Let time pass until so long before (negative) or after a time of a patrol, and the sweeper look."""
        wanted = datetime.fromisoformat(time) + timedelta(**ahead)
        self.city.ahead += wanted - self.city.now()
        self.city.skip(0)


@pytest.fixture
def street(small_city: SmallCity) -> Street:
    for collection in ("watch_groups", "watch_patrols", "watch_alerts"):
        small_city.store[collection].delete_many({})
    small_city.by_day()
    return Street(small_city)


def at(metres: float = 0.0) -> Body:
    lat, lon = geo.destination(*PLACE, 90.0, metres)
    return {"position": {"lat": lat, "lon": lon, "accuracy_m": 10.0}}


def test_a_patrol_is_planned_swapped_walked_and_somebody_is_missed(small_city: SmallCity, street: Street) -> None:
    city, asma = small_city, street.asma
    (bilal, bilals), (dua, duas), (hina, _) = street.neighbours
    (patrol,) = street.plan(street.beat())
    path = f"/watch/patrols/{patrol['id']}"
    assert patrol["local"]["since"] == "22:00"
    assert patrol["local"]["zone"] == "Asia/Karachi"
    assert (patrol["taken"], patrol["capacity"]) == (0, 2)

    ok(call(city, asma, "POST", f"{path}/places"))
    with ThreadPoolExecutor(3) as pool:  # one place is left
        raced = list(pool.map(lambda each: call(city, each[0], "POST", f"{path}/places"), street.neighbours))
    assert sorted(each.status_code for each in raced) == [200, 409, 409]
    assert {each.json()["code"] for each in raced if each.status_code == 409} == {"patrol_full"}
    winner = next(number for number, each in enumerate(raced) if each.status_code == 200)
    street.neighbours.insert(0, street.neighbours.pop(winner))
    (bilal, bilals), (dua, duas), (hina, _) = street.neighbours

    assert refused(call(city, dua, "POST", f"{path}/take")) == (409, "nothing_offered")
    ok(call(city, bilal, "POST", f"{path}/offer"))
    with ThreadPoolExecutor(2) as pool:
        raced = list(pool.map(lambda each: call(city, each, "POST", f"{path}/take"), [dua, hina]))
    assert sorted(each.status_code for each in raced) == [200, 409]
    if raced[1].status_code == 200:
        (dua, duas), (hina, _) = street.neighbours[2], street.neighbours[1]
    shown = ok(call(city, asma, "GET", path))
    assert {each["person"] for each in shown["places"]} == {asma.person_id, dua.person_id}
    assert pushes(city, bilals) == ["roster.reminder: Somebody has taken your place."]

    street.until(patrol["starts_at"], hours=-3)
    assert pushes(city, duas) == []
    street.until(patrol["starts_at"], hours=-2)
    city.skip(10)
    assert pushes(city, duas) == ["roster.reminder: You have an appointment soon."]
    assert refused(call(city, dua, "POST", f"{path}/check-in", at())) == (409, "not_the_time")
    street.until(patrol["starts_at"], minutes=-5)
    assert refused(call(city, dua, "POST", f"{path}/check-in", at(900.0))) == (409, "not_at_the_beat")
    assert refused(call(city, hina, "POST", f"{path}/check-in", at())) == (409, "not_on_patrol")
    here = ok(call(city, dua, "POST", f"{path}/check-in", at(40.0)))
    assert (here["mine"], here["missing"]) == ("checked_in", 0)
    kept = str(city.store.watch_patrols.find_one({"_id": patrol["id"]}))
    assert "31.5" not in kept, "nothing is kept of where she was"

    before = len(pushes(city, street.asmas_phone))
    street.until(patrol["starts_at"], minutes=16)
    assert ok(call(city, dua, "GET", path))["missing"] == 1
    assert len(pushes(city, street.asmas_phone)) == before, "whom nobody has seen is not asked about herself"
    ok(call(city, asma, "POST", f"{path}/check-in", at()))
    walked = ok(call(city, dua, "GET", path))
    assert {each["person"]: each["status"] for each in walked["places"]} == {
        asma.person_id: "late", dua.person_id: "checked_in",
    }  # fmt: skip
    street.until(patrol["ends_at"], minutes=1)
    assert ok(call(city, dua, "GET", path))["status"] == "over"


def test_a_missed_check_in_is_raised_to_who_leads(small_city: SmallCity, street: Street) -> None:
    city, ((bilal, _), *_) = small_city, street.neighbours
    (patrol,) = street.plan(street.beat())
    ok(call(city, bilal, "POST", f"/watch/patrols/{patrol['id']}/places"))
    street.until(patrol["starts_at"], minutes=16)
    city.skip(10)
    told = "roster.reminder: Somebody of your group has not checked in. Please open."
    assert pushes(city, street.asmas_phone) == [told]


def test_a_warning_reaches_every_member_once_and_is_acknowledged(small_city: SmallCity, street: Street) -> None:
    city, asma, ((bilal, bilals), (dua, duas), _) = small_city, street.asma, street.neighbours
    nobodys, no_app = street.joins("No app", app=False)
    stranger = signed_in(city.now(), name="Stranger")
    body = {"groups": [street.group["id"]], "texts": {"en": {"headline": "Snatchers on a red motorbike"}}}
    key = str(uuid.uuid4())
    made = call(city, asma, "POST", "/watch/alerts", body, key=key)
    alert = made.json()
    assert made.status_code == 201, made.text
    assert call(city, asma, "POST", "/watch/alerts", body, key=key).json()["id"] == alert["id"]
    city.settle()
    assert pushes(city, bilals) == ["watch.alert: Your neighbourhood group has a message for you."]
    assert [each for each in city.texts(nobodys.phone) if "red motorbike" in each]
    path = f"/watch/alerts/{alert['id']}"
    assert refused(call(city, stranger, "GET", path)) == (404, "watch_alert_not_found")
    assert refused(call(city, stranger, "POST", "/watch/alerts", body)) == (403, "not_allowed")
    seen = ok(call(city, bilal, "GET", path))
    assert (seen["texts"]["en"]["headline"], "progress" in seen) == ("Snatchers on a red motorbike", False)
    for _ in range(2):
        assert ok(call(city, dua, "POST", f"{path}/acknowledge"))["acknowledged"]
    city.skip(3)
    progress = ok(call(city, asma, "GET", path))["progress"]
    assert (progress["state"], progress["people"], progress["sent"]) == ("told", 4, 4)
    assert (progress["seen"], progress["acknowledged"]) == (1, 1)
    assert len(pushes(city, duas)) == 1


def test_the_control_room_warns_all_groups_of_a_circle(small_city: SmallCity, street: Street) -> None:
    city, operator = small_city, staff(small_city.now(), "operator")
    (bilal, bilals), *_ = street.neighbours
    lat, lon = geo.destination(*PLACE, 90.0, 700.0)
    texts = {"en": {"headline": "Gas leak", "instruction": "Stay in."}, "ur": {"headline": "گیس"}}
    body = {"around": {"lat": lat, "lon": lon, "radius_m": 500}, "texts": texts, "urgent": True}
    alert = ok(call(city, operator, "POST", "/watch/alerts", body))
    assert alert["groups"] == [street.group["id"]]
    assert pushes(city, bilals) == ["watch.alert: Urgent news from your neighbourhood group. Please open."]
    nobody = {**body, "around": {"lat": 31.42, "lon": 74.25, "radius_m": 50}}
    assert refused(call(city, operator, "POST", "/watch/alerts", nobody)) == (422, "watch_alert_invalid")
    elsewhere = call(city, street.asma, "POST", "/watch/alerts", nobody)
    assert refused(elsewhere) == (404, "group_not_found")
    ok(call(city, operator, "POST", f"/watch/alerts/{alert['id']}/withdraw"))
    late = call(city, bilal, "POST", f"/watch/alerts/{alert['id']}/acknowledge")
    assert refused(late) == (409, "watch_alert_over")
