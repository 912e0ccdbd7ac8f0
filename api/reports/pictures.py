"""Pictures of reports: sent, and shown to those who must see them."""

from typing import Any, Final

from flask import Response, request

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.reports import schemas
from api.reports.access import READ, REPORT, answer, eyes_of, sight_of
from domain.reports import queries, service
from domain.reports.errors import PhotoInvalid, PhotoNotFound
from runtime.media import Media
from runtime.pictures import dhash

blp = Blueprint("report_pictures", __name__, url_prefix="/v1/watch", description="Pictures of what neighbours see.")

PHOTO_BYTES: Final = 6 * 1024 * 1024


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
    sight_of(call, report_id, author=True)
    request.max_content_length = PHOTO_BYTES
    data = request.get_data(cache=False)
    if not data:
        raise PhotoInvalid("no picture came", errors={"photo": ["A JPEG, PNG or WebP picture."]})
    return answer(call, service.add_photo(report_id, data, call.services.evidence, picture=dhash(data), now=call.now))


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
