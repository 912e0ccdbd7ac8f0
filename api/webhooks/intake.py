"""An SOS by SMS or by call. What one phone sends within half an hour is one SOS: a call, and the message with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from api.services import services
from domain import geo
from domain.cities import queries as cities
from domain.errors import Invalid, NotFound
from domain.ids import derived_id
from domain.incidents import rules
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.incidents.draft import Draft
from domain.incidents.service import Incident, SosFacts
from domain.incidents.states import IncidentStatus
from domain.lines import service as lines
from domain.people import queries as people
from domain.phones import language_of, parse_phone

MOST_UNREADABLE: Final = 20
NOTE_CHARS: Final = 2000


@dataclass(frozen=True)
class Caller:
    """Who writes or calls, as far as the carrier says. `phone` is None where the number is withheld."""

    phone: str | None
    person: str | None = None
    language: str | None = None


def caller(number: str) -> Caller:
    """The caller behind a number as the carrier writes it."""
    try:
        phone = parse_phone(number)
    except Invalid:
        # A number that no plan has is still the only way back to whoever called; "anonymous" is none.
        digits = number.lstrip("+")
        phone = f"+{digits}" if number.startswith("+") and digits.isdecimal() and 6 < len(digits) <= 15 else ""
    if not phone:
        return Caller(None)
    person = people.by_phone(phone)
    if person and not person.erased_at:
        return Caller(phone, person.id, person.language)
    return Caller(phone, language=language_of(phone))


def call_for_help(call: CallForHelp, key: str) -> Incident:
    """Store an SOS, or add to the one that this phone raised a moment ago. `key` is the carrier's id of it."""
    found = services()
    now, secret = found.clock(), found.settings.signing_key
    known = facts(replace(call, key=key, position=_right_way_round(call.position)), now=now)
    recent = _going_on(call.phone) if call.phone else None
    if recent is not None and recent["_id"] != derived_id("inc", known.owner, known.key):
        doc = _add(recent, known, key)
    else:
        ttl = timedelta(seconds=found.settings.link_ttl_s)
        doc = incidents.raise_sos(known, now=now, secret=secret, link_ttl=ttl).incident
        if call.phone:
            lines.remember_sos(secret, call.phone, doc["_id"], now=now)
    work_off(doc)
    return doc


def work_off(doc: Incident) -> None:
    """Have what follows from a change done."""
    if doc.get("pending_events"):
        services().enqueue("drain", "incidents", doc["_id"])


def _going_on(phone: str) -> Incident | None:
    """The SOS of this phone's last half hour, unless it is over; or over for the phone, which is the same to it."""
    found = services()
    incident_id = lines.recent_sos(found.settings.signing_key, phone, now=found.clock())
    if incident_id is None:
        return None
    try:
        doc = incidents.get(incident_id)
    except NotFound:
        return None
    return None if doc["status"] == IncidentStatus.CLOSED or rules.citizen_cancelled(doc) else doc


def _add(doc: Incident, known: SosFacts, key: str) -> Incident:
    """What another message of the same phone brings. The same one again brings nothing."""

    def rule(draft: Draft) -> None:
        if any(entry.get("key") == key for entry in draft.doc["timeline"]):
            return
        rules.learn(draft, _learned(draft.doc, known))
        if known.unreadable:
            kept = [*(draft.doc.get("unreadable") or []), *known.unreadable]
            draft.set("unreadable", kept[:MOST_UNREADABLE])
            draft.flag("unreadable")
        draft.entry("contacted_again", channel=known.channel, key=key)

    return incidents.change(doc["_id"], rule, now=services().clock())


def _learned(doc: Incident, known: SosFacts) -> dict[str, Any]:
    learned: dict[str, Any] = {"note": _both_notes(doc, known.note), "language": known.language, "person": known.person}
    if known.position:
        cells = geo.cells(known.position["lat"], known.position["lon"])
        learned |= {"position": known.position, "cells": {"r5": cells.r5, "r7": cells.r7, "r9": cells.r9}}
    return learned


def _both_notes(doc: Incident, note: str | None) -> str | None:
    before = str((doc.get("citizen") or {}).get("note") or "")
    if not note or note in before:
        return None
    return f"{before}\n{note}".strip()[:NOTE_CHARS]


def learn_category(incident_id: str, code: str) -> Incident:
    """The caller pressed a key: the category, where none was given, and its services beside those asked already."""
    found = services()
    config = cities.current(incidents.get(incident_id)["city"])
    category = config.category(code)
    learned = {
        "services": tuple(str(service) for service in category.services),
        "category": {
            "category": category.code,
            "severity": str(category.severity),
            "urgency": str(category.urgency),
            "certainty": str(category.certainty),
        },
    }

    def rule(draft: Draft) -> None:
        if draft.doc["status"] != IncidentStatus.CLOSED:
            rules.learn(draft, learned)

    doc = incidents.change(incident_id, rule, now=found.clock())
    work_off(doc)
    return doc


def _right_way_round(position: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Longitude first is how many write it: turned where that lies in a city and the other does not."""
    if position is None:
        return None
    lat, lon = position["lat"], position["lon"]
    if cities.city_at(lat, lon) is None and geo.is_position(lon, lat) and cities.city_at(lon, lat) is not None:
        lat, lon = lon, lat
    return {**position, "lat": lat, "lon": lon}
