"""Notices, for operators and admins: listed, read, acknowledged. They clear themselves when their cause is gone."""

from datetime import datetime
from typing import Any, Final

from marshmallow import fields

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.paging import Listed, PageQuery, cut
from api.readings import reading
from api.schemas import Answer, Choice, Id, Time
from domain import permissions
from domain.cities import queries as cities
from domain.cities.errors import CityInvalid, UnknownCity
from domain.notices import queries, service
from domain.notices.errors import NoticeNotFound
from domain.notices.rules import EVERYWHERE
from domain.notices.states import STANDING, NoticeKind, NoticeStatus
from domain.permissions import Target

blp = Blueprint("notices", __name__, url_prefix="/v1/notices", description="What is wrong with Amaan itself.")

READ: Final = "notice.read"


class NoticesQuery(PageQuery):
    """Which notices: of a city and of the machine; those that stand, where no status is given."""

    city = Id()
    status = Choice(NoticeStatus)


class Notice(Answer):
    """One cause."""

    id = fields.String(required=True, attribute="_id")
    city = fields.String(required=True, metadata={"description": "`*`: the machine's, so every city's."})
    kind = Choice(NoticeKind, required=True)
    reading = fields.String(required=True, metadata={"description": "The kind in a sentence."})
    cause = fields.String(
        required=True, metadata={"description": "A carrier, a queue, an outbox, an incident, a drill."}
    )
    status = Choice(NoticeStatus, required=True)
    figures = fields.Dict(keys=fields.String(), values=fields.Float(), required=True)
    times = fields.Integer(required=True, metadata={"description": "How often it was opened."})
    opened_at = Time(required=True)
    last_seen_at = Time(required=True)
    acknowledged_at = Time()
    acknowledged_by = fields.String()
    cleared_at = Time()


def _shown(found: queries.Notice) -> dict[str, Any]:
    return {**found, "reading": reading(NoticeKind, found["kind"]), "figures": found.get("figures") or {}}


def _notice(call: Call, action: str, notice_id: str) -> queries.Notice:
    found = queries.get(notice_id)
    if found["city"] != EVERYWHERE and not permissions.reaches(call.who, action, Target(city=found["city"])):
        raise NoticeNotFound("no such notice")
    return found


@blp.endpoint("GET ", permission=READ, query=NoticesQuery, answer=Notice, paged=True, caution=False)
def list_notices(call: Call) -> Any:
    """A city's notices and the machine's, the newest first."""
    city = call.query.get("city") or call.who.city
    if not city:
        raise CityInvalid("which city", errors={"city": ["Say which city."]})
    if city not in cities.known() or not permissions.reaches(call.who, READ, Target(city=city)):
        raise UnknownCity("no such city")
    status = call.query.get("status")
    after = call.after(datetime, str)
    rows = queries.listed(
        city,
        statuses=[str(status)] if status else sorted(STANDING),
        after=after,
        limit=call.limit + 1,
    )
    page, more = cut(rows, call.limit, "opened_at", "_id")
    return Listed([_shown(each) for each in page], more)


@blp.endpoint("GET /<notice_id>", permission=READ, answer=Notice, etag=True)
def read_notice(call: Call, notice_id: str) -> Any:
    """One notice."""
    return _shown(_notice(call, READ, notice_id))


@blp.endpoint(
    "POST /<notice_id>/acknowledge", permission="notice.answer", answer=Notice, also={409: "Its cause is gone."}
)
def acknowledge(call: Call, notice_id: str) -> Any:
    """Say that one sees to it; the first one's name stands there."""
    found = _notice(call, "notice.answer", notice_id)
    city = call.who.city if found["city"] == EVERYWHERE else found["city"]
    audited(call, city, "notice.acknowledged", notice_id)
    return _shown(service.acknowledge(notice_id, by=call.who.person_id, now=call.now))
