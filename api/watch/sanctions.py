"""Sanctions of moderators, and appeals against them."""

from datetime import datetime, timedelta
from typing import Any, Final

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.paging import Listed, cut
from api.watch import schemas
from api.watch.access import JOIN, MODERATE, led
from domain import permissions
from domain.cities import queries as cities
from domain.cities.errors import UnknownCity
from domain.people import queries as people
from domain.permissions import Target
from domain.watch import queries, sanctions
from domain.watch.errors import LeadsTheGroup, MemberNotFound, SanctionNotFound
from domain.watch.sanctions import Row, Wanted
from domain.watch.states import Standing

blp = Blueprint("watch_sanctions", __name__, url_prefix="/v1/watch", description="What moderators impose for a time.")

SHOWN: Final = 2
"""Rows of a page at most: with an appeal in Urdu and its answer they fit in 8 KiB."""


def _view(row: Row, call: Call) -> dict[str, Any]:
    over = bool(row.get("lifted")) or row["until"] <= call.now
    return {**row, "id": row["_id"], "group": row["group"] or None, "in_force": not over}


def _impose(call: Call, city: str, group: str) -> Any:
    body = call.body
    wanted = Wanted(city, group, body["person"], body["kind"], timedelta(hours=body["hours"]), body["reason"])
    audited(call, city, f"sanction.{body['kind']}", body["person"], body)
    row, fresh = sanctions.impose(call.new_id("san"), wanted, by=call.who.person_id, now=call.now)
    call.services.enqueue("drain", "watch_sanctions", row["_id"])
    return _view(row, call), 201 if fresh else 200


@blp.endpoint(
    "POST /groups/<group_id>/sanctions",
    permission=MODERATE,
    body=schemas.NewSanction,
    answer=schemas.SanctionAnswer,
    status=201,
    creates=True,
    also={409: "The key was used for another one; or it is the coordinator, who hands the group over first."},
)
def impose(call: Call, group_id: str) -> Any:
    """Take somebody's voice in a group for a time, or keep them out of it, with a reason. On the audit chain."""
    group = led(call, group_id, MODERATE)
    person = call.body["person"]
    held = queries.membership(group_id, person)
    if held is None or held["standing"] in (Standing.INVITED, Standing.REQUESTED):
        # Who was only asked is nobody's to silence: anybody may found a group and invite a number.
        raise MemberNotFound("nobody of this group")
    if group["coordinator"] == person:
        raise LeadsTheGroup("the city decides of who leads a group")
    return _impose(call, group["city"], group_id)


@blp.endpoint(
    "POST /sanctions",
    permission=MODERATE,
    body=schemas.NewCitySanction,
    answer=schemas.SanctionAnswer,
    status=201,
    creates=True,
    also={404: "Not in the caller's city.", 409: "The key was used for another one."},
)
def impose_in_city(call: Call) -> Any:
    """Take somebody's voice in a whole city for a time, with a reason; the control room does it. On the audit chain."""
    city = call.body["city"]
    if city not in cities.known():
        raise UnknownCity("no such city")
    call.require_reach(MODERATE, Target(city=city))
    people.get(call.body["person"])
    return _impose(call, city, "")


@blp.endpoint("GET /groups/<group_id>/sanctions", permission=MODERATE, answer=schemas.SanctionAnswer, paged=True)
def list_of_group(call: Call, group_id: str) -> Any:
    """What was imposed in a group, newest first; on the audit chain."""
    group = led(call, group_id, MODERATE)
    audited(call, group["city"], "sanctions.read", group_id)
    after, limit = call.after(datetime), min(call.limit, SHOWN)
    rows = sanctions.of_group(group_id, before=after[0] if after else None, limit=limit)
    page, more = cut(rows, limit, "at")
    return Listed([_view(row, call) for row in page], more)


@blp.endpoint("GET /sanctions", permission=JOIN, answer=schemas.OwnSanction, paged=True)
def list_mine(call: Call) -> Any:
    """What was imposed on oneself, why, and until when; the latest end first."""
    after, limit = call.after(datetime), min(call.limit, SHOWN)
    rows = sanctions.of_person(call.who.person_id, before=after[0] if after else None, limit=limit)
    page, more = cut(rows, limit, "until")
    return Listed([_view({**row, "by": None}, call) for row in page], more)


def _moderated(call: Call, sanction_id: str) -> Row:
    row = sanctions.get(sanction_id)
    if not permissions.reaches(call.who, MODERATE, Target(city=row["city"], group_id=row["group"])):
        raise SanctionNotFound("no such sanction")
    return row


@blp.endpoint(
    "POST /sanctions/<sanction_id>/lift",
    permission=MODERATE,
    body=schemas.SanctionReason,
    answer=schemas.SanctionAnswer,
)
def lift(call: Call, sanction_id: str) -> Any:
    """End a sanction before its time, with a reason. On the audit chain; again is harmless."""
    row = _moderated(call, sanction_id)
    audited(call, row["city"], "sanction.lifted", sanction_id, call.body)
    row = sanctions.lift(sanction_id, by=call.who.person_id, reason=call.body["reason"], now=call.now)
    call.services.enqueue("drain", "watch_sanctions", sanction_id)
    return _view(row, call)


@blp.endpoint(
    "POST /sanctions/<sanction_id>/appeal",
    permission=JOIN,
    body=schemas.SanctionReason,
    answer=schemas.SanctionAnswer,
    also={409: "It has ended, or an appeal was made."},
)
def appeal(call: Call, sanction_id: str) -> Any:
    """Say why one's sanction should end; somebody else than who imposed it answers. Again is harmless."""
    row = sanctions.get(sanction_id)
    if row["person"] != call.who.person_id:
        raise SanctionNotFound("no such sanction")
    audited(call, row["city"], "sanction.appealed", sanction_id)
    row = sanctions.appeal(sanction_id, call.who.person_id, call.body["reason"], now=call.now)
    call.services.enqueue("drain", "watch_sanctions", sanction_id)
    return _view({**row, "by": None}, call)
