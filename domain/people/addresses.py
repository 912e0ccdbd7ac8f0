"""Channels that no longer reach somebody: the carrier says that the number is dead, or they asked us to stop.

Kept beside the number that it is about (of a person, of one of their guardians), by channel (`sms`, `voice`), with the
reason and the time. A number that is verified again by a code lives again; what somebody asked for themself is lifted by
their own word alone (`restore`). A unit's own phone is `domain/dispatch/registry.py`; push addresses are `devices.py`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain import outbox
from domain.people import events, queries

OPTED_OUT: Final = "opted_out"
"""The one reason that is the person's own word. Every other is the carrier's: no message will arrive there."""

Retired = Mapping[str, Mapping[str, Any]]


def retire(person_id: str, kind: str, reason: str, *, now: datetime) -> bool:
    """Send a person nothing more by `kind` (`sms`, `voice`). False when nothing changed.

    `now` is when it was known: of a carrier's word, when the message was sent that did not arrive, since one from before
    the number was last verified proves nothing. Their own word is never replaced by a carrier's, and is an event: a
    responder's supervisors are told.
    """
    told: dict[str, Any] = {}
    if reason == OPTED_OUT:
        row = queries.collection().find_one({"_id": person_id}, {"version": 1, "city": 1}) or {"_id": person_id}
        told = outbox.pending([events.opted_out(row, kind, now=now)], now)
    return _retire({"_id": person_id, "erased_at": None}, "retired", kind, reason, now, told)


def retire_guardian(person_id: str, guardian_id: str, kind: str, reason: str, *, now: datetime) -> bool:
    """The same of a guardian of this person, who may be nobody that we know."""
    at = f"guardians.{guardian_id}"
    return _retire({"_id": person_id, f"{at}.id": guardian_id}, f"{at}.retired", kind, reason, now)


def _retire(
    condition: dict[str, Any], at: str, kind: str, reason: str, now: datetime, told: Mapping[str, Any] | None = None
) -> bool:
    condition[f"{at}.{kind}.reason"] = {"$ne": OPTED_OUT}
    change: dict[str, Any] = {
        "$set": {f"{at}.{kind}.reason": reason},
        "$max": {f"{at}.{kind}.at": now, "changed_at": now},
        "$inc": {"version": 1},
    }
    return bool(queries.collection().update_one(condition, outbox.merge(change, told or {})).modified_count)


def restore(person_id: str, kind: str, *, now: datetime) -> bool:
    """Send them by `kind` again, whatever the reason was. False when it was not retired."""
    return _restore(person_id, f"retired.{kind}", now)


def restore_guardian(person_id: str, guardian_id: str, kind: str, *, now: datetime) -> bool:
    """The same of a guardian of this person."""
    return _restore(person_id, f"guardians.{guardian_id}.retired.{kind}", now)


def _restore(person_id: str, at: str, now: datetime) -> bool:
    done = queries.collection().update_one(
        {"_id": person_id, at: {"$exists": True}},
        {"$unset": {at: ""}, "$set": {"changed_at": now}, "$inc": {"version": 1}},
    )
    return bool(done.modified_count)


def usable(retired: Retired | None, kind: str, *, verified_at: datetime | None = None) -> bool:
    """Whether a number may be sent to by `kind`. `verified_at`: when a code last came back from it. Pure."""
    held = (retired or {}).get(kind)
    if held is None:
        return True
    return held["reason"] != OPTED_OUT and verified_at is not None and verified_at > held["at"]
