"""Thousands of invented people of one district, put into the store in a second: for a broadcast's demo, tests and bench.

Each has a home in the district, whose alerts they hear. Most have the app; some only a phone that takes SMS. Numbers are of
a Pakistani range that no carrier assigns, apart from those of `townspeople.py`.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain import geo
from domain.alerts import following
from domain.ids import derived_id
from domain.people.documents import PersonDoc

AT_ONCE: Final = 500
FIRST: Final = 1_000_000
"""Their numbers begin here: +92 300 1 000000."""
_GIVEN = ("Ali", "Amna", "Asad", "Hina", "Imran", "Javed", "Khadija", "Nida", "Omar", "Sadia", "Tariq", "Zara")


@dataclass(frozen=True)
class Neighbour:
    """One of them. `token` is the app's push address; empty where there is no app."""

    person: str
    number: str
    token: str


def neighbour(seed: str, index: int, *, app_share: float) -> Neighbour:
    """The one with this index: always the same."""
    draw = random.Random(f"{seed}:{index}")
    token = f"push-{seed}-{index:06d}" if draw.random() < app_share else ""
    return Neighbour(derived_id("per", "crowd", seed, str(index)), f"+92300{FIRST + index:07d}", token)


def settle_in(
    city: str,
    place: tuple[float, float],
    count: int,
    *,
    now: datetime,
    radius_m: float = 1500.0,
    app_share: float = 0.85,
    seed: str = "district",
    first: int = 0,
) -> list[Neighbour]:
    """Put `count` people, who live within `radius_m` of the place, into the store; again is harmless only with another
    `seed` or `first`.
    """
    made = [neighbour(seed, first + index, app_share=app_share) for index in range(count)]
    for start in range(0, count, AT_ONCE):
        part = made[start : start + AT_ONCE]
        rows = list(_rows(city, place, radius_m, part, start, now))
        PersonDoc._get_collection().insert_many(rows, ordered=False)
    return made


def _rows(
    city: str, place: tuple[float, float], radius_m: float, part: list[Neighbour], start: int, now: datetime
) -> Iterator[dict[str, Any]]:
    for offset, each in enumerate(part):
        draw = random.Random(each.person)
        lat, lon = geo.destination(*place, draw.uniform(0, 360), radius_m * draw.random() ** 0.5)
        home = {"label": "home", "cell": following.cell_of(lat, lon)}
        settings = {"areas": [home], "whole_city": True, "follow_device": False}
        device = {
            "id": f"dev-{each.person[-12:]}", "token": each.token, "platform": "android", "session_id": "crowd",
            "seen_at": now,
        }  # fmt: skip
        yield {
            "_id": each.person,
            "phone": each.number,
            "name": _GIVEN[(start + offset) % len(_GIVEN)],
            "language": "ur" if draw.random() < 0.7 else "en",
            "city": city,
            "roles": [],
            "devices": {device["id"]: device} if each.token else {},
            "device_tokens": [each.token] if each.token else [],
            "guardians": {},
            "guardian_links": [],
            "sessions": {},
            "trust": {"verified_phone_at": now},
            "alert_settings": settings,
            "alert_cells": following.keys_of(settings, city, None),
            "created_at": now,
            "changed_at": now,
            "version": 1,
        }
