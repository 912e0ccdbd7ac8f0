"""What every route of tus does alike: the version first, larger bodies, its headers on each answer and error."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, g, request

from api.errors import MEDIA_TYPE, from_domain
from api.evidence import tus
from api.evidence.tus import Checksum, TusError
from api.services import services
from domain.errors import DomainError
from domain.evidence.errors import WrongOffset
from domain.evidence.service import Upload

_PHRASES: Final = {460: "Checksum Mismatch"}
_KEY_CHARS: Final = 64


@dataclass(frozen=True)
class Announced:
    """What a client says of a file that it is about to send."""

    length: int
    metadata: str
    declared: dict[str, str]
    with_bytes: bool
    checksum: Checksum | None
    key: str


def install(blp: Blueprint) -> None:
    """Let a blueprint's routes speak tus."""
    blp.before_request(_begin)
    blp.after_request(_finish)
    blp.register_error_handler(TusError, _tus_error)
    blp.register_error_handler(DomainError, _domain_error)


def _begin() -> None:
    if request.method != "OPTIONS":
        tus.check_version(request)
    request.max_content_length = services().settings.upload_max_bytes


def _finish(answer: Response) -> Response:
    answer.headers["Tus-Resumable"] = tus.VERSION
    answer.headers["Cache-Control"] = "no-store"
    return answer


def abilities(max_bytes: int) -> Response:
    """What this server can do; nobody has to be known for it."""
    answer = Response(status=HTTPStatus.OK)
    answer.headers["Tus-Version"] = tus.VERSION
    answer.headers["Tus-Extension"] = tus.EXTENSIONS
    answer.headers["Tus-Max-Size"] = str(max_bytes)
    answer.headers["Tus-Checksum-Algorithm"] = ",".join(tus.ALGORITHMS)
    return answer


def announced() -> Announced:
    """Read the headers of a creation; 400 or 415 for what tus does not allow."""
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
    return Announced(length, given, declared, with_bytes, checksum, key)


def offset() -> int:
    """Read the headers of a PATCH: where its bytes begin."""
    if request.headers.get("Content-Type") != tus.CONTENT_TYPE:
        raise TusError(415, "wrong_content_type", f"Content-Type must be {tus.CONTENT_TYPE}")
    return tus.whole_number(request, "Upload-Offset")


def how_far(upload: Upload) -> Response:
    """The answer to HEAD."""
    answer = Response(status=HTTPStatus.OK)
    answer.headers["Upload-Length"] = str(upload["length"])
    if upload["metadata"]:
        answer.headers["Upload-Metadata"] = upload["metadata"]
    return standing(answer, upload)


def standing(answer: Response, upload: Upload) -> Response:
    """Say where the upload stands."""
    answer.headers["Upload-Offset"] = str(upload["offset"])
    answer.headers.update(tus.expires(upload.get("expires_at")))
    return answer


def _tus_error(error: TusError) -> Response:
    """A problem document, and tus's own headers."""
    phrase = _PHRASES.get(error.status) or HTTPStatus(error.status).phrase
    body = {"type": "about:blank", "title": phrase, "status": error.status, "code": error.code, "detail": error.detail}
    body["request_id"] = g.get("request_id", "")
    answer = Response(json.dumps(body), status=f"{error.status} {phrase}", mimetype=MEDIA_TYPE)
    answer.headers.update(error.headers)
    return answer


def _domain_error(error: DomainError) -> Response:
    """As everywhere; a wrong offset says where the upload stands."""
    answer = from_domain(error)
    if isinstance(error, WrongOffset):
        answer.headers["Upload-Offset"] = str(error.data["offset"])
    return answer
