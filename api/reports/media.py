"""`/v1/watch/reports/{id}/uploads`: tus 1.0, as an SOS has it; `…/media/{id}`: the files, for whoever may see them.

Its author sends; moderators and those who respond see what came; neighbours see pictures with every face blurred.
"""

from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, request

from api import auth
from api.admin.scope import audited
from api.blueprint import Blueprint as Documented
from api.blueprint import Call
from api.evidence import manners, tus
from api.evidence.receive import receive
from api.evidence.tus import TusError
from api.reports.access import READ, REPORT, eyes_of, sight_of
from api.services import services
from domain import permissions
from domain.evidence import service as evidence
from domain.evidence.errors import HashMismatch, WrongOffset
from domain.evidence.service import NewUpload, Upload
from domain.ids import derived_id, new_id
from domain.reports import media, queries
from domain.reports.errors import MediaNotFound, ReportNotFound
from domain.reports.queries import Report
from runtime.media import Media

blp = Blueprint("report_uploads", __name__, url_prefix="/v1/watch/reports/<report_id>/uploads")
manners.install(blp)
shown = Documented("report_media", __name__, url_prefix="/v1/watch", description="Files of what neighbours see.")

_DECLARED: Final = {"permission": REPORT, "public": ""}


def _own(report_id: str) -> Report:
    """The report of whoever asks. Raises ReportNotFound."""
    who = auth.principal()
    permissions.require(who, REPORT)
    doc = queries.get(report_id)
    if doc["author"] != who.person_id:
        raise ReportNotFound("no such report")
    return doc


@blp.route("", methods=["OPTIONS"], provide_automatic_options=False)
@blp.route("/<upload_id>", methods=["OPTIONS"], provide_automatic_options=False)
def options(report_id: str, upload_id: str = "") -> Response:
    """What this server can do; nobody has to be known for it."""
    return manners.abilities(media.MOST_BYTES)


@blp.post("")
def create(report_id: str) -> Response:
    """Begin an upload, with its first bytes if they come along."""
    found = services()
    doc = _own(report_id)
    said = manners.announced()
    new = NewUpload(
        id=derived_id("upl", report_id, said.key) if said.key else new_id("upl", found.clock()),
        incident=report_id,
        city=doc["city"],
        by=doc["author"],
        length=said.length,
        metadata=said.metadata,
        declared=said.declared,
    )
    upload = media.begin(new, now=found.clock())
    if said.with_bytes and upload["offset"] == 0:
        upload = receive(request, upload, found.evidence, said.checksum, found.clock)
    upload = _finished(upload)
    answer = Response(status=HTTPStatus.CREATED)
    answer.headers["Location"] = f"{found.settings.public_url}/v1/watch/reports/{report_id}/uploads/{upload['_id']}"
    return manners.standing(answer, upload)


@blp.route("/<upload_id>", methods=["HEAD"])
def head(report_id: str, upload_id: str) -> Response:
    """How far the upload is."""
    return manners.how_far(_upload(report_id, upload_id))


@blp.patch("/<upload_id>")
def patch(report_id: str, upload_id: str) -> Response:
    """Add bytes where the upload stands."""
    offset = manners.offset()
    checksum = tus.checksum(request)
    found = services()
    upload = _upload(report_id, upload_id)
    if upload["offset"] != offset:
        raise WrongOffset("the upload stands elsewhere", offset=upload["offset"])
    upload = _finished(receive(request, upload, found.evidence, checksum, found.clock))
    return manners.standing(Response(status=HTTPStatus.NO_CONTENT), upload)


@blp.delete("/<upload_id>")
def delete(report_id: str, upload_id: str) -> Response:
    """Give an upload up; what was added to the report already stays with it."""
    evidence.end(_upload(report_id, upload_id), services().evidence)
    return Response(status=HTTPStatus.NO_CONTENT)


@blp.post("/<upload_id>")
def post_for_another(report_id: str, upload_id: str) -> Response:
    """PATCH, HEAD and DELETE for phones whose network lets only GET and POST through (X-HTTP-Method-Override)."""
    meant = {"PATCH": patch, "DELETE": delete, "HEAD": head}.get(request.headers.get("X-HTTP-Method-Override", ""))
    if meant is None:
        raise TusError(405, "method_not_allowed", "POST creates; an upload takes PATCH", Allow="PATCH, HEAD, DELETE")
    return meant(report_id, upload_id)


_VIEWS: Final[tuple[Any, ...]] = (create, head, patch, delete, post_for_another)
for _view in _VIEWS:
    _view._amaan = _DECLARED  # what `endpoint` says of a route; tus has its own answers


def _upload(report_id: str, upload_id: str) -> Upload:
    _own(report_id)
    return evidence.get(upload_id, report_id, now=services().clock())


def _finished(upload: Upload) -> Upload:
    found = services()
    try:
        upload = media.finish(upload, found.evidence, now=found.clock())
    except HashMismatch as error:
        raise TusError(460, error.error_code, error.detail) from None
    found.enqueue("drain", "watch_reports", upload["incident"])
    return upload


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
