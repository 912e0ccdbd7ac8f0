"""Every reaction may run twice, and two workers may have the same event at once: what follows from it follows once.

Each row of the table of reactions is played on a real incident, with real messages to the carriers' process. While it
is played, every event's reactions run three times, twice of them at once; afterwards they run again, by two drains.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests

from domain import outbox
from domain.cameras import observations
from domain.cities import queries as cities
from domain.clock import utc_now
from domain.dispatch import service as dispatch
from domain.drills import rules as drill_rules
from domain.drills import service as drilling
from domain.drills.service import Wanted
from domain.incidents import retention, rules
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.states import AssignmentStatus, Resolution
from domain.journeys import rules as journey_rules
from domain.journeys import service as journeys
from domain.journeys.draft import JourneyDraft
from domain.journeys.states import JourneyStatus, Reason
from domain.outbox import Event
from domain.people import events as people_events
from domain.people.documents import PersonDoc
from domain.place_audits.states import Aspect
from domain.reports import believing
from domain.reviews import service as reviews
from domain.reviews.states import Said
from domain.watch import queries as watch
from domain.watch import service as watching
from notifications import fanout
from tests.factories import cameras
from tests.factories.people import SECRET, Signed, phone, signed_in
from tests.fakes.small_city import PLACE, SmallCity, city_carriers, small_city, whole_city
from tests.workers import further_plays, roster_plays, watch_plays
from workers import drain, subscriptions

__all__ = ["city_carriers", "small_city", "whole_city"]

pytestmark = pytest.mark.timeout(60)
Doc = dict[str, Any]


class Played:
    """What happened: the events, in order. Runs the reactions of each three times, two of them at once."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._pool = ThreadPoolExecutor(4)

    def __call__(self, event: Event, context: Any) -> None:
        self.events.append(event)
        at_once = [self._pool.submit(subscriptions.react, event, context) for _ in range(2)]
        for each in at_once:
            each.result(20)
        subscriptions.react(event, context)

    def of(self, kind: str) -> list[Event]:
        """The events of a type; there must be one."""
        found = [each for each in self.events if each["type"] == kind]
        assert found, f"{kind} did not happen: {[each['type'] for each in self.events]}"
        return found


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    """Records and triples what every drain does."""
    made = Played()
    monkeypatch.setattr(drain, "react", made)
    yield made
    made._pool.shutdown()


class Case:
    """A citizen with a guardian, three units near by, an operator and a supervisor; and an SOS once it is raised."""

    def __init__(self, city: SmallCity) -> None:
        self.city = city
        for name in ("deliveries", "observations", "looks", "cameras"):
            city.store[name].delete_many({})
        city.store.people.update_many({}, {"$set": {"roles": []}})
        self.units = [city.responder(metres=300.0 + 100 * number) for number in range(3)]
        self.agency = cities.current("lahore").agencies_for("police")[0].id
        for role in ("operator", "supervisor"):
            held = {"role": role, "city": "lahore", "agency_id": self.agency, "group_id": ""}
            signed_in(city.now(), roles=[held], agency_id=self.agency, language="en")
        guardian = {"id": "grd_1", "name": "Sana", "phone": phone(), "status": "confirmed", "language": "en"}
        self.citizen: Signed = signed_in(city.now(), name="Zainab", guardians={"grd_1": guardian})
        device = {"id": "dev_c", "token": f"push-{uuid.uuid4().hex}", "session_id": "ses_1", "seen_at": city.now()}
        city.store.people.update_one({"_id": self.citizen.person_id}, {"$set": {"devices": {"dev_c": device}}})
        self.id = ""
        self.tokens: set[str] = set()
        """Addresses of pushes that no person's document has."""

    def post(self, path: str, body: Mapping[str, Any], *, key: str = "") -> requests.Response:
        """A request of the citizen's phone."""
        headers = {**self.citizen.headers, "Idempotency-Key": key or str(uuid.uuid4())}
        answer = requests.post(f"{self.city.url}/v1{path}", json=body, headers=headers, timeout=20)
        assert answer.status_code < 300, answer.text
        self.city.settle()
        return answer

    def raise_sos(self, **more: Any) -> "Case":
        """The SOS, and all that follows from it."""
        body = {"position": {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 10}, "category": "threat", **more}
        self.key = str(uuid.uuid4())
        self.id = self.post("/sos", body, key=self.key).json()["id"]
        return self

    def change(self, rule: Callable[[Draft], None]) -> "Case":
        """A change of the incident, and all that follows from it."""
        incidents.change(self.id, rule, now=self.city.now())
        return self.follow("incidents", self.id)

    def event(self, kind: str, **ids: Any) -> "Case":
        """Something that only time brings about, as its rule writes it."""
        return self.change(lambda draft: draft.event(kind, **ids))

    def follow(self, name: str, subject: str) -> "Case":
        """Two workers get the same job at once."""
        for _ in range(2):
            self.city.enqueue("drain", name, subject)
        self.city.settle()
        return self

    def assignment(self, number: int = 0) -> str:
        """One of the offers."""
        return str(sorted(incidents.get(self.id)["assignments"])[number])

    def accept(self) -> "Case":
        """The first unit says yes."""
        dispatch.accept(
            self.id, self.assignment(), self.city.context.desk("lahore"), by="x", via="app", now=self.city.now()
        )
        return self.follow("incidents", self.id)

    def progress(self, *steps: AssignmentStatus) -> "Case":
        """And goes."""
        for step in steps:
            dispatch.progress(self.id, self.assignment(), step, by="x", now=self.city.now())
            self.follow("incidents", self.id)
        return self


A = AssignmentStatus


def _message(case: Case) -> None:
    words = {"id": "msg_1", "from": "control_room", "by": "per_x", "text": "Somebody is coming", "at": utc_now()}
    case.raise_sos().change(lambda draft: rules.say(draft, words))


def _declined(case: Case) -> None:
    case.raise_sos().accept()
    dispatch.decline(case.id, case.assignment(), by="x", reason="", now=case.city.now())
    case.follow("incidents", case.id)


def _withdrawn(case: Case) -> None:
    case.raise_sos()
    dispatch.withdraw(case.id, case.assignment(), by="x", reason="operator", now=case.city.now())
    case.follow("incidents", case.id)


def _mayday(case: Case) -> None:
    case.raise_sos().accept()
    dispatch.mayday(case.id, case.assignment(), by="x", now=case.city.now())
    case.follow("incidents", case.id)


def _doubted(case: Case) -> None:
    case.raise_sos().accept().progress(AssignmentStatus.EN_ROUTE)
    case.event("assignment.doubted", assignment=case.assignment())


def _held(case: Case) -> None:
    _closed(case)
    footage = {"_id": f"evd_{case.id}", "city": "lahore", "incident": case.id, "kind": "footage", "at": case.city.now()}
    case.city.store.evidence.insert_one(footage)
    retention.hold(case.id, by="x", reason="court", now=case.city.now())
    case.follow("incidents", case.id)


def _hold_lifted(case: Case) -> None:
    _closed(case)
    for step in (retention.hold, retention.lift):
        step(case.id, by="x", reason="court", now=case.city.now())
    case.city.store.people.update_one({"_id": case.citizen.person_id}, {"$set": {"erased_at": case.city.now()}})
    case.follow("incidents", case.id)


def _closed(case: Case) -> None:
    case.raise_sos().accept().change(lambda draft: rules.close(draft, Resolution.HELPED, by="x"))


def _reopened(case: Case) -> None:
    _closed(case)
    case.change(lambda draft: rules.reopen(draft, by="x", reason="it goes on"))


def _facts(case: Case) -> None:
    case.raise_sos()
    body = {
        "position": {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 10},
        "note": "two men",
        "services": ["medical"],
    }
    case.post("/sos", body, key=case.key)


def _observation(case: Case) -> None:
    camera = cameras.camera(f"cam {uuid.uuid4().hex[:8]}")
    case.raise_sos()
    seen = cameras.seen("seen", ("lying", 0.9))
    found, _ = observations.of_gateway(camera, "key-1", "print", seen, at=case.city.now(), now=case.city.now())
    case.follow("observations", found["_id"])


def _push_to_person(case: Case, made: Event) -> None:
    update = outbox.merge({"$inc": {"version": 1}}, outbox.pending([made], case.city.now()))
    case.city.store.people.update_one({"_id": made["subject"]}, update)
    case.follow("people", made["subject"])


def _session(case: Case) -> None:
    case.raise_sos()
    responder = case.units[0]
    row = case.city.store.people.find_one({"_id": responder.person_id})
    assert row is not None
    case.city.store.people.update_one({"_id": row["_id"]}, {"$set": {"sessions": {}}})
    made = people_events.session_ended(row, responder.session_id, unit_id=row["unit_id"], now=case.city.now())
    _push_to_person(case, made)


def _erased(case: Case) -> None:
    _closed(case)
    case.city.store.people.update_one({"_id": case.citizen.person_id}, {"$set": {"erased_at": case.city.now()}})
    person: Any = PersonDoc.objects(id=case.citizen.person_id).first()
    _push_to_person(case, people_events.person_erased(person, now=case.city.now()))


def _journey(case: Case, *steps: Callable[[JourneyDraft], None], **body: Any) -> str:
    """A journey that is shared with the guardian, and what happens on it."""
    arrival = (case.city.now() + timedelta(hours=1)).isoformat()
    there = {"destination": {"lat": PLACE[0] + 0.01, "lon": PLACE[1]}, "expected_arrival": arrival, "sharing": True}
    here = {"position": {"lat": PLACE[0], "lon": PLACE[1]}}
    journey = str(case.post("/journeys", {**there, **here, **body}).json()["id"])
    for step in steps:
        journeys.change(journey, step, now=case.city.now())
        case.follow("journeys", journey)
    return journey


def _due(draft: JourneyDraft) -> None:
    """The next timer has run out."""
    name = {"under_way": "next_due", "asked": "answer_by", "missed": "raise_at"}[draft.doc["status"]]
    draft.set(name, draft.now)
    journey_rules.tick(draft)


def _moved(case: Case) -> None:
    journey = _journey(case, lambda draft: journey_rules.become_sos(draft, Reason.GUARDIAN))
    case.post(f"/journeys/{journey}/positions", {"positions": [{"lat": PLACE[0] + 0.002, "lon": PLACE[1]}]})


def _escort(case: Case) -> None:
    case.raise_sos()
    case.city.responder(service="escort")
    place = {"lat": PLACE[0], "lon": PLACE[1]}
    case.post("/escorts", {"position": place, "destination": place})


def _place_audit(case: Case) -> None:
    case.raise_sos()
    place = {"lat": PLACE[0], "lon": PLACE[1]}
    case.post("/place-audits", {"position": place, "ratings": dict.fromkeys(map(str, Aspect), 1)})


def _drill(case: Case) -> None:
    """An exercise that reached nobody: the control room is told."""
    case.raise_sos()
    for collection in ("drills", "notices"):
        case.city.store[collection].delete_many({})
    case.city.by_day()
    now, config = case.city.now(), cities.current("lahore")
    wanted = Wanted("lahore", "per_x", ("operator",), ("fcm",), timedelta(minutes=1))
    drill, _ = drilling.start(f"drl_{uuid.uuid4().hex}", wanted, config, now=now)
    begun = drilling.begin(drill, config, (), now=now)
    assert begun is not None
    report = drilling.Report(drill_rules.counts([], ("fcm",)), ("per_y",))
    assert drilling.end({**begun, "people": 1}, report, now=now) is not None
    case.follow("drills", drill["_id"])
    for notice in case.city.store.notices.find({}):
        case.follow("notices", notice["_id"])


def _report(case: Case, note: str = "", **fields: Any) -> str:
    """A report in the area of a group, with a member who hears of what is believed."""
    case.raise_sos()
    for name in ("watch_groups", "watch_members"):  # no group of another play's reads it first
        case.city.store[name].delete_many({})
    corners = [[74.34, 31.507], [74.349, 31.507], [74.349, 31.514], [74.34, 31.514], [74.34, 31.507]]
    area = {"type": "Polygon", "coordinates": [corners]}
    group = case.post("/watch/groups", {"name": "Block C", "area": area, "rules": "Be kind."}).json()
    facts = watch.get(group["id"])
    device = {"id": "dev_m", "token": f"push-{uuid.uuid4().hex}", "session_id": "ses_1", "seen_at": case.city.now()}
    member = signed_in(case.city.now(), language="en", devices={"dev_m": device})
    watching.invite(facts, [member.phone], by=case.citizen.person_id, secret=SECRET, now=case.city.now())
    watching.join(facts, member.person_id, rules_version=1, now=case.city.now())
    here = {"lat": PLACE[0], "lon": PLACE[1]}
    return str(case.post("/watch/reports", {"category": "robbery", "position": here, "note": note}).json()["id"])


def _believed(case: Case) -> None:
    report = _report(case)
    believing.believe(report, by="x", now=case.city.now())
    case.follow("watch_reports", report)


def _reviewed(case: Case) -> None:
    """A human reads what was held, and lets others read it."""
    report = _report(case, "LEB 1234")
    (review,) = case.city.store.reviews.find({"subject": report})
    reviews.answer(review["_id"], by="x", said=Said.YES, reason="Harmless.", now=case.city.now())
    case.follow("reviews", review["_id"])


PLAYS: Mapping[str, Callable[[Case], Any]] = {
    "drill.ended": _drill,
    "notice.opened": _drill,
    "incident.raised": Case.raise_sos,
    "incident.surroundings": Case.raise_sos,
    "observation.made": _observation,
    "incident.reopened": _reopened,
    "incident.facts_added": _facts,
    "incident.duress": lambda case: case.raise_sos().change(lambda draft: rules.duress(draft, by=None)),
    "incident.closed": _closed,
    "incident.handed_over": lambda case: case.raise_sos().event("incident.handed_over", agency=case.agency),
    "incident.message": _message,
    "slot.reopened": _declined,
    "slot.resumed": lambda case: case.raise_sos().event("slot.resumed", service="police"),
    "slot.supervisors": lambda case: case.raise_sos().event("slot.supervisors", service="police", rung=2, round=0),
    "slot.unanswered": lambda case: case.raise_sos().event("slot.unanswered", service="police"),
    "slot.callback": lambda case: case.raise_sos().event("slot.callback", service="police", round=0),
    "assignment.offered": Case.raise_sos,
    "assignment.withdrawn": _withdrawn,
    "assignment.accepted": lambda case: case.raise_sos().accept(),
    "assignment.en_route": lambda case: case.raise_sos().accept().progress(A.EN_ROUTE),
    "assignment.on_scene": lambda case: case.raise_sos().accept().progress(A.EN_ROUTE, A.ON_SCENE),
    "assignment.cleared": lambda case: case.raise_sos().accept().progress(A.ON_SCENE, A.CLEARED),
    "assignment.declined": _declined,
    "assignment.mayday": _mayday,
    "assignment.doubted": _doubted,
    "incident.held": _held,
    "incident.hold_lifted": _hold_lifted,
    "otp.requested": lambda case: case.post("/auth/otp", {"phone": phone()}),
    "guardian.invited": lambda case: case.post("/me/guardians", {"name": "Rabia", "phone": phone(), "language": "en"}),
    "session.ended": _session,
    "person.erased": _erased,
    "journey.started": _journey,
    "journey.asked": lambda case: _journey(case, _due),
    "journey.missed": lambda case: _journey(case, _due, _due),
    "journey.answered": lambda case: _journey(
        case, _due, _due, lambda draft: journey_rules.guardian_reached(draft, "grd_1")
    ),
    "journey.concern": lambda case: _journey(case, lambda draft: journey_rules.check_in(draft, draft.now, pct=5.0)),
    "journey.ended": lambda case: _journey(case, lambda draft: journey_rules.end(draft, JourneyStatus.ARRIVED)),
    "journey.raised": lambda case: _journey(case, _due, _due, _due),
    "journey.moved": _moved,
    "escort.due": _escort,
    "place.audited": _place_audit,
    "report.made": _report,
    "report.held": lambda case: _report(case, "LEB 1234"),
    "report.believed": _believed,
    "review.asked": lambda case: _report(case, "LEB 1234"),
    "review.decided": _reviewed,
    **further_plays.PLAYS,
    **roster_plays.PLAYS,
    **watch_plays.PLAYS,
}

_MOVING = frozenset(
    {"pending_events", "outbox_due", "outbox_lease", "outbox_tries", "updated_at", "until", "lease", "weighed_at", "weighings"}
)
"""What the outbox, the leases and the weighing of clusters keep for themselves; a unit's lease is looked at by its
assignment."""


_COUNTS = frozenset({"request_figures", "carrier_hours", "carrier_totals"})
"""What counts requests and what carriers did, whatever it was about."""


def state_of(city: SmallCity) -> dict[str, Any]:
    """Everything that is kept, but for the outbox's own fields and how far a message's receipts have come."""
    kept: dict[str, Any] = {}
    for name in sorted(city.store.list_collection_names()):
        if name in _COUNTS:
            continue
        for doc in city.store[name].find({}):
            kept[f"{name}/{doc['_id']}"] = {field: value for field, value in doc.items() if field not in _MOVING}
            if name == "watch_voices":  # when somebody's word was last heard
                kept[f"{name}/{doc['_id']}"].pop("at")
            if name == "units":
                kept[f"leases/{doc['_id']}"] = (doc.get("lease") or {}).get("assignment")
            elif name == "deliveries":
                kept[f"{name}/{doc['_id']}"] = (doc["purpose"], doc["recipient"], doc["tries"])
    return kept


def told(city: SmallCity, others: Collection[str] = ()) -> Counter[tuple[str, str]]:
    """(number, text) of every SMS, and (token, delivery) of every push, that has reached somebody."""
    found: Counter[tuple[str, str]] = Counter()
    for number in city.carriers.call("GET", "/phones.json")["numbers"]:
        inbox = city.carriers.inbox(number)
        found.update((number, each["body"]) for each in inbox["sms"] if each["direction"] != "inbound")
        found.update((number, each["said"]) for each in inbox["calls"])
    rows = city.store.people.find({}, {"devices": 1})
    held = {device.get("token") for row in rows for device in (row.get("devices") or {}).values()}
    for token in (held | set(others)) - {None, ""}:
        found.update((token, each["data"]["delivery_id"]) for each in city.carriers.device(token)["pushes"])
    return found


def settled(city: SmallCity) -> None:
    """Nothing is under way any more, receipts included."""
    city.settle()
    fanout.settle()
    sent = {"attempts.1.state": {"$in": ["sending", "sent"]}, "attempts.1.channel": "sms"}
    city.carriers.wait_for(lambda: not city.store.deliveries.find_one(sent), 10)
    city.settle()


def test_every_reaction_has_its_play() -> None:
    assert set(PLAYS) == set(subscriptions.SUBSCRIPTIONS)


@pytest.mark.parametrize("kind", sorted(subscriptions.SUBSCRIPTIONS))
def test_what_runs_again_and_at_once_has_one_effect(kind: str, small_city: SmallCity, played: Played) -> None:
    city, case = small_city, Case(small_city)
    before = told(city)
    PLAYS[kind](case)
    settled(city)
    mine = played.of(kind)
    state, messages = state_of(city), told(city, case.tokens)
    assert messages or kind == "person.erased"
    assert all(count == 1 for count in (messages - before).values()), "somebody was told twice"

    for event in mine:
        played(event, city.context)
        name = next(each for each in outbox.names() if city.store[each].find_one({"_id": event["subject"]}))
        case.follow(name, event["subject"])
    settled(city)
    assert told(city, case.tokens) == messages
    after = state_of(city)
    changed = {key: (state.get(key), value) for key, value in after.items() if state.get(key) != value}
    assert not changed
    assert after.keys() == state.keys()
