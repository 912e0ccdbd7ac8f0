"""Memberships: invited, asked for, joined, suspended, left. Each change is one conditional write."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from domain.errors import Conflict, LimitReached
from domain.gatherings import personal as gatherings
from domain.ids import link_token, token_hash
from domain.incidents.errors import TooBusy
from domain.limits import service as limits
from domain.patrols import personal as patrols
from domain.people import sign_in
from domain.watch import queries, sanctions
from domain.watch.errors import (
    GroupClosed,
    GroupFull,
    LeadsTheGroup,
    MemberNotFound,
    RemovedFromGroup,
    RulesNotAccepted,
    Suspended,
)
from domain.watch.queries import Group, Member, groups, member_id, members
from domain.watch.states import GroupRole, GroupStatus, Standing
from domain.watch.writing import Rule, check_active, member, put, stands, take, write

MOST_MEMBERS: Final = 2_000
INVITED_A_DAY: Final = 600
"""By one group: three lists."""
ASKED_A_DAY: Final = 3
"""Invitations that one number gets, from whichever groups: nobody is pestered by way of us."""
_TRIES: Final = 12


def join(
    group: Group, person: str, *, rules_version: int, token: str = "", by_sms: bool = False, now: datetime
) -> Member:
    """Accept the rules and join: at once by an invitation or the group's link, else as a request. Again is harmless; a
    member accepts rules that were written since. `by_sms`: they have no app, and are written to by SMS.

    Raises RulesNotAccepted, RemovedFromGroup, Suspended, GroupClosed, GroupFull.
    """
    check_active(group)
    if rules_version != group["rules_version"]:
        said = ["Read and accept the rules as they stand now."]
        raise RulesNotAccepted("the rules are not accepted", errors={"rules_version": said})
    facts: dict[str, Any] = {"rules_version": rules_version, "by_sms": by_sms}
    by_link = bool(token) and hmac.compare_digest(token_hash(token), group.get("link_hash") or "")

    def rule(held: Member | None) -> Mapping[str, Any]:
        standing = Standing(held["standing"]) if held else None
        if standing == Standing.REMOVED:
            raise RemovedFromGroup("only the coordinator lets them in again")
        if until := sanctions.suspended_until(person, group["_id"], now=now):
            raise Suspended("not before the suspension ends", until=until)
        if held and standing == Standing.MEMBER:
            return facts
        if queries.size(group["_id"]) >= MOST_MEMBERS:
            raise GroupFull("the group is full", retry_after=86_400)
        into = Standing.MEMBER if by_link or standing == Standing.INVITED else Standing.REQUESTED
        return stands(GroupRole.MEMBER, into, **facts)

    return put(group, person, rule, by=person, now=now)


def invite(group: Group, phones: Sequence[str], *, by: str, secret: str, now: datetime) -> int:
    """Ask these numbers to join; who belongs or waits already is left as they are. Returns how many were asked: a number
    that had enough invitations today counts too, since whoever invites learns nothing of it.

    Raises GroupClosed, LimitReached for more than a group invites in a day.
    """
    check_active(group)
    asked, waiting = 0, False
    try:
        for phone in dict.fromkeys(phones):
            limits.take(secret, "group_invites", group["_id"], limit=INVITED_A_DAY, window_s=86_400, now=now)
            person = str(sign_in.person_for(phone, language="ur", now=now, verified=False)["_id"])
            held = queries.membership(group["_id"], person)
            if held is not None and held["standing"] != Standing.REMOVED:
                # One whose list broke off before it was told is told now; who was told is not told again.
                waiting = waiting or held["standing"] == Standing.INVITED
                continue
            asked += 1
            if _asked_enough(secret, phone, now):
                continue
            token = invite_token(secret, member_id(group["_id"], person))
            put(group, person, _invited(token_hash(token)), by=by, now=now)
            waiting = True
    finally:
        if waiting:
            _say_invited(group["_id"], now)
    return asked


def _invited(invite_hash: str) -> Rule:
    def rule(held: Member | None) -> Mapping[str, Any]:
        if held is not None and held["standing"] != Standing.REMOVED:
            return {}  # they asked to come in, or another deputy was quicker
        return stands(GroupRole.MEMBER, Standing.INVITED, invite_hash=invite_hash)

    return rule


def _say_invited(group_id: str, now: datetime) -> None:
    """Lists of two deputies may come at once: the event goes with whatever version stands."""
    for _ in range(_TRIES):
        try:
            write(queries.get(group_id), {"invited_at": now}, now, events=["group.invited"])
            return
        except GroupClosed:
            return
        except Conflict:
            continue
    raise TooBusy("the group kept changing")


def _asked_enough(secret: str, phone: str, now: datetime) -> bool:
    try:
        limits.take(secret, "group_invite", phone, limit=ASKED_A_DAY, window_s=86_400, now=now)
    except LimitReached:
        return True
    return False


def invite_token(secret: str, membership: str) -> str:
    """The token of the page on which whoever was invited reads the rules and answers."""
    return link_token(secret, "watch_invite", membership)


def admit(group: Group, person: str, *, by: str, now: datetime) -> Member:
    """Let somebody in who asked. Again is harmless; raises MemberNotFound."""
    check_active(group)

    def rule(held: Member | None) -> Mapping[str, Any]:
        if held is None:
            raise MemberNotFound("nobody of this group")
        waits = held["standing"] in (Standing.REQUESTED, Standing.REMOVED)
        return stands(GroupRole.MEMBER, Standing.MEMBER) if waits else {}

    return put(group, person, rule, by=by, now=now)


def admit_again(group: Group, person: str, *, by: str, now: datetime) -> None:
    """A suspension is over: they are a member again, where nothing else became of it meanwhile."""

    def rule(held: Member | None) -> Mapping[str, Any]:
        back = held is not None and held["standing"] == Standing.SUSPENDED
        return stands(GroupRole.MEMBER, Standing.MEMBER) if back else {}

    if group["status"] == GroupStatus.ACTIVE:
        put(group, person, rule, by=by, now=now)


def suspend(group: Group, person: str, *, by: str, reason: str, now: datetime) -> None:
    """They are kept out until the sanction ends. The coordinator is not: the group is handed over first."""

    def rule(held: Member | None) -> Mapping[str, Any]:
        here = held is not None and held["standing"] == Standing.MEMBER
        return stands(GroupRole.MEMBER, Standing.SUSPENDED) if here else {}

    if rule(queries.membership(group["_id"], person)) and group["coordinator"] != person:
        take(person, group)
        _off_the_roster(group, person, now)
        put(group, person, rule, by=by, now=now, reason=reason)
        take(person, group)  # what they were given meanwhile


def leave(group: Group, person: str, *, now: datetime) -> None:
    """Go: nothing is kept of the membership, and they are on no roster of the group. Raises LeadsTheGroup for the coordinator
    of an active group.
    """
    if group["coordinator"] == person and group["status"] == GroupStatus.ACTIVE:
        raise LeadsTheGroup("hand the group over, or close it")
    take(person, group)
    _off_the_roster(group, person, now)
    # Else whoever was taken out came in again by the link, and a phone never learned that its group is gone.
    kept = {"$nin": [str(each) for each in (Standing.REMOVED, Standing.SUSPENDED, Standing.CLOSED)]}
    members().delete_one({"_id": member_id(group["_id"], person), "standing": kept})
    take(person, group)  # what they were given meanwhile


def remove(group: Group, person: str, *, by: str, reason: str, now: datetime) -> None:
    """Take a member out, refuse a request, or take an invitation back. Raises MemberNotFound, LeadsTheGroup."""
    if group["coordinator"] == person:
        raise LeadsTheGroup("hand the group over, or close it")
    member(group, person)
    take(person, group)
    _off_the_roster(group, person, now)
    # Who left meanwhile is not kept.
    put(
        group,
        person,
        lambda held: stands(GroupRole.MEMBER, Standing.REMOVED) if held else {},
        by=by,
        now=now,
        reason=reason,
    )
    take(person, group)  # what they were given meanwhile


def _off_the_roster(group: Group, person: str, now: datetime) -> None:
    """Before the membership goes: a step that dies in between is completed by the same call again."""
    patrols.forget(person, group=group["_id"], now=now)
    gatherings.left(person, group["_id"], now=now)


def forget(person: str, *, now: datetime) -> int:
    """Somebody asked to be forgotten: their memberships and sanctions go; of a group that they led the next is asked."""
    groups().update_many(
        {"coordinator": person, "status": str(GroupStatus.ACTIVE)}, {"$set": {"lead_due": now}, "$inc": {"version": 1}}
    )
    sanctions.forget(person)
    return members().delete_many({"person": person}).deleted_count


def sweep(*, now: datetime, limit: int = 1000) -> int:
    """Remove what only told phones that a group is gone; how many went."""
    over = [row["_id"] for row in members().find({"ends_at": {"$lte": now}}, {"_id": 1}).limit(limit)]
    return int(members().delete_many({"_id": {"$in": over}}).deleted_count) if over else 0


def exported(person: str, now: datetime) -> list[dict[str, Any]]:
    """Every membership of a person."""
    names = ("group", "role", "standing", "level", "rules_version", "since")
    return [{name: row.get(name) for name in names} for row in queries.of_person(person)]
