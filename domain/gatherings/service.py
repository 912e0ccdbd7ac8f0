"""Planning, changing and cancelling gatherings, and saying who comes. Each is one conditional write; the last place goes to
one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.cities import queries as cities
from domain.errors import Conflict
from domain.gatherings import queries, rules
from domain.gatherings.errors import GatheringFull, GatheringInvalid, GatheringOver, TooManyGatherings
from domain.gatherings.queries import Gathering, gatherings, get
from domain.gatherings.states import Coming, GatheringKind, GatheringStatus
from domain.incidents.errors import TooBusy
from domain.patrols.rules import reminder_at

AHEAD: Final = timedelta(days=365)
LONGEST: Final = timedelta(hours=14)
MOST_AHEAD: Final = 50
REMIND_BEFORE: Final = timedelta(days=1)
REVISES: Final = frozenset({"title", "place", "starts_at", "ends_at"})
"""What a calendar must learn of, and whoever wants to come."""
_PLANNED: Final = str(GatheringStatus.PLANNED)
_TRIES: Final = 60

Rule = Callable[[Gathering], Mapping[str, Any]]


@dataclass(frozen=True)
class Plan:
    """A gathering. `place`: {lat, lon, name}; it lies in the group's city."""

    kind: GatheringKind
    title: str
    note: str
    place: Mapping[str, Any]
    starts_at: datetime
    ends_at: datetime
    capacity: int


def plan(
    gathering_id: str, group: Mapping[str, Any], wanted: Plan, *, by: str, fingerprint: str, now: datetime
) -> tuple[Gathering, bool]:
    """(gathering, whether it is new). The same id again is the same one; with another body it is a Conflict. Raises
    GatheringInvalid, TooManyGatherings.
    """
    held = gatherings().find_one({"_id": gathering_id})
    fresh = held is None
    if held is None:
        check_times(wanted.starts_at, wanted.ends_at, now=now)
        check_place(wanted.place, group["city"])
        if queries.ahead_of(group["_id"], now=now, limit=MOST_AHEAD) >= MOST_AHEAD:
            raise TooManyGatherings("hold some of them first", retry_after=86_400)
        held = {
            "_id": gathering_id,
            "city": group["city"],
            "group": group["_id"],
            "kind": str(wanted.kind),
            "title": wanted.title,
            "note": wanted.note,
            "place": dict(wanted.place),
            "starts_at": wanted.starts_at,
            "ends_at": wanted.ends_at,
            "capacity": wanted.capacity,
            "answers": {},
            "people": [],
            "status": _PLANNED,
            "sequence": 0,
            "revised_at": now,
            "by": by,
            "fingerprint": fingerprint,
            "created_at": now,
            "changed_at": now,
            "version": 1,
        }
        if (at := _reminder(held, now)) is not None:
            held["remind_at"] = at
        held["due_at"] = _next_due(held)
        try:
            gatherings().insert_one(held)
        except DuplicateKeyError:
            held, fresh = get(gathering_id), False
    if held["fingerprint"] != fingerprint:
        raise Conflict("this key was used for another gathering", code="idempotency_conflict")
    return held, fresh


def check_times(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    """Raise GatheringInvalid for one that is not ahead, or too long."""
    errors: dict[str, list[str]] = {}
    if not now < starts_at <= now + AHEAD:
        errors["starts_at"] = ["Ahead, at most a year."]
    if not timedelta(0) < ends_at - starts_at <= LONGEST:
        errors["ends_at"] = [f"After it begins, within {LONGEST.total_seconds() / 3600:.0f} hours."]
    if errors:
        raise GatheringInvalid("the times do not fit", errors=errors)


def check_place(place: Mapping[str, Any], city: str) -> None:
    """Raise GatheringInvalid for a place in another city, or in none."""
    if cities.city_at(place["lat"], place["lon"]) != city:
        raise GatheringInvalid("elsewhere", errors={"place": ["In the group's city."]})


def _reminder(doc: Mapping[str, Any], now: datetime) -> datetime | None:
    config = cities.current(doc["city"])
    before = reminder_at(doc["starts_at"], config, now=now, before=REMIND_BEFORE)
    return before or reminder_at(doc["starts_at"], config, now=now)


def _next_due(doc: Mapping[str, Any]) -> datetime | None:
    left = [doc[name] for name in ("remind_at", "ends_at") if doc.get(name)]
    return min(left) if doc["status"] == _PLANNED and left else None


def change(gathering_id: str, rule: Rule, *, now: datetime) -> Gathering:
    """Let a rule say what changes ({} for nothing; None takes a field away; `event`, the kind of what follows) and write it,
    on the condition that nothing changed meanwhile. The rule may run several times; it raises to refuse. Raises TooBusy.
    """
    for _ in range(_TRIES):
        doc = get(gathering_id)
        decided = dict(rule(doc))
        if not decided:
            return doc
        kind = decided.pop("event", "")
        after = {**doc, **decided}
        decided |= {"people": sorted(after["answers"]), "due_at": _next_due(after)}
        version = doc["version"] + 1
        happened = [
            outbox.event(each, gathering_id, version=version, now=now, city=doc["city"])
            for each in ("gathering.remind", "gathering.changed", "gathering.cancelled")
            if each == kind
        ]
        written = outbox.write(gatherings(), doc, decided, happened, now=now)
        if written is not None:
            return written
    raise TooBusy("the gathering kept changing")


def check_ahead(doc: Mapping[str, Any], now: datetime) -> None:
    """Raise GatheringOver for what was cancelled or has ended."""
    if doc["status"] != _PLANNED or doc["ends_at"] <= now:
        current = doc["status"] if doc["status"] != _PLANNED else str(GatheringStatus.OVER)
        raise GatheringOver("it is over", current=current)


def revise(gathering_id: str, facts: Mapping[str, Any], *, now: datetime) -> Gathering:
    """Change what is given of it. Whoever wants to come hears of another time, place or name; calendars do by their next look.
    Raises GatheringInvalid, GatheringOver, and GatheringFull for fewer places than are taken.
    """
    wanted = {name: value for name, value in facts.items() if value is not None}

    def rule(doc: Gathering) -> Mapping[str, Any]:
        check_ahead(doc, now)
        changes = {name: value for name, value in wanted.items() if doc[name] != value}
        if not changes:
            return {}
        after = {**doc, **changes}
        if changes.keys() & {"starts_at", "ends_at"}:
            check_times(after["starts_at"], after["ends_at"], now=now)
        if "place" in changes:
            check_place(after["place"], doc["city"])
        if len(rules.who(doc, Coming.GOING)) > after["capacity"]:
            raise GatheringFull("more want to come", current=len(rules.who(doc, Coming.GOING)))
        if "starts_at" in changes:
            changes["remind_at"] = _reminder(after, now)
        if changes.keys() & REVISES:
            changes |= {"sequence": doc["sequence"] + 1, "revised_at": now}
            changes |= {"event": "gathering.changed"} if rules.wanted_by(doc) else {}
        return changes

    return change(gathering_id, rule, now=now)


def cancel(gathering_id: str, reason: str, *, now: datetime) -> Gathering:
    """It does not take place; whoever wanted to come hears of it. Again is harmless. Raises GatheringOver."""

    def rule(doc: Gathering) -> Mapping[str, Any]:
        if doc["status"] == GatheringStatus.CANCELLED:
            return {}
        check_ahead(doc, now)
        changes = {
            "status": str(GatheringStatus.CANCELLED),
            "reason": reason,
            "sequence": doc["sequence"] + 1,
            "revised_at": now,
        }
        return changes | ({"event": "gathering.cancelled"} if rules.wanted_by(doc) else {})

    return change(gathering_id, rule, now=now)


def answer(gathering_id: str, person: str, coming: Coming, *, now: datetime) -> Gathering:
    """Say whether one comes; a later word takes the place of the earlier. Raises GatheringFull, GatheringOver."""

    def rule(doc: Gathering) -> Mapping[str, Any]:
        check_ahead(doc, now)
        held = doc["answers"].get(person)
        if held and held["answer"] == coming:
            return {}
        if coming == Coming.GOING and len(rules.who(doc, Coming.GOING)) >= doc["capacity"]:
            raise GatheringFull("every place is taken", current=doc["version"])
        return {"answers": {**doc["answers"], person: {"answer": str(coming), "at": now}}}

    return change(gathering_id, rule, now=now)


def timers(gathering_id: str, *, now: datetime) -> Gathering:
    """Take the steps that are due: remind, end. Twice is harmless."""

    def rule(doc: Gathering) -> Mapping[str, Any]:
        if doc["status"] != _PLANNED:
            return {}
        decided: dict[str, Any] = {}
        if doc.get("remind_at") and doc["remind_at"] <= now:
            decided["remind_at"] = None
            if now < doc["starts_at"] and rules.wanted_by(doc):
                decided["event"] = "gathering.remind"
        if doc["ends_at"] <= now:
            decided["status"] = str(GatheringStatus.OVER)
        return decided

    return change(gathering_id, rule, now=now)


def put_off(gathering_id: str, due: datetime, *, until: datetime) -> None:
    """A timer of which nothing came is due again later."""
    gatherings().update_one({"_id": gathering_id, "due_at": due}, {"$set": {"due_at": until}})
