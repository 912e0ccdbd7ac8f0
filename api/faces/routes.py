"""Searching one incident's footage for one face. Off in every city by default; each call stands on the audit chain."""

import io
from typing import Any, Final

from flask import Response, request

from api.blueprint import Blueprint, Call
from api.faces import schemas
from api.incidents.routes import readable
from api.paging import Listed
from domain.audit import chain as audit
from domain.cities import queries as cities
from domain.errors import TooLarge
from domain.faces import queries, service
from domain.faces.errors import LeadNotFound, NotAFace, SearchNotFound, SearchOver
from domain.faces.queries import Search
from domain.faces.states import SearchState
from domain.incidents.errors import IncidentNotFound
from domain.vault.errors import Destroyed
from runtime import watermark
from runtime.evidence import redrawn
from runtime.media import Media
from runtime.sealed import Damaged, SealedFiles
from runtime.vault import vault

blp = Blueprint("faces", __name__, url_prefix="/v1", description="Searching an incident's footage for one face.")

SEARCH: Final = "face.search"
PHOTO_BYTES: Final = 6 * 1024 * 1024


def _view(doc: Search) -> dict[str, Any]:
    here = f"/v1/face-searches/{doc['_id']}/leads"
    leads = doc["leads"] if doc["state"] == SearchState.ALLOWED else []
    return {**doc, "id": doc["_id"], "leads": [{**each, "crop": f"{here}/{each['id']}/crop"} for each in leads]}


def _search(call: Call, search_id: str) -> Search:
    doc = queries.get(search_id)
    try:
        readable(call, doc["incident"], SEARCH)
    except IncidentNotFound:
        raise SearchNotFound("no such search") from None
    return doc


def _sealed(call: Call) -> SealedFiles:
    return SealedFiles(vault(call.services.settings), Media(call.services.settings.media_url))


def _audited(call: Call, doc: Search, action: str, reason: str = "", **refs: str) -> None:
    audit.append(
        doc["city"], call.who.person_id, f"face_search.{action}", doc["_id"], now=call.now, reason=reason,
        incident=doc["incident"], **refs,
    )  # fmt: skip


@blp.endpoint(
    "POST /incidents/<incident_id>/face-searches",
    permission=SEARCH,
    body=schemas.NewFaceSearch,
    answer=schemas.FaceSearch,
    status=201,
    creates=True,
    caution=False,
    also={403: "This city compares no faces (`face_search_off`).", 409: "The key was used for another search."},
)
def draft(call: Call, incident_id: str) -> Any:
    """Begin a search: why, and on whose order. Its picture comes next; then two others are asked."""
    incident = readable(call, incident_id, SEARCH)
    made, new = service.draft(
        call.new_id("fse"),
        incident,
        call.body,
        cities.current(incident["city"]),
        by=call.who.person_id,
        fingerprint=call.fingerprint,
        now=call.now,
    )
    _audited(call, made, "drafted", made["legal_basis"])
    return _view(made), 201 if new else 200


@blp.endpoint(
    "PUT /face-searches/<search_id>/photo",
    permission=SEARCH,
    answer=schemas.FaceSearch,
    caution=False,
    also={409: "Its picture came already, or it is over.", 422: "Not a picture that can be decoded."},
    requestBody={
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp")
        },
    },
)
def put_photo(call: Call, search_id: str) -> Any:
    """Whom to look for: one face, at most 6 MiB. It is sealed, and two others are asked whether the search may be made."""
    doc = _search(call, search_id)
    service.must_be_on(cities.current(doc["city"]))
    request.max_content_length = PHOTO_BYTES
    if (request.content_length or 0) > PHOTO_BYTES:
        raise TooLarge("larger than a picture may be", limit=PHOTO_BYTES)
    clean = redrawn(request.get_data(cache=False))
    if clean is None:
        raise NotAFace("not a picture", errors={"photo": ["A JPEG, PNG or WebP picture."]})
    if doc["state"] != SearchState.DRAFT or doc["until"] <= call.now:
        raise SearchOver("its picture came already, or it is over", current=doc["state"])
    _audited(call, doc, "asked", doc["legal_basis"])
    photo = _sealed(call).seal(
        search_id,
        doc["city"],
        "photo",
        io.BytesIO(clean[0]),
        note=lambda name: service.note(search_id, [name]),
        now=call.now,
    )
    after = service.ask(search_id, photo, now=call.now)
    call.services.enqueue("drain", "face_searches", search_id)
    return _view(after)


@blp.endpoint(
    "GET /incidents/<incident_id>/face-searches",
    permission=SEARCH,
    answer=schemas.FaceSearch,
    paged=True,
    caution=False,
)
def list_searches(call: Call, incident_id: str) -> Any:
    """An incident's searches, newest first."""
    doc = readable(call, incident_id, SEARCH)
    audit.append(doc["city"], call.who.person_id, "face_search.listed", incident_id, now=call.now)
    return Listed([_view(row) for row in queries.of_incident(incident_id, limit=call.limit)])


@blp.endpoint("GET /face-searches/<search_id>", permission=SEARCH, answer=schemas.FaceSearch, etag=True, caution=False)
def read_search(call: Call, search_id: str) -> Any:
    """One search, and its leads while it is allowed."""
    doc = _search(call, search_id)
    _audited(call, doc, "read")
    return _view(doc), 200, doc["version"]


@blp.endpoint(
    "POST /face-searches/<search_id>/run",
    permission=SEARCH,
    answer=schemas.FaceSearch,
    caution=False,
    also={409: "It is not allowed, or not any more."},
)
def run(call: Call, search_id: str) -> Any:
    """Go through footage that was taken since, and through what could not be gone through."""
    doc = _search(call, search_id)
    service.must_be_on(cities.current(doc["city"]))
    _audited(call, doc, "run_asked", doc["legal_basis"])
    after = service.again(search_id, now=call.now)
    call.services.enqueue("search_faces", search_id)
    return _view(after)


@blp.endpoint(
    "POST /face-searches/<search_id>/end",
    permission=SEARCH,
    body=schemas.EndFaceSearch,
    answer=schemas.FaceSearch,
    caution=False,
)
def end(call: Call, search_id: str) -> Any:
    """End a search before its time: somebody was found. Its pictures go at once."""
    _search(call, search_id)
    return _view(service.end(search_id, call.who.person_id, reason=call.body["reason"], now=call.now))


@blp.endpoint(
    "GET /face-searches/<search_id>/leads/<lead_id>/crop",
    permission=SEARCH,
    responses={"200": {"description": "A JPEG with the viewer's mark.", "content": {"image/jpeg": {}}}},
)
def read_crop(call: Call, search_id: str, lead_id: str) -> Any:
    """The face of a lead, with the viewer's mark in it. Each sight is on the audit chain, before it is shown."""
    doc = _search(call, search_id)
    lead = service.lead(doc, lead_id)
    if doc["until"] <= call.now:
        raise LeadNotFound("the search is over")
    _audited(call, doc, "lead_seen", doc["legal_basis"], lead=lead_id, evidence=lead["evidence"])
    return _marked(call, search_id, lead["crop"], lead_id)


@blp.endpoint(
    "GET /face-searches/<search_id>/photo",
    permission=SEARCH,
    responses={"200": {"description": "A JPEG with the viewer's mark.", "content": {"image/jpeg": {}}}},
)
def read_photo(call: Call, search_id: str) -> Any:
    """Whom the search is for, to be looked at beside a lead while it is allowed. Each sight is on the audit chain."""
    doc = _search(call, search_id)
    if doc["state"] != SearchState.ALLOWED or doc["until"] <= call.now:
        raise LeadNotFound("it is not allowed, or not any more")
    _audited(call, doc, "photo_seen", doc["legal_basis"])
    return _marked(call, search_id, doc["photo"], search_id)


def _marked(call: Call, search_id: str, sealed: dict[str, Any], name: str) -> Response:
    """A sealed picture of a search with the viewer's mark in its pixels."""
    try:
        jpeg = b"".join(_sealed(call).open(search_id, sealed))
        shown = watermark.still(jpeg, call.who.person_id, call.now, name)
    except (Damaged, Destroyed, OSError, ValueError):
        raise LeadNotFound("its picture is gone, or damaged") from None
    answer = Response(shown, mimetype="image/jpeg")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
