"""Somebody walks home and is missed: she is asked, then her guardians, then it becomes an SOS with the track so far.

Her app may be killed at any moment: nothing here waits for the phone.
"""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from domain import geo
from domain.incidents import queries as incident_queries
from domain.incidents import service as incidents
from domain.journeys import queries as journeys
from domain.journeys import rules
from domain.journeys import service as journeying
from domain.people import devices, pins, sign_in
from domain.people import queries as people
from domain.people.devices import DeviceFacts
from domain.people.sign_in import Lifetimes
from domain.tracks import service as tracks
from tests.factories.people import SECRET, Signed, phone, signed_in
from tests.fakes.small_city import PLACE, SmallCity

TIMEOUT_S = 10
HOME = geo.destination(*PLACE, 0.0, 1500.0)


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call(city: SmallCity, who: Signed, method: str, path: str, **body: Any) -> requests.Response:
    token = sign_in.tokens_for(SECRET, who.person_id, who.session_id, Lifetimes(), now=city.now()).access_token
    headers = {"Idempotency-Key": str(uuid.uuid4()), "Sent-At": stamp(city.now()), "Authorization": f"Bearer {token}"}
    answer = requests.request(
        method, f"{city.url}{path}", json=body if method == "POST" else None, headers=headers, timeout=TIMEOUT_S
    )
    assert answer.status_code < 500, answer.text
    return answer


@pytest.fixture
def sana(small_city: SmallCity) -> Signed:
    """A woman with the app, both PINs and one guardian who said yes."""
    made = signed_in(small_city.now(), name="Sana Tariq", language="en")
    facts = DeviceFacts("dev1", token=f"tok-{made.person_id}")
    devices.bind(made.person_id, made.session_id, facts, now=small_city.now())
    pins.set_pins(
        people.get(made.person_id), "4821", "4822", old_pin=None, proven=True, secret=SECRET, now=small_city.now()
    )
    return made


def with_guardian(city: SmallCity, who: Signed) -> str:
    """The number of a guardian who said yes."""
    number = phone()
    held = call(city, who, "POST", "/v1/me/guardians", name="Ammi", phone=number, language="en").json()
    people.collection().update_one({"_id": who.person_id}, {"$set": {f"guardians.{held['id']}.status": "confirmed"}})
    city.settle()
    return number


def sets_out(city: SmallCity, who: Signed, *, minutes: float = 20, **body: Any) -> dict[str, Any]:
    destination = {"lat": HOME[0], "lon": HOME[1], "name": "Home"}
    arrival = stamp(city.now() + timedelta(minutes=minutes))
    answer = call(city, who, "POST", "/v1/journeys", destination=destination, expected_arrival=arrival, **body)
    assert answer.status_code == 201, answer.text
    city.settle()
    found: dict[str, Any] = answer.json()
    return found


def walks(city: SmallCity, who: Signed, journey: str, metres: float, **body: Any) -> requests.Response:
    lat, lon = geo.destination(*PLACE, 0.0, metres)
    position = {"lat": lat, "lon": lon, "accuracy_m": 10, "captured_at": stamp(city.now())}
    return call(city, who, "POST", f"/v1/journeys/{journey}/positions", positions=[position], **body)


def texts(city: SmallCity, number: str, word: str) -> list[str]:
    """The SMS on a phone that have this word, waited for."""

    def look() -> list[str]:
        city.settle()
        return [text for text in city.texts(number) if word in text]

    found: list[str] = city.wait_for(look)
    return found


def link_in(text: str) -> str:
    found = re.search(r"http\S+/t/\S+", text)
    assert found, text
    return found[0]


def test_who_does_not_arrive_is_asked_then_missed_then_looked_for(small_city: SmallCity, sana: Signed) -> None:
    city, number = small_city, with_guardian(small_city, sana)
    officer = city.responder(skills=["women_police"])
    journey = sets_out(city, sana)["id"]
    for metres in (50, 200, 400):
        assert walks(city, sana, journey, metres, battery_pct=60).status_code == 202
        city.skip(30)
    small_city.settle()
    assert not [t for t in city.texts(number) if "does not answer" in t], "while all is well nobody hears"

    city.skip(20 * 60)  # the phone is never heard again
    assert call(city, sana, "GET", f"/v1/journeys/{journey}").json()["status"] == "asked"
    assert not [t for t in city.texts(number) if "does not answer" in t], "she is asked first"

    city.skip(121)
    page = requests.get(link_in(texts(city, number, "does not answer")[0]), timeout=TIMEOUT_S)
    assert (page.status_code, "They do not answer" in page.text) == (200, True)
    assert "Sana" not in page.text, "a link is passed on: the page names nobody"

    city.skip(181)
    city.settle()
    raised = call(city, sana, "GET", f"/v1/journeys/{journey}").json()
    assert raised["status"] == "raised"
    doc = incidents.get(raised["sos_id"])
    assert (doc["channel"], doc["category"], doc["about"]) == ("journey", "not_arrived", {"journey": journey})
    lat, lon = geo.destination(*PLACE, 0.0, 400.0)
    assert geo.distance_m(doc["position"]["lat"], doc["position"]["lon"], lat, lon) < 1
    assert len(tracks.read(doc["_id"])) == 3, "the track so far"
    assert "Home" in doc["citizen"]["note"]
    city.settle()
    unit = people.get(officer.person_id).unit_id
    assert [each["unit"] for each in incidents.get(doc["_id"])["assignments"].values()] == [unit]
    texts(city, number, "raised an SOS")

    city.skip(600)
    assert len(incident_queries.of_person(sana.person_id)) == 1, "once, however often the sweeper looks"
    walks(city, sana, journey, 700)  # found again by the phone: whoever comes must know
    city.settle()
    lat, lon = geo.destination(*PLACE, 0.0, 700.0)
    moved = incidents.get(doc["_id"])["position"]
    assert geo.distance_m(moved["lat"], moved["lon"], lat, lon) < 1


def test_who_arrives_is_not_missed(small_city: SmallCity, sana: Signed) -> None:
    city, number = small_city, with_guardian(small_city, sana)
    journey = sets_out(city, sana, sharing=True)["id"]
    live = link_in(texts(city, number, "is on the way")[0])
    walks(city, sana, journey, 300)
    assert "On the way" in requests.get(live, timeout=TIMEOUT_S).text
    assert "سفر جاری ہے" in requests.get(f"{live}?lang=ur", timeout=TIMEOUT_S).text
    assert call(city, sana, "POST", f"/v1/journeys/{journey}/arrive").status_code == 403, "the PIN is needed"
    done = call(city, sana, "POST", f"/v1/journeys/{journey}/arrive", pin="4821")
    assert (done.status_code, done.json()["status"]) == (200, "arrived")
    texts(city, number, "has arrived")
    city.skip(3 * 3600)
    assert incident_queries.of_person(sana.person_id) == []
    assert requests.get(live, timeout=TIMEOUT_S).status_code == 410, "the page is over"
    late = call(city, sana, "POST", f"/v1/journeys/{journey}/check-in")
    assert (late.status_code, late.json()["code"], late.json()["current"]) == (409, "journey_over", "arrived")


def test_each_check_in_moves_the_next(small_city: SmallCity, sana: Signed) -> None:
    city = small_city
    journey = sets_out(city, sana, minutes=60, check_in_every_s=600)["id"]
    city.skip(601)
    assert call(city, sana, "GET", f"/v1/journeys/{journey}").json()["status"] == "asked"
    said = call(city, sana, "POST", f"/v1/journeys/{journey}/check-in", battery_pct=50).json()
    assert (said["status"], said["battery_pct"]) == ("under_way", 50)
    assert said["next_check_in"] >= stamp(city.now() + timedelta(seconds=590))
    later = stamp(city.now() + timedelta(hours=2))
    extended = call(city, sana, "POST", f"/v1/journeys/{journey}/extend", expected_arrival=later, pin="4821").json()
    assert extended["expected_arrival"] >= stamp(city.now() + timedelta(minutes=119))


def test_under_force_the_phone_shows_the_same_and_help_is_called(small_city: SmallCity, sana: Signed) -> None:
    city, number = small_city, with_guardian(small_city, sana)
    shown = []
    for pin in ("4821", "4822"):
        journey = sets_out(city, sana, sharing=True)["id"]
        walks(city, sana, journey, 100)
        ended = call(city, sana, "POST", f"/v1/journeys/{journey}/cancel", pin=pin, reason="x")
        city.settle()
        walks(city, sana, journey, 300)
        city.settle()
        after = call(city, sana, "GET", f"/v1/journeys/{journey}")
        again = call(city, sana, "POST", f"/v1/journeys/{journey}/cancel", pin=pin)
        live = requests.get(journeys_page(city, journey), timeout=TIMEOUT_S).text
        ours = ("status", "version", "concerns", "sos_id", "sharing")
        shown.append(
            (
                ended.status_code,
                {name: ended.json().get(name) for name in ours},
                after.headers["ETag"],
                {name: after.json().get(name) for name in ours},
                again.status_code,
                "taken back" in live,
            )
        )
    assert shown[0] == shown[1]
    (hidden,) = incident_queries.of_person(sana.person_id)
    assert {"duress", "silent"} <= set(hidden["flags"])
    lat, lon = geo.destination(*PLACE, 0.0, 300.0)
    assert geo.distance_m(hidden["position"]["lat"], hidden["position"]["lon"], lat, lon) < 1, "it follows her"
    assert hidden["status"] == "open", "a cancel on the phone closes nothing"
    assert call(city, sana, "GET", f"/v1/sos/{hidden['_id']}").status_code == 404
    told = city.store["deliveries"].find({"subject": hidden["_id"]})
    assert not [each for each in told if each["recipient"]["kind"] == "guardian"]
    assert not city.store["deliveries"].find_one({"subject": hidden["_id"], "recipient.id": sana.person_id})
    synced = call(city, sana, "GET", "/v1/sync").json()
    assert hidden["_id"] not in str(synced)
    assert hidden["_id"] not in call(city, sana, "GET", "/v1/me/export").text
    city.settle()
    assert not [t for t in city.texts(number) if "SOS" in t], "a guardian who rings would give it away"


def test_a_pin_that_changes_nothing_shows_nothing_of_which_it_was(small_city: SmallCity, sana: Signed) -> None:
    city, shown = small_city, []
    for pin in ("4821", "4822"):
        journey = sets_out(city, sana)["id"]
        call(city, sana, "POST", f"/v1/journeys/{journey}/cancel", pin="4821")
        again = call(city, sana, "POST", f"/v1/journeys/{journey}/cancel", pin=pin)
        city.settle()
        after = call(city, sana, "GET", f"/v1/journeys/{journey}")
        shown.append((again.status_code, again.json()["version"], after.headers["ETag"]))
    assert shown[0] == shown[1]
    assert incident_queries.of_person(sana.person_id), "help is called all the same"


def journeys_page(city: SmallCity, journey: str) -> str:
    return f"{city.settings.links}/t/{journeying.share_token(city.settings.signing_key, journeys.get(journey))}"


def test_a_guardian_may_say_that_she_is_reached_or_call_at_once(small_city: SmallCity, sana: Signed) -> None:
    city, number = small_city, with_guardian(small_city, sana)
    journey = sets_out(city, sana, minutes=5)["id"]
    city.skip(301)
    city.skip(121)
    live = link_in(texts(city, number, "does not answer")[0])
    share = journeys_page(city, journey)
    requests.post(share, data={"do": "call_help"}, timeout=TIMEOUT_S)
    assert journeys.get(journey)["status"] == "missed", "the share link is for looking"
    requests.post(live, data={"do": "reached"}, timeout=TIMEOUT_S)
    assert journeys.get(journey)["status"] == "under_way"
    texts(city, number, "a guardian has reached Sana")
    requests.post(live, data={"do": "call_help"}, timeout=TIMEOUT_S)
    city.settle()
    assert journeys.get(journey)["status"] == "raised"
    assert len(incident_queries.of_person(sana.person_id)) == 1
    requests.post(live, data={"do": "no_calls"}, timeout=TIMEOUT_S)
    (guardian,) = people.get(sana.person_id).guardians.values()
    assert guardian.no_calls
    mine = call(city, sana, "GET", "/v1/me/guardians").json()["items"]
    assert "no_calls" not in mine[0], "she is not told that her guardian would not be rung"


def test_what_worries_is_told_once(small_city: SmallCity, sana: Signed) -> None:
    city, number = small_city, with_guardian(small_city, sana)
    journey = sets_out(city, sana, minutes=120)["id"]
    walks(city, sana, journey, 0)
    walks(city, sana, journey, 300, battery_pct=12)
    texts(city, number, "battery")
    for _ in range(7):
        city.skip(60)
        walks(city, sana, journey, 305, battery_pct=11)
    city.settle()
    assert call(city, sana, "GET", f"/v1/journeys/{journey}").json()["concerns"] == ["battery_low", "stopped"]
    assert len(texts(city, number, "has not moved")) == 1
    city.skip(660)
    texts(city, number, "Nothing heard")
    assert len(texts(city, number, "battery")) == 1
    walks(city, sana, journey, 600, battery_pct=40)
    assert call(city, sana, "GET", f"/v1/journeys/{journey}").json()["concerns"] == []


def test_sharing_can_be_taken_back(small_city: SmallCity, sana: Signed) -> None:
    city, number = small_city, with_guardian(small_city, sana)
    journey = sets_out(city, sana, sharing=True)["id"]
    live = link_in(texts(city, number, "is on the way")[0])
    assert call(city, sana, "DELETE", f"/v1/journeys/{journey}/share").status_code == 204
    assert requests.get(live, timeout=TIMEOUT_S).status_code == 410
    fresh = call(city, sana, "POST", f"/v1/journeys/{journey}/share").json()["share_url"]
    assert requests.get(fresh, timeout=TIMEOUT_S).status_code == 200


def test_a_retry_is_the_same_journey_and_nobody_elses(small_city: SmallCity, sana: Signed) -> None:
    city, other = small_city, signed_in(small_city.now())
    body = {
        "destination": {"lat": HOME[0], "lon": HOME[1]},
        "expected_arrival": stamp(city.now() + timedelta(minutes=30)),
    }
    headers = {"Idempotency-Key": str(uuid.uuid4()), **sana.headers}
    url = f"{city.url}/v1/journeys"
    first = requests.post(url, json=body, headers=headers, timeout=TIMEOUT_S)
    again = requests.post(url, json=body, headers=headers, timeout=TIMEOUT_S)
    changed = requests.post(url, json=body | {"note": "x"}, headers=headers, timeout=TIMEOUT_S)
    assert [first.status_code, again.status_code, changed.status_code] == [201, 200, 409]
    assert first.json()["id"] == again.json()["id"]
    assert call(city, other, "GET", f"/v1/journeys/{first.json()['id']}").status_code == 404
    far = call(city, sana, "POST", "/v1/journeys", **body | {"expected_arrival": "2031-01-01T00:00:00Z"})
    assert (far.status_code, list(far.json()["errors"])) == (422, ["expected_arrival"])
    stranger = call(city, sana, "POST", "/v1/journeys", **body | {"guardians": ["gua_nobody"]})
    assert (stranger.status_code, stranger.json()["code"]) == (422, "guardian_unknown")


def test_workers_that_died_delay_it_by_seconds(small_city: SmallCity, sana: Signed) -> None:
    city, number = small_city, with_guardian(small_city, sana)
    journey = sets_out(city, sana, minutes=5)["id"]
    walks(city, sana, journey, 100)
    city.settle()
    city.idle = True  # whatever is put on the queue from here on is lost: the sweeper alone is left
    try:
        for seconds in (301, 3, 3, 121, 3, 3, 181, 3, 3, 3, 3):
            city.skip(seconds)
        found = city.wait_for(lambda: incident_queries.of_person(sana.person_id))
    finally:
        city.idle = False
    assert [doc["about"] for doc in found] == [{"journey": journey}]
    assert journeys.get(journey)["sos"]["incident"] == found[0]["_id"]
    texts(city, number, "does not answer")


def test_a_guardian_cannot_hold_help_back_for_ever(small_city: SmallCity, sana: Signed) -> None:
    city = small_city
    with_guardian(city, sana)
    journey = sets_out(city, sana, minutes=5)["id"]
    city.skip(301)
    for times in range(3):
        city.skip(121)
        assert journeys.get(journey)["status"] == "missed"
        journeying.change(journey, lambda draft: rules.guardian_reached(draft, "gua"), now=city.now())
        assert journeys.get(journey)["status"] == ("under_way" if times < 2 else "missed")
        if times < 2:
            city.skip(15 * 60 + 1)
    city.skip(181)
    assert journeys.get(journey)["status"] == "raised"


def test_forced_after_it_was_raised_the_same_sos_rises(small_city: SmallCity, sana: Signed) -> None:
    city = small_city
    journey = sets_out(city, sana, minutes=5, guardians=[])["id"]
    city.skip(301)
    city.skip(121)
    city.settle()
    refused = call(city, sana, "POST", f"/v1/journeys/{journey}/arrive", pin="4822")
    city.settle()
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_transition")
    (doc,) = incident_queries.of_person(sana.person_id)
    assert "duress" in doc["flags"]
    assert call(city, sana, "GET", f"/v1/sos/{doc['_id']}").json()["silent"] is False


def test_being_forgotten_takes_what_is_over_and_ends_no_watch(small_city: SmallCity, sana: Signed) -> None:
    city = small_city
    over, going = sets_out(city, sana)["id"], sets_out(city, sana)["id"]
    walks(city, sana, over, 100)
    call(city, sana, "POST", f"/v1/journeys/{over}/arrive", pin="4821")
    city.settle()
    assert call(city, sana, "DELETE", "/v1/me").status_code == 204
    city.settle()
    assert city.store["journeys"].find_one({"_id": over}) is None
    assert tracks.read(over) == []
    assert journeys.get(going)["status"] == "under_way", "whoever holds her phone cannot end the watch by erasing her"
    city.skip(25 * 3600)  # nobody swept for a day: she is asked first, and missed, before anything is forgotten
    for seconds in (130, 200, 3700, 60):
        city.skip(seconds)
    assert [each["channel"] for each in incident_queries.of_person(sana.person_id)] == ["journey"]
    assert city.store["journeys"].find_one({"_id": going}) is None


def test_a_sync_brings_it(small_city: SmallCity, sana: Signed) -> None:
    journey = sets_out(small_city, sana)["id"]
    items = call(small_city, sana, "GET", "/v1/sync").json()["items"]
    assert [each["id"] for each in items if each["kind"] == "journey"] == [journey]


def test_many_sweepers_at_once_take_each_step_once(small_city: SmallCity, sana: Signed) -> None:
    city = small_city
    with_guardian(city, sana)
    journey = sets_out(city, sana, minutes=5)["id"]
    now = city.now()
    for minutes, status in ((5.1, "asked"), (7.2, "missed"), (10.3, "raised")):
        at = now + timedelta(minutes=minutes)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _, at=at: journeying.timers(journey, now=at), range(8)))
        doc = journeys.get(journey)
        assert doc["status"] == status
        assert [entry["kind"] for entry in doc["timeline"]].count(status) == 1
    raised = [event for event in doc["pending_events"] if event["type"] == "journey.raised"]
    assert len(raised) == 1
