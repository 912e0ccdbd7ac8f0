"""Who leads a group, who stands in, and which police officer is its contact."""

from datetime import datetime

from domain.people import queries as people
from domain.permissions import Role
from domain.watch import queries
from domain.watch.errors import LeadsTheGroup, MemberNotFound
from domain.watch.queries import Group, Member
from domain.watch.rules import SILENT_AFTER
from domain.watch.states import GroupRole, Standing
from domain.watch.writing import LEADS, check_active, give, member, put, take, write


def appoint(group: Group, person: str, role: GroupRole, *, by: str, now: datetime) -> Member:
    """Give a member a role. A new coordinator takes the place of the old one, who is a member from then on."""
    check_active(group)
    held = member(group, person)
    if held["standing"] != Standing.MEMBER:
        raise MemberNotFound("not a member")
    if group["coordinator"] == person and role != GroupRole.COORDINATOR:
        raise LeadsTheGroup("hand the group over first")
    if role == GroupRole.COORDINATOR:
        if group["coordinator"] != person:
            changes = {"coordinator": person, "succession": {}, "lead_due": now + SILENT_AFTER}
            group = write(group, changes, now, events=["group.led"])
        for row in queries.leaders(group["_id"]):
            if row["person"] != person and row["role"] == GroupRole.COORDINATOR:
                take(row["person"], group)
                put(group, row["person"], GroupRole.MEMBER, Standing.MEMBER, by=by, now=now)
    if held["role"] != role:
        take(person, group)
    if role in LEADS:
        give(person, group, role)
    return put(group, person, role, Standing.MEMBER, by=by, now=now)


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
