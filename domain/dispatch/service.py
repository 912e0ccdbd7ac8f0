"""Climbing the ladder, and what responders say to an offer. Each step is one conditional write on the incident."""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from domain import geo
from domain.cities.config import CityConfig, Ladder, Rung, Who
from domain.dispatch import leases, queries, rules, stalling, steering
from domain.dispatch.errors import UnitTaken
from domain.dispatch.states import UnitStatus
from domain.errors import Conflict, DomainError
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.states import ASKED, GOING_ON, HOLDING, AssignmentStatus, IncidentStatus, SlotStatus
from domain.insights import service as insights
from domain.ports import Positions, PositionsUnavailable

Incident = dict[str, Any]


@dataclass(frozen=True)
class Desk:
    """What dispatching in one city needs: its configuration, the live positions, and the key that signs links."""

    config: CityConfig
    positions: Positions
    secret: str


def ladder_of(doc: Incident, service: str, config: CityConfig) -> Ladder:
    """The city's ladder for this service and category."""
    return config.ladder(service, doc["category"])


def place_of(doc: Incident) -> tuple[float, float] | None:
    """(lat, lon) of the incident, None when nobody knows."""
    position = doc.get("position")
    return (position["lat"], position["lon"]) if position else None


def start(incident_id: str, desk: Desk, *, now: datetime) -> Incident:
    """Begin the ladder of every slot that has not begun. Runs twice without harm: a begun slot is left alone."""
    doc = incidents.get(incident_id)
    for service, slot in (doc.get("slots") or {}).items():
        if rules.begins(slot, now):
            doc = climb(incident_id, service, desk, now=now, from_rung=-1, known=doc)
    return doc


def climb(
    incident_id: str,
    service: str,
    desk: Desk,
    *,
    now: datetime,
    from_rung: int | None = None,
    known: Incident | None = None,
) -> Incident:
    """Take a slot to its next rung: ask whom the rung names, set the next timer.

    `from_rung` makes a repeated call harmless: it does nothing unless the slot stands there. A rung that finds nobody
    is passed at once. After the last one it is repeated in a new round, flagged `unanswered`: it never ends. `known` is
    the incident as the caller has just read it.
    """
    doc = known or incidents.get(incident_id)
    slot = doc["slots"][service]
    if doc["status"] == IncidentStatus.CLOSED or slot["assignment"] or slot.get("paused"):
        return doc
    if from_rung is not None and slot["rung"] != from_rung:
        return doc
    ladder = ladder_of(doc, service, desk.config)
    rungs = ladder.climb(callback_first=bool((doc.get("trust") or {}).get("callback_first")))
    index = slot["rung"] + 1
    repeated = index >= len(rungs)
    # Again means the last rung again: everybody on duty is asked anew, however long it takes.
    index = len(rungs) - 1 if repeated else index
    round_ = slot["round"] + 1 if repeated else slot["round"]
    asked = _whom(doc, service, rungs[index], round_, desk, now)
    while not asked and rungs[index].who in _ASKS_UNITS and index + 1 < len(rungs):
        index += 1
        asked = _whom(doc, service, rungs[index], round_, desk, now)
    rung = rungs[index]

    def rule(draft: Draft) -> None:
        here = draft.doc["slots"][service]
        if here["assignment"] or here["rung"] != slot["rung"] or here["round"] != slot["round"]:
            return
        rules.expire(draft)
        draft.set(f"slots.{service}.rung", index)
        draft.set(f"slots.{service}.round", round_)
        wait = rungs[index + 1].after_s if index + 1 < len(rungs) else ladder.repeat_after_s
        draft.set(f"slots.{service}.due_at", now + timedelta(seconds=wait))
        draft.entry("rung", service=service, rung=index, round=round_, who=str(rung.who), asked=len(asked))
        if repeated:
            draft.flag("unanswered")
            draft.event("slot.unanswered", service=service)
        rules.offer(
            draft,
            service,
            asked,
            channels=rung.channels,
            ttl=timedelta(seconds=ladder.offer_ttl_s),
            by="ladder",
            secret=desk.secret,
        )
        if rung.who in _ASKS_SUPERVISORS:
            draft.event("slot.supervisors", service=service, rung=index, round=round_)
        elif rung.who == Who.OPERATOR_CALLBACK:
            draft.event("slot.callback", service=service, round=round_)

    after = incidents.change(incident_id, rule, now=now, known=doc)
    if index > 0 and after["slots"][service]["rung"] == index:  # the first rung is every SOS; these had to wait
        step = f"{incident_id}-{service}-{round_}-{index}"
        insights.observe(doc["city"], step, {}, step=f"{service}.{rung.who}")
    return after


_ASKS_UNITS = frozenset({Who.UNITS, Who.WIDER, Who.ALL_ON_DUTY})
_ASKS_SUPERVISORS = frozenset({Who.SUPERVISORS, Who.ALL_ON_DUTY})
_ALL = 200


def _whom(doc: Incident, service: str, rung: Rung, round_: int, desk: Desk, now: datetime) -> list[rules.Asked]:
    if rung.who not in _ASKS_UNITS:
        return []
    earlier = rules.asked_in_round(doc, service, round_)
    if rung.who == Who.ALL_ON_DUTY:
        return _all_on_duty(doc, service, earlier)
    earlier |= rules.gave_up(doc, service)
    return queries.nearest(
        doc["city"],
        service,
        place_of(doc),
        radius_m=rung.radius_m,
        k=rung.k,
        positions=desk.positions,
        now=now,
        skills=tuple((doc["slots"][service].get("needs") or {}).get("skills") or ()),
        leave_out=earlier,
        citizen=_citizen(doc),
    )


def _all_on_duty(doc: Incident, service: str, earlier: set[str]) -> list[rules.Asked]:
    """At most _ALL at a time: first those whom nobody asked yet, so that a large city is asked whole, round by round."""
    ever = {each["unit"] for each in (doc.get("assignments") or {}).values() if each["service"] == service}
    citizen = _citizen(doc)
    fresh = queries.on_duty(doc["city"], service, k=_ALL, leave_out=ever | earlier, citizen=citizen)
    if len(fresh) == _ALL:
        return fresh
    known = earlier | {unit.unit_id for unit in fresh}
    return fresh + queries.on_duty(doc["city"], service, k=_ALL - len(fresh), leave_out=known, citizen=citizen)


def _citizen(doc: Incident) -> str | None:
    found: str | None = (doc.get("citizen") or {}).get("person")
    return found


def accept(incident_id: str, assignment_id: str, desk: Desk, *, by: str, via: str, now: datetime) -> Incident:
    """A unit's yes. Its lease first, then the slot; whichever fails, the other is given back. Raises SlotTaken."""
    doc = incidents.get(incident_id)
    assignment = rules.assignment_of(doc, assignment_id)
    if assignment["status"] in HOLDING:
        return doc
    unit = leases.take(assignment["unit"], assignment_id, incident_id, now=now)
    if unit is None:
        raise UnitTaken("the unit has another assignment", current="assigned")
    stall_after = timedelta(seconds=ladder_of(doc, assignment["service"], desk.config).stall_after_s)
    try:
        return incidents.change(
            incident_id,
            lambda draft: rules.accept(
                draft, assignment_id, by=by, via=via, stall_after=stall_after, position=unit.get("position")
            ),
            now=now,
        )
    except DomainError:
        if rules.assignment_of(incidents.get(incident_id), assignment_id)["status"] not in HOLDING:
            # Only the lease that this call took: the same yes may come twice, and the other one may be about to win.
            leases.give_back(assignment["unit"], assignment_id, taken_at=now)
        raise


def confirm(incident_id: str, assignment_id: str, *, now: datetime) -> None:
    """Make sure that an assignment which holds its slot holds its unit too; else the slot is opened again.

    An acceptance that was held up between its two writes for longer than `leases.SETTLE` finds its lease swept away,
    and another incident may have the unit by then. Runs after every acceptance, whatever became of who wrote it.
    """
    assignment = rules.assignment_of(incidents.get(incident_id), assignment_id)
    if assignment["status"] not in HOLDING:
        return
    if leases.take(assignment["unit"], assignment_id, incident_id, now=now) is None:
        with contextlib.suppress(Conflict):  # it ended meanwhile: that is what was wanted
            withdraw(incident_id, assignment_id, by="ladder", reason="unit_taken", now=now)


def progress(
    incident_id: str, assignment_id: str, wanted: AssignmentStatus, *, by: str, now: datetime, resolution: str = ""
) -> Incident:
    """En route, on scene or cleared."""
    doc = incidents.change(
        incident_id, lambda draft: rules.progress(draft, assignment_id, wanted, by=by, resolution=resolution), now=now
    )
    _free_if_done(doc, assignment_id)
    return doc


def decline(incident_id: str, assignment_id: str, *, by: str, reason: str, now: datetime) -> Incident:
    """A unit's no, before or after its yes."""
    doc = incidents.change(
        incident_id, lambda draft: rules.decline(draft, assignment_id, by=by, reason=reason), now=now
    )
    _free_if_done(doc, assignment_id)
    return doc


def withdraw(incident_id: str, assignment_id: str, *, by: str, reason: str, now: datetime) -> Incident:
    """Take an assignment back."""
    doc = incidents.change(
        incident_id, lambda draft: rules.withdraw(draft, assignment_id, by=by, reason=reason), now=now
    )
    _free_if_done(doc, assignment_id)
    return doc


def mayday(incident_id: str, assignment_id: str, *, by: str, now: datetime) -> Incident:
    """The responder needs help."""
    return incidents.change(incident_id, lambda draft: rules.mayday(draft, assignment_id, by=by), now=now)


def _free_if_done(doc: Incident, assignment_id: str) -> None:
    assignment = rules.assignment_of(doc, assignment_id)
    if assignment["status"] not in HOLDING:
        leases.give_back(assignment["unit"], assignment_id)


def assign(incident_id: str, service: str, unit_id: str, desk: Desk, *, by: str, now: datetime) -> Incident:
    """An operator asks one unit by hand, beside the ladder; also one that said no, or nothing, to it."""
    asked = _by_hand(incident_id, unit_id)

    def rule(draft: Draft) -> None:
        rules.check_free(draft, service)
        _ask(draft, service, asked, desk, by)

    return incidents.change(incident_id, rule, now=now)


def _by_hand(incident_id: str, unit_id: str) -> rules.Asked:
    unit = queries.unit(unit_id)
    place, position = place_of(incidents.get(incident_id)), unit.get("position") or {}
    metre = geo.distance_m(*place, position["lat"], position["lon"]) if place and "lat" in position else None
    return rules.Asked(unit_id=unit_id, agency=unit.get("agency") or "", distance_m=metre)


def _ask(draft: Draft, service: str, asked: rules.Asked, desk: Desk, by: str) -> timedelta:
    """Ask a unit by hand; returns how long it has for its answer."""
    ttl = timedelta(seconds=ladder_of(draft.doc, service, desk.config).offer_ttl_s)
    rules.offer(draft, service, [asked], channels=("fcm", "sms"), ttl=ttl, by=by, secret=desk.secret, anew=True)
    return ttl


def take_back(
    incident_id: str, assignment_id: str, desk: Desk, *, by: str, reason: str, now: datetime, instead: str | None = None
) -> Incident:
    """An operator takes an assignment back: the unit is told and free, its slot is offered again at once; or to the unit
    `instead` first, and by the ladder when that does not answer in time. Again is once.
    """
    asked = _by_hand(incident_id, instead) if instead else None

    def rule(draft: Draft) -> None:
        service = rules.assignment_of(draft.doc, assignment_id)["service"]
        held = draft.doc["slots"][service]["assignment"] == assignment_id
        if not rules.take_back(draft, assignment_id, by=by, reason=reason) or asked is None:
            return
        rules.check_free(draft, service)
        ttl = _ask(draft, service, asked, desk, by)
        if held:
            rules.wait_for(draft, service, ttl)

    doc = incidents.change(incident_id, rule, now=now)
    _free_if_done(doc, assignment_id)
    return doc


def set_duty(unit_id: str, status: UnitStatus, desk: Desk, *, by: str, now: datetime) -> dict[str, Any]:
    """Available, busy or off duty. Going off duty ends the unit's open offers and what it holds."""
    unit = queries.unit(unit_id)
    queries.units().update_one(
        {"_id": unit_id}, {"$set": {"status": str(status), "updated_at": now}, "$inc": {"version": 1}}
    )
    if status == UnitStatus.OFF_DUTY:
        end_offers(unit_id, by=by, now=now)
    position = unit.get("position") or {}
    try:
        if status == UnitStatus.OFF_DUTY or "lat" not in position:
            desk.positions.remove(unit["city"], unit_id, unit["services"])
        else:
            put_position(unit | {"status": str(status)}, position["lat"], position["lon"], desk.positions, at=now)
    except PositionsUnavailable:
        pass  # the document says it all; Redis hears of it with the next position
    return queries.unit(unit_id)


def end_offers(unit_id: str, *, by: str, now: datetime) -> None:
    """Take back what a unit was offered or holds: it went off duty, or its responder logged out."""
    for doc in incidents.incidents().find(
        {"asked_units": unit_id, "status": {"$in": [str(each) for each in GOING_ON]}}, {"assignments": 1}
    ):
        for assignment_id, assignment in (doc.get("assignments") or {}).items():
            if assignment["unit"] == unit_id and (assignment["status"] in ASKED or assignment["status"] in HOLDING):
                with contextlib.suppress(Conflict):  # it ended meanwhile: that is what was wanted
                    withdraw(doc["_id"], assignment_id, by=by, reason="off_duty", now=now)


def put_position(unit: dict[str, Any], lat: float, lon: float, positions: Positions, *, at: datetime) -> None:
    """Tell the live positions where a unit is."""
    positions.put(
        unit["city"],
        unit["_id"],
        unit["services"],
        available=unit["status"] == UnitStatus.AVAILABLE,
        lat=lat,
        lon=lon,
        at=at,
    )


def moved(unit_id: str, lat: float, lon: float, positions: Positions, *, at: datetime) -> bool:
    """A unit's new place: Redis each time; the document too, so that Redis may forget. False for an older one."""
    unit = queries.unit(unit_id)
    found = geo.cells(lat, lon)
    newer = queries.units().update_one(
        {"_id": unit_id, "$or": [{"position.at": None}, {"position.at": {"$lt": at}}]},
        {
            "$set": {
                "position": {"lat": lat, "lon": lon, "at": at},
                "cells": {"r5": found.r5, "r7": found.r7, "r9": found.r9},
            }
        },
    )
    if not newer.matched_count:
        return False
    if unit["status"] != UnitStatus.OFF_DUTY:
        with contextlib.suppress(PositionsUnavailable):  # the next position repairs it
            put_position(unit, lat, lon, positions, at=at)
    return True


def timers(incident_id: str, desk: Desk, *, now: datetime) -> Incident:
    """What an incident's run-out timers ask for: the next rung for an open slot, a stall check for a held one."""
    doc = incidents.get(incident_id)
    for service in rules.due_slots(doc, now):
        slot = doc["slots"][service]
        if slot.get("paused"):
            doc = incidents.change(incident_id, partial(steering.resume, service=service, by="ladder"), now=now)
        elif slot["assignment"]:
            doc = _check_stall(doc, service, desk, now)
        elif slot["status"] == SlotStatus.OPEN:
            doc = climb(incident_id, service, desk, now=now, from_rung=slot["rung"])
    return doc


def _check_stall(doc: Incident, service: str, desk: Desk, now: datetime) -> Incident:
    assignment_id = doc["slots"][service]["assignment"]
    unit = queries.unit(rules.assignment_of(doc, assignment_id)["unit"])
    position = unit.get("position") or {}
    stall_after = timedelta(seconds=ladder_of(doc, service, desk.config).stall_after_s)

    def rule(draft: Draft) -> None:
        here = rules.assignment_of(draft.doc, assignment_id)
        if draft.doc["slots"][service]["assignment"] != assignment_id or here["status"] not in _COMING:
            return  # it said something meanwhile; the timer is looked at again
        accuracy_m = (draft.doc.get("position") or {}).get("accuracy_m") or 0.0
        seen = _seen(here, position, place_of(draft.doc), accuracy_m)
        found = stalling.look(here, seen, stall_after=stall_after, now=now)
        if found.verdict == stalling.Verdict.STALLED:
            rules.withdraw(draft, assignment_id, by="ladder", reason="stalled")
            return
        draft.set(f"slots.{service}.due_at", found.due)
        if found.moved:
            # Looked at again from here: else 50 m would do for ever.
            draft.set(f"assignments.{assignment_id}.accepted_from", dict(position))
            draft.set(f"assignments.{assignment_id}.moved", {"at": position["at"]})
        if found.nearer and seen is not None:
            draft.set(f"assignments.{assignment_id}.gained", {"at": now, "to_go_m": seen.to_go_m})
        if found.verdict == stalling.Verdict.ASK:
            draft.set(f"assignments.{assignment_id}.asked_at", now)
            draft.entry("asked_if_coming", by="ladder", assignment=assignment_id, service=service)
            draft.event("assignment.doubted", assignment=assignment_id)

    changed = incidents.change(doc["_id"], rule, now=now)
    _free_if_done(changed, assignment_id)
    return changed


_COMING = frozenset({AssignmentStatus.ACCEPTED, AssignmentStatus.EN_ROUTE})


def _seen(
    assignment: dict[str, Any], position: dict[str, Any], place: tuple[float, float] | None, accuracy_m: float
) -> stalling.Seen | None:
    """The unit's newest position since it said yes; None when there is none. `accuracy_m` is of the place."""
    if "lat" not in position or position["at"] <= assignment["accepted_at"]:
        return None
    here, began = (position["lat"], position["lon"]), assignment.get("accepted_from") or {}
    travelled = geo.distance_m(*here, began["lat"], began["lon"]) if "lat" in began else stalling.MOVED_M
    to_go = geo.distance_m(*here, *place) if place else None
    if to_go is not None and stalling.THERE_M < to_go <= accuracy_m:
        to_go = None
    return stalling.Seen(position["at"], travelled, to_go)
