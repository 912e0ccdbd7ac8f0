"""Which group a request is about, and how the caller sees it."""

from collections.abc import Mapping
from typing import Any

from api.blueprint import Call
from domain import permissions
from domain.errors import NotFound
from domain.people import queries as people
from domain.permissions import Target
from domain.watch import queries
from domain.watch.errors import GroupClosed, GroupNotFound
from domain.watch.queries import Group, Member
from domain.watch.states import GroupStatus, Standing

READ, JOIN, LEAD, MODERATE = "watch.read", "watch.join", "watch.coordinate", "watch.moderate"


def group_view(group: Group, held: Member | None, *, whole: bool = True) -> dict[str, Any]:
    """A group as somebody sees it; in lists without area and rules. `accept_rules`: they were written anew since the
    member accepted them.
    """
    view = {**group, "id": group["_id"]}
    if held:
        belongs = held["standing"] == Standing.MEMBER
        view |= {"standing": held["standing"], "role": held.get("role") if belongs else None}
        view |= {"level": held.get("level") if belongs else None}
        view["accept_rules"] = belongs and (held.get("rules_version") or 0) < group["rules_version"]
    if not whole:
        return {name: value for name, value in view.items() if name not in ("area", "rules")}
    return view


def shown(call: Call, group: Group) -> dict[str, Any]:
    """The whole group, with how the caller stands to it, whether it asks them to lead it, and its police liaison."""
    held = queries.membership(group["_id"], call.who.person_id)
    view = group_view(group, held) | {"members": queries.size(group["_id"])}
    view["lead_asked"] = (group.get("succession") or {}).get("asked") == call.who.person_id
    if group.get("liaison"):
        view["liaison_name"] = people.name(group["liaison"])
    return view


def active(group_id: str) -> Group:
    """The group, unless it was closed. Raises GroupNotFound."""
    group = queries.get(group_id)
    if group["status"] != GroupStatus.ACTIVE:
        raise GroupNotFound("no such group")
    return group


def led(call: Call, group_id: str, action: str = LEAD) -> Group:
    """The group, for whoever may lead (or moderate) it. Raises NotFound for everybody else."""
    group = queries.get(group_id)
    call.require_reach(action, Target(city=group["city"], group_id=group_id))
    return group


def reached(call: Call, group_id: str, *, leads: bool = False) -> Group:
    """The group, for its members and those who look after it; or (`leads`), while it is not closed, for those who lead
    it. Raises GroupNotFound, GroupClosed.
    """
    if leads:
        group = led(call, group_id)
        if group["status"] != GroupStatus.ACTIVE:
            raise GroupClosed("the group was closed", current=group["status"])
        return group
    group = queries.get(group_id)
    if belongs(call, group_id) or permissions.reaches(call.who, READ, Target(city=group["city"], group_id=group_id)):
        return group
    raise GroupNotFound("no such group")


def group_of(
    call: Call, doc: Mapping[str, Any], unknown: NotFound, *, leads: bool = False, member: bool = False
) -> Group:
    """The group that a beat, a patrol or a gathering is of, for whom `reached` gives it; `member`: only for members.
    Raises `unknown` where it is not theirs, and GroupClosed.
    """
    try:
        group = reached(call, doc["group"], leads=leads)
    except GroupNotFound:
        raise unknown from None
    if member and not belongs(call, doc["group"]):
        raise unknown
    return group


def belongs(call: Call, group_id: str) -> bool:
    """Whether the caller is a member."""
    held = queries.membership(group_id, call.who.person_id)
    return bool(held and held["standing"] == Standing.MEMBER)
