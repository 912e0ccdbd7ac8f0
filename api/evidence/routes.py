"""`/v1/sos/{id}/media`: tus 1.0 with creation, creation-with-upload, checksum, termination and expiration.

Opened like the SOS itself: header Sos-Token, or its citizen's bearer token.
"""

from http import HTTPStatus

from flask import Blueprint, Response, request

from api.evidence import manners, tus
from api.evidence.receive import receive
from api.evidence.tus import TusError
from api.incidents.access import own_sos
from api.services import services
from domain.evidence import service as evidence
from domain.evidence.errors import HashMismatch, WrongOffset
from domain.evidence.service import NewUpload, Upload
from domain.ids import derived_id, new_id

blp = Blueprint("media", __name__, url_prefix="/v1/sos/<sos_id>/media")
manners.install(blp)


@blp.route("", methods=["OPTIONS"], provide_automatic_options=False)
@blp.route("/<upload_id>", methods=["OPTIONS"], provide_automatic_options=False)
def options(sos_id: str, upload_id: str = "") -> Response:
    """What this server can do; nobody has to be known for it."""
    return manners.abilities(services().settings.upload_max_bytes)


@blp.post("")
def create(sos_id: str) -> Response:
    """Begin an upload, with its first bytes if they come along."""
    found = services()
    doc = own_sos(sos_id)
    said = manners.announced()
    upload = evidence.create(
        NewUpload(
            id=derived_id("upl", sos_id, said.key) if said.key else new_id("upl", found.clock()),
            incident=sos_id,
            city=doc["city"],
            by="citizen",
            length=said.length,
            metadata=said.metadata,
            declared=said.declared,
        ),
        max_bytes=found.settings.upload_max_bytes,
        now=found.clock(),
    )
    if said.with_bytes and upload["offset"] == 0:
        upload = receive(request, upload, found.evidence, said.checksum, found.clock)
    upload = _finished(upload)
    answer = Response(status=HTTPStatus.CREATED)
    answer.headers["Location"] = f"{found.settings.public_url}/v1/sos/{sos_id}/media/{upload['_id']}"
    return manners.standing(answer, upload)


@blp.route("/<upload_id>", methods=["HEAD"])
def head(sos_id: str, upload_id: str) -> Response:
    """How far the upload is."""
    return manners.how_far(_upload(sos_id, upload_id))


@blp.patch("/<upload_id>")
def patch(sos_id: str, upload_id: str) -> Response:
    """Add bytes where the upload stands."""
    offset = manners.offset()
    checksum = tus.checksum(request)
    found = services()
    upload = _upload(sos_id, upload_id)
    if upload["offset"] != offset:
        raise WrongOffset("the upload stands elsewhere", offset=upload["offset"])
    upload = _finished(receive(request, upload, found.evidence, checksum, found.clock))
    return manners.standing(Response(status=HTTPStatus.NO_CONTENT), upload)


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
