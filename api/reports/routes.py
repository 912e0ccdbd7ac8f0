"""Reports of neighbours: sending, finding, confirming, editing, and what moderators decide."""

from datetime import datetime, timedelta
from typing import Any, Final

from flask import Response, request

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.incidents.position import heard_at
from api.paging import Listed
from api.reports import schemas
from domain import geo, permissions
from domain.cities import queries as cities
from domain.cities.errors import UnknownCity
from domain.correlation import service as correlation
from domain.people import queries as people
from domain.permissions import Target
from domain.reports import moderating, queries, rules, seen, service
from domain.reports.categories import CATEGORIES
from domain.reports.errors import PhotoInvalid, PhotoNotFound, ReportInvalid, ReportNotFound
from domain.reports.queries import Report
from domain.reports.seen import Eyes
from domain.reports.service import Seen
from domain.reports.states import ReportStatus
from domain.watch import queries as watch
from runtime.media import Media

blp = Blueprint("reports", __name__, url_prefix="/v1/watch", description="What neighbours see.")

READ, REPORT, MODERATE, EXACT = "watch.read", "watch.report", "watch.moderate", "watch.exact"
SHOWN: Final = 15
"""Rows of a page at most: they fit in 8 KiB."""
PHOTO_BYTES: Final = 6 * 1024 * 1024
_CONFLICT = {409: "It does not stand where this is possible (`current`)."}


def _reaches(call: Call, action: str, doc: Report) -> bool:
    targets = [Target(city=doc["city"], group_id=group) for group in doc["groups"] or [""]]
    return any(permissions.reaches(call.who, action, target) for target in targets)


def eyes_of(call: Call, doc: Report, member_of: frozenset[str]) -> Eyes:
    """With what eyes the caller sees a report."""
    return Eyes(
        author=doc["author"] == call.who.person_id,
        member=bool(member_of & set(doc["groups"])),
        moderates=_reaches(call, MODERATE, doc),
        exact=_reaches(call, EXACT, doc),
        language=call.who.language,
    )


def _seen(call: Call, report_id: str, *, moderates: bool = False, author: bool = False) -> Report:
    """The report, for whoever may see it, moderate it, or wrote it. Raises ReportNotFound."""
    doc = queries.get(report_id)
    eyes = eyes_of(call, doc, frozenset())
    wanted = eyes.moderates if moderates else eyes.author if author else seen.may_see(doc, eyes)
    if not wanted:
        raise ReportNotFound("no such report")
    return doc


def _shown(call: Call, doc: Report) -> dict[str, Any]:
    """As the caller sees it. The exact place of somebody else's report is read on the record."""
    eyes = eyes_of(call, doc, frozenset(watch.joined(call.who.person_id)))
    if not seen.may_see(doc, eyes):
        raise ReportNotFound("no such report")
    name = ""
    if seen.names_author(doc, eyes):
        name = (people.collection().find_one({"_id": doc["author"]}, {"name": 1}) or {}).get("name") or ""
    view = seen.view(doc, eyes, author_name=name)
    if eyes.exact and not eyes.author:
        audited(call, doc["city"], "report.read", doc["_id"])
        links = correlation.of(doc["_id"], limit=10)
        view["links"] = [{**each["other"], "score": each["score"]} for each in links]
    return view


def _answer(call: Call, doc: Report) -> Any:
    if doc.get("pending_events"):
        call.services.enqueue("drain", "watch_reports", doc["_id"])
    return _shown(call, doc)


@blp.endpoint("GET /categories", permission=READ, answer=schemas.ReportCategories, etag=True)
def list_categories(call: Call) -> Any:
    """What can be reported."""
    items = [
        {"code": each.code, "name": {"en": each.names.en, "ur": each.names.ur}, "emergency": bool(each.incident)}
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
    body = call.body
    doc, fresh = service.add(
        call.new_id("rpt"),
        call.who.person_id,
        Seen(
            category=body["category"],
            position=body["position"],
            at=_captured(call),
            note=body["note"],
            anonymous=body["anonymous"],
        ),
        session=call.who.session_id,
        fingerprint=call.fingerprint,
        secret=call.services.settings.signing_key,
        now=call.now,
    )
    call.services.enqueue("drain", "watch_reports", doc["_id"])
    return _shown(call, doc), 201 if fresh else 200


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
    after = call.after(datetime)
    before = after[0] if after else None
    since = call.now - timedelta(hours=query["hours"])
    field = "created_at"
    if query["mine"]:
        rows = queries.of_author(call.who.person_id, before=before, limit=limit)
    elif query.get("group"):
        rows = queries.of_group(query["group"], _statuses(call), before=before, limit=limit)
    else:
        city = query.get("city") or call.who.city
        point = [float(each) for each in query["near"].split(",")] if query.get("near") else None
        if point:
            if not geo.is_position(*point):
                raise ReportInvalid("no place", errors={"near": ["Not a position."]})
            city = cities.city_at(*point) or city
            field = "at"
            rows = _near(city, point, query["radius_m"], since, before, limit)
        else:
            rows = queries.public(_known(city), since=since, before=before, limit=limit)
    page = rows[:limit]
    more = [page[-1][field]] if len(rows) > limit else None
    return Listed([seen.row(doc, call.who.language) for doc in page], more)


def _near(
    city: str, point: list[float], radius_m: int, since: datetime, before: datetime | None, limit: int
) -> list[Report]:
    return queries.near(_known(city), point[0], point[1], radius_m, since=since, before=before, limit=limit)


def _known(city: str) -> str:
    if city not in cities.known():
        raise UnknownCity("no such city")
    return city


def _statuses(call: Call) -> list[str]:
    """What of a group's reports the caller may list: all that stand so for moderators, what is published for others."""
    wanted = call.query.get("status") or ReportStatus.PUBLISHED
    group = watch.get(call.query["group"])
    if wanted != ReportStatus.PUBLISHED:
        call.require_reach(MODERATE, Target(city=group["city"], group_id=group["_id"]))
    return [str(wanted)]


@blp.endpoint("GET /reports/<report_id>", permission=READ, answer=schemas.ReportAnswer, etag=True)
def read(call: Call, report_id: str) -> Any:
    """One report, as far as the caller may see it."""
    return _shown(call, _seen(call, report_id))


@blp.endpoint(
    "PATCH /reports/<report_id>",
    permission=REPORT,
    body=schemas.ReportFields,
    answer=schemas.ReportAnswer,
    also={**_CONFLICT, 412: "If-Match is not the version that stands."},
)
def edit(call: Call, report_id: str) -> Any:
    """Change one's own report; what it said before is kept."""
    doc = _seen(call, report_id, author=True)
    call.require_match(doc["version"])
    return _answer(call, service.edit(report_id, call.body, now=call.now))


@blp.endpoint(
    "PUT /reports/<report_id>/photo",
    permission=REPORT,
    answer=schemas.ReportAnswer,
    also={409: "The report is over.", 422: "Not a picture that can be shown."},
    requestBody={
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp")
        },
    },
)
def put_photo(call: Call, report_id: str) -> Any:
    """A picture, at most 6 MiB; again replaces it. Nothing but what one sees in it is kept, and moderators see it first."""
    _seen(call, report_id, author=True)
    request.max_content_length = PHOTO_BYTES
    data = request.get_data(cache=False)
    if not data:
        raise PhotoInvalid("no picture came", errors={"photo": ["A JPEG, PNG or WebP picture."]})
    return _answer(call, service.add_photo(report_id, data, call.services.evidence, now=call.now))


@blp.endpoint(
    "GET /reports/<report_id>/photo",
    permission=READ,
    responses={"200": {"description": "The picture.", "content": {"image/jpeg": {}, "image/png": {}}}},
)
def read_photo(call: Call, report_id: str) -> Any:
    """The picture of a report: for its author, its moderators and the police, since faces in it are not blurred. Each
    sight by others than its author is on the audit chain, before it is shown.
    """
    doc = queries.get(report_id)
    eyes = eyes_of(call, doc, frozenset())
    if not (eyes.author or eyes.moderates or eyes.exact) or not doc.get("photo"):
        raise PhotoNotFound("no picture")
    if not eyes.author:
        audited(call, doc["city"], "report.photo_read", report_id)
    try:
        picture = Media(call.services.settings.media_url).get(doc["photo"]["sha256"])
    except (FileNotFoundError, ValueError):
        raise PhotoNotFound("the picture is no longer kept") from None
    answer = Response(picture, mimetype=doc["photo"]["type"])
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = "inline"
    return answer


@blp.endpoint("POST /reports/<report_id>/withdraw", permission=REPORT, answer=schemas.ReportAnswer, also=_CONFLICT)
def withdraw(call: Call, report_id: str) -> Any:
    """Take one's own report back."""
    _seen(call, report_id, author=True)
    return _answer(call, service.withdraw(report_id, now=call.now))


@blp.endpoint(
    "POST /reports/<report_id>/confirmations",
    permission=REPORT,
    body=schemas.ReportVoice,
    answer=schemas.ReportAnswer,
    also={409: "One's own report, or it is not published."},
)
def speak(call: Call, report_id: str) -> Any:
    """Say that one sees it too, or that it is not so; one's later word takes the place of the earlier."""
    _seen(call, report_id)
    place = call.body["position"]
    doc = service.speak(
        report_id,
        call.who.person_id,
        call.body["stand"],
        session=call.who.session_id,
        lat=place["lat"],
        lon=place["lon"],
        now=call.now,
    )
    return _answer(call, doc)


@blp.endpoint(
    "POST /reports/<report_id>/flags",
    permission=REPORT,
    body=schemas.ReportFlag,
    status=204,
    also={409: "One's own report."},
)
def flag(call: Call, report_id: str) -> Any:
    """Ask for a human to read it; with the flags of three neighbours, not new ones, it is held until then."""
    _seen(call, report_id)
    doc = moderating.flag(report_id, call.who.person_id, call.body["why"], now=call.now)
    if doc.get("pending_events"):
        call.services.enqueue("drain", "watch_reports", report_id)
    return None, 204


@blp.endpoint(
    "POST /reports/<report_id>/decision",
    permission=MODERATE,
    body=schemas.ReportDecisionBody,
    answer=schemas.ReportAnswer,
    also=_CONFLICT,
)
def decide(call: Call, report_id: str) -> Any:
    """Publish, hold or remove a report, with a reason. On the audit chain."""
    doc = _seen(call, report_id, moderates=True)
    status, reason = ReportStatus(call.body["status"]), call.body["reason"]
    audited(call, doc["city"], f"report.{status}", report_id, call.body)
    return _answer(call, moderating.decide(report_id, status, by=call.who.person_id, reason=reason, now=call.now))


@blp.endpoint(
    "POST /reports/<report_id>/incident",
    permission=MODERATE,
    answer=schemas.ReportAnswer,
    also={409: "It is not published, or nobody is sent to this kind."},
)
def believe(call: Call, report_id: str) -> Any:
    """Say that it is so: it becomes an incident, units are asked, and its groups are told. On the audit chain."""
    doc = _seen(call, report_id, moderates=True)
    audited(call, doc["city"], "report.believed", report_id)
    return _answer(call, service.believe(report_id, by=call.who.person_id, now=call.now))
