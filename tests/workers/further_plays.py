"""Further rows of the table in `test_idempotent.py`: bridges, refusals of SMS, public alerts, the helpline and reviews.

Each brings its event about by the routes that people use, or by its rule where only time or a telephone does.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import requests

from domain.cities import queries as cities
from domain.dispatch import bridging
from domain.faces import service as faces
from domain.helpline import calling, casework
from domain.helpline import service as helpline
from domain.plates.rules import Char
from domain.reviews import service as reviews
from domain.reviews.states import Said
from domain.watchlists import readings
from domain.watchlists import service as watchlists
from domain.watchlists.hashing import DayKeys
from domain.watchlists.readings import Reading
from runtime.vault import vault
from tests.factories import cameras
from tests.factories.people import Signed, phone, staff
from tests.fakes.small_city import PLACE, REPLIES, SmallCity
from tests.scenarios.test_a_district_is_warned import people, write
from tests.scenarios.test_she_reaches_a_counsellor import STORY, TIMEOUT_S, Desk, Phone, key
from tests.scenarios.test_the_helpline_calls_back import window

WHY = "Her lawyer asks for the dates, by her wish."


class Case(Protocol):
    """What a play needs of its case."""

    city: SmallCity
    citizen: Signed
    id: str
    agency: str
    tokens: set[str]

    def raise_sos(self, **more: Any) -> Any: ...
    def accept(self) -> Any: ...
    def assignment(self, number: int = 0) -> str: ...
    def follow(self, name: str, subject: str) -> Any: ...


# --- the telephone ----------------------------------------------------------------------------------------------------


def _bridge(case: Case) -> None:
    """The control room opens the bridge: the caller, the unit and the operator are rung."""
    case.raise_sos().accept()
    operator = staff(case.city.now(), "operator", agency_id=case.agency, language="en")
    bridging.open_bridge(
        case.id, None, by=operator.person_id, via="control_room", key="k", now=case.city.now(), join=True
    )
    case.follow("incidents", case.id)


def _opted_out(case: Case) -> None:
    """A responder writes STOP: the supervisors of the agency hear of it."""
    responder = case.city.responder(name="Bilal")
    staff(case.city.now(), "supervisor", agency_id=case.agency, language="en")
    params = {"From": responder.phone, "To": REPLIES, "Body": "STOP", "MessageSid": f"SM{uuid.uuid4().hex}"}
    assert case.city.webhook("sms", params).status_code == 200
    case.city.settle()
    case.follow("people", responder.person_id)


# --- public alerts ----------------------------------------------------------------------------------------------------


def _alert(case: Case, **fields: Any) -> None:
    """An operator warns a district in which three people live."""
    city = case.city
    for name in ("alerts", "alert_batches"):
        city.store[name].delete_many({})
    case.raise_sos()
    city.by_day()
    people(city, 3, app_share=0.5)
    operator = staff(city.now(), "operator")
    answer = write(city, operator, **fields)
    assert answer.status_code == 201, answer.text
    alert = answer.json()["id"]
    if not fields.get("issue", True):
        url = f"{city.url}/v1/alerts/{alert}"
        assert requests.delete(url, headers=operator.headers, timeout=20).status_code < 300
    case.follow("alerts", alert)


# --- the helpline -----------------------------------------------------------------------------------------------------


def _helpline(
    case: Case, *desk: Callable[[Desk, Phone], Any], her: Callable[[Phone], Any] | None = None, **asks: Any
) -> Phone:
    """She asks, a counsellor takes it, and what happens next."""
    city = case.city
    for name in ("helpline_requests", "helpline_messages", "helpline_cases", "counsellors", "reviews"):
        city.store[name].delete_many({})
    counsellor = Desk(city)
    phone_of_hers = Phone(city, message=STORY, **asks)
    case.tokens.add(phone_of_hers.push)
    if desk or her:
        assert counsellor.claim(phone_of_hers).status_code == 200
    for step in desk:
        step(counsellor, phone_of_hers)
    if her:
        assert her(phone_of_hers).status_code < 300
    case.follow("helpline_requests", phone_of_hers.request["id"])
    return phone_of_hers


def _said(answer: requests.Response) -> requests.Response:
    assert answer.status_code < 300, answer.text
    return answer


def _handed_on(desk: Desk, her: Phone) -> None:
    other = Desk(desk.city)
    _said(desk.on(her, "POST", "/transfer", json={"to": other.who.person_id, "note": "Wants a lawyer."}))


def _nobody_takes_it(case: Case) -> None:
    """A minute, and another: the supervisors hear, and she is asked whether a man may answer."""
    for name in case.city.store.list_collection_names():  # while minutes pass, nobody of another play hears anything
        if not name.startswith(("cit", "agenc", "people")):
            case.city.store[name].delete_many({})
    case.city.store.people.delete_many({"_id": {"$ne": case.citizen.person_id}})
    Desk(case.city, gender="male")
    Desk(case.city, role="helpline_supervisor", on_shift=False)
    her = Phone(case.city)
    case.tokens.add(her.push)
    for _ in range(2):
        case.city.skip(61)
    case.follow("helpline_requests", her.request["id"])


def _call(case: Case, *, joined: bool = False) -> None:
    """The counsellor's own phone rings, and hers once the counsellor is on the line."""

    def begin(desk: Desk, her: Phone) -> None:
        for number in (desk.who.phone, her.sent["phone"]):
            desk.city.carriers.set_phone(number, answers="human")
        _said(desk.on(her, "POST", "/call"))
        if joined:
            now, doc = desk.city.now(), helpline.get(her.request["id"])
            call = next(each["call"] for each in doc["log"] if each.get("call"))
            box = vault(desk.city.settings).box(doc["_id"])
            calling.joined(doc, box, by=desk.who.person_id, call_id=call, now=now)

    times = [window(case.city, begins=-5, minutes=60)]
    hers, rung = phone(), list[str]()
    _helpline(
        case, begin, lambda desk, her: rung.append(desk.who.phone), mode="call_back", phone=hers, safe_to_call=times
    )
    numbers = [*rung, *([hers] if joined else [])]
    inbox = case.city.carriers.inbox  # each hears what the call says before anything is counted
    case.city.wait_for(lambda: all(any(each["said"] for each in inbox(number)["calls"]) for number in numbers))


def _listened(case: Case) -> None:
    """A supervisor hears a call, since she said that one may."""

    def listen(desk: Desk, her: Phone) -> None:
        boss = Desk(desk.city, role="helpline_supervisor", on_shift=False)
        desk.city.carriers.set_phone(boss.who.phone, answers="human")
        desk.city.carriers.set_phone(desk.who.phone, answers="human")
        _said(desk.on(her, "POST", "/call"))
        now, doc = desk.city.now(), helpline.get(her.request["id"])
        call = next(each["call"] for each in doc["log"] if each.get("call"))
        box = vault(desk.city.settings).box(doc["_id"])
        calling.joined(doc, box, by=desk.who.person_id, call_id=call, now=now)
        _said(boss.on(her, "POST", "/listen-call"))
        desk.city.wait_for(lambda: any(each["said"] for each in desk.city.carriers.inbox(boss.who.phone)["calls"]))

    times = [window(case.city, begins=-5, minutes=60)]
    _helpline(case, listen, mode="call_back", phone=phone(), safe_to_call=times, listen_in=True)


def _follow_up(case: Case) -> None:
    """Somebody said that it is to be looked after in an hour, and the hour is over."""
    found: list[str] = []

    def plan(desk: Desk, her: Phone) -> None:
        opened = _said(desk.on(her, "POST", "/case", json={"consent": "chat"})).json()["id"]
        due = (desk.city.now() + timedelta(hours=1)).isoformat()
        body = {"due_at": due, "note": "Ask the lawyer."}
        _said(desk.call("POST", f"/cases/{opened}/follow-ups", json=body, headers=key()))
        found.append(opened)

    _helpline(case, plan)
    case.city.ahead += timedelta(hours=2)
    casework.remind(found[0], now=case.city.now())
    case.follow("helpline_cases", found[0])


def _joined(case: Case) -> None:
    """Two cases were begun for her; she says that both are hers."""
    found: list[str] = []

    def begin(desk: Desk, her: Phone) -> None:
        found.append(_said(desk.on(her, "POST", "/case", json={"consent": "chat"})).json()["id"])

    def both(desk: Desk, her: Phone) -> None:
        begin(desk, her)
        later = Phone(desk.city)
        desk.claim(later)
        begin(desk, later)
        told = {"request_id": later.request["id"], "helpline_token": later.request["helpline_token"]}
        _said(her.call("POST", "/join", json=told))

    _helpline(case, both)
    joined = case.city.store["helpline_cases"].find_one({"merged_into": {"$exists": True}})
    assert {joined["_id"], joined["merged_into"]} == set(found)
    case.follow("helpline_cases", joined["_id"])


def _opening(case: Case) -> None:
    """Another counsellor asks to read, and a supervisor says yes."""

    def ask(desk: Desk, her: Phone) -> None:
        city, curious, boss = desk.city, Desk(desk.city), Desk(desk.city, role="helpline_supervisor", on_shift=False)
        review = _said(curious.on(her, "POST", "/openings", json={"reason": WHY}, headers=key())).json()["id"]
        body = {"approve": True, "reason": "Seen the letter."}
        url = f"{city.url}/v1/reviews/{review}/answer"
        _said(requests.post(url, json=body, headers=boss.bearer, timeout=TIMEOUT_S))
        case.follow("reviews", review)

    _helpline(case, ask)


def _plate(case: Case, said: Said | None = None) -> None:
    """A listed plate passes a camera; a human says yes."""
    case.raise_sos()
    now = case.city.now()
    camera = cameras.camera(f"cam {uuid.uuid4().hex[:8]}")
    plate = f"RIZ {case.city.now().microsecond % 10_000:04d}"
    facts = {
        "plate": plate, "why": "stolen_vehicle", "legal_basis": "FIR 1/26", "expires_at": now + timedelta(days=1),
    }  # fmt: skip
    config = cities.current("lahore")
    owner = {"owner": "per_x", "agency": "punjab_police", "fingerprint": "f"}
    watchlists.put_on(f"wle_{uuid.uuid4().hex}", facts, config, now=now, **owner)
    reading = Reading(tuple(Char(sign, 0.9) for sign in plate if sign != " "), at=now, track="1")
    keys = DayKeys(vault(case.city.settings), "lahore")
    hit = readings.take(camera, "obs_1", reading, store=lambda crop: "", keys=keys, now=now)
    assert hit is not None
    case.follow("hits", hit["_id"])
    if said is not None:
        review = readings.ask_about(hit["_id"], now=now)
        assert review is not None
        reviews.answer(review, by="per_op", said=said, reason="", now=case.city.now())
        case.follow("reviews", review)
        case.follow("hits", hit["_id"])


def _face(case: Case) -> None:
    """The picture of whom to look for is sealed: two others are asked."""
    case.raise_sos()
    now, search = case.city.now(), f"fse_{uuid.uuid4().hex}"
    wanted = {"purpose": "missing_person", "legal_basis": "Missing person report 41/26", "hours": 24}
    on = replace(cities.current("lahore"), face_search=True)
    incident = {"_id": case.id, "city": "lahore"}
    faces.draft(search, incident, wanted, on, by="per_x", fingerprint="f", now=now)
    faces.ask(search, {"name": "n", "sha256": "s", "size": 1, "pieces": []}, now=now)
    case.follow("face_searches", search)


_POSITION = {"lat": PLACE[0], "lon": PLACE[1]}

PLAYS: Mapping[str, Callable[[Any], Any]] = {
    "bridge.opened": _bridge,
    "bridge.joined": _bridge,
    "person.opted_out": _opted_out,
    "alert.issued": _alert,
    "alert.discarded": partial(_alert, issue=False),
    "helpline.asked": _helpline,
    "helpline.claimed": partial(_helpline, her=lambda phone: phone.call("GET")),
    "helpline.returned": lambda case: _helpline(case, _handed_on),
    "helpline.offered": _nobody_takes_it,
    "helpline.unclaimed": _nobody_takes_it,
    "helpline.message": lambda case: _helpline(
        case, lambda desk, her: _said(desk.write(her, "I am here.")), her=lambda phone: phone.write("Thank you.")
    ),
    "helpline.stopped": partial(_helpline, her=lambda phone: phone.call("POST", "/contact", json={"stop": True})),
    "helpline.closed": partial(_helpline, her=lambda phone: phone.call("POST", "/close", json={})),
    "helpline.sos": partial(_helpline, her=lambda phone: phone.call("POST", "/sos", json={}), position=_POSITION),
    "helpline.call": _call,
    "helpline.call_joined": partial(_call, joined=True),
    "helpline.listen_call": _listened,
    "helpline.expire_local": partial(_helpline, her=lambda phone: phone.call("POST", "/expire-local")),
    "helpline.follow_up": _follow_up,
    "helpline.case_joined": _joined,
    "helpline.erased": partial(_helpline, her=lambda phone: phone.call("DELETE")),
    "face_search.asked": _face,
    "hit.found": _plate,
    "hit.confirmed": partial(_plate, said=Said.YES),
    "review.asked": _opening,
    "review.decided": _opening,
}
