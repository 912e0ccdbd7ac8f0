"""From a delivery's recipient (ids only) to the addresses and the language of the moment: read when it is sent.

Numbers and tokens stay with their people; a token that died or a guardian who said no meanwhile is simply not there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.dispatch import queries as dispatch
from domain.people import queries as people
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


def _person(recipient: Mapping[str, Any]) -> Reached:
    person: Any = PersonDoc.objects(id=recipient["id"], erased_at=None).first()
    if person is None:
        return NOWHERE
    addresses = _numbers(person.phone)
    live = [
        device
        for device in person.devices.values()
        if (device.token or device.fid) and device.session_id and not device.retired_at
    ]
    live.sort(key=lambda device: device.seen_at, reverse=True)
    if live:
        token = live[0].token or f"fid:{live[0].fid}"
        addresses["fcm"] = Address(AddressKind.FCM, token)
    return Reached(addresses, person.language or "ur", live[0].id if live else None, person.name or "")


def _guardian(recipient: Mapping[str, Any]) -> Reached:
    """A guardian of the person `of`. One who has the app under the same number gets its pushes as well."""
    owner: Any = PersonDoc.objects(id=recipient["of"]).only("guardians").first()
    guardian = owner.guardians.get(recipient["id"]) if owner else None
    if guardian is None or guardian.status == "declined":
        return NOWHERE
    addresses = _numbers(guardian.phone, silent=guardian.silent)
    device = None
    with_app = people.by_phone(guardian.phone)
    if with_app is not None:
        own = _person({"id": with_app.id})
        addresses = {**own.addresses, **addresses}
        device = own.device
    return Reached(addresses, guardian.language, device, guardian.name)


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
