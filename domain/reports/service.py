"""Reporting, editing and taking back. Each is one conditional write with its event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain import geo, outbox
from domain.cities import outside
from domain.cities import queries as cities
from domain.clusters import service as clusters
from domain.errors import Conflict
from domain.evidence.ports import EvidenceStore
from domain.limits import service as limits
from domain.reports import believing, queries, rules, wording
from domain.reports.categories import CATEGORIES
from domain.reports.changing import change, check_open
from domain.reports.errors import PhotoInvalid, ReportInvalid, ReportOver
from domain.reports.queries import Report, get, reports
from domain.reports.rules import Voice
from domain.reports.states import Anonymity, ReportStatus, Stand
from domain.reports.voices import voice_of
from domain.watch import queries as watch
from domain.watch import sanctions, settled

MOST_A_DAY: Final = 50
MOST_EDITS: Final = 20
SANCTIONED: Final = "sanctioned"
"""Why the report of somebody who is muted is held: it is not lost, and a human reads it first."""
_OFFLINE_S: Final = 300.0
_WAITS: Final = {ReportStatus.HELD: ("report.held",), ReportStatus.SUBMITTED: ("report.submitted",)}


@dataclass(frozen=True)
class Seen:
    """What a neighbour reports. `at` by the server's clock."""

    category: str
    position: Mapping[str, Any]
    at: datetime
    note: str
    anonymous: Anonymity
    looks: Sequence[Mapping[str, Any]] = ()
    """How somebody looks: [{part, text}], one a part."""


def add(
    report_id: str,
    author: str,
    seen: Seen,
    *,
    session: str,
    address: str = "",
    fingerprint: str,
    secret: str,
    now: datetime,
) -> tuple[Report, bool]:
    """(report, whether it is new). The same id again is the same report; with another body it is a Conflict. `address`: the
    network from which it comes, as `origin.hashed` keeps it.

    Raises ReportInvalid for a place in no city, a time that cannot be, an unknown category; LimitReached.
    """
    held = reports().find_one({"_id": report_id})
    fresh = held is None
    if held is None:
        held = _document(report_id, author, seen, fingerprint=fingerprint, now=now)
        limits.take(secret, "watch_report", author, limit=MOST_A_DAY, window_s=86_400, now=now)
        voice = voice_of(author, session, Stand.CONFIRM, 0.0, address=address)
        held |= _believed([voice], now)
        held["author_made"], held["author_device"] = voice.made, voice.device
        if address:
            held["author_address"] = address
        held["cluster"] = clusters.assign(held, now=now)
        held["same_as"] = queries.like(held, only=clusters.first_of_many(held["cluster"]))
        kinds = ["report.made", *_WAITS.get(ReportStatus(held["status"]), ())]
        if believing.asks_cameras(held, voice, rules.believe([voice], now=now), now=now):
            held["look_at"] = now
            kinds.append(believing.LOOK)
        events = [
            outbox.event(kind, report_id, version=1, now=now, city=held["city"])
            for kind in ("report.made", "report.held", "report.submitted", "report.worth_a_look")
            if kind in kinds
        ]
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
        said = {"position": ["In no city that Amaan knows."]}
        raise ReportInvalid("in no city", errors=said, turn_to=outside.turn_to(lat, lon))
    if not now - rules.OLDEST <= seen.at <= now:
        raise ReportInvalid("not a time", errors={"position.captured_at": ["Within the last seven days."]})
    _check_category(seen.category)
    found = watch.at(city, lat, lon)
    groups = sorted(group["_id"] for group in found)
    category = CATEGORIES[seen.category]
    reasons = _held_for(seen.category, seen.note, seen.looks)
    if sanctions.in_force(author, city, groups, now=now):
        reasons.append(SANCTIONED)
    status = ReportStatus.SUBMITTED if settled.reads_first(found, author, now=now) else ReportStatus.PUBLISHED
    public = geo.fuzz(lat, lon, category.cell)
    cells = geo.cells(lat, lon)
    return {
        "_id": report_id,
        "city": city,
        "groups": groups,
        "author": author,
        "anonymous": str(seen.anonymous),
        "fingerprint": fingerprint,
        "category": seen.category,
        "note": seen.note,
        "looks": [dict(each) for each in seen.looks],
        "position": {name: seen.position.get(name) for name in ("lat", "lon", "accuracy_m")},
        "public": {"lat": public[0], "lon": public[1]},
        "cells": {"r5": cells.r5, "r7": cells.r7, "r9": cells.r9},
        "shown": _public(lat, lon, category.cell),
        "expires_at": seen.at + category.shown_for,
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


def _public(lat: float, lon: float, cell: int) -> dict[str, str]:
    """The cells by which others find it: of the place that they are shown, never of the exact one."""
    found = geo.cells(*geo.fuzz(lat, lon, cell))
    return {"r5": found.r5, "r7": found.r7, "r9": found.r9}


def _held_for(category: str, note: str, looks: Sequence[Mapping[str, Any]]) -> list[str]:
    texts = [note, *(str(each["text"]) for each in looks)]
    return wording.held_for(*texts, minors=CATEGORIES[category].minors)


def _check_category(code: str) -> None:
    if code not in CATEGORIES:
        raise ReportInvalid("no such category", errors={"category": ["Not a category of reports."]})


def _believed(heard: list[Voice], now: datetime) -> dict[str, Any]:
    belief = rules.believe(heard, now=now)
    return {"score": belief.score, "voices": belief.voices, "parts": belief.parts}


def edit(report_id: str, facts: Mapping[str, Any], *, now: datetime) -> Report:
    """Change category, note or looks; what was said before stays in its history. Raises ReportOver, ReportInvalid."""
    wanted = {name: facts[name] for name in ("category", "note", "looks") if facts.get(name) is not None}
    if "category" in wanted:
        _check_category(wanted["category"])

    def rule(doc: Report) -> Mapping[str, Any]:
        check_open(doc)
        if all(doc.get(name) == value for name, value in wanted.items()):
            return {}
        said = {"category": doc["category"], "note": doc["note"], "looks": doc.get("looks") or []}
        another = wanted.get("category", doc["category"]) != doc["category"]
        if another and (doc["confirmed"] or doc["denied"] or doc.get("believed_at")):
            raise ReportOver("others have spoken of it as it is: report anew", current=doc["status"])
        before = {"at": doc["worded_at"], **said}
        made: dict[str, Any] = {**wanted, "worded_at": now, "history": [*doc["history"], before][-MOST_EDITS:]}
        if "category" in wanted:
            made |= _placed(doc, wanted["category"])
        moved = ["report.moved"] if another else []
        if another:  # else a shooting would be believed by all who told of the street light that it was before
            made |= {"cluster": clusters.assign({**doc, **made}, now=now), "events": moved}
            if made["cluster"] != doc.get("cluster"):
                clusters.forget(doc)  # what it was of knows no more where its author stood
        after = said | wanted
        reasons = _held_for(after["category"], after["note"], after["looks"])
        if doc["status"] == ReportStatus.HELD:  # a human has to read what it says now
            made |= {"reasons": sorted({*doc["reasons"], *reasons}), "events": ["report.held", *moved]}
        elif reasons:
            made |= {"status": str(ReportStatus.HELD), "reasons": reasons, "events": ["report.held", *moved]}
        elif doc["status"] == ReportStatus.PUBLISHED and settled.reads_first(
            watch.some(doc["groups"]), doc["author"], now=now
        ):
            made |= {"status": str(ReportStatus.SUBMITTED), "events": ["report.submitted", *moved]}
        return made

    return change(report_id, rule, now=now)


def _placed(doc: Report, category: str) -> dict[str, Any]:
    """Another kind may show another place, and for another time."""
    kind, exact = CATEGORIES[category], doc["position"]
    lat, lon = geo.fuzz(exact["lat"], exact["lon"], kind.cell)
    return {
        "public": {"lat": lat, "lon": lon},
        "shown": _public(exact["lat"], exact["lon"], kind.cell),
        "expires_at": doc["at"] + kind.shown_for,
    }


def withdraw(report_id: str, *, now: datetime) -> Report:
    """Its author takes it back; again is harmless. Raises ReportOver."""

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc["status"] == ReportStatus.WITHDRAWN:
            return {}
        rules.check_step(ReportStatus(doc["status"]), ReportStatus.WITHDRAWN)
        return {"status": str(ReportStatus.WITHDRAWN), "events": ["report.withdrawn"]}

    return change(report_id, rule, now=now)


def add_photo(report_id: str, data: bytes, store: EvidenceStore, *, picture: str = "", now: datetime) -> Report:
    """Keep a picture, decoded and written anew: no position and no camera in it. `picture`: its hash, by which the same
    thing is looked for once more. Raises PhotoInvalid, ReportOver.
    """
    kept = store.keep_clean(data)
    if kept is None:
        raise PhotoInvalid("no picture that can be shown", errors={"photo": ["A JPEG, PNG or WebP picture."]})
    photo = {"sha256": kept[0].sha256, "size": kept[0].size, "type": kept[1]}

    def rule(doc: Report) -> Mapping[str, Any]:
        check_open(doc)
        if doc.get("photo") == photo:
            return {}
        return {"photo": photo, "picture": picture, "same_as": queries.like({**doc, "picture": picture})}

    return change(report_id, rule, now=now)
