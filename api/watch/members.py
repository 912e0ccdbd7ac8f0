"""Members of watch groups: joining, inviting, being known, leading, leaving."""

from typing import Any, Final

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.paging import Listed, cut
from api.watch import schemas
from api.watch.access import JOIN, LEAD, active, led, shown
from domain.errors import Invalid
from domain.people import queries as people
from domain.watch import leading, levels, lists, queries, service
from domain.watch.errors import GroupNotFound
from domain.watch.queries import Member
from domain.watch.states import GroupRole, Standing

blp = Blueprint("watch_members", __name__, url_prefix="/v1/watch/groups", description="Who belongs to a watch group.")

SHOWN: Final = 15
"""Rows of a page at most: with names in Urdu they fit in 8 KiB, since whoever leads a group has a phone as its members do."""


@blp.endpoint(
    "POST /<group_id>/members",
    permission=JOIN,
    body=schemas.GroupJoin,
    answer=schemas.GroupAnswer,
    also={403: "Taken out by the coordinator.", 409: "Closed.", 429: "Full."},
)
def join(call: Call, group_id: str) -> Any:
    """Accept the rules and join: at once with the link or an invitation, else once the coordinator says yes. A member
    accepts rules that were written anew the same way.
    """
    group = active(group_id)
    who, body = call.who.person_id, call.body
    service.join(group, who, rules_version=body["rules_version"], token=body["link"], now=call.now)
    return shown(call, group)


@blp.endpoint(
    "POST /<group_id>/invitations",
    permission=LEAD,
    body=schemas.GroupInvitations,
    answer=schemas.GroupInvited,
    also={409: "Closed.", 429: "More than a group invites in a day."},
)
def invite(call: Call, group_id: str) -> Any:
    """Ask numbers to join by SMS, from a list in JSON or CSV. What cannot be read is named by its line, and keeps nobody
    else from being asked. The answer is the same for a number that is with Amaan already.
    """
    group, body = led(call, group_id), call.body
    if (body.get("csv") is None) == (body.get("phones") is None):
        raise Invalid("one list", errors={"phones": ["Either phones or csv."]})
    read = lists.from_csv(body["csv"]) if body.get("csv") is not None else lists.from_rows(body["phones"])
    audited(call, group["city"], "group.invited", group_id)
    secret = call.services.settings.signing_key
    asked = service.invite(group, read.phones, by=call.who.person_id, secret=secret, now=call.now)
    call.services.enqueue("drain", "watch_groups", group_id)
    bad = [{"line": line, "problem": problem} for line, problem in read.bad[: lists.MOST_TOLD]]
    return {"invited": asked, "bad": bad, "bad_rows": len(read.bad)}


@blp.endpoint(
    "GET /<group_id>/members",
    permission=LEAD,
    query=schemas.GroupMembersQuery,
    answer=schemas.GroupMember,
    paged=True,
)
def list_members(call: Call, group_id: str) -> Any:
    """Who belongs to the group, asked, or was invited; for those who lead it. Never a number."""
    group = led(call, group_id)
    audited(call, group["city"], "group.members_read", group_id)
    after, limit = call.after(str), min(call.limit, SHOWN)
    rows = queries.members_of(group_id, call.query["standing"], after=after[0] if after else "", limit=limit + 1)
    page, more = cut(rows, limit, "_id")
    # Whoever was only invited has told this group nothing: their name would say that a number is with Amaan.
    names = people.names(row["person"] for row in page if row["standing"] != Standing.INVITED)
    items = [{**row, "name": names.get(row["person"], "")} for row in page]
    return Listed(items, more)


@blp.endpoint(
    "POST /<group_id>/members/<person_id>/admit",
    permission=LEAD,
    answer=schemas.GroupMember,
    also={409: "Closed."},
)
def admit(call: Call, group_id: str, person_id: str) -> Any:
    """Let somebody in who asked."""
    group = led(call, group_id)
    audited(call, group["city"], "group.admitted", group_id)
    return _member_view(service.admit(group, person_id, by=call.who.person_id, now=call.now))


@blp.endpoint(
    "PUT /<group_id>/members/<person_id>/role",
    permission=LEAD,
    body=schemas.GroupRoleBody,
    answer=schemas.GroupMember,
    also={409: "The coordinator hands the group over first; or it is closed."},
)
def appoint(call: Call, group_id: str, person_id: str) -> Any:
    """Make a member a deputy, a member again, or the coordinator in one's own place; the coordinator does it."""
    group = led(call, group_id)
    if group["coordinator"] != call.who.person_id and group["coordinator"] != person_id:
        raise GroupNotFound("not its coordinator")
    role: GroupRole = call.body["role"]
    audited(call, group["city"], "group.appointed", group_id)
    held = leading.appoint(group, person_id, role, by=call.who.person_id, now=call.now)
    call.services.enqueue("drain", "watch_groups", group_id)
    return _member_view(held)


@blp.endpoint(
    "DELETE /<group_id>/members/<person_id>",
    permission=JOIN,
    query=schemas.GroupRemoveQuery,
    status=204,
    also={409: "The coordinator hands the group over, or closes it, first."},
)
def remove(call: Call, group_id: str, person_id: str) -> Any:
    """Leave (`me`, or one's own id): nothing is kept. Those who lead take somebody out, with a reason."""
    if person_id in ("me", call.who.person_id):
        service.leave(queries.get(group_id), call.who.person_id, now=call.now)
        return None, 204
    group = led(call, group_id)
    if not call.query["reason"]:
        raise Invalid("a reason is needed", errors={"reason": ["Why are they taken out?"]})
    audited(call, group["city"], "group.removed", group_id, call.query)
    service.remove(group, person_id, by=call.who.person_id, reason=call.query["reason"], now=call.now)
    return None, 204


@blp.endpoint(
    "POST /<group_id>/members/<person_id>/vouch",
    permission=LEAD,
    answer=schemas.GroupMember,
    also={409: "Closed."},
)
def vouch(call: Call, group_id: str, person_id: str) -> Any:
    """Say that one knows this member: their level is shown to those who lead the group, and keeps nobody out."""
    group = led(call, group_id)
    audited(call, group["city"], "group.vouched", group_id)
    return _member_view(levels.vouch(group, person_id, by=call.who.person_id, now=call.now))


@blp.endpoint(
    "POST /<group_id>/members/<person_id>/door-code",
    permission=LEAD,
    answer=schemas.GroupDoorCode,
    also={409: "Closed."},
)
def door_code(call: Call, group_id: str, person_id: str) -> Any:
    """A code to put into a member's letter box; told once, and the one before it is worth nothing any more."""
    group = led(call, group_id)
    audited(call, group["city"], "group.door_code_made", group_id)
    secret = call.services.settings.signing_key
    return {"code": levels.door_code(group, person_id, by=call.who.person_id, secret=secret, now=call.now)}


@blp.endpoint(
    "POST /<group_id>/address",
    permission=JOIN,
    body=schemas.GroupDoorCode,
    answer=schemas.GroupAnswer,
    also={409: "Closed.", 429: "Five tries a day."},
)
def at_the_door(call: Call, group_id: str) -> Any:
    """Give back the code from one's letter box: the group knows that one lives there."""
    group = active(group_id)
    secret = call.services.settings.signing_key
    levels.at_the_door(group, call.who.person_id, call.body["code"], secret=secret, now=call.now)
    return shown(call, group)


def _member_view(row: Member) -> dict[str, Any]:
    return {**row, "name": people.name(row["person"]) if row["standing"] != Standing.INVITED else ""}
