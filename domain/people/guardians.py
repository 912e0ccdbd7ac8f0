"""Guardians: named by a person, asked by link, told of an SOS. Who said no is never told again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import outbox
from domain.errors import NotFound
from domain.ids import derived_id, token_hash
from domain.limits import service as limits
from domain.people import codes, events, queries, rules
from domain.people.documents import PersonDoc
from domain.people.errors import GuardianInvalid, GuardianSaidNo, LinkOver, TooManyGuardians
from domain.people.states import GUARDIAN_MOVES, GuardianStatus


@dataclass(frozen=True)
class Invitation:
    """What a guardian's page shows: who asks, and what was answered so far."""

    person_id: str
    guardian_id: str
    person_name: str
    guardian_name: str
    language: str
    status: GuardianStatus


def add(
    person: Any, name: str, phone: str, *, language: str, silent: bool, secret: str, now: datetime
) -> tuple[Any, bool]:
    """(guardian, whether it is new). The same number is the same guardian, so a retry adds nobody and sends nothing."""
    if phone == person.phone:
        raise GuardianInvalid("your own number", errors={"phone": ["That is your own number."]})
    guardian_id = derived_id("gua", person.id, phone)
    if held := person.guardians.get(guardian_id):
        if held.status == GuardianStatus.DECLINED:
            raise GuardianSaidNo("they said no; only they can change that")
        return held, False
    if len(person.guardians) >= rules.MAX_GUARDIANS:
        raise TooManyGuardians(f"at most {rules.MAX_GUARDIANS}")
    limits.take(secret, "guardian_invite", phone, limit=rules.INVITES_PER_PHONE_DAY, window_s=86400, now=now)
    token = codes.guardian_token(secret, person.id, guardian_id, 0)
    row = {
        "id": guardian_id,
        "name": name,
        "phone": phone,
        "language": language,
        "status": str(GuardianStatus.INVITED),
        "silent": silent,
        "generation": 0,
        "link_hash": token_hash(token),
        "invited_at": now,
    }
    queries.collection().update_one(
        {"_id": person.id, f"guardians.{guardian_id}": {"$exists": False}, "erased_at": None},
        outbox.merge(
            {
                "$set": {f"guardians.{guardian_id}": row, "changed_at": now},
                "$addToSet": {"guardian_links": token_hash(token)},
                "$inc": {"version": 1},
            },
            outbox.pending([events.guardian_invited(person, guardian_id, 0, now=now)], now),
        ),
    )
    return queries.get(person.id).guardians[guardian_id], True


def remove(person_id: str, guardian_id: str, *, now: datetime) -> None:
    """Take a guardian away; their link dies. Raises NotFound."""
    person = queries.get(person_id)
    held = person.guardians.get(guardian_id)
    if held is None:
        raise NotFound("no such guardian")
    queries.collection().update_one(
        {"_id": person_id},
        {
            "$unset": {f"guardians.{guardian_id}": ""},
            "$pull": {"guardian_links": held.link_hash},
            "$set": {"changed_at": now},
            "$inc": {"version": 1},
        },
    )


def invitation(token: str, *, now: datetime) -> Invitation:
    """Who asks, by the link's token. Raises LinkOver. A no can be said for as long as the guardian stands there."""
    person, guardian = _behind(token)
    if guardian.status == GuardianStatus.INVITED and now - guardian.invited_at > rules.GUARDIAN_LINK_FOR:
        raise LinkOver("the link is over")
    return Invitation(
        person_id=person.id,
        guardian_id=guardian.id,
        person_name=person.name or "",
        guardian_name=guardian.name,
        language=guardian.language,
        status=GuardianStatus(guardian.status),
    )


def answer(token: str, says: GuardianStatus, *, now: datetime) -> Invitation:
    """Yes or no, by link; the same answer twice is no error. Raises LinkOver."""
    asked = invitation(token, now=now)
    if says != asked.status and says in GUARDIAN_MOVES[asked.status]:
        at = f"guardians.{asked.guardian_id}"
        queries.collection().update_one(
            {"_id": asked.person_id, f"{at}.status": str(asked.status)},
            {
                "$set": {f"{at}.status": str(says), f"{at}.answered_at": now, "changed_at": now},
                "$inc": {"version": 1},
            },
        )
    return invitation(token, now=now)


def wish_no_calls(person_id: str, guardian_id: str) -> None:
    """A guardian asks not to be rung, only written to. It changes nothing that the person who named them sees."""
    queries.collection().update_one(
        {"_id": person_id, f"guardians.{guardian_id}": {"$exists": True}},
        {"$set": {f"guardians.{guardian_id}.no_calls": True}},
    )


def _behind(token: str) -> tuple[Any, Any]:
    hashed = token_hash(token)
    person: Any = PersonDoc.objects(guardian_links=hashed, erased_at=None).first()
    for guardian in person.guardians.values() if person else ():
        if guardian.link_hash == hashed:
            return person, guardian
    raise LinkOver("the link is over")
