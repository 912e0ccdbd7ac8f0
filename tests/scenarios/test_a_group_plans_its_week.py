"""A group plans its week: a beat, patrols on it, a race for the last place, a swap, a reminder, a check-in, somebody who is
missed; a workshop with its calendar; a warning to all with the counts of who knows; what neighbours say below a report.
"""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from icalendar import Calendar

from domain import geo
from domain.alerts import batches
from domain.cities import queries as cities
from domain.people import queries as people
from domain.people import service as erasing
from tests.factories.people import Signed, signed_in, staff
from tests.fakes.small_city import PLACE, REPLIES, SmallCity
from tests.scenarios.street import Body, call, ok, square
from workers import alerts as telling

pytestmark = pytest.mark.timeout(60)


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
    for collection in ("watch_patrols", "watch_alerts", "alert_batches", "watch_campaigns"):
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
    # Her phone sent no receipt of the reminder, so an SMS followed, and this begins with one.
    assert "not checked in: Market" in city.texts(dua.phone)[-1]
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
    seen = ok(call(city, staff(city.now(), "operator"), "GET", f"/watch/patrols/{patrol['id']}"))
    assert (seen["missing"], seen["places"]) == (1, []), "the control room does not learn who members are"


def test_a_warning_reaches_every_member_once_and_is_acknowledged(small_city: SmallCity, street: Street) -> None:
    city, asma, ((bilal, bilals), (dua, duas), _) = small_city, street.asma, street.neighbours
    nobodys, _ = street.joins("No app", app=False)
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

    assert "Reply SEEN" in city.texts(nobodys.phone)[-1], "who has no app says so by SMS"
    for word in ("seen", "دیکھ لیا۔", "SEEN!"):
        assert "your group sees that you know" in writes(city, nobodys.phone, word)
    assert "your group sees" not in writes(city, stranger.phone, "SEEN"), "to whom nothing was sent"
    city.skip(3)
    progress = ok(call(city, asma, "GET", path))["progress"]
    assert (progress["seen"], progress["acknowledged"]) == (2, 2)


def writes(city: SmallCity, number: str, words: str) -> str:
    """Somebody answers by SMS: what they are answered."""
    params = {"MessageSid": f"SM{uuid.uuid4().hex}", "From": number, "To": REPLIES, "Body": words, "NumMedia": "0"}
    answer = city.webhook("sms", params)
    assert answer.status_code == 200, answer.text
    city.settle()
    return answer.text


def test_the_control_room_warns_all_groups_of_a_circle(small_city: SmallCity, street: Street) -> None:
    city, operator = small_city, staff(small_city.now(), "operator")
    (bilal, bilals), *_ = street.neighbours
    lat, lon = geo.destination(*PLACE, 90.0, 700.0)
    texts = {"en": {"headline": "Gas leak", "instruction": "Stay in."}, "ur": {"headline": "گیس"}}
    body = {"around": {"lat": lat, "lon": lon, "radius_m": 500}, "texts": texts, "urgent": True}
    alert = ok(call(city, operator, "POST", "/watch/alerts", body))
    assert street.group["id"] in alert["groups"]
    assert pushes(city, bilals) == ["watch.alert: Urgent news from your neighbourhood group. Please open."]
    nobody = {**body, "around": {"lat": 31.42, "lon": 74.25, "radius_m": 50}}
    assert refused(call(city, operator, "POST", "/watch/alerts", nobody)) == (422, "watch_alert_invalid")
    elsewhere = call(city, street.asma, "POST", "/watch/alerts", nobody)
    assert refused(elsewhere) == (404, "group_not_found")
    ok(call(city, operator, "POST", f"/watch/alerts/{alert['id']}/withdraw"))
    late = call(city, bilal, "POST", f"/watch/alerts/{alert['id']}/acknowledge")
    assert refused(late) == (409, "watch_alert_over")


def test_what_neighbours_say_below_a_report_is_read_as_the_report_is(small_city: SmallCity, street: Street) -> None:
    city, ((bilal, _), (dua, _), (hina, _)) = small_city, street.neighbours
    for number, (who, _) in enumerate([(street.asma, ""), *street.neighbours]):
        made = city.now() - timedelta(days=60 + number)
        people.collection().update_one({"_id": who.person_id}, {"$set": {"created_at": made}})
    city.store.watch_groups.update_one({"_id": street.group["id"]}, {"$set": {"placed_at": made}})
    position = {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 10.0}
    body = {"category": "street_light", "position": position, "note": "The lamp at the corner is out."}
    report = ok(call(city, bilal, "POST", "/watch/reports", body))
    path = f"/watch/reports/{report['id']}/comments"

    def says(who: Signed, text: str) -> Body:
        return ok(call(city, who, "POST", path, {"text": text}))

    said = [says(dua, "Also at number 12.")["id"]]
    city.skip(1)
    said += [says(hina, f"I have called the office, {number}.")["id"] for number in range(9)]
    found, cursor = [], ""
    while True:
        page = ok(call(city, bilal, "GET", f"{path}?limit=4{cursor}"))
        found += [each["id"] for each in page["items"]]
        if "next" not in page:
            break
        cursor = f"&cursor={page['next']}"
    assert (found[0], sorted(found)) == (said[0], sorted(said))

    held = says(dua, "Call him: 0300 1234567")
    assert (held["status"], held["reasons"]) == ("held", ["phone_number"])
    assert held["id"] not in [each["id"] for each in ok(call(city, hina, "GET", f"{path}?limit=20"))["items"]]
    assert refused(call(city, hina, "GET", f"{path}?status=held")) == (404, "report_not_found")
    waiting = ok(call(city, street.asma, "GET", f"{path}?status=held"))["items"]
    assert [each["id"] for each in waiting] == [held["id"]]
    assert "watch.moderation: " in pushes(city, street.asmas_phone)[-1]
    operator = staff(city.now(), "operator")
    (review,) = city.store.reviews.find({"subject": held["id"]})
    ok(
        call(
            city, operator, "POST", f"/reviews/{review['_id']}/answer", {"approve": True, "reason": "It is an office."}
        )
    )
    city.settle()
    assert held["id"] in [each["id"] for each in listed(city, hina, path)]

    rude = says(hina, "Nobody cares about you.")
    other, _ = street.joins("Zoya")
    people.collection().update_one({"_id": other.person_id}, {"$set": {"created_at": made}})
    for who in (bilal, dua, other):
        call(city, who, "POST", f"/watch/comments/{rude['id']}/flags", {"why": "hate"})
    assert rude["id"] not in [each["id"] for each in listed(city, bilal, path)]
    decision = {"status": "removed", "reason": "Be kind."}
    assert refused(call(city, bilal, "POST", f"/watch/comments/{rude['id']}/decision", decision)) == (
        403,
        "not_allowed",
    )
    assert (
        ok(call(city, street.asma, "POST", f"/watch/comments/{rude['id']}/decision", decision))["status"] == "removed"
    )
    assert refused(call(city, bilal, "DELETE", f"/watch/comments/{said[0]}")) == (404, "comment_not_found")
    assert call(city, dua, "DELETE", f"/watch/comments/{said[0]}").status_code == 204
    assert city.store.watch_comments.find_one({"_id": said[0]}) is None

    for who, kind in ((dua, "thanks"), (hina, "worried"), (hina, "thanks"), (bilal, "none")):
        shown = ok(call(city, who, "PUT", f"/watch/reports/{report['id']}/reaction", {"kind": kind}))
    assert {name: number for name, number in shown["counts"].items() if number} == {"thanks": 2}
    ok(call(city, bilal, "POST", f"/watch/reports/{report['id']}/withdraw"))
    assert refused(call(city, dua, "GET", path)) == (404, "report_not_found")


def listed(city: SmallCity, who: Signed, path: str) -> list[Body]:
    items: list[Body] = []
    cursor = ""
    while True:
        page = ok(call(city, who, "GET", f"{path}?limit=20{cursor}"))
        items += page["items"]
        if "next" not in page:
            return items
        cursor = f"&cursor={page['next']}"


def test_a_workshop_is_in_everybodys_calendar(small_city: SmallCity, street: Street) -> None:
    city, asma, ((bilal, bilals), (dua, _), (hina, _)) = small_city, street.asma, street.neighbours
    begins = (city.now() + timedelta(days=5)).replace(hour=11, minute=0, second=0, microsecond=0)
    place = {"lat": PLACE[0], "lon": PLACE[1], "name": "School, hall 2"}
    body = {"group": street.group["id"], "kind": "workshop", "title": "First aid; bring a blanket, گرم",
            "place": place, "starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=2)).isoformat(),
            "capacity": 2}  # fmt: skip
    made = ok(call(city, asma, "POST", "/watch/gatherings", body))
    path = f"/watch/gatherings/{made['id']}"
    assert refused(call(city, bilal, "POST", "/watch/gatherings", body)) == (403, "not_allowed")
    ok(call(city, bilal, "PUT", f"{path}/answer", {"answer": "going"}))
    with ThreadPoolExecutor(2) as pool:
        raced = list(pool.map(lambda who: call(city, who, "PUT", f"{path}/answer", {"answer": "going"}), [dua, hina]))
    assert sorted(each.status_code for each in raced) == [200, 409]
    loser = hina if raced[0].status_code == 200 else dua
    ok(call(city, loser, "PUT", f"{path}/answer", {"answer": "maybe"}))
    assert ok(call(city, asma, "GET", path))["going"] == 2

    patrol = street.plan(street.beat())[0]
    ok(call(city, bilal, "POST", f"/watch/patrols/{patrol['id']}/places"))
    link = ok(call(city, bilal, "POST", "/watch/calendar"))["url"]
    events = calendar(link)
    workshop, walk = events[made["id"]], events[patrol["id"]]
    assert (str(workshop["SUMMARY"]), str(workshop["STATUS"]), workshop["SEQUENCE"]) == (body["title"], "CONFIRMED", 0)
    assert (workshop["DTSTART"].dt, str(workshop["LOCATION"])) == (begins, "School, hall 2")
    assert str(walk["SUMMARY"]) == "Patrol: Market"
    other = ok(call(city, loser, "POST", "/watch/calendar"))["url"]
    assert str(calendar(other)[made["id"]]["STATUS"]) == "TENTATIVE"
    single = call(city, hina, "GET", f"{path}/event.ics")
    assert single.headers["Content-Type"].startswith("text/calendar")

    street.until(begins.isoformat(), days=-1, minutes=1)
    city.skip(10)
    assert pushes(city, bilals)[-1] == "gathering.reminder: You have an appointment soon."
    later = {
        "starts_at": (begins + timedelta(hours=1)).isoformat(),
        "ends_at": (begins + timedelta(hours=3)).isoformat(),
    }
    ok(call(city, asma, "PATCH", path, later))
    assert pushes(city, bilals)[-1] == "gathering.reminder: Something changed about an appointment of yours."
    moved = calendar(link)[made["id"]]
    assert (moved["SEQUENCE"], moved["DTSTART"].dt) == (1, begins + timedelta(hours=1))
    ok(call(city, asma, "POST", f"{path}/cancel", {"reason": "The teacher is ill."}))
    gone = calendar(link)[made["id"]]
    assert (str(gone["STATUS"]), gone["SEQUENCE"]) == ("CANCELLED", 2)

    call(city, bilal, "DELETE", f"/watch/groups/{street.group['id']}/members/me")
    assert calendar(link) == {}, "who leaves is on no roster and comes to nothing"
    assert bilal.person_id not in str(city.store.watch_patrols.find_one({"_id": patrol["id"]}))
    renewed = ok(call(city, bilal, "POST", "/watch/calendar"))["url"]
    assert requests.get(link, timeout=10).status_code == 404
    assert requests.get(renewed, timeout=10).status_code == 200
    call(city, bilal, "DELETE", "/watch/calendar")
    assert requests.get(renewed, timeout=10).status_code == 404


def calendar(link: str) -> dict[str, Any]:
    """What a calendar app reads at an address: the events by our ids."""
    answer = requests.get(link, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    read = Calendar.from_ical(answer.content)
    return {str(each["UID"]).partition("@")[0]: each for each in read.walk("VEVENT")}


def test_a_series_of_messages_tells_its_reach_and_nobodys_own(small_city: SmallCity, street: Street) -> None:
    city, asma, ((bilal, bilals), *_) = small_city, street.asma, street.neighbours
    for number in range(4):
        street.joins(f"More {number}")
    first = city.now() + timedelta(hours=1)
    messages = [
        {"at": (first + timedelta(days=number)).isoformat(), "texts": {"en": {"headline": f"Lock your gate, {number}"}}}
        for number in range(2)
    ]
    body = {"name": "Gates", "groups": [street.group["id"]], "messages": messages}
    made = ok(call(city, asma, "POST", "/watch/campaigns", body))
    path = f"/watch/campaigns/{made['id']}"
    assert refused(call(city, bilal, "POST", "/watch/campaigns", body)) == (403, "not_allowed")
    street.until(first.isoformat(), seconds=1)
    for _ in range(2):
        city.skip(10)
    assert len(pushes(city, bilals)) == 1
    ok(
        call(
            city,
            bilal,
            "POST",
            f"/watch/alerts/{ok(call(city, asma, 'GET', path))['messages'][0]['alert']}/acknowledge",
        )
    )
    city.skip(10)
    sent, waiting = ok(call(city, asma, "GET", path))["messages"]
    assert (sent["people"], sent["sent"], sent["seen"], sent["acknowledged"]) == (5, 5, 0, 0), (
        "seven, and one: told by five"
    )
    assert (waiting["alert"], waiting["people"]) == (None, 0)
    progress = ok(call(city, asma, "GET", f"/watch/alerts/{sent['alert']}"))["progress"]
    assert (progress["people"], progress["acknowledged"]) == (5, 0)
    assert ok(call(city, asma, "POST", f"{path}/stop"))["status"] == "stopped"
    street.until((first + timedelta(days=1)).isoformat(), hours=1)
    city.skip(10)
    assert len(pushes(city, bilals)) == 1


def test_a_group_sees_where_nobody_walks(small_city: SmallCity, street: Street) -> None:
    city, ((bilal, _), *_) = small_city, street.neighbours
    beat = street.beat()
    route = [list(geo.destination(*PLACE, 90.0, metres))[::-1] for metres in (0.0, 200.0, 350.0)]
    other = street.beat(name="Way to school", geometry={"type": "LineString", "coordinates": route})
    patrols = street.plan(beat, days=3)
    ok(call(city, bilal, "POST", f"/watch/patrols/{patrols[1]['id']}/places"))
    where = f"?group={street.group['id']}&days=7"
    found = {each["beat"]: each for each in ok(call(city, bilal, "GET", f"/watch/patrols/coverage{where}"))["items"]}
    market = found[beat["id"]]
    assert (market["planned_h"], market["covered_h"], market["zone"]) == (7.5, 2.5, "Asia/Karachi")
    assert sorted(market["empty"]) == sorted([patrols[0]["id"], patrols[2]["id"]])
    assert set(range(24)) - set(market["never"]) == {22, 23, 0}
    assert found[other["id"]]["never"] == list(range(24))
    features = ok(call(city, bilal, "GET", f"/watch/patrols/coverage/features{where}"))["items"]
    assert {each["geometry"]["type"] for each in features} == {"Polygon", "LineString"}
    twice = call(city, bilal, "POST", f"/watch/patrols/{street.plan(other)[0]['id']}/places")
    assert twice.status_code == 200
    clash = street.plan(other, days=2)[1]
    assert refused(call(city, bilal, "POST", f"/watch/patrols/{clash['id']}/places")) == (409, "on_another_patrol")
    ok(call(city, street.asma, "POST", f"/watch/groups/{street.group['id']}/close"))
    city.settle()
    assert city.store.watch_patrols.count_documents({"group": street.group["id"], "status": "planned"}) == 0


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [74.34, 31.51]},
        {"type": "Polygon", "coordinates": "no"},
        {"type": "Polygon"},
        {"type": ["Polygon"], "coordinates": []},
        {"type": "LineString", "coordinates": [[74.3441, 31.5102]]},
        {"type": "LineString", "coordinates": [[74.3441, 31.5102], [74.3442, 31.5102]]},
        {"type": "LineString", "coordinates": [[179.99, 31.51], [-179.99, 31.51]]},
        {"type": "LineString", "coordinates": [[74.3441 + 1e-5 * number, 31.5102] for number in range(10_000)]},
        {"type": "LineString", "coordinates": [[31.5102, 74.3441], [31.5122, 74.3441]]},
        {"type": "Polygon", "coordinates": [[[74.343, 31.509], [74.345, 31.511], [74.345, 31.509], [74.343, 31.511],
                                             [74.343, 31.509]]]},
        {"type": "Polygon", "coordinates": [square(100.0)["coordinates"][0], square(300.0)["coordinates"][0]]},
        {"type": "Polygon", "coordinates": square(3000.0)["coordinates"]},
        {"type": "Polygon", "coordinates": square(3.0)["coordinates"]},
        {"type": "Polygon", "coordinates": [[[74.3441, 1e308], [74.3442, -1e308], [74.3443, 31.5], [74.3441, 1e308]]]},
    ],
    ids=["a point", "a text", "nothing", "odd type", "one corner", "ten metres", "antimeridian", "10,000 corners",
         "turned around", "crosses itself", "hole around it", "too wide", "a room", "infinite"],
)  # fmt: skip
def test_a_beat_that_cannot_be_is_refused(drawn: Street, geometry: Body) -> None:
    body = {"group": drawn.group["id"], "name": "Market", "geometry": geometry}
    answer = call(drawn.city, drawn.asma, "POST", "/watch/beats", body)
    assert (*refused(answer), list(answer.json()["errors"])) == (422, "beat_invalid", ["geometry"])


@pytest.fixture(scope="module")
def drawn(whole_city: SmallCity) -> Street:
    """A group with a beat, that several tests draw in."""
    street = Street(whole_city, neighbours=0)
    street.beat()
    return street


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"dates": ["2026-02-30"]}, "dates"),
        ({"dates": ["2020-01-01"]}, "dates"),
        ({"dates": []}, "dates"),
        ({"since": "24:00"}, "since"),
        ({"until": "22:05"}, "until"),
        ({"since": "08:00", "until": "22:00"}, "until"),
        ({"capacity": 0}, "capacity"),
    ],
)
def test_a_patrol_that_cannot_be_is_refused(drawn: Street, change: Body, field: str) -> None:
    beat = ok(call(drawn.city, drawn.asma, "GET", f"/watch/beats?group={drawn.group['id']}"))["items"][0]
    tomorrow = (drawn.city.now() + timedelta(days=1)).date().isoformat()
    body = {"beat": beat["id"], "dates": [tomorrow], "since": "22:00", "until": "23:00", **change}
    answer = call(drawn.city, drawn.asma, "POST", "/watch/patrols", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


def test_a_phone_that_was_away_hears_what_was_planned(small_city: SmallCity, street: Street) -> None:
    city, ((bilal, _), *_) = small_city, street.neighbours
    cursor = synced(city, bilal, "")["cursor"]
    city.skip(20)
    (patrol,) = street.plan(street.beat())
    ok(call(city, bilal, "POST", f"/watch/patrols/{patrol['id']}/places"))
    body = {"groups": [street.group["id"]], "texts": {"ur": {"headline": "گلی بند ہے"}}}
    alert = ok(call(city, street.asma, "POST", "/watch/alerts", body))
    city.skip(20)
    away = synced(city, bilal, cursor)
    found = {each["kind"]: each["body"] for each in away["items"]}
    assert (found["watch_patrol"]["id"], found["watch_patrol"]["mine"]) == (patrol["id"], "signed_up")
    assert found["watch_alert"]["texts"]["ur"]["headline"] == "گلی بند ہے"
    street.until(patrol["ends_at"], minutes=1)
    ok(call(city, street.asma, "POST", f"/watch/alerts/{alert['id']}/withdraw"))
    gone = {each["id"] for each in synced(city, bilal, away["cursor"])["tombstones"]}
    assert {patrol["id"], alert["id"]} <= gone


def synced(city: SmallCity, who: Signed, cursor: str) -> Body:
    """All that a phone gets at once, page after page."""
    whole: Body = {"items": [], "tombstones": []}
    while True:
        page = ok(call(city, who, "GET", "/sync" + (f"?cursor={cursor}" if cursor else "")))
        whole = {name: whole[name] + page[name] for name in ("items", "tombstones")} | {"cursor": page["cursor"]}
        cursor = page["cursor"]
        if not page["more"]:
            return whole


def test_a_worker_that_dies_in_a_warning_leaves_nobody_out(
    small_city: SmallCity, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two groups, with members in both, in batches of three: what was done before it died is not done again."""
    city, (bilal, *_) = small_city, street.neighbours
    monkeypatch.setattr(batches, "BATCH", 3)
    other = Street(city, neighbours=2)
    ok(
        call(
            city,
            bilal[0],
            "POST",
            f"/watch/groups/{other.group['id']}/members",
            {"rules_version": 1, "link": other.link},
        )
    )
    operator = staff(city.now(), "operator")
    city.idle = True
    body = {"groups": [street.group["id"], other.group["id"]], "texts": {"en": {"headline": "Water is cut"}}}
    alert = ok(call(city, operator, "POST", "/watch/alerts", body))
    (first,) = telling.find(city.context, alert["id"], pages=1, enqueue=False)
    begun = {"broadcast.cursor": "", "broadcast.pages": 0, "broadcast.people": 0}
    city.store.watch_alerts.update_one({"_id": alert["id"]}, {"$set": begun})  # it died before the cursor moved
    assert telling.find(city.context, alert["id"], pages=1, enqueue=False) == [first]
    telling.tell(city.context, first)
    city.idle = False
    for _ in range(3):  # what nobody does, the sweeper finds
        city.skip(8)
    everybody = [
        (street.asma, street.asmas_phone),
        (other.asma, other.asmas_phone),
        *street.neighbours,
        *other.neighbours,
    ]
    assert [len([each for each in pushes(city, token) if "watch.alert" in each]) for _, token in everybody] == [1] * 7
    progress = ok(call(city, operator, "GET", f"/watch/alerts/{alert['id']}"))["progress"]
    assert (progress["state"], progress["people"], progress["sent"]) == ("told", 7, 7)


def test_who_is_erased_is_nowhere_in_what_the_group_plans(small_city: SmallCity, street: Street) -> None:
    city, ((bilal, _), (dua, _), _) = small_city, street.neighbours
    (patrol,) = street.plan(street.beat())
    begins = city.now() + timedelta(days=2)
    body = {"group": street.group["id"], "kind": "meeting", "title": "Talk", "place": {**at()["position"], "name": "School"},
            "starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=1)).isoformat()}  # fmt: skip
    meeting = ok(call(city, street.asma, "POST", "/watch/gatherings", body))
    seen = {"category": "noise", "position": at()["position"], "note": "Loud music since an hour."}
    report = ok(call(city, dua, "POST", "/watch/reports", seen))
    ok(call(city, bilal, "POST", f"/watch/patrols/{patrol['id']}/places"))
    ok(call(city, bilal, "PUT", f"/watch/gatherings/{meeting['id']}/answer", {"answer": "not_going"}))
    ok(call(city, bilal, "POST", f"/watch/reports/{report['id']}/comments", {"text": "Here too."}))
    ok(call(city, bilal, "PUT", f"/watch/reports/{report['id']}/reaction", {"kind": "worried"}))
    link = ok(call(city, bilal, "POST", "/watch/calendar"))["url"]
    records = ok(call(city, bilal, "GET", "/me/export"))["records"]
    assert [len(records[name]) for name in ("patrols", "gatherings", "comments")] == [1, 1, 1]
    erasing.erase(bilal.person_id, now=city.now())
    city.enqueue("drain", "people", bilal.person_id)
    city.settle()
    for name in ("patrols", "gatherings", "comments", "reactions", "calendars"):
        kept = [row for row in city.store[f"watch_{name}"].find({}) if bilal.person_id in str(row)]
        assert kept == [], name
    assert requests.get(link, timeout=10).status_code == 404
