"""Reports of neighbours: sending, finding, editing, taking back."""

from datetime import datetime, timedelta
from typing import Any, Final

from api.blueprint import Blueprint, Call
from api.incidents.position import heard_at
from api.paging import Listed, cut
from api.reports import schemas
from api.reports.access import CONFLICT, MODERATE, READ, REPORT, answer, origin_of, shown, sight_of
from api.watch.access import reached
from domain import geo
from domain.cities import queries as cities
from domain.cities.errors import UnknownCity
from domain.permissions import Target
from domain.reports import queries, rules, seen, service, wording
from domain.reports.categories import CATEGORIES
from domain.reports.errors import ReportInvalid
from domain.reports.service import Seen
from domain.reports.states import ReportStatus

blp = Blueprint("reports", __name__, url_prefix="/v1/watch", description="What neighbours see.")

SHOWN: Final = 15
"""Rows of a page at most: they fit in 8 KiB."""


@blp.endpoint("GET /categories", permission=READ, answer=schemas.ReportCategories, etag=True)
def list_categories(call: Call) -> Any:
    """What can be reported."""
    items = [
        {
            "code": each.code,
            "name": {"en": each.names.en, "ur": each.names.ur},
            "emergency": bool(each.incident),
            "looks": each.looks,
            "hours": round(each.shown_for.total_seconds() / 3600),
        }
        for each in CATEGORIES.values()
    ]
    return {"items": items}


@blp.endpoint(
    "POST /reports",
    permission=REPORT,
    body=schemas.NewReport,
    answer=schemas.ReportAnswer,
    status=201,
    creates=True,
    also={409: "The key was used for another report.", 429: "More in a day than anybody sees."},
)
def add(call: Call) -> Any:
    """Report what one sees. `same_as` names reports that may be of the same thing: is it one of these? Then confirm it."""
    body, at = call.body, _captured(call)
    doc, fresh = service.add(
        call.new_id("rpt"),
        call.who.person_id,
        Seen(
            category=body["category"],
            position=body["position"],
            at=at,
            note=body["note"],
            anonymous=body["anonymous"],
            looks=body["looks"],
        ),
        session=call.who.session_id,
        address=origin_of(call, at),
        fingerprint=call.fingerprint,
        secret=call.services.settings.signing_key,
        now=call.now,
    )
    call.services.enqueue("drain", "watch_reports", doc["_id"])
    return shown(call, doc), 201 if fresh else 200


def _captured(call: Call) -> datetime:
    """When it was seen, by our clock; a report may have waited in a phone for days."""
    position = call.body["position"]
    captured = position.get("captured_at")
    if captured and call.sent_at and timedelta(0) <= call.sent_at - captured <= rules.OLDEST:
        found: datetime = call.now - (call.sent_at - captured)
        return found
    return heard_at(position, sent_at=call.sent_at, now=call.now)


@blp.endpoint("GET /reports", permission=READ, query=schemas.ReportsQuery, answer=schemas.ReportRow, paged=True)
def list_reports(call: Call) -> Any:
    """Published reports of a city or around a point, a group's, or one's own; the newest first."""
    query, limit = call.query, min(call.limit, SHOWN)
    behind = call.after(datetime, str)
    after = (behind[0], behind[1]) if behind else None
    since = call.now - timedelta(hours=query["hours"])
    field = "created_at"
    if query["mine"]:
        rows = queries.of_author(call.who.person_id, after=after, limit=limit)
    elif query.get("group"):
        rows = queries.of_group(query["group"], _statuses(call), after=after, limit=limit)
    else:
        city = query.get("city") or call.who.city
        point = [float(each) for each in query["near"].split(",")] if query.get("near") else None
        if query.get("cell"):
            field = "at"
            city = cities.city_at(*geo.middle(query["cell"])) or city
            rows = queries.in_cell(_known(city), query["cell"], since=since, after=after, limit=limit, now=call.now)
        elif point:
            if not geo.is_position(*point):
                raise ReportInvalid("no place", errors={"near": ["Not a position."]})
            city = cities.city_at(*point) or city
            field = "at"
            rows = queries.near(
                _known(city),
                point[0],
                point[1],
                query["radius_m"],
                since=since,
                after=after,
                limit=limit,
                now=call.now,
            )
        else:
            rows = queries.public(_known(city), since=since, after=after, limit=limit, now=call.now)
    page, more = cut(rows, limit, field, "_id")
    return Listed([seen.row(doc, call.who.language) for doc in page], more)


def _known(city: str) -> str:
    if city not in cities.known():
        raise UnknownCity("no such city")
    return city


def _statuses(call: Call) -> list[str]:
    """What of a group's reports the caller may list: all that stand so for moderators, what is published for members."""
    wanted = call.query.get("status") or ReportStatus.PUBLISHED
    group = reached(call, call.query["group"])
    if wanted != ReportStatus.PUBLISHED:
        call.require_reach(MODERATE, Target(city=group["city"], group_id=group["_id"]))
    return [str(wanted)]


@blp.endpoint("GET /reports/<report_id>", permission=READ, answer=schemas.ReportAnswer, etag=True)
def read(call: Call, report_id: str) -> Any:
    """One report, as far as the caller may see it."""
    return shown(call, sight_of(call, report_id))


@blp.endpoint(
    "PATCH /reports/<report_id>",
    permission=REPORT,
    body=schemas.ReportFields,
    answer=schemas.ReportAnswer,
    also={**CONFLICT, 412: "If-Match is not the version that stands."},
)
def edit(call: Call, report_id: str) -> Any:
    """Change one's own report; what it said before is kept."""
    doc = sight_of(call, report_id, author=True)
    call.require_match(doc["version"])
    return answer(call, service.edit(report_id, call.body, now=call.now))


@blp.endpoint("POST /reports/<report_id>/withdraw", permission=REPORT, answer=schemas.ReportAnswer, also=CONFLICT)
def withdraw(call: Call, report_id: str) -> Any:
    """Take one's own report back."""
    sight_of(call, report_id, author=True)
    return answer(call, service.withdraw(report_id, now=call.now))


@blp.endpoint("POST /reports/nudges", permission=REPORT, body=schemas.ReportDraft, answer=schemas.ReportNudges)
def try_words(call: Call) -> Any:
    """What the author is asked to say otherwise before it is sent, and what would hold it. Nothing is kept."""
    body = call.body
    category = CATEGORIES.get(body["category"])
    if category is None:
        raise ReportInvalid("no such category", errors={"category": ["Not a category of reports."]})
    texts = [body["note"], *(each["text"] for each in body["looks"])]
    return {
        "nudges": wording.nudges(body["note"], body["looks"], needed=category.looks),
        "holds": wording.held_for(*texts, minors=category.minors),
    }
