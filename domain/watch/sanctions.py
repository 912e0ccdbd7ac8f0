"""What moderators impose for a time: a mute, a suspension. It ends by itself, may be lifted, and is appealed against.

A sanction of a group holds there; one without a group holds in the whole city. What an appeal says is answered by somebody
else (`domain/reviews`).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.collection import Collection as Stored
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.errors import Conflict
from domain.watch.documents import SanctionDoc
from domain.watch.errors import Muted, SanctionInvalid, SanctionNotFound, SanctionOver
from domain.watch.states import Sanction

Row = dict[str, Any]
LONGEST: Final = timedelta(days=365)
MOST_OF_A_PERSON: Final = 50
_TRIES: Final = 12


@dataclass(frozen=True)
class Wanted:
    """What is imposed on whom, and why. `group` is empty for the whole city."""

    city: str
    group: str
    person: str
    kind: Sanction
    lasts: timedelta
    reason: str


def sanctions() -> Stored[Row]:
    """The raw collection."""
    found: Stored[Row] = SanctionDoc._get_collection()
    return found


def get(sanction_id: str) -> Row:
    """The sanction as it is stored; raises SanctionNotFound."""
    found = sanctions().find_one({"_id": sanction_id})
    if found is None:
        raise SanctionNotFound("no such sanction")
    return found


def impose(sanction_id: str, wanted: Wanted, *, by: str, now: datetime) -> tuple[Row, bool]:
    """(sanction, whether it is new). The same id again is the same one; of other facts it is a Conflict."""
    if wanted.person == by:
        raise SanctionInvalid("nobody sanctions themselves", errors={"person": ["That is you."]})
    if not timedelta(0) < wanted.lasts <= LONGEST:
        raise SanctionInvalid("for a time", errors={"hours": ["Up to a year."]})
    if wanted.kind == Sanction.SUSPENSION and not wanted.group:
        raise SanctionInvalid("of a group", errors={"kind": ["A suspension is from one group."]})
    until = now + wanted.lasts
    made: Row = {
        "_id": sanction_id,
        "city": wanted.city,
        "group": wanted.group,
        "person": wanted.person,
        "kind": str(wanted.kind),
        "by": by,
        "reason": wanted.reason,
        "at": now,
        "until": until,
        "ends_due": until,
        "changed_at": now,
        "version": 1,
    }
    event = outbox.event("sanction.imposed", sanction_id, version=1, now=now, city=wanted.city)
    try:
        sanctions().insert_one(made | outbox.fields([event], now))
    except DuplicateKeyError:
        held = get(sanction_id)
        same = ("group", "person", "kind", "reason")
        if any(held[name] != made[name] for name in same):
            raise Conflict("this key was used for another sanction", code="idempotency_conflict") from None
        return held, False
    return made, True


def in_force(person: str, city: str, groups: Collection[str], *, now: datetime) -> list[Row]:
    """What holds for somebody in any of these groups, or in the whole city."""
    rows = sanctions().find({"person": person, "until": {"$gt": now}}).sort("until", -1).limit(MOST_OF_A_PERSON)
    return [
        row
        for row in rows
        if not row.get("lifted") and (row["group"] in groups or (not row["group"] and row["city"] == city))
    ]


def check_voice(person: str, city: str, groups: Collection[str], *, now: datetime) -> None:
    """Raises Muted where a sanction keeps somebody from confirming, commenting or flagging there."""
    if held := in_force(person, city, groups, now=now):
        raise Muted("not before the sanction ends", until=held[0]["until"], sanction=held[0]["_id"])


def suspended_until(person: str, group: str, *, now: datetime) -> datetime | None:
    """Until when somebody is kept out of a group; None where they are not."""
    rows = [row for row in in_force(person, "", [group], now=now) if row["kind"] == Sanction.SUSPENSION]
    return rows[0]["until"] if rows else None


def change(sanction_id: str, rule: Callable[[Row], Mapping[str, Any]], *, now: datetime, event: str = "") -> Row:
    """Let a rule say what changes ({} for nothing) and write it in one conditional write, with its event."""
    for _ in range(_TRIES):
        doc = get(sanction_id)
        decided = dict(rule(doc))
        if not decided:
            return doc
        version = doc["version"] + 1
        happened = [
            outbox.event(kind, sanction_id, version=version, now=now, city=doc["city"])
            for kind in ("sanction.ended", "sanction.appealed", "sanction.heard")
            if kind == event
        ]
        written = outbox.write(sanctions(), doc, decided, happened, now=now)
        if written is not None:
            return written
    raise Conflict("the sanction kept changing", code="changed_meanwhile")


def lift(sanction_id: str, *, by: str, reason: str, now: datetime) -> Row:
    """End it before its time, with a reason. Again is harmless; one that has ended stays so."""

    def rule(doc: Row) -> Mapping[str, Any]:
        if doc.get("lifted") or doc["until"] <= now:
            return {}
        return {"lifted": {"by": by, "at": now, "reason": reason}, "ends_due": now}

    return change(sanction_id, rule, now=now, event="sanction.ended")


def appeal(sanction_id: str, person: str, reason: str, *, now: datetime) -> Row:
    """Whoever it is imposed on says why it should not be; once. Raises SanctionNotFound, SanctionOver."""

    def rule(doc: Row) -> Mapping[str, Any]:
        if doc["person"] != person:
            raise SanctionNotFound("no such sanction")
        if doc.get("appeal"):
            if doc["appeal"]["reason"] == reason:
                return {}
            raise SanctionOver("the appeal was made", current="appealed")
        if doc.get("lifted") or doc["until"] <= now:
            raise SanctionOver("it has ended", current="ended")
        return {"appeal": {"reason": reason, "at": now}}

    return change(sanction_id, rule, now=now, event="sanction.appealed")


def heard(sanction_id: str, *, upheld: bool, by: str, reason: str, now: datetime) -> Row:
    """Somebody else has answered the appeal: it stands (`upheld`), or ends now. Again is harmless."""

    def rule(doc: Row) -> Mapping[str, Any]:
        held = dict(doc.get("appeal") or {})
        if not held or held.get("answered_at"):
            return {}
        made: dict[str, Any] = {"appeal": {**held, "upheld": upheld, "answered_at": now, "answer": reason}}
        if not upheld and not doc.get("lifted") and doc["until"] > now:
            made |= {"lifted": {"by": by, "at": now, "reason": reason}, "ends_due": now}
        return made

    return change(sanction_id, rule, now=now, event="sanction.heard")


def ended(*, now: datetime, limit: int = 100) -> list[Row]:
    """Sanctions whose time is over and whose effects are not yet taken back."""
    return list(sanctions().find({"ends_due": {"$lte": now}}).sort("ends_due", 1).limit(limit))


def settled(row: Row) -> None:
    """What it changed was changed back."""
    sanctions().update_one({"_id": row["_id"], "ends_due": row["ends_due"]}, {"$unset": {"ends_due": ""}})


def of_person(person: str, *, before: datetime | None = None, limit: int) -> list[Row]:
    """What was imposed on somebody, the latest end first; one more than `limit` where there are."""
    until = {"$lt": before} if before else {"$exists": True}
    return list(sanctions().find({"person": person, "until": until}).sort("until", -1).limit(limit + 1))


def exported(person: str, now: datetime) -> list[dict[str, Any]]:
    """Everything that was imposed on a person, but by whom."""
    names = ("group", "kind", "reason", "at", "until", "appeal")
    return [
        {name: row.get(name) for name in names}
        | {"lifted": {name: row["lifted"][name] for name in ("at", "reason")} if row.get("lifted") else None}
        for row in of_person(person, limit=1000)
    ]


def of_group(group: str, *, before: datetime | None, limit: int) -> list[Row]:
    """What a group's moderators imposed, newest first; one more than `limit` where there are."""
    at = {"$lt": before} if before else {"$exists": True}
    return list(sanctions().find({"group": group, "at": at}).sort("at", -1).limit(limit + 1))


def forget(person: str) -> None:
    """What was imposed on somebody goes with them."""
    sanctions().delete_many({"person": person})
