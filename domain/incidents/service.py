"""Changes to incidents. Every one is a single conditional write; nothing that was accepted is ever half there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain import geo, outbox
from domain.ids import derived_id, link_token, new_id, token_hash
from domain.incidents import rules
from domain.incidents.documents import IncidentDoc, TimelineDoc
from domain.incidents.draft import Draft
from domain.incidents.errors import IncidentNotFound, TooBusy
from domain.incidents.projection import frozen_by_cancel
from domain.incidents.states import IncidentStatus

Incident = dict[str, Any]
Rule = Callable[[Draft], None]

_TRIES = 12
FACTS_KEPT = 20


@dataclass(frozen=True)
class SosFacts:
    """What could be made out of a call for help, whichever way it came. All of it is optional but the city.

    `position`: {lat, lon, accuracy_m?, captured_at?, source}. `owner` is who sent it (person or device): with `key` it
    makes the id, so that a retry meets the same document.
    """

    city: str
    category: str
    services: tuple[str, ...]
    severity: str
    urgency: str
    certainty: str
    channel: str = "app"
    owner: str = ""
    key: str = ""
    person: str | None = None
    phone: str | None = None
    device: str | None = None
    language: str | None = None
    position: dict[str, Any] | None = None
    note: str | None = None
    battery_pct: float | None = None
    flags: tuple[str, ...] = ()
    needs: dict[str, Any] = field(default_factory=dict)
    unreadable: tuple[dict[str, Any], ...] = ()
    raised_at: datetime | None = None
    by: str | None = None
    address: str | None = None
    """A keyed hash of the network address, for ranking repeated callers; never the address."""
    about: dict[str, str] = field(default_factory=dict)
    """What it came from, by id: {journey} or {escort}."""
    hidden: bool = False
    """Set off by a duress PIN that was entered elsewhere: the citizen's phone must never learn that there is an SOS."""
    category_given: bool = False
    """False where the category is the city's default, which a retry may make more precise."""


@dataclass(frozen=True)
class Raised:
    """The stored incident, and whether this call made it."""

    incident: Incident
    created: bool


def incidents() -> Collection[Incident]:
    """The raw collection: hot paths read and write maps, not documents."""
    found: Collection[Incident] = IncidentDoc._get_collection()
    return found


def raise_sos(
    facts: SosFacts,
    *,
    now: datetime,
    secret: str,
    link_ttl: timedelta,
    merge: bool = True,
    fingerprint: str | None = None,
) -> Raised:
    """Store an SOS: one write with its slots, its first timeline entry and its pending `incident.raised`.

    A retry (same owner and key) meets the same `_id`; what it newly brings is merged, and nothing is refused. Without
    `merge` the first one stands as it is; `fingerprint` is kept to tell whether the body was the same.
    """
    incident_id = derived_id("inc", facts.owner, facts.key) if facts.key else new_id("inc", now)
    doc = _document(incident_id, facts, now)
    share = {"h": token_hash(share_token(secret, doc)), "kind": "share", "id": incident_id, "until": now + link_ttl}
    doc["links"] = [share]
    if fingerprint:
        doc["fingerprint"] = fingerprint
    try:
        incidents().insert_one(doc)
    except DuplicateKeyError:
        if not merge:
            return Raised(get(incident_id), created=False)
        learned = {
            "position": facts.position,
            "cells": doc["cells"],
            "silent": "silent" in facts.flags,
            "services": facts.services,
            **{
                name: doc["citizen"].get(name)
                for name in ("phone", "note", "battery_pct", "device", "person", "language")
            },
        }
        if facts.category_given:
            learned["category"] = {
                name: getattr(facts, name) for name in ("category", "severity", "urgency", "certainty")
            }
        try:
            return Raised(change(incident_id, lambda draft: rules.learn(draft, learned), now=now), created=False)
        except TooBusy:  # a retry is never refused: what it brought is kept beside, for whoever reads the case
            facts_kept = {"$each": [{"at": now, **learned}], "$slice": -FACTS_KEPT}
            incidents().update_one({"_id": incident_id}, {"$push": {"facts": facts_kept}})
            return Raised(get(incident_id), created=False)
    return Raised(doc, created=True)


def raised_before(facts: SosFacts) -> Incident | None:
    """The SOS that these facts made, or would make again: the same owner and key. None where it was not raised."""
    return incidents().find_one({"_id": derived_id("inc", facts.owner, facts.key)})


def share_token(secret: str, doc: Incident) -> str:
    """The token of the citizen's own share link, the same each time until the generation is raised."""
    return link_token(secret, "share", doc["_id"], doc.get("share_generation") or 0)


def sos_token(secret: str, incident_id: str) -> str:
    """Opens this one SOS to the phone that raised it, whoever it is: two link tokens, 120 bits, never stored."""
    return link_token(secret, "sos", incident_id, 0) + link_token(secret, "sos", incident_id, 1)


def _document(incident_id: str, facts: SosFacts, now: datetime) -> Incident:
    cells = {}
    if facts.position:
        found = geo.cells(facts.position["lat"], facts.position["lon"])
        cells = {"r5": found.r5, "r7": found.r7, "r9": found.r9}
    citizen: dict[str, Any] = {
        "person": facts.person,
        "phone": facts.phone,
        "device": facts.device,
        "language": facts.language,
        "note": facts.note,
        "battery_pct": facts.battery_pct,
        "address": facts.address,
        "category_given": facts.category_given or None,
        "silent": "silent" in facts.flags or None,
    }
    practice = "practice" in facts.flags
    if practice:
        citizen["services"] = list(facts.services)
    events = [
        outbox.event(kind, incident_id, version=1, now=now, city=facts.city)
        for kind in ("incident.raised", "incident.surroundings", "incident.duress")
        if (facts.hidden or kind != "incident.duress") and (facts.channel != "escort" or kind == "incident.raised")
    ]
    doc: Incident = {
        "_id": incident_id,
        "city": facts.city,
        "channel": facts.channel,
        "category": facts.category,
        "severity": facts.severity,
        "urgency": facts.urgency,
        "certainty": facts.certainty,
        "status": str(IncidentStatus.OPEN),
        "version": 1,
        "raised_at": facts.raised_at or now,
        "received_at": now,
        "updated_at": now,
        "cells": cells,
        "flags": list(facts.flags),
        "citizen": {name: value for name, value in citizen.items() if value is not None},
        "slots": {service: rules.new_slot(service, now) | {"needs": dict(facts.needs)} for service in facts.services},
        "assignments": {},
        "asked_units": [],
        "timeline": [{"at": now, "kind": "raised", "seq": 1, "channel": facts.channel, "by": facts.by or facts.person}],
        "timeline_seq": 1,
    }
    if facts.position:
        doc["position"] = facts.position
    if facts.unreadable:
        doc["unreadable"] = list(facts.unreadable)
    if facts.about:
        doc["about"] = dict(facts.about)
    if facts.hidden:
        view = frozen_by_cancel(doc, now, 1)
        doc["citizen"] |= {"hidden": True, "cancel": {"at": now, "version": 1, "view": view}}
    doc["rank"] = rules.rank(doc)
    if practice:
        # Played to the citizen alone (projection.py): nobody is asked, nothing follows, no list has it as open.
        return doc | {"slots": {}, "status": str(IncidentStatus.CLOSED), "kept_since": now}
    if facts.services:
        doc["ladder_due"] = min(slot["due_at"] for slot in doc["slots"].values())
    return doc | outbox.fields(events, now)


def get(incident_id: str) -> Incident:
    """The incident as it is stored; raises IncidentNotFound."""
    found = incidents().find_one({"_id": incident_id})
    if found is None:
        raise IncidentNotFound("no such incident")
    return found


def change(
    incident_id: str, rule: Rule, *, now: datetime, if_version: int | None = None, known: Incident | None = None
) -> Incident:
    """Let a pure rule decide and write its decision, on the condition that nothing changed meanwhile.

    The rule may run several times (once per try); it raises to refuse. A rule that decides nothing writes nothing.
    `known` is the whole document as the caller has just read it: the first try is made on it, which saves a read. Not
    for a rule that may decide nothing, or refuse, because of what it sees there: that must be seen now.
    """
    for turn in range(_TRIES):
        doc = known if known is not None and turn == 0 else get(incident_id)
        if if_version is not None and doc["version"] != if_version:
            raise TooBusy("the incident has changed", current=doc["version"])
        draft = Draft(doc, now)
        rule(draft)
        if draft.empty:
            return doc
        if (rank := rules.rank(draft.doc)) != doc.get("rank"):
            draft.set("rank", rank)
        for entry in draft.overflow():
            _keep(doc, entry)
        written = incidents().find_one_and_update(
            {"_id": incident_id, "version": doc["version"]},
            draft.operators(),
            return_document=ReturnDocument.AFTER,
        )
        if written is not None:
            return written
    raise TooBusy("the incident kept changing")


def _keep(doc: Incident, entry: dict[str, Any]) -> None:
    """Move a timeline entry to its own collection before it leaves the document; again is harmless."""
    TimelineDoc._get_collection().update_one(
        {"_id": f"{doc['_id']}-{entry['seq']:06d}"},
        {"$set": {"city": doc["city"], "incident": doc["_id"], "seq": entry["seq"], "entry": entry}},
        upsert=True,
    )
