"""Following a report, handing one over to the agency that sees to it, and what agencies did for a group."""

from datetime import datetime
from typing import Any, Final

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.handovers import schemas
from api.paging import Listed, PageQuery, cut
from api.reports.access import MODERATE, READ, REPORT, sight_of
from domain.cities import agencies
from domain.errors import NotFound
from domain.follows import service as follows
from domain.handovers import queries, service
from domain.handovers.queries import Handover
from domain.permissions import Target
from domain.reports.categories import CATEGORIES
from domain.watch import queries as watch

blp = Blueprint("handovers", __name__, url_prefix="/v1/watch", description="Reports that an agency sees to.")

SHOWN: Final = 10
"""Rows of a page at most: they fit in 8 KiB."""
_NOTES: Final = 200


@blp.endpoint("PUT /reports/<report_id>/follow", permission=REPORT, status=204)
def follow(call: Call, report_id: str) -> Any:
    """ "Is it this one?" Yes: hear what comes of it. Again is harmless."""
    follows.follow(sight_of(call, report_id), call.who.person_id, now=call.now)
    return None, 204


@blp.endpoint("DELETE /reports/<report_id>/follow", permission=REPORT, status=204)
def unfollow(call: Call, report_id: str) -> Any:
    """Hear no more of it; nothing is kept."""
    follows.unfollow(report_id, call.who.person_id)
    return None, 204


@blp.endpoint(
    "POST /reports/<report_id>/handover",
    permission=MODERATE,
    answer=schemas.HandoverAnswer,
    status=201,
    also={409: "Units are sent to this kind, it is not published, or no agency of the city takes it."},
)
def hand_over(call: Call, report_id: str) -> Any:
    """Give it to the agency that takes its kind, by Open311. Again is the same handover. On the audit chain."""
    doc = sight_of(call, report_id, moderates=True)
    audited(call, doc["city"], "report.handed_over", report_id)
    made, fresh = service.hand_over(doc, by=call.who.person_id, now=call.now)
    call.services.enqueue("drain", "watch_handovers", made["_id"])
    return _view(made, call), 201 if fresh else 200


@blp.endpoint(
    "GET /groups/<group_id>/handovers", permission=READ, query=PageQuery, answer=schemas.HandoverAnswer, paged=True
)
def of_group(call: Call, group_id: str) -> Any:
    """You said, they did: what members of a group reported and agencies have, the latest change first."""
    group = watch.get(group_id)
    if group_id not in watch.joined(call.who.person_id):
        call.require_reach(MODERATE, Target(city=group["city"], group_id=group_id))
    limit, after = min(call.limit, SHOWN), call.after(datetime)
    rows = queries.of_group(group_id, before=after[0] if after else None, limit=limit)
    page, more = cut(rows, limit, "updated_at")
    return Listed([_view(row, call, updates=1) for row in page], more)


def _view(doc: Handover, call: Call, *, updates: int = 3) -> dict[str, Any]:
    try:
        name = agencies.get(doc["city"], doc["agency"]).names.in_language(call.who.language)
    except NotFound:
        name = doc["agency"]
    return {
        "id": doc["_id"],
        "report_id": doc["report"],
        "category": doc["category"],
        "name": CATEGORIES[doc["category"]].names.in_language(call.who.language),
        "agency": doc["agency"],
        "agency_name": name,
        "status": doc["status"],
        "notes": doc["notes"],
        "requested_at": doc["requested_at"],
        "updated_at": doc["updated_at"],
        "updates": [{**each, "notes": each["notes"][:_NOTES]} for each in doc["updates"][-updates:]],
    }
