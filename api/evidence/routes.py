"""`/v1/sos/{id}/media`: tus 1.0 with creation, creation-with-upload, checksum, termination and expiration.

Opened like the SOS itself: header Sos-Token, or its citizen's bearer token.
"""

import json
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, g, request

from api.errors import MEDIA_TYPE, from_domain
from api.evidence import tus
from api.evidence.receive import receive
from api.evidence.tus import TusError
from api.incidents.access import own_sos
from api.services import services
from domain.errors import DomainError
from domain.evidence import service as evidence
from domain.evidence.errors import HashMismatch, WrongOffset
from domain.evidence.service import NewUpload, Upload
from domain.ids import derived_id, new_id

blp = Blueprint("media", __name__, url_prefix="/v1/sos/<sos_id>/media")

_PHRASES: Final = {460: "Checksum Mismatch"}
_KEY_CHARS: Final = 64


@blp.before_request
def begin() -> None:
    """The version first; and a body may be larger here than anywhere else."""
    if request.method != "OPTIONS":
        tus.check_version(request)
    request.max_content_length = services().settings.upload_max_bytes


@blp.after_request
def finish(answer: Response) -> Response:
    """What every answer of tus has."""
    answer.headers["Tus-Resumable"] = tus.VERSION
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blp.route("", methods=["OPTIONS"], provide_automatic_options=False)
@blp.route("/<upload_id>", methods=["OPTIONS"], provide_automatic_options=False)
def options(sos_id: str, upload_id: str = "") -> Response:
    """What this server can do; nobody has to be known for it."""
    answer = Response(status=HTTPStatus.OK)
    answer.headers["Tus-Version"] = tus.VERSION
    answer.headers["Tus-Extension"] = tus.EXTENSIONS
    answer.headers["Tus-Max-Size"] = str(services().settings.upload_max_bytes)
    answer.headers["Tus-Checksum-Algorithm"] = ",".join(tus.ALGORITHMS)
    return answer


@blp.post("")
def create(sos_id: str) -> Response:
    """Begin an upload, with its first bytes if they come along."""
    found = services()
    doc = own_sos(sos_id)
    if "Upload-Defer-Length" in request.headers:
        raise TusError(400, "length_needed", "Upload-Length must be known")
    length = tus.whole_number(request, "Upload-Length")
    given = request.headers.get("Upload-Metadata", "")
    declared = tus.declared(tus.metadata(given))
    with_bytes = request.headers.get("Content-Type") == tus.CONTENT_TYPE
    if request.content_length and not with_bytes:
        raise TusError(415, "wrong_content_type", f"Content-Type of a body must be {tus.CONTENT_TYPE}")
    checksum = tus.checksum(request) if with_bytes else None
    key = request.headers.get("Idempotency-Key", "")[:_KEY_CHARS]
    upload = evidence.create(
        NewUpload(
            id=derived_id("upl", sos_id, key) if key else new_id("upl", found.clock()),
            incident=sos_id,
            city=doc["city"],
            by="citizen",
            length=length,
            metadata=given,
            declared=declared,
        ),
        max_bytes=found.settings.upload_max_bytes,
        now=found.clock(),
    )
    if with_bytes and upload["offset"] == 0:
        upload = receive(request, upload, found.evidence, checksum, found.clock)
    upload = _finished(upload)
    answer = Response(status=HTTPStatus.CREATED)
    answer.headers["Location"] = f"{found.settings.public_url}/v1/sos/{sos_id}/media/{upload['_id']}"
    return _standing(answer, upload)


@blp.route("/<upload_id>", methods=["HEAD"])
def head(sos_id: str, upload_id: str) -> Response:
    """How far the upload is."""
    upload = _upload(sos_id, upload_id)
    answer = Response(status=HTTPStatus.OK)
    answer.headers["Upload-Length"] = str(upload["length"])
    if upload["metadata"]:
        answer.headers["Upload-Metadata"] = upload["metadata"]
    return _standing(answer, upload)


@blp.patch("/<upload_id>")
def patch(sos_id: str, upload_id: str) -> Response:
    """Add bytes where the upload stands."""
    if request.headers.get("Content-Type") != tus.CONTENT_TYPE:
        raise TusError(415, "wrong_content_type", f"Content-Type must be {tus.CONTENT_TYPE}")
    offset = tus.whole_number(request, "Upload-Offset")
    checksum = tus.checksum(request)
    found = services()
    upload = _upload(sos_id, upload_id)
    if upload["offset"] != offset:
        raise WrongOffset("the upload stands elsewhere", offset=upload["offset"])
    upload = _finished(receive(request, upload, found.evidence, checksum, found.clock))
    return _standing(Response(status=HTTPStatus.NO_CONTENT), upload)


@blp.delete("/<upload_id>")
def delete(sos_id: str, upload_id: str) -> Response:
    """Give an upload up. What has become evidence stays evidence."""
    evidence.end(_upload(sos_id, upload_id), services().evidence)
    return Response(status=HTTPStatus.NO_CONTENT)


@blp.post("/<upload_id>")
def post_for_another(sos_id: str, upload_id: str) -> Response:
    """PATCH, HEAD and DELETE for phones whose network lets only GET and POST through (X-HTTP-Method-Override)."""
    meant = {"PATCH": patch, "DELETE": delete, "HEAD": head}.get(request.headers.get("X-HTTP-Method-Override", ""))
    if meant is None:
        raise TusError(405, "method_not_allowed", "POST creates; an upload takes PATCH", Allow="PATCH, HEAD, DELETE")
    return meant(sos_id, upload_id)


def _upload(sos_id: str, upload_id: str) -> Upload:
    own_sos(sos_id)
    return evidence.get(upload_id, sos_id, now=services().clock())


def _finished(upload: Upload) -> Upload:
    found = services()
    try:
        return evidence.finish(upload, found.evidence, now=found.clock())
    except HashMismatch as error:
        raise TusError(460, error.error_code, error.detail) from None


def _standing(answer: Response, upload: Upload) -> Response:
    answer.headers["Upload-Offset"] = str(upload["offset"])
    answer.headers.update(tus.expires(upload.get("expires_at")))
    return answer


@blp.errorhandler(TusError)
def tus_error(error: TusError) -> Response:
    """A problem document, and tus's own headers."""
    phrase = _PHRASES.get(error.status) or HTTPStatus(error.status).phrase
    body = {"type": "about:blank", "title": phrase, "status": error.status, "code": error.code, "detail": error.detail}
    body["request_id"] = g.get("request_id", "")
    answer = Response(json.dumps(body), status=f"{error.status} {phrase}", mimetype=MEDIA_TYPE)
    answer.headers.update(error.headers)
    return answer


@blp.errorhandler(DomainError)
def domain_error(error: DomainError) -> Response:
    """As everywhere; a wrong offset says where the upload stands."""
    answer = from_domain(error)
    if isinstance(error, WrongOffset):
        answer.headers["Upload-Offset"] = str(error.data["offset"])
    return answer
