"""From a delivery's recipient (ids only) to the addresses and the language of the moment: read when it is sent.

Numbers and tokens stay with their people; a token that died or a guardian who said no meanwhile is simply not there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.dispatch import queries as dispatch
from domain.people.documents import ChallengeDoc, PersonDoc
from notifications.messages import Address, AddressKind


@dataclass(frozen=True)
class Reached:
    """Where somebody can be reached now. `device` is the id of the phone behind the push address."""

    addresses: Mapping[str, Address] = field(default_factory=dict)
    language: str = "ur"
    device: str | None = None
    name: str = ""


NOWHERE = Reached()


def _numbers(phone: str | None, *, silent: bool = False) -> dict[str, Address]:
    if not phone:
        return {}
    found = {"sms": Address(AddressKind.SMS, phone)}
    if not silent:
        found["voice"] = Address(AddressKind.VOICE, phone)
    return found


_FIELDS = {"phone": 1, "devices": 1, "language": 1, "name": 1}


def _person(recipient: Mapping[str, Any]) -> Reached:
    row = PersonDoc._get_collection().find_one({"_id": recipient["id"], "erased_at": None}, _FIELDS)
    return _of_row(row) if row else NOWHERE


def _of_row(row: Mapping[str, Any]) -> Reached:
    """A map, not a document: this is read for every message, and making a document costs more than the read."""
    addresses = _numbers(row.get("phone"))
    live = [
        device
        for device in (row.get("devices") or {}).values()
        if (device.get("token") or device.get("fid")) and device.get("session_id") and not device.get("retired_at")
    ]
    live.sort(key=lambda device: device["seen_at"], reverse=True)
    if live:
        token = live[0].get("token") or f"fid:{live[0]['fid']}"
        addresses["fcm"] = Address(AddressKind.FCM, token)
    return Reached(addresses, row.get("language") or "ur", live[0]["id"] if live else None, row.get("name") or "")


def _guardian(recipient: Mapping[str, Any]) -> Reached:
    """A guardian of the person `of`. One who has the app under the same number gets its pushes as well."""
    people = PersonDoc._get_collection()
    field = f"guardians.{recipient['id']}"
    owner = people.find_one({"_id": recipient["of"]}, {field: 1}) or {}
    guardian = (owner.get("guardians") or {}).get(recipient["id"])
    if guardian is None or guardian.get("status") == "declined":
        return NOWHERE
    addresses = _numbers(guardian["phone"], silent=bool(guardian.get("silent")))
    device = None
    with_app = people.find_one({"phone": guardian["phone"], "erased_at": None}, _FIELDS)
    if with_app is not None:
        own = _of_row(with_app)
        addresses = {**own.addresses, **addresses}
        device = own.device
    return Reached(addresses, guardian.get("language") or "ur", device, guardian.get("name") or "")


def _unit(recipient: Mapping[str, Any]) -> Reached:
    row = dispatch.units().find_one({"_id": recipient["id"]}, {"phone": 1, "name": 1}) or {}
    return Reached(_numbers(row.get("phone")), "ur", None, row.get("name") or "")


def _challenge(recipient: Mapping[str, Any]) -> Reached:
    row: Any = ChallengeDoc.objects(id=recipient["id"]).first()
    return Reached(_numbers(row.phone), row.language) if row else NOWHERE


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Reached]] = {
    "person": _person,
    "guardian": _guardian,
    "unit": _unit,
    "challenge": _challenge,
}


def reach(recipient: Mapping[str, Any]) -> Reached:
    """The recipient's addresses now; NOWHERE when they are gone."""
    return _KINDS[recipient["kind"]](recipient)
