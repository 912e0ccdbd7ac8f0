"""The story that README.md tells: from a tap to a responder, as phones and the control room see it.

Real document server, Redis and carriers; jobs run as a worker runs them; time is skipped, never waited for.
"""

import re
import uuid
from typing import Any

import pytest
import requests

from domain.deliveries import service as deliveries
from domain.dispatch import queries as dispatch
from domain.dispatch import service as dispatching
from domain.incidents import service as incidents
from domain.people import devices, guardians, pins, queries
from domain.people.devices import DeviceFacts
from domain.people.states import GuardianStatus
from tests.factories.people import SECRET, Signed, phone, signed_in
from tests.fakes.small_city import PLACE, SmallCity

pytestmark = pytest.mark.timeout(120)

TIMEOUT_S = 30
SAFE, DURESS = "2580", "1379"


def with_app(city: SmallCity, person: Signed, *, receipts: bool = True) -> str:
    """Put the app on somebody's phone; the address that pushes go to."""
    token = f"app-{person.person_id}"
    devices.bind(person.person_id, person.session_id, DeviceFacts(f"ph-{token[-6:]}", token=token), now=city.now())
    city.carriers.register(token, person.phone, auto_receipt=receipts, api_url=city.url)
    return token


def pushed(city: SmallCity, token: str, kind: str) -> list[dict[str, str]]:
    """The data of the pushes of a kind that a phone got."""
    return [each["data"] for each in city.carriers.device(token)["pushes"] if each["data"]["type"] == kind]


def link(city: SmallCity, number: str, page: str) -> str:
    """The address of a page in the newest SMS that has one."""
    found = [m[0] for text in city.texts(number) if (m := re.search(rf"http\S+/{page}/[0-9a-z]{{12}}", text))]
    assert found, f"no /{page}/ link on {number}: {city.texts(number)}"
    return found[-1]


def call(method: str, url: str, who: Signed | None = None, **options: Any) -> requests.Response:
    headers = {**(who.headers if who else {}), **options.pop("headers", {})}
    answer = requests.request(method, url, headers=headers, timeout=TIMEOUT_S, **options)
    assert answer.status_code < 500, answer.text
    return answer


class Zainab:
    """A citizen with the app, a guardian and two PINs, who taps once."""

    def __init__(self, city: SmallCity, **body: Any) -> None:
        self.city, self.guardian = city, phone()
        self.person = signed_in(city.now(), name="Zainab Bibi", language="en")
        self.token = with_app(city, self.person)
        me = queries.get(self.person.person_id)
        pins.set_pins(me, SAFE, DURESS, old_pin=None, proven=True, secret=SECRET, now=city.now())
        guardian, _ = guardians.add(
            me, "Sana", self.guardian, language="en", silent=False, secret=SECRET, now=city.now()
        )
        queries.collection().update_one(
            {"_id": me.id}, {"$set": {f"guardians.{guardian.id}.status": str(GuardianStatus.CONFIRMED)}}
        )
        position = {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 12}
        answer = call(
            "POST",
            f"{city.url}/v1/sos",
            self.person,
            json={"position": position, "category": "harassment", **body},
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        assert answer.status_code == 201
        self.sos: dict[str, Any] = answer.json()
        city.settle()

    @property
    def view(self) -> dict[str, Any]:
        """What the phone shows."""
        found: dict[str, Any] = call("GET", f"{self.city.url}/v1/sos/{self.sos['id']}", self.person).json()
        return found

    def cancel(self, pin: str) -> requests.Response:
        answer = call("POST", f"{self.city.url}/v1/sos/{self.sos['id']}/cancel", self.person, json={"pin": pin})
        self.city.settle()
        return answer

    @property
    def doc(self) -> dict[str, Any]:
        """What the control room knows."""
        return incidents.get(self.sos["id"])


def operator(city: SmallCity) -> Signed:
    held = [{"role": "operator", "city": "lahore", "agency_id": "", "group_id": ""}]
    return signed_in(city.now(), roles=held, second_factor_given=True, language="en")


def test_a_tap_reaches_the_nearest_and_somebody_comes(small_city: SmallCity) -> None:
    city = small_city
    hearing, deaf, texted = (city.responder(metres=metres) for metres in (200, 400, 600))
    ear, no_ear = with_app(city, hearing), with_app(city, deaf, receipts=False)
    zainab = Zainab(city)
    assert (zainab.sos["status"], zainab.sos["cancel_requires_pin"]) == ("open", True)

    # Three units are asked: by push where there is an app, else by SMS; guardians get a live page.
    assert len(pushed(city, ear, "assignment.offered")) == 1
    assert len(pushed(city, no_ear, "assignment.offered")) == 1
    assert city.texts(hearing.phone) == []
    page = link(city, texted.phone, "a")
    assert "Zainab" in city.texts(zainab.guardian)[-1]
    live = call("GET", link(city, zainab.guardian, "t"), headers={"Accept-Language": "en"}).text
    assert "Help has been called" in live
    assert "Zainab" not in live

    # No receipt came from one phone within five seconds, so it gets an SMS; the other was received and gets none.
    city.carriers.wait_for(lambda: _received(zainab.sos["id"], hearing))
    city.skip(6)
    assert link(city, deaf.phone, "a")
    assert city.texts(hearing.phone) == []

    # Opening the page accepts nothing; the button does, and everybody else is told.
    call("GET", page)
    assert zainab.view["status"] == "open"
    call("POST", page, data={"do": "accept"})
    city.settle()
    assert zainab.view["status"] == "acknowledged"
    assert zainab.view["services"][0]["agency"] == "punjab_police"
    assert pushed(city, ear, "assignment.withdrawn")
    assert "in other hands" in city.texts(deaf.phone)[-1]
    assert "Already handled" in call("GET", link(city, deaf.phone, "a"), headers={"Accept-Language": "en"}).text
    late = pushed(city, ear, "assignment.offered")[0]["assignment_id"]
    refused = call("POST", f"{city.url}/v1/assignments/{late}/accept", hearing)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_handled")

    # On the way, there, done: her phone hears each step, the unit is free again.
    for do, status in (("en_route", "en_route"), ("on_scene", "on_scene"), ("clear", "closed")):
        city.skip(20)
        call("POST", page, data={"do": do})
        city.settle()
        assert zainab.view["status"] == status
    assert zainab.view["resolution"] == "helped"
    assert len(pushed(city, zainab.token, "incident.updated")) == 4
    assert all(set(each) == _ON_A_LOCK_SCREEN for each in pushed(city, zainab.token, "incident.updated"))
    assert dispatch.unit(queries.get(texted.person_id).unit_id).get("lease") is None

    # The control room sees every step, with its times.
    shown = call("GET", f"{city.url}/v1/incidents/{zainab.sos['id']}", operator(city)).json()
    kinds = [entry["kind"] for entry in shown["timeline"]]
    assert [each for each in kinds if each in _STEPS] == list(_STEPS)
    assert {each["status"] for each in shown["deliveries"] if each["purpose"] == "assignment_offered"} <= {
        "received", "seen", "delivered", "sent",
    }  # fmt: skip


_STEPS = ("raised", "offered", "accepted", "en_route", "on_scene", "cleared", "closed")
_ON_A_LOCK_SCREEN = {"type", "v", "delivery_id", "receipt_token", "incident_id"}


def _received(incident: str, person: Signed) -> bool:
    rows = deliveries.deliveries().find({"subject": incident, "recipient.id": person.person_id})
    return any(row["status"] == "received" for row in rows)


def test_when_nobody_answers_the_ladder_climbs_and_never_ends(small_city: SmallCity) -> None:
    city = small_city
    near, far = city.responder(metres=500), city.responder(metres=7_000)
    held = [{"role": "supervisor", "city": "lahore", "agency_id": "punjab_police", "group_id": ""}]
    chief = signed_in(city.now(), roles=held, language="en")
    room = operator(city)
    zainab = Zainab(city)
    assert (len(city.texts(near.phone)), len(city.texts(far.phone))) == (1, 0)
    city.skip(21)  # the wider ring
    assert len(city.texts(far.phone)) == 1
    city.skip(21)  # the supervisors, by voice
    assert city.carriers.wait_for(lambda: city.carriers.inbox(chief.phone)["calls"])
    for _ in range(3):  # all on duty, and again
        city.skip(91)
    assert "unanswered" in zainab.doc["flags"]
    assert zainab.view["status"] == "open"
    assert city.texts(room.phone)
    asked_again = len(city.texts(near.phone))
    assert asked_again >= 3
    call("POST", link(city, far.phone, "a"), data={"do": "accept"})
    city.settle()
    assert zainab.view["status"] == "acknowledged"
    assert "unanswered" not in zainab.doc["flags"]


def test_an_acceptance_that_does_not_move_is_offered_again(small_city: SmallCity) -> None:
    city = small_city
    idle, other = city.responder(metres=900), city.responder(metres=1_500)
    zainab = Zainab(city)
    call("POST", link(city, idle.phone, "a"), data={"do": "accept"})
    city.settle()
    before = len(city.texts(other.phone))
    city.skip(121)
    assert zainab.view["status"] == "open"
    assert len(city.texts(other.phone)) > before
    assert any(each.get("stalled") for each in zainab.doc["assignments"].values())
    call("POST", link(city, other.phone, "a"), data={"do": "accept"})
    city.settle()
    unit = queries.get(other.person_id).unit_id
    dispatching.moved(unit, PLACE[0], PLACE[1] + 0.008, city.context.positions, at=city.now())
    city.skip(121)
    assert zainab.view["status"] == "acknowledged"


def test_a_duress_pin_says_cancelled_and_help_still_comes(small_city: SmallCity) -> None:
    city = small_city
    officer, room = city.responder(metres=300), operator(city)
    zainab = Zainab(city)
    page = link(city, officer.phone, "a")
    call("POST", page, data={"do": "accept"})
    city.settle()
    shown = zainab.cancel(DURESS)
    assert (shown.status_code, shown.json()["status"], shown.json()["resolution"]) == (
        200,
        "closed",
        "cancelled_by_citizen",
    )
    heard = len(pushed(city, zainab.token, "incident.updated"))
    assert "forced" in call("GET", f"{page}?lang=en").text
    assert city.texts(room.phone)
    call("POST", page, data={"do": "en_route"})
    call("POST", page, data={"do": "on_scene"})
    city.settle()
    assert zainab.doc["status"] == "on_scene"
    assert zainab.view == shown.json() | {each: zainab.view[each] for each in ("cancel_requires_pin", "share_url")}
    assert len(pushed(city, zainab.token, "incident.updated")) == heard
    guardian = call("GET", link(city, zainab.guardian, "t"), headers={"Accept-Language": "en"}).text
    assert "Cancelled" in guardian


def test_a_safe_pin_sends_everybody_home(small_city: SmallCity) -> None:
    city = small_city
    officer = city.responder(metres=300)
    zainab = Zainab(city)
    page = link(city, officer.phone, "a")
    call("POST", page, data={"do": "accept"})
    city.settle()
    assert zainab.cancel("0000").status_code == 403
    assert zainab.cancel(SAFE).status_code == 200
    assert zainab.doc["status"] == "closed"
    assert "handled" in call("GET", page, headers={"Accept-Language": "en"}).text
    assert dispatch.unit(queries.get(officer.person_id).unit_id).get("lease") is None
