"""From a delivery's recipient (ids only) to the addresses and the language of the moment: read when it is sent.

Numbers and tokens stay with their people; a token or number that died, or a guardian who said no meanwhile, is simply
not there. A push goes to all of somebody's phones (`also`): nobody knows which one is in their hand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from domain.dispatch import queries as dispatch
from domain.dispatch import registry
from domain.people import addresses as people
from domain.people.documents import ChallengeDoc, PersonDoc
from notifications.messages import Address, AddressKind

DEVICES: Final = 3
"""A push goes to so many phones of somebody, those seen last."""


@dataclass(frozen=True)
class Reached:
    """Where somebody can be reached now. `device` is the id of the phone behind the push address; `also` are the push
    addresses of their other phones.
    """

    addresses: Mapping[str, Address] = field(default_factory=dict)
    language: str = "ur"
    device: str | None = None
    name: str = ""
    also: tuple[Address, ...] = ()


NOWHERE = Reached()


def _numbers(
    phone: str | None, retired: people.Retired | None, *, verified_at: datetime | None = None, silent: bool = False
) -> dict[str, Address]:
    kinds = (AddressKind.SMS,) if silent else (AddressKind.SMS, AddressKind.VOICE)
    return {
        str(kind): Address(kind, phone)
        for kind in kinds
        if phone and people.usable(retired, kind, verified_at=verified_at)
    }


_FIELDS = {"phone": 1, "devices": 1, "language": 1, "name": 1, "retired": 1, "trust.verified_phone_at": 1}
_UNIT_FIELDS = {"phone": 1, "name": 1, "retired": 1, "phone_since": 1}


def _person(recipient: Mapping[str, Any]) -> Reached:
    row = PersonDoc._get_collection().find_one({"_id": recipient["id"], "erased_at": None}, _FIELDS)
    return _of_row(row) if row else NOWHERE


def _of_row(row: Mapping[str, Any]) -> Reached:
    """A map, not a document: this is read for every message, and making a document costs more than the read."""
    addresses = _numbers(row.get("phone"), row.get("retired"), verified_at=_verified_at(row))
    live = [
        device
        for device in (row.get("devices") or {}).values()
        if (device.get("token") or device.get("fid")) and device.get("session_id") and not device.get("retired_at")
    ]
    live.sort(key=lambda device: device["seen_at"], reverse=True)
    pushed = [Address(AddressKind.FCM, each.get("token") or f"fid:{each['fid']}") for each in live[:DEVICES]]
    if pushed:
        addresses["fcm"] = pushed[0]
    device = live[0]["id"] if live else None
    return Reached(addresses, row.get("language") or "ur", device, row.get("name") or "", tuple(pushed[1:]))


def _verified_at(row: Mapping[str, Any]) -> datetime | None:
    return (row.get("trust") or {}).get("verified_phone_at")


def _guardian(recipient: Mapping[str, Any]) -> Reached:
    """A guardian of the person `of`. One who has the app under the same number gets its pushes as well."""
    documents = PersonDoc._get_collection()
    field = f"guardians.{recipient['id']}"
    owner = documents.find_one({"_id": recipient["of"]}, {field: 1}) or {}
    guardian = (owner.get("guardians") or {}).get(recipient["id"])
    if guardian is None or guardian.get("status") == "declined":
        return NOWHERE
    with_app = documents.find_one({"phone": guardian["phone"], "erased_at": None}, _FIELDS)
    own = _of_row(with_app) if with_app is not None else NOWHERE
    addresses = _numbers(
        guardian["phone"],
        guardian.get("retired"),
        verified_at=_verified_at(with_app or {}),
        silent=bool(guardian.get("silent")),
    )
    if with_app is not None:  # the same number: what is known of it there holds here
        addresses = {kind: address for kind, address in addresses.items() if kind in own.addresses}
    if "fcm" in own.addresses:
        addresses["fcm"] = own.addresses["fcm"]
    language = guardian.get("language") or "ur"
    return Reached(addresses, language, own.device, guardian.get("name") or "", own.also)


def _unit(recipient: Mapping[str, Any]) -> Reached:
    row = dispatch.units().find_one({"_id": recipient["id"]}, _UNIT_FIELDS) or {}
    numbers = _numbers(row.get("phone"), row.get("retired"), verified_at=row.get("phone_since"))
    return Reached(numbers, "ur", None, row.get("name") or "")


def _challenge(recipient: Mapping[str, Any]) -> Reached:
    row: Any = ChallengeDoc.objects(id=recipient["id"]).first()
    return Reached(_numbers(row.phone, None), row.language) if row else NOWHERE  # a code brings a dead number to life


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Reached]] = {
    "person": _person,
    "guardian": _guardian,
    "unit": _unit,
    "challenge": _challenge,
}


def reach(recipient: Mapping[str, Any]) -> Reached:
    """The recipient's addresses now; NOWHERE when they are gone."""
    return _KINDS[recipient["kind"]](recipient)


def retire(recipient: Mapping[str, Any], kind: str, reason: str, *, tried_at: datetime) -> bool:
    """The carrier says that the recipient's number will never be reached by `kind` (`sms`, `voice`): nothing more goes
    there. `tried_at` is when the message was sent. False when nothing changed.
    """
    if recipient["kind"] == "person":
        return people.retire(recipient["id"], kind, reason, now=tried_at)
    if recipient["kind"] == "guardian":
        return people.retire_guardian(recipient["of"], recipient["id"], kind, reason, now=tried_at)
    if recipient["kind"] == "unit":
        return registry.retire_phone(recipient["id"], kind, reason, now=tried_at)
    return False  # a number that asks for a code belongs to nobody yet
