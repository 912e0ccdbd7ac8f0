"""Watch groups: founding, finding, changing and closing them."""

from typing import Any

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.paging import Listed, cut
from api.watch import schemas
from api.watch.access import JOIN, LEAD, READ, active, group_view, led, shown
from domain.cities import queries as cities
from domain.errors import Invalid
from domain.people import staff
from domain.permissions import Target
from domain.watch import founding, leading, queries, succession
from domain.watch.errors import GroupNotFound
from domain.watch.queries import Group
from domain.watch.states import GroupStatus

blp = Blueprint(
    "watch", __name__, url_prefix="/v1/watch/groups", description="Neighbours who look after their streets."
)


def _told(call: Call, group: Group) -> dict[str, Any]:
    if group.get("pending_events"):
        call.services.enqueue("drain", "watch_groups", group["_id"])
    return shown(call, group)


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
    group, fresh = founding.found(
        call.new_id("grp"), call.body, by=call.who.person_id, fingerprint=call.fingerprint, now=call.now
    )
    return shown(call, group), 201 if fresh else 200


@blp.endpoint("GET ", permission=READ, query=schemas.GroupsQuery, answer=schemas.GroupAnswer, paged=True)
def list_groups(call: Call) -> Any:
    """One's own groups, invitations and requests; or, with lat and lon, the groups around a point."""
    lat, lon = call.query.get("lat"), call.query.get("lon")
    held = {row["group"]: row for row in queries.of_person(call.who.person_id)}
    if lat is None and lon is None:
        rows = [row for row in queries.some(list(held)) if row["status"] == GroupStatus.ACTIVE]
    elif lat is None or lon is None:
        raise Invalid("half a point", errors={"lat": ["Both lat and lon."]})
    else:
        city = cities.city_at(lat, lon)
        rows = queries.around(city, lat, lon, limit=call.limit) if city else []
    after = call.after(str)
    rows = [row for row in rows if not after or row["_id"] > after[0]]
    page, more = cut(rows, min(call.limit, 20), "_id")
    return Listed([group_view(row, held.get(row["_id"]), whole=False) for row in page], more)


@blp.endpoint("GET /<group_id>", permission=READ, answer=schemas.GroupAnswer, etag=True)
def read(call: Call, group_id: str) -> Any:
    """A group, its area and its rules: what one reads before joining."""
    group = queries.get(group_id)
    return shown(call, group if group["coordinator"] == call.who.person_id else active(group_id))


@blp.endpoint(
    "PATCH /<group_id>",
    permission=LEAD,
    body=schemas.GroupFields,
    answer=schemas.GroupAnswer,
    also={409: "Closed, or changed by somebody else.", 412: "If-Match is not the version that stands."},
)
def change(call: Call, group_id: str) -> Any:
    """Change a group. New rules are asked of every member again (`accept_rules`)."""
    group = led(call, group_id)
    call.require_match(group["version"])
    audited(call, group["city"], "group.changed", group_id)
    return _told(call, founding.change(group, call.body, now=call.now))


@blp.endpoint("POST /<group_id>/close", permission=LEAD, answer=schemas.GroupAnswer, also={404: "Not its coordinator."})
def close(call: Call, group_id: str) -> Any:
    """Close a group: its members are told, then their memberships are erased. Again is harmless."""
    group = led(call, group_id)
    if group["coordinator"] != call.who.person_id:
        raise GroupNotFound("not its coordinator")
    audited(call, group["city"], "group.closed", group_id)
    return _told(call, founding.close(group, now=call.now))


@blp.endpoint("POST /<group_id>/link", permission=LEAD, answer=schemas.GroupLink, also={409: "Closed."})
def renew_link(call: Call, group_id: str) -> Any:
    """A new link for neighbours to join by; the old one opens nothing any more."""
    group = led(call, group_id)
    audited(call, group["city"], "group.link_renewed", group_id)
    return {"token": founding.renew_link(group, call.services.settings.signing_key, now=call.now)[1]}


@blp.endpoint(
    "PUT /<group_id>/liaison",
    permission="staff.edit",
    body=schemas.GroupLiaison,
    answer=schemas.GroupAnswer,
    also={409: "Closed."},
)
def name_liaison(call: Call, group_id: str) -> Any:
    """Name the police officer who is the group's contact, or nobody; the city's admin does it. A liaison sees what the
    group reports, with exact places, each sight of one logged; never who its members are.
    """
    group = queries.get(group_id)
    call.require_reach("staff.edit", Target(city=group["city"]))
    person = call.body["person"] or ""
    if person:
        staff.of_city(person, group["city"])
    audited(call, group["city"], "group.liaison_named", group_id)
    return shown(call, leading.name_liaison(group, person, now=call.now))


@blp.endpoint(
    "POST /<group_id>/succession",
    permission=JOIN,
    body=schemas.GroupSuccession,
    answer=schemas.GroupAnswer,
    also={409: "Nobody asks the caller now; or it is closed."},
)
def succeed(call: Call, group_id: str) -> Any:
    """Answer whether one leads the group from now on (`lead_asked`): its coordinator is silent. Again is harmless."""
    group = active(group_id)
    if call.body["accept"]:
        audited(call, group["city"], "group.succeeded", group_id)
    return _told(call, succession.answer(group, call.who.person_id, accept=call.body["accept"], now=call.now))
