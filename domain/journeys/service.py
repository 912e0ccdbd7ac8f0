"""Changes to journeys. Every one is a single conditional write; the timers are in the document, so a killed app, a dead
worker or an emptied queue delays nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.cities import queries as cities
from domain.cities.config import Kept
from domain.errors import Conflict, Invalid
from domain.ids import link_token, token_hash
from domain.incidents.errors import TooBusy
from domain.journeys import queries, rules
from domain.journeys.concerns import Point
from domain.journeys.draft import JourneyDraft
from domain.journeys.errors import GuardianUnknown, TooManyJourneys
from domain.journeys.projection import traveller_view
from domain.journeys.queries import Journey, get, journeys
from domain.journeys.states import GOING_ON, JourneyStatus
from domain.limits import service as limits
from domain.people.states import GuardianStatus
from domain.tracks import service as tracks

Rule = Callable[[JourneyDraft], None]

_TRIES: Final = 12
_STEPS: Final = 4
"""Of one run-out timer: asked, missed and raised at once where nobody is left to be waited for."""
MOST_AT_ONCE: Final = 5
A_DAY: Final = 40
"""Each may send guardians an SMS."""
EXPORTED: Final = 1000


@dataclass(frozen=True)
class Plan:
    """What a traveller asks for; times by the server's clock. `guardians` None: all that have not said no."""

    destination: Mapping[str, Any]
    expected_arrival: datetime
    check_in_every_s: int | None = None
    check_ins: Sequence[datetime] = ()
    grace_s: int = rules.GRACE_S
    guardians: Sequence[str] | None = None
    route: Sequence[Sequence[float]] = ()
    sharing: bool = False
    silent: bool = False
    note: str | None = None
    battery_pct: float | None = None
    position: Mapping[str, Any] | None = field(default=None)


def start(
    journey_id: str, person: Any, plan: Plan, *, city: str, fingerprint: str, secret: str, now: datetime
) -> tuple[Journey, bool]:
    """(journey, whether it is new). The same id again is the same journey; with another body it is a Conflict.

    Raises Invalid for a plan that cannot be, GuardianUnknown, TooManyJourneys.
    """
    held = journeys().find_one({"_id": journey_id})
    if held is None:
        limits.take(secret, "journey", person.id, limit=A_DAY, window_s=86_400, now=now)
        doc = _document(journey_id, person, plan, city=city, fingerprint=fingerprint, secret=secret, now=now)
        if len(queries.going_on(person.id)) >= MOST_AT_ONCE:
            raise TooManyJourneys("end one of them first", retry_after=60)
        try:
            journeys().insert_one(doc)
            return doc, True
        except DuplicateKeyError:
            held = get(journey_id)
    if held["fingerprint"] != fingerprint:
        raise Conflict("this key was used for another journey", code="idempotency_conflict")
    return held, False


def _document(
    journey_id: str, person: Any, plan: Plan, *, city: str, fingerprint: str, secret: str, now: datetime
) -> Journey:
    if problem := rules.schedule_problem(plan.expected_arrival, plan.check_ins, now):
        raise Invalid("this plan cannot be", errors=problem)
    doc: Journey = {
        "_id": journey_id,
        "city": city,
        "person": person.id,
        "fingerprint": fingerprint,
        "status": str(JourneyStatus.UNDER_WAY),
        "version": 1,
        "started_at": now,
        "updated_at": now,
        "heard_at": now,
        "destination": dict(plan.destination),
        "expected_arrival": plan.expected_arrival,
        "check_in_every_s": plan.check_in_every_s,
        "check_ins": sorted(set(plan.check_ins)),
        "grace_s": plan.grace_s,
        "route": [list(each) for each in plan.route],
        "guardians": _chosen(person, plan.guardians),
        "sharing": plan.sharing,
        "silent": plan.silent,
        "note": plan.note,
        "battery_pct": plan.battery_pct,
        "concerns": {},
        "share_generation": 0,
        "forget_at": now + timedelta(days=cities.current(city).retention_days[Kept.TRACKS]),
        "timeline": [{"at": now, "kind": "started", "seq": 1, "by": person.id}],
        "timeline_seq": 1,
    }
    if plan.position:
        doc["position"] = {**plan.position, "at": now}
    # Sent late, from a phone that was offline: an arrival that is over is asked about at once.
    doc["next_due"] = min(rules.next_due(doc, now), max(plan.expected_arrival, now))
    doc["due_at"] = doc["next_due"]
    doc["links"] = [{"h": token_hash(share_token(secret, doc)), "kind": "share", "id": journey_id}]
    events = [outbox.event("journey.started", journey_id, version=1, now=now, city=city)] if plan.sharing else []
    return doc | (outbox.fields(events, now) if events else {})


def _chosen(person: Any, wanted: Sequence[str] | None) -> list[str]:
    standing = {each.id for each in person.guardians.values() if each.status != GuardianStatus.DECLINED}
    if wanted is None:
        return sorted(standing)
    if unknown := sorted(set(wanted) - standing):
        raise GuardianUnknown(
            "not among your guardians", errors={"guardians": [f"Unknown: {', '.join(unknown)[:200]}"]}
        )
    return sorted(set(wanted))


def share_token(secret: str, doc: Journey) -> str:
    """The token of the traveller's own live page, the same each time until the generation is raised."""
    return link_token(secret, "journey_share", doc["_id"], doc.get("share_generation") or 0)


def guardian_token(secret: str, doc: Journey, guardian_id: str) -> str:
    """The token of one guardian's live page."""
    return link_token(secret, "journey_guardian", f"{doc['_id']}:{guardian_id}", doc.get("share_generation") or 0)


def change(journey_id: str, rule: Rule, *, now: datetime) -> Journey:
    """Let a pure rule decide and write its decision, on the condition that nothing changed meanwhile.

    The rule may run several times; it raises to refuse. One that decides nothing writes nothing.
    """
    for _ in range(_TRIES):
        doc = get(journey_id)
        draft = JourneyDraft(doc, now)
        rule(draft)
        if draft.empty:
            return doc
        written = journeys().find_one_and_update(
            {"_id": journey_id, "version": doc["version"]},
            draft.operators(),
            return_document=ReturnDocument.AFTER,
        )
        if written is not None:
            return written
    raise TooBusy("the journey kept changing")


def positions(
    doc: Journey,
    points: Sequence[Mapping[str, Any]],
    *,
    age_of: Callable[[Mapping[str, Any]], datetime],
    battery_pct: float | None,
    now: datetime,
) -> Journey:
    """Keep a batch as the journey's track and look at it. `age_of` gives a point's server time.

    They are kept whenever they come; raises Conflict `journey_over` when the phone should have stopped.
    """
    tracks.add(doc["city"], doc["_id"], points, now=now)
    heard = [(age_of(point), index) for index, point in enumerate(points)]
    freshest = points[max(heard)[1]]
    position = {name: freshest.get(name) for name in ("lat", "lon", "accuracy_m", "captured_at")}
    seen = [
        Point(points[index]["lat"], points[index]["lon"], at, points[index].get("accuracy_m") or 0.0)
        for at, index in heard
    ]
    if not rules.takes_positions(doc, now):
        raise Conflict("it is over: no more positions are needed", code="journey_over", current=str(doc["status"]))
    return change(doc["_id"], lambda draft: rules.moved(draft, seen, position, pct=battery_pct), now=now)


def timers(journey_id: str, *, now: datetime) -> Journey:
    """Take the steps that are due. Twice is harmless: a step that was taken is due no more."""
    doc = get(journey_id)
    for _ in range(_STEPS):
        if not doc.get("due_at") or doc["due_at"] > now:
            break
        doc = change(journey_id, rules.tick, now=now)
    return doc


def open_pages(journey_id: str, guardian_ids: Sequence[str], *, secret: str, now: datetime) -> Journey:
    """Let each guardian's link open the live page, once."""

    def rule(draft: JourneyDraft) -> None:
        links = list(draft.doc.get("links") or [])
        known = {link["h"] for link in links}
        for guardian_id in guardian_ids:
            hashed = token_hash(guardian_token(secret, draft.doc, guardian_id))
            if hashed not in known:
                links.append({"h": hashed, "kind": "guardian", "id": guardian_id})
        if len(links) > len(known):
            draft.set("links", links)

    return change(journey_id, rule, now=now)


def end_sharing(journey_id: str, *, now: datetime) -> Journey:
    """Every live page is over."""
    return change(journey_id, rules.end_sharing, now=now)


def share_anew(journey_id: str, *, secret: str, now: datetime) -> Journey:
    """Take every live page back and open a new one of the traveller's own, and the guardians' from the start."""

    def rule(draft: JourneyDraft) -> None:
        rules.check_going(draft)
        rules.end_sharing(draft)
        link = {"h": token_hash(share_token(secret, draft.doc)), "kind": "share", "id": journey_id}
        draft.set("links", [*draft.doc["links"], link])
        draft.set("sharing", True)
        draft.event("journey.started")

    return change(journey_id, rule, now=now)


def note_incident(journey_id: str, hidden: bool, incident_id: str) -> None:
    """Remember which SOS it became. Of a hidden one nothing else changes: no version, no time that a phone could see."""
    field_name = "hidden.incident" if hidden else "sos.incident"
    update: dict[str, Any] = {"$set": {field_name: incident_id}}
    if not hidden:
        update["$inc"] = {"version": 1}
    journeys().update_one({"_id": journey_id, field_name: {"$exists": False}}, update)


def put_off(journey_id: str, due: datetime, *, until: datetime) -> None:
    """A timer of which nothing came is due again later."""
    journeys().update_one({"_id": journey_id, "due_at": due}, {"$set": {"due_at": until}})


def exported(person_id: str, now: datetime) -> list[dict[str, Any]]:
    """Every journey of a person as their phone shows it."""
    return [traveller_view(doc) for doc in queries.of_person(person_id, limit=EXPORTED)]


def forget(person_id: str, *, now: datetime) -> int:
    """Somebody asked to be forgotten: their journeys are gone, with their tracks; what became an SOS stays one.

    One that goes on is left to its timers for a day: whoever holds her phone must not end the watch by erasing her.
    One whose events are not worked off yet stays too, and TooBusy is raised at the end: try again.
    """
    done = busy = 0
    for doc in queries.of_person(person_id, limit=EXPORTED):
        if doc["status"] in GOING_ON:
            journeys().update_one({"_id": doc["_id"]}, {"$set": {"forget_at": now + timedelta(days=1)}})
        elif journeys().delete_one({"_id": doc["_id"], "outbox_due": {"$exists": False}}).deleted_count:
            tracks.forget(doc["_id"])
            done += 1
        else:
            busy += 1
    if busy:
        raise TooBusy("journeys have events that are not worked off yet")
    return done


def forget_old(*, now: datetime, limit: int = 200) -> int:
    """Take away journeys that were kept long enough; how many went. One on which somebody is still waited for, or whose
    events are not worked off, stays for an hour more: whoever is missed is not forgotten first.
    """
    gone = 0
    fields = {"status": 1, "outbox_due": 1, "version": 1}
    for row in journeys().find({"forget_at": {"$lte": now}}, fields).limit(limit):
        if row["status"] in GOING_ON or row.get("outbox_due"):
            journeys().update_one({"_id": row["_id"]}, {"$set": {"forget_at": now + timedelta(hours=1)}})
            continue
        tracks.forget(row["_id"])
        gone += journeys().delete_one({"_id": row["_id"], "version": row["version"]}).deleted_count
    return gone
