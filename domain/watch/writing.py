"""The conditional writes of watch groups, and what a role over one is worth. What decides stands in the other files.

Who may act for a group is a role of the person (`domain/permissions.py`), given before the membership says so and taken
away before it: a step that dies between the two leaves nobody with power over a group that they do not lead, and the
same call again completes it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.errors import Conflict
from domain.incidents.errors import TooBusy
from domain.people import queries as people
from domain.watch import queries
from domain.watch.errors import GroupClosed, MemberNotFound
from domain.watch.queries import Group, Member, get, groups, member_id, members
from domain.watch.states import GroupRole, GroupStatus, Level, Standing

_TRIES: Final = 12

Rule = Callable[[Member | None], Mapping[str, Any]]
"""What a membership becomes, of how it stands."""

LEADS: Final = frozenset({GroupRole.COORDINATOR, GroupRole.DEPUTY})


def write(group: Group, changes: Mapping[str, Any], now: datetime, *, events: Sequence[str] = ()) -> Group:
    """Change an active group, with the kinds of events that follow, in one conditional write; {} changes nothing.

    Raises GroupClosed, and Conflict where somebody was quicker.
    """
    if not changes:
        return group
    version = group["version"] + 1
    happened = [
        outbox.event(kind, group["_id"], version=version, now=now, city=group["city"])
        for kind in (
            "group.invited",
            "group.rules_changed",
            "group.led",
            "group.silent",
            "group.successor_asked",
            "group.leaderless",
            "group.closed",
        )
        if kind in events
    ]
    written = outbox.write(groups(), group, changes, happened, now=now, still={"status": str(GroupStatus.ACTIVE)})
    if written is None:
        current = get(group["_id"])
        if current["status"] == GroupStatus.CLOSED:
            raise GroupClosed("the group was closed", current=current["status"])
        raise Conflict("it changed in between", code="group_changed", current=current["version"])
    return written


def check_active(group: Group) -> None:
    """Raises GroupClosed."""
    if group["status"] != GroupStatus.ACTIVE:
        raise GroupClosed("the group was closed", current=group["status"])


def member(group: Group, person: str) -> Member:
    """How somebody stands to the group; raises MemberNotFound."""
    held = queries.membership(group["_id"], person)
    if held is None:
        raise MemberNotFound("nobody of this group")
    return held


def stands(role: GroupRole | str, standing: Standing, **facts: Any) -> dict[str, Any]:
    """What a rule says: how somebody stands from now on. `facts`: what else of the membership is set, such as the version of
    the rules that they accepted.
    """
    return {"role": str(role), "standing": str(standing), **facts}


def belongs(held: Member | None) -> Member:
    """The membership of somebody who is a member; raises MemberNotFound for anybody else."""
    if held is None or held["standing"] != Standing.MEMBER:
        raise MemberNotFound("not a member")
    return held


def put(group: Group, person: str, rule: Rule, *, by: str, now: datetime, reason: str = "") -> Member:
    """Let a rule decide how somebody stands, and write it on the condition that nothing changed meanwhile (docs/adr/0007):
    whoever left or was taken out a moment ago is not brought back. The membership; {} where there is none.

    The rule sees the membership or None, says what is set ({} for nothing), raises to refuse, and may run several times.
    Raises TooBusy when it kept changing.
    """
    key = member_id(group["_id"], person)
    for _ in range(_TRIES):
        held = members().find_one({"_id": key})
        wanted = dict(rule(held))
        if not wanted or (held and all(held.get(name) == value for name, value in wanted.items())):
            return held or {}
        changes = {**wanted, "by": by, "reason": reason, "changed_at": now}
        if wanted.get("standing") == Standing.MEMBER and (held or {}).get("standing") != Standing.MEMBER:
            changes["joined_at"] = now
        if held is None:
            made = {"_id": key, "city": group["city"], "group": group["_id"], "person": person, "since": now}
            made |= {"level": str(Level.PHONE), "version": 1, **changes}
            try:
                members().insert_one(made)
            except DuplicateKeyError:
                continue  # two at once: the other one made it
            return made
        # Who leaves and comes again begins at the first version, but at another time.
        same = {"_id": key, "version": held.get("version"), "since": held.get("since")}
        written = members().find_one_and_update(
            same, {"$set": changes, "$inc": {"version": 1}}, return_document=ReturnDocument.AFTER
        )
        if written is not None:
            return written
    raise TooBusy("the membership kept changing")


def give(person: str, group: Group, role: str) -> None:
    """Let somebody act for the group as `role` of `domain/permissions.py`."""
    # No city beside it: what a group gives is no role of the city's staff, and reaches this group alone.
    held = {"role": str(role), "city": "", "agency_id": "", "group_id": group["_id"]}
    people.collection().update_one({"_id": person}, {"$addToSet": {"roles": held}, "$inc": {"version": 1}})


def take(person: str, group: Group) -> None:
    """Take every role over this group from somebody."""
    people.collection().update_one(
        {"_id": person, "roles.group_id": group["_id"]},
        {"$pull": {"roles": {"group_id": group["_id"]}}, "$inc": {"version": 1}},
    )
