"""Who leads a group, who stands in, and which police officer is its contact."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.people import queries as people
from domain.permissions import Role
from domain.watch import queries
from domain.watch.errors import LeadsTheGroup, MemberNotFound
from domain.watch.queries import Group, Member
from domain.watch.rules import SILENT_AFTER
from domain.watch.states import GroupRole, Standing
from domain.watch.writing import LEADS, belongs, check_active, give, member, put, stands, take, write


def appoint(group: Group, person: str, role: GroupRole, *, by: str, now: datetime) -> Member:
    """Give a member a role. A new coordinator takes the place of the old one, who is a member from then on."""
    check_active(group)
    held, before = belongs(member(group, person)), group["coordinator"]
    if group["coordinator"] == person and role != GroupRole.COORDINATOR:
        raise LeadsTheGroup("hand the group over first")
    if role == GroupRole.COORDINATOR:
        if group["coordinator"] != person:
            changes = {"coordinator": person, "succession": {}, "lead_due": now + SILENT_AFTER}
            group = write(group, changes, now, events=["group.led"])
        for row in queries.leaders(group["_id"]):
            if row["person"] != person and row["role"] == GroupRole.COORDINATOR:
                take(row["person"], group)
                put(group, row["person"], _led, by=by, now=now)
    if held["role"] != role:
        take(person, group)
    if role in LEADS:
        give(person, group, role)

    def rule(held: Member | None) -> Mapping[str, Any]:
        belongs(held)
        return stands(role, Standing.MEMBER)

    try:
        return put(group, person, rule, by=by, now=now)
    except MemberNotFound:  # they left, or were taken out, meanwhile
        take(person, group)
        if role == GroupRole.COORDINATOR and before != person:
            appoint(queries.get(group["_id"]), before, role, by=by, now=now)
        raise


def _led(held: Member | None) -> Mapping[str, Any]:
    """Who led the group is a member from now on, where nothing else became of it meanwhile."""
    leads = held is not None and (held["standing"], held["role"]) == (Standing.MEMBER, GroupRole.COORDINATOR)
    return stands(GroupRole.MEMBER, Standing.MEMBER) if leads else {}


def name_liaison(group: Group, person: str, *, now: datetime) -> Group:
    """Let a police officer be the group's contact, in the place of the one before; "" takes the contact away.

    A liaison sees what the group reports, with exact places (`watch.exact`), and never who its members are.
    """
    check_active(group)
    if person:
        people.get(person)
    before = group.get("liaison") or ""
    if before and before != person:
        take(before, group)
    if person:
        give(person, group, Role.LIAISON)
    return write(group, {"liaison": person}, now) if before != person else group
