"""Planning patrols, signing up, swapping places and checking in. Each is one conditional write: a rule looks at the patrol as
it stands and says what changes, so the last place goes to one, and a place that is offered is taken by one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.cities import queries as cities
from domain.errors import Conflict
from domain.ids import derived_id
from domain.incidents.errors import TooBusy
from domain.patrols import queries, rules
from domain.patrols.errors import (
    NotAtTheBeat,
    NothingOffered,
    NotOnPatrol,
    NotTheTime,
    OnAnotherPatrol,
    PatrolFull,
    PatrolInvalid,
    PatrolOver,
    TooManyPatrols,
)
from domain.patrols.queries import Beat, Patrol, get, patrols
from domain.patrols.states import PatrolStatus

MOST_AHEAD: Final = 400
"""Patrols of one group that are still to come."""
MOST_DATES: Final = 14
_TRIES: Final = 60
_PLANNED: Final = str(PatrolStatus.PLANNED)

Rule = Callable[[Patrol], Mapping[str, Any]]
"""What changes: fields to set, and `events`, kinds of what follows (with the person whom one is about, or "")."""


@dataclass(frozen=True)
class Plan:
    """Patrols of one beat, one for each date; local times of the city's zone."""

    dates: Sequence[date]
    since: time
    until: time
    capacity: int


def plan(key: str, beat: Beat, wanted: Plan, *, fingerprint: str, now: datetime) -> tuple[list[Patrol], bool]:
    """(the patrols in order, whether any is new). The same key again gives the same ones; with another body it is a
    Conflict. Raises PatrolInvalid, TooManyPatrols.
    """
    config = cities.current(beat["city"])
    days = sorted(set(wanted.dates))
    spans = [rules.span(day, wanted.since, wanted.until, config.zone) for day in days]
    made = [
        {
            "_id": derived_id("ptl", key, day.isoformat()),
            "city": beat["city"],
            "group": beat["group"],
            "beat": beat["_id"],
            "starts_at": starts,
            "ends_at": ends,
            "capacity": wanted.capacity,
            "places": {},
            "people": [],
            "status": _PLANNED,
            "remind_at": rules.reminder_at(starts, config, now=now),
            "check_at": starts + rules.MISSED_AFTER,
            "fingerprint": fingerprint,
            "created_at": now,
            "changed_at": now,
            "version": 1,
        }
        for day, (starts, ends) in zip(days, spans, strict=True)
    ]
    held = {row["_id"]: row for row in patrols().find({"_id": {"$in": [each["_id"] for each in made]}})}
    new = [each for each in made if each["_id"] not in held]
    if new and not held:  # a retry that comes late plans nothing anew, and is not refused for being late
        _check_ahead(beat, new, now)
    for each in new:
        each["due_at"] = rules.next_due(each)
        try:
            patrols().insert_one({name: value for name, value in each.items() if value is not None})
        except DuplicateKeyError:
            continue
    found = [get(each["_id"]) for each in made]
    if any(row["fingerprint"] != fingerprint for row in found):
        raise Conflict("this key was used for other patrols", code="idempotency_conflict")
    return found, bool(new)


def _check_ahead(beat: Beat, new: Sequence[Patrol], now: datetime) -> None:
    if any(not now < each["starts_at"] <= now + rules.AHEAD for each in new):
        raise PatrolInvalid("not ahead", errors={"dates": [f"Ahead, at most {rules.AHEAD.days} days."]})
    if queries.ahead_of(beat["group"], now=now, limit=MOST_AHEAD) + len(new) > MOST_AHEAD:
        raise TooManyPatrols("walk some of them first", retry_after=86_400)


def change(patrol_id: str, rule: Rule, *, now: datetime) -> Patrol:
    """Let a rule decide ({} for nothing) and write it, on the condition that nothing changed meanwhile.

    The rule may run several times; it raises to refuse. Raises TooBusy when the patrol kept changing.
    """
    for _ in range(_TRIES):
        doc = get(patrol_id)
        decided = dict(rule(doc))
        if not decided:
            return doc
        events = decided.pop("events", ())
        after = {**doc, **decided}
        decided |= {"people": sorted(after["places"]), "due_at": rules.next_due(after)}
        version = doc["version"] + 1
        happened = [
            outbox.event(
                kind, patrol_id, version=version, now=now, city=doc["city"], **({"person": who} if who else {})
            )
            for kind in ("patrol.remind", "patrol.missed", "patrol.cancelled", "patrol.taken")
            for each, who in events
            if each == kind
        ]
        written = outbox.write(patrols(), doc, decided, happened, now=now)
        if written is not None:
            return written
    raise TooBusy("the patrol kept changing")


def _check_ahead_of(doc: Patrol, now: datetime) -> None:
    """Raise PatrolOver for what was cancelled or has ended."""
    if doc["status"] != _PLANNED or doc["ends_at"] <= now:
        current = doc["status"] if doc["status"] != _PLANNED else str(PatrolStatus.OVER)
        raise PatrolOver("it is over", current=current)


def sign_up(patrol_id: str, person: str, *, now: datetime) -> Patrol:
    """Take a free place. Again is harmless. Raises PatrolFull, PatrolOver, OnAnotherPatrol.

    It is looked twice: of two that are taken at the same moment one sees the other once both are written, and is given back.
    """
    check_free(get(patrol_id), person)

    def rule(doc: Patrol) -> Mapping[str, Any]:
        _check_ahead_of(doc, now)
        if person in doc["places"]:
            return {}
        if len(doc["places"]) >= doc["capacity"]:
            raise PatrolFull("every place is taken", current=doc["version"])
        return {"places": {**doc["places"], person: {"since": now}}}

    taken = change(patrol_id, rule, now=now)
    return _settled(taken, person, now=now)


def _settled(taken: Patrol, person: str, *, now: datetime) -> Patrol:
    """The patrol, whose place is given back where somebody has one elsewhere at that time by now. Raises OnAnotherPatrol."""
    try:
        check_free(taken, person)
    except OnAnotherPatrol:
        give_back(taken["_id"], person, now=now)
        raise
    return taken


def check_free(doc: Patrol, person: str) -> None:
    """Raise OnAnotherPatrol where somebody walks elsewhere at that time."""
    for other in queries.of_person(person, since=doc["starts_at"] - rules.LONGEST, limit=50):
        overlaps = other["starts_at"] < doc["ends_at"] and other["ends_at"] > doc["starts_at"]
        if overlaps and other["_id"] != doc["_id"] and other["status"] == _PLANNED:
            raise OnAnotherPatrol("on another patrol at that time", current=other["_id"])


def give_back(patrol_id: str, person: str, *, now: datetime) -> Patrol:
    """Free a place, one's own or, for whoever leads, a member's. Not there is no error. Raises PatrolOver."""

    def rule(doc: Patrol) -> Mapping[str, Any]:
        if person not in doc["places"]:
            return {}
        _check_ahead_of(doc, now)
        return {"places": {each: place for each, place in doc["places"].items() if each != person}}

    return change(patrol_id, rule, now=now)


def offer(patrol_id: str, person: str, *, offered: bool, now: datetime) -> Patrol:
    """Offer one's place to others, or take the offer back; until somebody takes it, it stays one's own. Raises NotOnPatrol,
    PatrolOver.
    """

    def rule(doc: Patrol) -> Mapping[str, Any]:
        _check_ahead_of(doc, now)
        place = _place(doc, person)
        if bool(place.get("offered_at")) == offered:
            return {}
        kept = {name: value for name, value in place.items() if name != "offered_at"}
        return {"places": {**doc["places"], person: {**kept, **({"offered_at": now} if offered else {})}}}

    return change(patrol_id, rule, now=now)


def _place(doc: Patrol, person: str) -> Mapping[str, Any]:
    place = doc["places"].get(person)
    if place is None:
        raise NotOnPatrol("they did not sign up for it")
    found: Mapping[str, Any] = place
    return found


def take(patrol_id: str, person: str, *, of: str = "", now: datetime) -> Patrol:
    """Take a place that is offered: of this person, else the one that was offered first. Out goes one and in comes the other
    in one write. Again is harmless. Raises NothingOffered, PatrolOver, OnAnotherPatrol.

    It is looked twice, as in `sign_up`; what is given back goes back to whoever offered it.
    """
    check_free(get(patrol_id), person)
    out: dict[str, Any] = {}

    def rule(doc: Patrol) -> Mapping[str, Any]:
        _check_ahead_of(doc, now)
        out.clear()  # the rule may run several times
        if person in doc["places"]:
            return {}
        offered = sorted(
            (place["offered_at"], each)
            for each, place in doc["places"].items()
            if place.get("offered_at") and each != person and of in ("", each)
        )
        if not offered:
            raise NothingOffered("nobody offers their place", current=doc["version"])
        left = offered[0][1]
        out[left] = doc["places"][left]
        places = {each: place for each, place in doc["places"].items() if each != left}
        return {"places": {**places, person: {"since": now}}, "events": (("patrol.taken", left),)}

    def undo(doc: Patrol) -> Mapping[str, Any]:
        stay = {each: place for each, place in doc["places"].items() if each != person}
        return {"places": {**out, **stay}} if person in doc["places"] else {}

    taken = change(patrol_id, rule, now=now)
    try:
        check_free(taken, person)
    except OnAnotherPatrol:
        change(patrol_id, undo, now=now)
        raise
    return taken


def check_in(
    patrol_id: str, person: str, *, lat: float, lon: float, accuracy_m: float, at: datetime, now: datetime
) -> Patrol:
    """Somebody's phone says that it is at the beat. The position is looked at and forgotten; that they were there, and
    whether in time, is kept. `at` is when the phone was there, by our clock. Again is harmless.

    Raises NotOnPatrol, PatrolOver, NotTheTime, NotAtTheBeat.
    """
    geometry = queries.beat(get(patrol_id)["beat"])["geometry"]

    def rule(doc: Patrol) -> Mapping[str, Any]:
        place = _place(doc, person)
        if doc["status"] == PatrolStatus.CANCELLED:
            raise PatrolOver("it was cancelled", current=doc["status"])
        if place.get("checked_in_at"):
            return {}
        if not doc["starts_at"] - rules.EARLY <= at <= doc["ends_at"]:
            raise NotTheTime("not now", current=doc["status"])
        if not rules.is_at(geometry, lat, lon, accuracy_m):
            raise NotAtTheBeat("go to the beat, and check in there")
        kept = {name: value for name, value in place.items() if name not in ("offered_at", "missed_at")}
        mine = {**kept, "checked_in_at": at, "on_time": at <= doc["starts_at"] + rules.GRACE}
        return {"places": {**doc["places"], person: mine}}

    return change(patrol_id, rule, now=now)


def cancel(patrol_id: str, reason: str, *, now: datetime) -> Patrol:
    """Take it off the roster; who signed up hears of it. Again is harmless. Raises PatrolOver for what has passed."""

    def rule(doc: Patrol) -> Mapping[str, Any]:
        if doc["status"] == PatrolStatus.CANCELLED:
            return {}
        _check_ahead_of(doc, now)
        happened = (("patrol.cancelled", ""),) if doc["places"] else ()
        return {"status": str(PatrolStatus.CANCELLED), "reason": reason, "events": happened}

    return change(patrol_id, rule, now=now)


def timers(patrol_id: str, *, now: datetime) -> Patrol:
    """Take the steps that are due: remind, note who is missed, end. Twice is harmless."""

    def rule(doc: Patrol) -> Mapping[str, Any]:
        if doc["status"] != _PLANNED:
            return {}
        decided: dict[str, Any] = {}
        happened: list[tuple[str, str]] = []
        if doc.get("remind_at") and doc["remind_at"] <= now:
            decided["remind_at"] = None
            if now < doc["starts_at"] and doc["places"]:
                happened.append(("patrol.remind", ""))
        if doc.get("check_at") and doc["check_at"] <= now:
            decided["check_at"] = None
            missing = [each for each, place in doc["places"].items() if not place.get("checked_in_at")]
            if missing:
                gone = {each: {**doc["places"][each], "missed_at": now} for each in missing}
                decided["places"] = {**doc["places"], **gone}
                happened.append(("patrol.missed", ""))
        if doc["ends_at"] <= now:
            decided["status"] = str(PatrolStatus.OVER)
        return {**decided, "events": happened} if decided else {}

    return change(patrol_id, rule, now=now)


def put_off(patrol_id: str, due: datetime, *, until: datetime) -> None:
    """A timer of which nothing came is due again later."""
    patrols().update_one({"_id": patrol_id, "due_at": due}, {"$set": {"due_at": until}})


def missing(doc: Mapping[str, Any]) -> list[str]:
    """Who signed up and is missed now."""
    return sorted(each for each, place in doc["places"].items() if place.get("missed_at"))
