"""`/v1/watch/reports/{id}/uploads`: tus 1.0, as an SOS has it; `…/media/{id}`: the files, for whoever may see them.

Its author sends; moderators and those who respond see what came; neighbours see pictures with every face blurred.
"""

from typing import Any

from flask import Blueprint, Response

from api import auth
from api.admin.scope import audited
from api.blueprint import Blueprint as Documented
from api.blueprint import Call
from api.evidence.uploads import Of, serve
from api.reports.access import READ, REPORT, eyes_of, sight_of
from api.services import services
from domain import permissions
from domain.evidence.service import NewUpload, Upload
from domain.reports import media, queries
from domain.reports.errors import MediaNotFound, ReportNotFound
from domain.reports.queries import Report
from runtime.media import Media

blp = Blueprint("report_uploads", __name__, url_prefix="/v1/watch/reports/<report_id>/uploads")
shown = Documented("report_media", __name__, url_prefix="/v1/watch", description="Files of what neighbours see.")


def _own(report_id: str) -> Report:
    """The report of whoever asks. Raises ReportNotFound."""
    who = auth.principal()
    permissions.require(who, REPORT)
    doc = queries.get(report_id)
    if doc["author"] != who.person_id:
        raise ReportNotFound("no such report")
    return doc


def _begin(new: NewUpload) -> Upload:
    return media.begin(new, now=services().clock())


def _finish(upload: Upload) -> Upload:
    found = services()
    upload = media.finish(upload, found.evidence, now=found.clock())
    found.enqueue("drain", "watch_reports", upload["incident"])
    return upload


serve(
    blp,
    Of(
        own=_own,
        sender=lambda doc: str(doc["author"]),
        most_bytes=lambda: media.MOST_BYTES,
        begin=_begin,
        finish=_finish,
    ),
    {"permission": REPORT, "public": ""},
)


@shown.endpoint(
    "GET /reports/<report_id>/media/<media_id>",
    permission=READ,
    also={503: "Faces in it are being blurred."},
    responses={"200": {"description": "The file.", "content": {"image/jpeg": {}, "image/png": {}, "video/mp4": {}}}},
)
def read(call: Call, report_id: str, media_id: str) -> Any:
    """A file of a report. Its author, its moderators and those who respond see what came, on the audit chain; others see a
    picture with every face blurred, and no film.
    """
    doc = sight_of(call, report_id)
    eyes = eyes_of(call, doc, frozenset())
    file = media.one(doc, media_id)
    whole = eyes.author or eyes.moderates or eyes.exact
    part = (file.get("shown") or file) if whole else media.for_neighbours(file)
    if whole and not eyes.author:
        audited(call, doc["city"], "report.media_read", report_id)
    try:
        data = Media(call.services.settings.media_url).get(part["sha256"])
    except (FileNotFoundError, ValueError):
        raise MediaNotFound("the file is no longer kept") from None
    answer = Response(data, mimetype=part["type"])
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = "inline" if part["type"].startswith("image/") else "attachment"
    return answer
