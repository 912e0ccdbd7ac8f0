"""Gatherings of watch groups: planning, changing, cancelling them, and saying who comes."""

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.gatherings import schemas
from api.paging import Listed, cut
from api.watch.access import LEAD, READ, group_of, reached
from domain.cities import queries as cities
from domain.gatherings import calendar, queries, seen, service
from domain.gatherings.errors import GatheringNotFound
from domain.gatherings.queries import Gathering
from domain.gatherings.service import Plan
from domain.watch import queries as watch

blp = Blueprint("gatherings", __name__, url_prefix="/v1/watch", description="Neighbours meet.")

SHOWN: Final = 3
"""Rows of a page at most: in Urdu they fit in 8 KiB."""
BACK: Final = timedelta(hours=12)
_OVER = {409: "It was cancelled or has passed (`current`)."}


def _gathering(call: Call, gathering_id: str, *, leads: bool = False, member: bool = False) -> Gathering:
    doc = queries.get(gathering_id)
    group_of(call, doc, GatheringNotFound("no such gathering"), leads=leads, member=member)
    return doc


def _shown(call: Call, doc: Gathering) -> dict[str, Any]:
    return seen.view(doc, call.who.person_id, cities.current(doc["city"]).zone)


def _answer(call: Call, doc: Gathering) -> dict[str, Any]:
    if doc.get("pending_events"):
        call.services.enqueue("drain", "watch_gatherings", doc["_id"])
    return _shown(call, doc)


@blp.endpoint(
    "POST /gatherings",
    permission=LEAD,
    body=schemas.NewGathering,
    answer=schemas.GatheringAnswer,
    status=201,
    creates=True,
    also={409: "The key was used for another gathering, or the group was closed.", 429: "Fifty are still to come."},
)
def plan(call: Call) -> Any:
    """Plan a meeting or a workshop."""
    body = call.body
    group = reached(call, body["group"], leads=True)
    names = ("kind", "title", "note", "place", "starts_at", "ends_at", "capacity")
    doc, fresh = service.plan(
        call.new_id("gat"),
        group,
        Plan(**{name: body[name] for name in names}),
        by=call.who.person_id,
        fingerprint=call.fingerprint,
        now=call.now,
    )
    return _answer(call, doc), 201 if fresh else 200


@blp.endpoint(
    "GET /gatherings", permission=READ, query=schemas.GatheringsQuery, answer=schemas.GatheringAnswer, paged=True
)
def list_gatherings(call: Call) -> Any:
    """What one's groups hold, or one of them, the earliest first."""
    query, limit = call.query, min(call.limit, SHOWN)
    wanted = query.get("group")
    groups = [reached(call, wanted)["_id"]] if wanted else watch.joined(call.who.person_id)
    after = call.after(datetime, str)
    rows = queries.of_groups(groups, since=query.get("since") or call.now - BACK, after=after, limit=limit + 1)
    page, more = cut(rows, limit, "starts_at", "_id")
    return Listed([_shown(call, doc) for doc in page], more)


@blp.endpoint("GET /gatherings/<gathering_id>", permission=READ, answer=schemas.GatheringAnswer, etag=True)
def read(call: Call, gathering_id: str) -> Any:
    """One gathering."""
    return _shown(call, _gathering(call, gathering_id))


@blp.endpoint(
    "PATCH /gatherings/<gathering_id>",
    permission=LEAD,
    body=schemas.GatheringFields,
    answer=schemas.GatheringAnswer,
    also={
        409: "Over, or more want to come than there would be places.",
        412: "If-Match is not the version that stands.",
    },
)
def revise(call: Call, gathering_id: str) -> Any:
    """Change a gathering; whoever wants to come hears of another time, place or name."""
    doc = _gathering(call, gathering_id, leads=True)
    call.require_match(doc["version"])
    return _answer(call, service.revise(gathering_id, call.body, now=call.now))


@blp.endpoint(
    "POST /gatherings/<gathering_id>/cancel",
    permission=LEAD,
    body=schemas.GatheringReason,
    answer=schemas.GatheringAnswer,
    also=_OVER,
)
def cancel(call: Call, gathering_id: str) -> Any:
    """It does not take place; whoever wanted to come hears of it."""
    doc = _gathering(call, gathering_id, leads=True)
    audited(call, doc["city"], "gathering.cancelled", gathering_id)
    return _answer(call, service.cancel(gathering_id, call.body["reason"], now=call.now))


@blp.endpoint(
    "PUT /gatherings/<gathering_id>/answer",
    permission=READ,
    body=schemas.GatheringComing,
    answer=schemas.GatheringAnswer,
    also={409: "Full (`gathering_full`), cancelled or over."},
)
def say(call: Call, gathering_id: str) -> Any:
    """Say whether one comes; a later word takes the place of the earlier."""
    _gathering(call, gathering_id, member=True)
    return _answer(call, service.answer(gathering_id, call.who.person_id, call.body["answer"], now=call.now))


@blp.endpoint(
    "GET /gatherings/<gathering_id>/event.ics",
    permission=READ,
    responses={"200": {"description": "As iCalendar (RFC 5545).", "content": {"text/calendar": {}}}},
)
def as_event(call: Call, gathering_id: str) -> Any:
    """One gathering as an event for a calendar app."""
    doc = _gathering(call, gathering_id)
    entry = calendar.of_gathering(doc, call.who.person_id)
    host = host_of(call.services.settings.public_url)
    body = calendar.ics([entry], language=call.who.language, host=host)
    answer = Response(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{gathering_id}.ics"'
    return answer


def host_of(address: str) -> str:
    """The host of an address, for UIDs."""
    return urlsplit(address).hostname or "amaan"


@blp.endpoint("POST /calendar", permission=READ, answer=schemas.CalendarLink)
def open_calendar(call: Call) -> Any:
    """A new address at which a calendar app finds one's gatherings and patrols; the one before opens nothing any more."""
    settings = call.services.settings
    token = calendar.renew(call.who.person_id, settings.signing_key, now=call.now)
    return {"url": f"{settings.public_url}/calendar/{token}.ics"}


@blp.endpoint("DELETE /calendar", permission=READ, status=204)
def end_calendar(call: Call) -> Any:
    """The address of one's calendar opens nothing any more."""
    calendar.end(call.who.person_id)
    return None, 204
