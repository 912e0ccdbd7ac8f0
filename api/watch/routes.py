"""Watch groups: founding, finding, joining, leading, leaving and closing them."""

from typing import Any

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.paging import Listed
from api.watch import schemas
from domain.cities import queries as cities
from domain.errors import Invalid
from domain.people import queries as people
from domain.permissions import Target
from domain.watch import queries, service
from domain.watch.errors import GroupNotFound
from domain.watch.queries import Group, Member
from domain.watch.states import GroupRole, GroupStatus, Standing

blp = Blueprint(
    "watch", __name__, url_prefix="/v1/watch/groups", description="Neighbours who look after their streets."
)

READ, JOIN, LEAD = "watch.read", "watch.join", "watch.coordinate"


def group_view(group: Group, held: Member | None, *, whole: bool = True) -> dict[str, Any]:
    """A group as somebody sees it; in lists without area and rules."""
    view = {**group, "id": group["_id"]}
    if held:
        view |= {"standing": held["standing"], "role": held["role"] if held["standing"] == Standing.MEMBER else None}
    if not whole:
        return {name: value for name, value in view.items() if name not in ("area", "rules")}
    return view


def _shown(call: Call, group: Group) -> dict[str, Any]:
    held = queries.membership(group["_id"], call.who.person_id)
    return group_view(group, held) | {"members": queries.size(group["_id"])}


def _active(group_id: str) -> Group:
    group = queries.get(group_id)
    if group["status"] != GroupStatus.ACTIVE:
        raise GroupNotFound("no such group")
    return group


def _led(call: Call, group_id: str) -> Group:
    """The group, for whoever leads it. Raises NotFound for everybody else."""
    group = queries.get(group_id)
    call.require_reach(LEAD, Target(city=group["city"], group_id=group_id))
    return group


@blp.endpoint(
    "POST ",
    permission=JOIN,
    body=schemas.NewGroup,
    answer=schemas.GroupAnswer,
    status=201,
    creates=True,
    also={409: "The key was used for another group.", 429: "Three groups are led already."},
)
def found(call: Call) -> Any:
    """Found a group; whoever founds it is its coordinator."""
    group, fresh = service.found(
        call.new_id("grp"), call.body, by=call.who.person_id, fingerprint=call.fingerprint, now=call.now
    )
    return _shown(call, group), 201 if fresh else 200


@blp.endpoint("GET ", permission=READ, query=schemas.GroupsQuery, answer=schemas.GroupAnswer, paged=True)
def list_groups(call: Call) -> Any:
    """One's own groups, invitations and requests; or, with lat and lon, the groups around a point."""
    lat, lon = call.query.get("lat"), call.query.get("lon")
    held = {row["group"]: row for row in queries.of_person(call.who.person_id)}
    if lat is None and lon is None:
        rows = queries.some(list(held))
    elif lat is None or lon is None:
        raise Invalid("half a point", errors={"lat": ["Both lat and lon."]})
    else:
        city = cities.city_at(lat, lon)
        rows = queries.around(city, lat, lon, limit=call.limit) if city else []
    after = call.after(str)
    rows = [row for row in rows if not after or row["_id"] > after[0]]
    page = rows[: min(call.limit, 20)]
    more = [page[-1]["_id"]] if page and len(rows) > len(page) else None
    return Listed([group_view(row, held.get(row["_id"]), whole=False) for row in page], more)


@blp.endpoint("GET /<group_id>", permission=READ, answer=schemas.GroupAnswer, etag=True)
def read(call: Call, group_id: str) -> Any:
    """A group, its area and its rules: what one reads before joining."""
    group = queries.get(group_id)
    return _shown(call, group if group["coordinator"] == call.who.person_id else _active(group_id))


@blp.endpoint(
    "PATCH /<group_id>",
    permission=LEAD,
    body=schemas.GroupFields,
    answer=schemas.GroupAnswer,
    also={409: "Closed, or changed by somebody else.", 412: "If-Match is not the version that stands."},
)
def change(call: Call, group_id: str) -> Any:
    """Change a group. New rules count for who joins from now on."""
    group = _led(call, group_id)
    call.require_match(group["version"])
    audited(call, group["city"], "group.changed", group_id)
    return _shown(call, service.change(group, call.body, now=call.now))


@blp.endpoint("POST /<group_id>/close", permission=LEAD, answer=schemas.GroupAnswer, also={404: "Not its coordinator."})
def close(call: Call, group_id: str) -> Any:
    """Close a group: its memberships are erased. Again is harmless."""
    group = _led(call, group_id)
    if group["coordinator"] != call.who.person_id:
        raise GroupNotFound("not its coordinator")
    audited(call, group["city"], "group.closed", group_id)
    return _shown(call, service.close(group, now=call.now))


@blp.endpoint("POST /<group_id>/link", permission=LEAD, answer=schemas.GroupLink, also={409: "Closed."})
def renew_link(call: Call, group_id: str) -> Any:
    """A new link for neighbours to join by; the old one opens nothing any more."""
    group = _led(call, group_id)
    audited(call, group["city"], "group.link_renewed", group_id)
    return {"token": service.renew_link(group, call.services.settings.signing_key, now=call.now)[1]}


@blp.endpoint(
    "POST /<group_id>/members",
    permission=JOIN,
    body=schemas.GroupJoin,
    answer=schemas.GroupAnswer,
    also={403: "Taken out by the coordinator.", 409: "Closed.", 429: "Full."},
)
def join(call: Call, group_id: str) -> Any:
    """Accept the rules and join: at once with the link or an invitation, else once the coordinator says yes."""
    group = _active(group_id)
    who, body = call.who.person_id, call.body
    service.join(group, who, rules_version=body["rules_version"], token=body["link"], now=call.now)
    return _shown(call, group)


@blp.endpoint(
    "POST /<group_id>/invitations",
    permission=LEAD,
    body=schemas.GroupInvitations,
    answer=schemas.GroupInvited,
    also={409: "Closed."},
)
def invite(call: Call, group_id: str) -> Any:
    """Ask numbers to join, from a list."""
    group = _led(call, group_id)
    audited(call, group["city"], "group.invited", group_id)
    return {"invited": service.invite(group, call.body["phones"], by=call.who.person_id, now=call.now)}


@blp.endpoint(
    "GET /<group_id>/members",
    permission=LEAD,
    query=schemas.GroupMembersQuery,
    answer=schemas.GroupMember,
    paged=True,
    caution=False,
)
def list_members(call: Call, group_id: str) -> Any:
    """Who belongs to the group, asked, or was invited; for those who lead it. Never a number."""
    group = _led(call, group_id)
    audited(call, group["city"], "group.members_read", group_id)
    after = call.after(str)
    rows = queries.members_of(group_id, call.query["standing"], after=after[0] if after else "", limit=call.limit + 1)
    page = rows[: call.limit]
    names = people.collection().find({"_id": {"$in": [row["person"] for row in page]}}, {"name": 1})
    named = {row["_id"]: row.get("name") or "" for row in names}
    items = [{**row, "name": named.get(row["person"], "")} for row in page]
    return Listed(items, [page[-1]["_id"]] if len(rows) > call.limit else None)


@blp.endpoint(
    "POST /<group_id>/members/<person_id>/admit",
    permission=LEAD,
    answer=schemas.GroupMember,
    also={409: "Closed."},
)
def admit(call: Call, group_id: str, person_id: str) -> Any:
    """Let somebody in who asked."""
    group = _led(call, group_id)
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
    group = _led(call, group_id)
    if group["coordinator"] != call.who.person_id and group["coordinator"] != person_id:
        raise GroupNotFound("not its coordinator")
    role: GroupRole = call.body["role"]
    audited(call, group["city"], "group.appointed", group_id)
    return _member_view(service.appoint(group, person_id, role, by=call.who.person_id, now=call.now))


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
        service.leave(queries.get(group_id), call.who.person_id)
        return None, 204
    group = _led(call, group_id)
    if not call.query["reason"]:
        raise Invalid("a reason is needed", errors={"reason": ["Why are they taken out?"]})
    audited(call, group["city"], "group.removed", group_id, call.query)
    service.remove(group, person_id, by=call.who.person_id, reason=call.query["reason"], now=call.now)
    return None, 204


def _member_view(row: Member) -> dict[str, Any]:
    person = people.collection().find_one({"_id": row["person"]}, {"name": 1}) or {}
    return {**row, "name": person.get("name") or ""}
