"""What a person changes of themself, and what other concepts tell about a person.

Signing in is `sign_in.py`; sessions, devices, PINs, guardians and the second factor have files of their own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument

from domain import outbox
from domain.errors import NotFound
from domain.people import devices, events, queries, sessions
from domain.people.codes import otp_code
from domain.people.documents import PersonDoc
from domain.people.pins import check_pins, has_pins
from domain.people.states import Duty
from domain.sealing import NotSealed, seal, unseal

__all__ = [
    "change_profile",
    "check_pins",
    "count",
    "erase",
    "export",
    "has_pins",
    "otp_code",
    "retire_address",
    "set_duty",
    "unsealed",
]

_PLAIN: Final = frozenset({"name", "language", "city", "gender", "languages"})
_SEALED: Final = frozenset({"blood_group", "medical_note"})
_KEPT: Final = frozenset({"_id", "created_at", "city"})
"""What stays of an erased person: that there was one, so that what the law wants kept still has its subject."""


def change_profile(person_id: str, changes: Mapping[str, Any], *, secret: str, now: datetime) -> Any:
    """Set the given fields and leave the others. Blood group and medical note are sealed; empty takes them away."""
    to_set: dict[str, Any] = {name: changes[name] for name in _PLAIN & changes.keys()}
    to_unset: dict[str, str] = {}
    for name in _SEALED & changes.keys():
        if changes[name]:
            to_set[name] = seal(secret, name, person_id, changes[name])
        else:
            to_unset[name] = ""
    update: dict[str, Any] = {"$set": {**to_set, "changed_at": now}, "$inc": {"version": 1}}
    if to_unset:
        update["$unset"] = to_unset
    done = queries.collection().update_one({"_id": person_id, "erased_at": None}, update)
    if not done.matched_count:
        raise NotFound("no such person")
    return queries.get(person_id)


def unsealed(person: Any, name: str, *, secret: str) -> str:
    """A sealed field in clear (`blood_group`, `medical_note`); empty when not told."""
    sealed = getattr(person, name)
    try:
        return unseal(secret, name, person.id, sealed) if sealed else ""
    except NotSealed:
        return ""


def set_duty(person_id: str, duty: Duty, *, now: datetime) -> None:
    """Whether a responder can be sent. The unit's own status is dispatch's."""
    queries.collection().update_one(
        {"_id": person_id},
        {"$set": {"duty": str(duty), "duty_at": now, "changed_at": now}, "$inc": {"version": 1}},
    )


def retire_address(address: str, *, now: datetime) -> int:
    """A push address will never work again, says its vendor: take it away; how many devices lost it."""
    return devices.take_away(address, now=now, retired=True)


def count(person_id: str, **facts: int) -> None:
    """Add to a person's trust facts: `sos_raised`, `helped`, `false_alarm`."""
    queries.collection().update_one({"_id": person_id}, {"$inc": {f"trust.{name}": by for name, by in facts.items()}})


def export(
    person: Any, *, secret: str, now: datetime, records: Mapping[str, Callable[[str, datetime], Any]]
) -> dict[str, Any]:
    """Everything kept about a person, in one object; no hash and no token, and nothing that only staff may know.

    `records`: what each other concept has of the person, by name, as functions of (person id, now).
    """
    return {
        "exported_at": now,
        "person": {
            **{name: getattr(person, name) for name in ("id", "phone", "name", "language", "city", "gender")},
            "languages": list(person.languages),
            "blood_group": unsealed(person, "blood_group", secret=secret),
            "medical_note": unsealed(person, "medical_note", secret=secret),
            "created_at": person.created_at,
            "has_pins": has_pins(person),
        },
        "roles": [
            {"role": held.role, "city": held.city, "agency_id": held.agency_id, "group_id": held.group_id}
            for held in person.roles
        ],
        "guardians": list(person.guardians.values()),
        "devices": list(person.devices.values()),
        "sessions": sessions.listed(person.id, now=now),
        "records": {name: of(person.id, now) for name, of in records.items()},
    }


def erase(person_id: str, *, now: datetime) -> None:
    """Forget a person: number, name, PINs, devices, guardians, roles and sessions go in one write; the event lets other
    concepts forget theirs. Cases that the law wants kept stay, and point at an id that says nothing. Twice is no error.
    """
    person: Any = PersonDoc.objects(id=person_id).first()
    if person is None or person.erased_at:
        return
    sessions.end_all(person_id, now=now)
    row = queries.collection().find_one({"_id": person_id}) or {}
    gone = {name: "" for name in row if name not in _KEPT | {"pending_events", "outbox_due", "outbox_lease", "version"}}
    gone.pop("erased_at", None)
    gone.pop("changed_at", None)
    queries.collection().find_one_and_update(
        {"_id": person_id, "erased_at": None},
        outbox.merge(
            {"$unset": gone, "$set": {"erased_at": now, "changed_at": now}, "$inc": {"version": 1}},
            outbox.pending([events.person_erased(person, now=now)], now),
        ),
        return_document=ReturnDocument.AFTER,
    )
