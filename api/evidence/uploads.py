"""The routes by which a file comes in by tus 1.0: creation, creation-with-upload, checksum, termination and expiration.

They are the same whatever the file belongs to; `Of` says what that is, who may send to it and what becomes of a whole file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, request

from api.evidence import manners, tus
from api.evidence.receive import receive
from api.evidence.tus import TusError
from api.services import services
from domain.evidence import service as evidence
from domain.evidence.errors import HashMismatch, WrongOffset
from domain.evidence.service import NewUpload, Upload
from domain.ids import derived_id, new_id


@dataclass(frozen=True)
class Of:
    """What uploads belong to. Each function may raise a DomainError."""

    own: Callable[[str], Mapping[str, Any]]
    """The document by its id, for whoever may send to it."""
    sender: Callable[[Mapping[str, Any]], str]
    """Who sends, as the upload names them."""
    most_bytes: Callable[[], int]
    begin: Callable[[NewUpload], Upload]
    """Store a new upload; the same id again is the same one."""
    finish: Callable[[Upload], Upload]
    """Make of a whole upload what it becomes; one that is not whole stays as it is."""


def serve(blp: Blueprint, of: Of, declared: Mapping[str, str] | None = None) -> None:
    """Let a blueprint take uploads; its prefix names what they belong to: `/v1/sos/<sos_id>/media`. `declared` is what
    `endpoint` would say of the permission.
    """
    manners.install(blp)
    views: dict[str, Any] = {view.__name__: partial(view, of) for _, _, view in _ROUTES}
    for method, rule, view in _ROUTES:
        name = view.__name__
        if declared is not None and method != "OPTIONS":
            views[name]._amaan = declared
        blp.add_url_rule(rule, name, views[name], methods=[method], provide_automatic_options=False)


def options(of: Of, **path: str) -> Response:
    """What this server can do; nobody has to be known for it."""
    return manners.abilities(of.most_bytes())


def create(of: Of, **path: str) -> Response:
    """Begin an upload, with its first bytes if they come along."""
    (belongs_to,) = path.values()
    found = services()
    doc = of.own(belongs_to)
    said = manners.announced()
    upload = of.begin(
        NewUpload(
            id=derived_id("upl", belongs_to, said.key) if said.key else new_id("upl", found.clock()),
            incident=belongs_to,
            city=doc["city"],
            by=of.sender(doc),
            length=said.length,
            metadata=said.metadata,
            declared=said.declared,
        )
    )
    if said.with_bytes and upload["offset"] == 0:
        upload = receive(request, upload, found.evidence, said.checksum, found.clock)
    upload = _finished(of, upload)
    answer = Response(status=HTTPStatus.CREATED)
    answer.headers["Location"] = f"{found.settings.public_url}{request.path}/{upload['_id']}"
    return manners.standing(answer, upload)


def head(of: Of, upload_id: str, **path: str) -> Response:
    """How far the upload is."""
    return manners.how_far(_upload(of, upload_id, path))


def patch(of: Of, upload_id: str, **path: str) -> Response:
    """Add bytes where the upload stands."""
    offset = manners.offset()
    checksum = tus.checksum(request)
    found = services()
    upload = _upload(of, upload_id, path)
    if upload["offset"] != offset:
        raise WrongOffset("the upload stands elsewhere", offset=upload["offset"])
    upload = _finished(of, receive(request, upload, found.evidence, checksum, found.clock))
    return manners.standing(Response(status=HTTPStatus.NO_CONTENT), upload)


def delete(of: Of, upload_id: str, **path: str) -> Response:
    """Give an upload up. What it has become already stays."""
    evidence.end(_upload(of, upload_id, path), services().evidence)
    return Response(status=HTTPStatus.NO_CONTENT)


def post_for_another(of: Of, upload_id: str, **path: str) -> Response:
    """PATCH, HEAD and DELETE for phones whose network lets only GET and POST through (X-HTTP-Method-Override)."""
    meant = {"PATCH": patch, "DELETE": delete, "HEAD": head}.get(request.headers.get("X-HTTP-Method-Override", ""))
    if meant is None:
        raise TusError(405, "method_not_allowed", "POST creates; an upload takes PATCH", Allow="PATCH, HEAD, DELETE")
    return meant(of, upload_id, **path)


_ONE: Final = "/<upload_id>"
_ROUTES: Final[tuple[tuple[str, str, Callable[..., Response]], ...]] = (
    ("OPTIONS", "", options),
    ("OPTIONS", _ONE, options),
    ("POST", "", create),
    ("HEAD", _ONE, head),
    ("PATCH", _ONE, patch),
    ("DELETE", _ONE, delete),
    ("POST", _ONE, post_for_another),
)
"""Their names are operation ids in the contract."""


def _upload(of: Of, upload_id: str, path: Mapping[str, str]) -> Upload:
    (belongs_to,) = path.values()
    of.own(belongs_to)
    return evidence.get(upload_id, belongs_to, now=services().clock())


def _finished(of: Of, upload: Upload) -> Upload:
    try:
        return of.finish(upload)
    except HashMismatch as error:
        raise TusError(460, error.error_code, error.detail) from None
