"""Invented units, responders, staff, citizens and guardians for a city: what a demo needs besides the city itself.

Numbers are of a Pakistani range that no carrier assigns (`+92 300 000 …`); names are common ones. Everything goes in
through the domain's own documents, so that what the demo shows is what a city would have.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import geo
from domain.cities import queries as cities
from domain.dispatch import queries as dispatch
from domain.dispatch import service as dispatching
from domain.dispatch.states import UnitStatus
from domain.ids import derived_id
from domain.people import queries as people
from domain.people.documents import PersonDoc
from domain.people.states import Gender
from domain.permissions import Role
from domain.ports import Positions

PLACE = (31.5102, 74.3441)
"""Where the demo's SOS is raised: Liberty Market, Lahore."""

_DESK = (
    ("Nadia", Role.COUNSELLOR),
    ("Samina", Role.COUNSELLOR),
    ("Tahira", Role.HELPLINE_SUPERVISOR),
    ("Auditor", Role.AUDITOR),
)
_GIVEN = ("Ayesha", "Bilal", "Fatima", "Hamza", "Iqra", "Kamran", "Maryam", "Nadeem", "Rabia", "Saad", "Sana", "Usman")


@dataclass(frozen=True)
class Cast:
    """Who was invented: ids and numbers of those that the demo follows."""

    citizen: str
    operator: str
    citizen_phone: str
    guardian_phone: str
    silent_guardian_phone: str
    operator_phone: str
    units: tuple[str, ...]
    responder_phones: tuple[str, ...]
    desk: tuple[tuple[str, str], ...] = ()
    """The helpline's desk: (person, number) of two counsellors, their supervisor, and the city's auditor."""


def number(index: int) -> str:
    """An E.164 mobile number that no carrier assigns."""
    return f"+92300000{index:04d}"


def populate(city: str, *, positions: Positions, now: datetime, units: int = 12, seed: int = 7) -> Cast:
    """Put them into the store; again is harmless."""
    draw = random.Random(seed)
    config = cities.current(city)
    made_units: list[str] = []
    phones: list[str] = []
    index = 100
    for service in ("police", "medical", "fire"):
        agencies = config.agencies_for(service)
        for count in range(units if service == "police" else units // 2):
            agency = agencies[count % len(agencies)]
            unit_id = derived_id("unt", city, service, str(count))
            bearing, metres = draw.uniform(0, 360), 350.0 + count * 420.0
            lat, lon = geo.destination(*PLACE, bearing, metres)
            _unit(city, unit_id, f"{agency.names.en} {count + 1}", agency.id, (service,), lat, lon, now)
            dispatching.moved(unit_id, lat, lon, positions, at=now)
            person = _person(city, index, _GIVEN[index % len(_GIVEN)], now, "ur" if count % 2 else "en")
            _give(person, Role.RESPONDER, city, agency.id, now, unit=unit_id)
            dispatch.units().update_one({"_id": unit_id}, {"$set": {"responders": [person]}})
            made_units.append(unit_id)
            phones.append(number(index))
            index += 1
    for agency in config.agencies.values():
        if agency.services:
            supervisor = _person(city, index, _GIVEN[index % len(_GIVEN)], now, "en")
            _give(supervisor, Role.SUPERVISOR, city, agency.id, now)
            index += 1
    operator = _person(city, 1, "Operator", now, "en")
    _give(operator, Role.OPERATOR, city, "", now)
    citizen = _person(city, 2, "Zainab Ahmed", now, "ur")
    desk = []
    for index, (name, role) in enumerate(_DESK, start=11):
        person = _person(city, index, name, now, "ur")
        _give(person, role, city, "", now)
        PersonDoc._get_collection().update_one({"_id": person}, {"$set": {"gender": str(Gender.FEMALE)}})
        desk.append((person, number(index)))
    return Cast(
        citizen, operator, number(2), number(3), number(4), number(1), tuple(made_units), tuple(phones), tuple(desk)
    )


def _unit(
    city: str, unit_id: str, name: str, agency: str, services: tuple[str, ...], lat: float, lon: float, now: datetime
) -> None:
    found = geo.cells(lat, lon)
    dispatch.units().update_one(
        {"_id": unit_id},
        {
            "$set": {
                "city": city,
                "name": name,
                "agency": agency,
                "services": list(services),
                "skills": ["women_police"] if unit_id.endswith(("0", "2", "4")) else [],
                "status": str(UnitStatus.AVAILABLE),
                "position": {"lat": lat, "lon": lon, "at": now},
                "cells": {"r5": found.r5, "r7": found.r7, "r9": found.r9},
                "updated_at": now,
            },
            "$setOnInsert": {"version": 1, "created_at": now},
        },
        upsert=True,
    )


def _person(city: str, index: int, name: str, now: datetime, language: str) -> str:
    person_id = derived_id("per", "demo", city, str(index))
    PersonDoc._get_collection().update_one(
        {"_id": person_id},
        {
            "$setOnInsert": {
                "phone": number(index),
                "name": name,
                "language": language,
                "city": city,
                "roles": [],
                "devices": {},
                "device_tokens": [],
                "guardians": {},
                "guardian_links": [],
                "sessions": {},
                "trust": {"verified_phone_at": now},
                "duty": "off_duty",
                "created_at": now,
                "changed_at": now,
                "version": 1,
            }
        },
        upsert=True,
    )
    return person_id


def _give(person: str, role: Role, city: str, agency: str, now: datetime, *, unit: str = "") -> None:
    held = {"role": str(role), "city": city, "agency_id": agency, "group_id": ""}
    changes: dict[str, Any] = {"roles": [held], "agency_id": agency, "changed_at": now}
    if unit:
        changes |= {"unit_id": unit, "duty": "available", "duty_at": now}
    PersonDoc._get_collection().update_one({"_id": person}, {"$set": changes})


def phones_with_app(cast: Cast) -> Iterator[tuple[str, str]]:
    """(person, number) of those whose phone has the app in the demo: the citizen and every second responder."""
    yield cast.citizen, cast.citizen_phone
    for person in people.responders_of(cast.units):
        if int(person.phone[-4:]) % 2 == 0:
            yield person.id, person.phone
