"""From what somebody sent (by app, SMS or voice) to the facts of an SOS: which city, which services, how late.

Reads no store where there is a position: the cities' boundaries are in memory.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain.cities import queries as cities
from domain.cities.config import Service
from domain.errors import Invalid
from domain.incidents import rules
from domain.incidents.service import SosFacts
from domain.people import queries as people
from domain.people.tokens import purpose_key
from domain.phones import is_foreign, language_of

BELIEVED_AGE: Final = timedelta(days=2)
"""An SOS that says it is older than this has a wrong clock in one of its two times."""
_LONG_KEY: Final = 32


@dataclass(frozen=True)
class CallForHelp:
    """What was made out of a message, whichever way it came. `sent_at` is the phone's clock when it sent this."""

    channel: str
    position: dict[str, Any] | None = None
    phone: str | None = None
    device: str | None = None
    person: str | None = None
    verified: bool = False
    category: str | None = None
    services: tuple[str, ...] = ()
    silent: bool = False
    practice: bool = False
    battery_pct: float | None = None
    note: str | None = None
    language: str | None = None
    key: str = ""
    sent_at: datetime | None = None
    address: str | None = None
    unreadable: Sequence[dict[str, Any]] = ()
    by: str | None = None
    """The operator who took the call; the key is theirs."""
    city: str | None = None
    """Where the number that was called belongs; the position wins over it."""


def facts(call: CallForHelp, *, now: datetime) -> SosFacts:
    """The facts to be stored. Raises Invalid only when neither a position, a phone nor a device can be made out."""
    if not (call.position or call.phone or call.device or call.person or call.by):
        raise Invalid(
            "neither a position, a phone number nor a device can be made out",
            code="nobody_to_help",
            errors={"position": ["say where, or a phone number, or a device"]},
        )
    city, outside = _city(call)
    config = cities.current(city)
    category = config.category(call.category)
    if call.channel != "escort" and Service.ESCORT in category.services:
        category = config.category(None)  # an alarm is never answered by company alone
    captured_at = (call.position or {}).get("captured_at")
    age = call.sent_at - captured_at if call.sent_at and captured_at else timedelta(0)
    flags = {
        "unverified": not call.verified,
        "late": rules.is_late(captured_at, call.sent_at),
        "silent": call.silent,
        "practice": call.practice,
        "outside": outside,
        "unreadable": bool(call.unreadable),
        "visitor": is_foreign(call.phone),
    }
    return SosFacts(
        city=city,
        category=category.code,
        category_given=call.category in config.categories,
        services=tuple(str(service) for service in call.services or category.services),
        severity=str(category.severity),
        urgency=str(category.urgency),
        certainty=str(category.certainty),
        channel=call.channel,
        owner=_owner(call),
        key=call.key,
        person=call.person,
        phone=call.phone,
        device=call.device,
        language=call.language or language_of(call.phone),
        position={**call.position, "received_at": now} if call.position else None,
        note=call.note,
        battery_pct=call.battery_pct,
        flags=tuple(name for name, holds in flags.items() if holds),
        needs={"skills": list(category.skills)} if category.skills else {},
        unreadable=tuple(call.unreadable),
        raised_at=now - age if timedelta(0) <= age <= BELIEVED_AGE else now,
        address=call.address,
        by=call.by,
    )


def _city(call: CallForHelp) -> tuple[str, bool]:
    """(city, whether the position lies outside every one): by position, else by number, person, or the first one."""
    if call.position:
        place = (call.position["lat"], call.position["lon"])
        inside = cities.city_at(*place)
        return (inside, False) if inside else (cities.nearest_city(*place).city, True)
    if call.city:
        return call.city, False
    known = cities.known()
    home = people.city_of(call.person, call.phone)
    return (home, False) if home in known else (known[0], True)


def _owner(call: CallForHelp) -> str:
    """Whose key it is. The device first: it is in the body that a retry repeats, while a token comes and goes.

    A key without an owner stands alone if it is long enough to be nobody else's; else it counts at this address only,
    since two people's calls must never become one.
    """
    if call.by:
        return f"staff:{call.by}"
    if call.device:
        return f"device:{call.device}"
    if call.person:
        return f"person:{call.person}"
    return "" if len(call.key) >= _LONG_KEY else f"address:{call.address}"


def address_hash(secret: str, address: str) -> str:
    """What is kept of a network address: enough to count how often it called, nothing to find it by."""
    return hmac.new(purpose_key(secret, "address"), address.encode(), hashlib.sha256).hexdigest()[:24]
