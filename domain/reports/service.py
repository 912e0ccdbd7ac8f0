"""Reporting, editing, confirming and deciding. Each is one conditional write with its event."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import geo, outbox
from domain.cities import queries as cities
from domain.errors import Conflict
from domain.evidence.ports import EvidenceStore
from domain.ids import derived_id
from domain.incidents.errors import TooBusy
from domain.limits import service as limits
from domain.people import queries as people
from domain.reports import queries, rules
from domain.reports.categories import CATEGORIES
from domain.reports.errors import NoEmergency, OwnReport, PhotoInvalid, ReportInvalid, ReportOver
from domain.reports.queries import Report, get, reports, voices
from domain.reports.rules import Voice
from domain.reports.states import Anonymity, ReportStatus, Stand
from domain.watch import queries as watch
from domain.watch.states import Moderation

MOST_A_DAY: Final = 50
MOST_EDITS: Final = 20
BY_RULE: Final = "rule"
_TRIES: Final = 40
_SHOWN: Final = frozenset({ReportStatus.PUBLISHED})
_OPEN: Final = frozenset({ReportStatus.SUBMITTED, ReportStatus.PUBLISHED, ReportStatus.HELD})
_OFFLINE_S: Final = 300.0


@dataclass(frozen=True)
class Seen:
    """What a neighbour reports. `at` by the server's clock."""

    category: str
    position: Mapping[str, Any]
    at: datetime
    note: str
    anonymous: Anonymity


def add(
    report_id: str, author: str, seen: Seen, *, session: str, fingerprint: str, secret: str, now: datetime
) -> tuple[Report, bool]:
    """(report, whether it is new). The same id again is the same report; with another body it is a Conflict.

    Raises ReportInvalid for a place in no city, a time that cannot be, an unknown category; LimitReached.
    """
    held = reports().find_one({"_id": report_id})
    fresh = held is None
    if held is None:
        held = _document(report_id, author, seen, fingerprint=fingerprint, now=now)
        limits.take(secret, "watch_report", author, limit=MOST_A_DAY, window_s=86_400, now=now)
        voice = voice_of(author, session, Stand.CONFIRM, 0.0)
        held |= _believed([voice], now)
        held["author_made"], held["author_device"] = voice.made, voice.device
        held["same_as"] = queries.like(held)
        events = [outbox.event("report.made", report_id, version=1, now=now, city=held["city"])]
        if held["status"] == ReportStatus.HELD:
            events.append(outbox.event("report.held", report_id, version=1, now=now, city=held["city"]))
        try:
            reports().insert_one(held | outbox.fields(events, now))
        except DuplicateKeyError:
            held, fresh = get(report_id), False
    if held["fingerprint"] != fingerprint or held["author"] != author:
        raise Conflict("this key was used for another report", code="idempotency_conflict")
    return held, fresh


def _document(report_id: str, author: str, seen: Seen, *, fingerprint: str, now: datetime) -> Report:
    lat, lon = seen.position["lat"], seen.position["lon"]
    city = cities.city_at(lat, lon)
    if city is None:
        raise ReportInvalid("in no city", errors={"position": ["In no city that Amaan knows."]})
    if not now - rules.OLDEST <= seen.at <= now:
        raise ReportInvalid("not a time", errors={"position.captured_at": ["Within the last seven days."]})
    _check_category(seen.category)
    found = watch.at(city, lat, lon)
    reasons = rules.held_for(seen.note)
    status = ReportStatus.PUBLISHED
    if any(group["moderation"] == Moderation.PRE for group in found):
        status = ReportStatus.SUBMITTED
    public = geo.fuzz(lat, lon)
    cells = geo.cells(lat, lon)
    return {
        "_id": report_id,
        "city": city,
        "groups": sorted(group["_id"] for group in found),
        "author": author,
        "anonymous": str(seen.anonymous),
        "fingerprint": fingerprint,
        "category": seen.category,
        "note": seen.note,
        "position": {name: seen.position.get(name) for name in ("lat", "lon", "accuracy_m")},
        "public": {"lat": public[0], "lon": public[1]},
        "cells": {"r5": cells.r5, "r7": cells.r7, "r9": cells.r9},
        "at": seen.at,
        "created_at": now,
        "changed_at": now,
        "worded_at": now,
        "offline": (now - seen.at).total_seconds() > _OFFLINE_S,
        "status": str(ReportStatus.HELD if reasons else status),
        "reasons": reasons,
        "history": [],
        "flags": {},
        "confirmed": 0,
        "denied": 0,
        "version": 1,
    }


def _check_category(code: str) -> None:
    if code not in CATEGORIES:
        raise ReportInvalid("no such category", errors={"category": ["Not a category of reports."]})


def _believed(heard: list[Voice], now: datetime) -> dict[str, Any]:
    belief = rules.believe(heard, now=now)
    return {"score": belief.score, "voices": belief.voices, "parts": belief.parts}


def voice_of(person: str, session: str, stand: Stand, metres: float) -> Voice:
    """Somebody's voice with what it is weighed by: account, phone and record."""
    fields = {"created_at": 1, "trust": 1} | ({f"sessions.{session}.device_id": 1} if session else {})
    row = people.collection().find_one({"_id": person}, fields) or {}
    trust = row.get("trust") or {}
    return Voice(
        person=person,
        stand=stand,
        metres=metres,
        made=row.get("created_at"),
        device=((row.get("sessions") or {}).get(session) or {}).get("device_id") or "",
        helped=trust.get("helped") or 0,
        false_alarms=trust.get("false_alarm") or 0,
    )


def change(report_id: str, rule: Callable[[Report], Mapping[str, Any]], *, now: datetime) -> Report:
    """Let a rule say what changes ({} for nothing; `events`, kinds of what follows) and write it in one conditional write.

    The rule may run several times; it raises to refuse. Raises TooBusy when the report kept changing.
    """
    for _ in range(_TRIES):
        doc = get(report_id)
        decided = dict(rule(doc))
        if not decided:
            return doc
        kinds = decided.pop("events", ())
        version = doc["version"] + 1
        update: dict[str, Any] = {"$set": {**decided, "changed_at": now}, "$inc": {"version": 1}}
        events = [
            outbox.event(kind, report_id, version=version, now=now, city=doc["city"])
            for kind in ("report.held", "report.believed")
            if kind in kinds
        ]
        if events:
            update = outbox.merge(update, outbox.pending(events, now))
        written = reports().find_one_and_update(
            {"_id": report_id, "version": doc["version"]}, update, return_document=ReturnDocument.AFTER
        )
        if written is not None:
            return written
    raise TooBusy("the report kept changing")


def edit(report_id: str, facts: Mapping[str, Any], *, now: datetime) -> Report:
    """Change category or note; what was said before stays in its history. Raises ReportOver, ReportInvalid."""
    wanted = {name: facts[name] for name in ("category", "note") if facts.get(name) is not None}
    if "category" in wanted:
        _check_category(wanted["category"])

    def rule(doc: Report) -> Mapping[str, Any]:
        _check_open(doc)
        if all(doc[name] == value for name, value in wanted.items()):
            return {}
        if wanted.get("category", doc["category"]) != doc["category"] and (doc["confirmed"] or doc["denied"]):
            raise ReportOver("others have spoken of it as it is: report anew", current=doc["status"])
        before = {"at": doc["changed_at"], "category": doc["category"], "note": doc["note"]}
        made: dict[str, Any] = {**wanted, "worded_at": now, "history": [*doc["history"], before][-MOST_EDITS:]}
        reasons = rules.held_for(wanted.get("note", ""))
        if doc["status"] == ReportStatus.HELD:  # a human has to read what it says now
            made |= {"reasons": sorted({*doc["reasons"], *reasons}), "events": ["report.held"]}
        elif reasons:
            made |= {"status": str(ReportStatus.HELD), "reasons": reasons, "events": ["report.held"]}
        return made

    return change(report_id, rule, now=now)


def withdraw(report_id: str, *, now: datetime) -> Report:
    """Its author takes it back; again is harmless. Raises ReportOver."""

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc["status"] == ReportStatus.WITHDRAWN:
            return {}
        rules.check_step(ReportStatus(doc["status"]), ReportStatus.WITHDRAWN)
        return {"status": str(ReportStatus.WITHDRAWN)}

    return change(report_id, rule, now=now)


def speak(report_id: str, person: str, stand: Stand, *, session: str, lat: float, lon: float, now: datetime) -> Report:
    """Confirm or deny somebody else's report; a later word takes the place of one's earlier. Raises OwnReport, ReportOver."""
    doc = get(report_id)
    if doc["author"] == person:
        raise OwnReport("it is your own")
    _check_shown(doc)
    # From the public place: with the exact one, whoever speaks from several places could work it out from the score.
    metres = geo.distance_m(lat, lon, doc["public"]["lat"], doc["public"]["lon"])
    voice = voice_of(person, session, stand, round(metres, 1))
    said = {
        "stand": str(stand), "metres": voice.metres, "made": voice.made, "device": voice.device,
        "helped": voice.helped, "false_alarms": voice.false_alarms, "at": now,
    }  # fmt: skip
    fixed = {"city": doc["city"], "report": report_id, "person": person}
    key = {"_id": derived_id("voi", report_id, person)}
    for _ in range(2):
        try:
            voices().update_one(key, {"$set": said, "$setOnInsert": fixed}, upsert=True)
            break
        except DuplicateKeyError:
            continue  # two at once: the other one made it
    return weigh(report_id, now=now)


def weigh(report_id: str, *, now: datetime) -> Report:
    """Count what is said of a report anew; one that is believed for the first time is an event. Again is harmless."""

    def rule(doc: Report) -> Mapping[str, Any]:
        heard = queries.voices_of(report_id)
        author = voice_of(doc["author"], "", Stand.CONFIRM, 0.0)
        author = replace(author, device=doc.get("author_device") or "")
        belief = rules.believe([author, *heard], now=now)
        counted = {
            "score": belief.score,
            "voices": belief.voices,
            "parts": belief.parts,
            "confirmed": sum(each.stand == Stand.CONFIRM for each in heard),
            "denied": sum(each.stand == Stand.DENY for each in heard),
        }
        made: dict[str, Any] = {name: value for name, value in counted.items() if doc.get(name) != value}
        if belief.holds and not doc.get("believed_at") and doc["status"] in _SHOWN:
            made |= {"believed_at": now, "believed_by": BY_RULE, "events": ["report.believed"]}
        return made

    return change(report_id, rule, now=now)


def believe(report_id: str, *, by: str, now: datetime) -> Report:
    """Somebody who may says that it is so: units are sent as to an SOS, the group is told. Again is harmless.

    Raises ReportOver, NoEmergency.
    """

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc.get("believed_at"):
            return {}
        _check_shown(doc)
        if not CATEGORIES[doc["category"]].incident:
            raise NoEmergency("nobody is sent to this")
        return {"believed_at": now, "believed_by": by, "events": ["report.believed"]}

    return change(report_id, rule, now=now)


def _check_open(doc: Report) -> None:
    if doc["status"] not in _OPEN:
        raise ReportOver("it is over", current=doc["status"])


def _check_shown(doc: Report) -> None:
    if doc["status"] not in _SHOWN:
        raise ReportOver("it is not published", current=doc["status"])


def add_photo(report_id: str, data: bytes, store: EvidenceStore, *, now: datetime) -> Report:
    """Keep a picture, decoded and written anew: no position and no camera in it. Raises PhotoInvalid, ReportOver."""
    kept = store.keep_clean(data)
    if kept is None:
        raise PhotoInvalid("no picture that can be shown", errors={"photo": ["A JPEG, PNG or WebP picture."]})
    photo = {"sha256": kept[0].sha256, "size": kept[0].size, "type": kept[1]}

    def rule(doc: Report) -> Mapping[str, Any]:
        _check_open(doc)
        return {} if doc.get("photo") == photo else {"photo": photo}

    return change(report_id, rule, now=now)
