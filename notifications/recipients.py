"""From a delivery's recipient (ids only) to the addresses and the language of the moment: read when it is sent.

Numbers and tokens stay with their people; a token or number that died, or a guardian who said no meanwhile, is simply
not there. A push goes to all of somebody's phones (`also`): nobody knows which one is in their hand.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from domain.dispatch import queries as dispatch
from domain.dispatch import registry
from domain.errors import Gone, NotFound
from domain.helpline import service as helpline
from domain.incidents import service as incidents
from domain.people import addresses as people
from domain.people import reach as reached_by
from domain.people.documents import ChallengeDoc, PersonDoc
from notifications.messages import Address, AddressKind
from notifications.policy import WORKED_FOR, lesson
from runtime.settings import Settings
from runtime.vault import vault

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
    lesson: Mapping[str, Any] = field(default_factory=dict)
    """What reached them last where their phone did not answer, `{channel, device, at}` (`domain/people/reach.py`)."""

    def worked(self, now: datetime) -> str:
        """The channel to begin with; "" where nothing is known, or it was long ago, or they have another phone since."""
        lesson = self.lesson
        recent = bool(lesson) and lesson["at"] + WORKED_FOR > now and lesson.get("device") == self.device
        return str(lesson["channel"]) if recent else ""


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


_FIELDS = {
    **dict.fromkeys(("phone", "devices", "language", "name", "retired", "reached_by"), 1),
    "trust.verified_phone_at": 1,
}
_UNIT_FIELDS = {"phone": 1, "name": 1, "retired": 1, "phone_since": 1}


def _person(recipient: Mapping[str, Any]) -> Reached:
    row = PersonDoc._get_collection().find_one({"_id": recipient["id"], "erased_at": None}, _FIELDS)
    return _of_row(row) if row else NOWHERE


def reach_people(ids: Sequence[str]) -> dict[str, Reached]:
    """Where these people can be reached now, with one read; who is gone is left out."""
    rows = PersonDoc._get_collection().find({"_id": {"$in": list(ids)}, "erased_at": None}, _FIELDS)
    return {row["_id"]: _of_row(row) for row in rows}


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
    language, name = row.get("language") or "ur", row.get("name") or ""
    return Reached(addresses, language, device, name, tuple(pushed[1:]), row.get("reached_by") or {})


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
        silent=bool(guardian.get("silent") or guardian.get("no_calls")),
    )
    if with_app is not None:  # the same number: what is known of it there holds here
        addresses = {kind: address for kind, address in addresses.items() if kind in own.addresses}
    if "fcm" in own.addresses:
        addresses["fcm"] = own.addresses["fcm"]
    language = guardian.get("language") or "ur"
    return Reached(addresses, language, own.device, guardian.get("name") or "", own.also, own.lesson)


def _unit(recipient: Mapping[str, Any]) -> Reached:
    row = dispatch.units().find_one({"_id": recipient["id"]}, _UNIT_FIELDS) or {}
    numbers = _numbers(row.get("phone"), row.get("retired"), verified_at=row.get("phone_since"))
    return Reached(numbers, "ur", None, row.get("name") or "")


def _challenge(recipient: Mapping[str, Any]) -> Reached:
    row: Any = ChallengeDoc.objects(id=recipient["id"]).first()
    return Reached(_numbers(row.phone, None), row.language) if row else NOWHERE  # a code brings a dead number to life


def _caller(recipient: Mapping[str, Any]) -> Reached:
    """Whoever raised an incident, by the phone that it came from: to be rung and put through, never written to."""
    fields = {"citizen.phone": 1, "citizen.person": 1, "citizen.language": 1}
    row = incidents.incidents().find_one({"_id": recipient["id"]}, fields) or {}
    citizen = row.get("citizen") or {}
    own = _person({"id": citizen["person"]}) if citizen.get("person") else NOWHERE
    language = citizen.get("language") or own.language
    if citizen.get("phone"):
        return Reached({"voice": Address(AddressKind.VOICE, citizen["phone"])}, language)
    return Reached({kind: each for kind, each in own.addresses.items() if kind == "voice"}, language)


def _helpline(request_id: str, settings: Settings) -> Reached:
    """Whoever asked the helpline, whom the delivery does not name: who she is stays in the vault. SMS and calls go to
    the number that she gave there, not to the one that she signs in with.
    """
    try:
        doc = helpline.get(request_id)
        told = helpline.opened(doc, vault(settings).box(request_id), ["person", "phone", "push"])
    except (NotFound, Gone):
        return NOWHERE  # erased; where its key is only away for a moment, this is tried again
    own = _person({"id": told["person"]}) if "person" in told else NOWHERE
    addresses = _numbers(told.get("phone"), None)
    if "fcm" in own.addresses:
        addresses["fcm"] = own.addresses["fcm"]
    elif "push" in told:
        addresses["fcm"] = Address(AddressKind.FCM, told["push"])
    return Reached(addresses, doc["language"], None, "", own.also)


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Reached]] = {
    "person": _person,
    "guardian": _guardian,
    "unit": _unit,
    "challenge": _challenge,
    "caller": _caller,
}


def reach(recipient: Mapping[str, Any], settings: Settings) -> Reached:
    """The recipient's addresses now; NOWHERE when they are gone. The settings have the vault's keys."""
    if recipient["kind"] == "helpline":
        return _helpline(recipient["id"], settings)
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


def learn(delivery: Mapping[str, Any], channel: str, *, now: datetime) -> None:
    """A receipt came on `channel`: what it teaches about the person is kept for the next message to them, if anything."""
    if delivery["recipient"]["kind"] != "person":
        return
    found = lesson(delivery, channel)
    if found is not None:
        pushed = [each.get("device") for each in delivery["attempts"].values() if each["channel"] == "fcm"]
        reached_by.learned(delivery["recipient"]["id"], found, device=(pushed or [None])[-1], now=now)


def restore(recipient: Mapping[str, Any], kind: str, *, now: datetime) -> bool:
    """They want to be reached by `kind` again, in their own word. False when nothing changed."""
    if recipient["kind"] == "person":
        return people.restore(recipient["id"], kind, now=now)
    if recipient["kind"] == "guardian":
        return people.restore_guardian(recipient["of"], recipient["id"], kind, now=now)
    if recipient["kind"] == "unit":
        return registry.restore_phone(recipient["id"], kind, now=now)
    return False
