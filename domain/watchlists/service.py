"""Putting plates on the watchlist and taking them off. What each plate becomes that a camera reads is in `readings.py`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain.cities.config import CityConfig, Service
from domain.errors import Invalid
from domain.plates import rules
from domain.watchlists import readings
from domain.watchlists.errors import EntryChanged, EntryOver, NoPlate
from domain.watchlists.queries import Entry, entries, entry
from domain.watchlists.states import EntryStatus, ListReason

LONGEST: Final = timedelta(days=90)
"""So long an entry may stand before its owner says again that it is needed."""


def put_on(
    entry_id: str,
    facts: Mapping[str, Any],
    config: CityConfig,
    *,
    owner: str,
    agency: str,
    fingerprint: str,
    now: datetime,
) -> tuple[Entry, bool]:
    """(entry, whether it is new). Raises NoPlate, EntryChanged for a known key with another body, and Invalid for an
    agency that is no police, or an end that is past or too far away.
    """
    if not rules.is_plate(rules.canonical(facts["plate"])):
        raise NoPlate("not a plate", errors={"plate": ["3 to 12 letters and digits."]})
    found = config.agencies.get(agency)
    if found is None or Service.POLICE not in found.services:
        raise Invalid("only the police look for vehicles", errors={"agency": ["Not a police force of this city."]})
    made: Entry = {
        "_id": entry_id,
        "city": config.id,
        "plate": facts["plate"],
        "keys": sorted(rules.keys(facts["plate"])),
        "why": str(ListReason(facts["why"])),
        "legal_basis": facts["legal_basis"],
        "description": facts.get("description") or "",
        "owner": owner,
        "agency": agency,
        "status": str(EntryStatus.ACTIVE),
        "listed_at": now,
        "expires_at": _end(facts["expires_at"], now),
        "fingerprint": fingerprint,
        "version": 1,
    }
    try:
        entries().insert_one(made)
    except DuplicateKeyError:
        known = entry(entry_id)
        if known["fingerprint"] != fingerprint:
            raise EntryChanged("the key was used for another entry", code="idempotency_conflict") from None
        return known, False
    return made, True


def _end(expires_at: datetime, now: datetime) -> datetime:
    if not now < expires_at <= now + LONGEST:
        raise Invalid(
            "an entry ends, and not too late", errors={"expires_at": [f"Within {LONGEST.days} days from now."]}
        )
    return expires_at


def prolong(entry_id: str, expires_at: datetime, *, now: datetime) -> Entry:
    """Say again that it is needed, or for how much less. Raises EntryOver for one that is off the list."""
    return _change(entry(entry_id), {"expires_at": _end(expires_at, now)}, now)


def end(entry_id: str, *, by: str, reason: str, now: datetime) -> Entry:
    """Take it off the list, and with it what is asked about it. Again is no change."""
    found = entry(entry_id)
    if found["status"] != EntryStatus.ENDED:
        gone = {"status": str(EntryStatus.ENDED), "ended_at": now, "ended_by": by, "end_reason": reason}
        found = _change(found, gone, now)
    readings.withdraw(entry_id, now=now)
    return found


def _change(found: Entry, changes: Mapping[str, Any], now: datetime) -> Entry:
    after = entries().find_one_and_update(
        {"_id": found["_id"], "status": str(EntryStatus.ACTIVE), "version": found["version"]},
        {"$set": dict(changes), "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if after is None:
        current = entry(found["_id"])
        if current["status"] == EntryStatus.ENDED:
            raise EntryOver("it is off the list", current=current["status"])
        raise EntryChanged("somebody else changed it")
    return after
