"""Evidence: what it is, who had it, and the sight of it, with the viewer's id and the time burnt into every picture."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from flask import Response

from api.blueprint import Blueprint, Call
from api.evidence import schemas
from api.evidence.views import evidence_view, view_view
from api.incidents.routes import readable
from api.paging import Listed
from api.reviews.routes import review_view
from api.reviews.schemas import Review
from domain import permissions
from domain.audit import chain as audit
from domain.cameras import queries as cameras
from domain.cameras.errors import CameraNotFound, StillNotFound
from domain.evidence import custody, taking, viewing
from domain.evidence.errors import EvidenceDamaged, EvidenceNotFound, NotReady
from domain.evidence.rules import MOST_SECONDS
from domain.evidence.states import Copy
from domain.evidence.taking import Evidence
from domain.incidents import service as incidents
from domain.incidents.errors import IncidentNotFound
from domain.permissions import Target
from domain.reviews import service as reviews
from domain.reviews.states import ReviewKind
from runtime import clips, logging, watermark
from runtime.media import Media
from runtime.sealed import SealedFiles
from runtime.vault import vault

blp = Blueprint("evidence", __name__, url_prefix="/v1", description="Evidence and its chain of custody.")

READ: Final = "evidence.read"
VERIFY: Final = "custody.read"
_log = logging.get(__name__)


def readable_evidence(call: Call, evidence_id: str, action: str = READ) -> Evidence:
    """The evidence, within the caller's reach for an action; raises EvidenceNotFound."""
    doc = taking.get(evidence_id)
    hidden = frozenset(str(person) for each in taking.incidents_of(doc) if (person := _citizen(each)))
    if not permissions.reaches(call.who, action, Target(city=doc["city"], hidden_from=hidden)):
        raise EvidenceNotFound("no such evidence")
    return doc


def _citizen(incident_id: str) -> Any:
    try:
        return (incidents.get(incident_id).get("citizen") or {}).get("person")
    except IncidentNotFound:
        return None


def held(doc: Evidence) -> bool:
    """Whether a legal hold on any of its incidents keeps it."""
    return any(_is_held(each) for each in taking.incidents_of(doc))


def _is_held(incident_id: str) -> bool:
    try:
        return bool(incidents.get(incident_id).get("hold"))
    except IncidentNotFound:
        return False


@blp.endpoint(
    "GET /incidents/<incident_id>/evidence",
    permission=READ,
    query=schemas.EvidenceQuery,
    answer=schemas.Evidence,
    paged=True,
    caution=False,
)
def list_evidence(call: Call, incident_id: str) -> Any:
    """What proves what happened, newest first: footage that was taken, and what the citizen sent. No pictures."""
    doc = readable(call, incident_id, READ)
    after = call.after(datetime, str)
    rows, last = viewing.of_incident(incident_id, after=(after[0], after[1]) if after else None, limit=call.limit)
    audit.append(doc["city"], call.who.person_id, "evidence.listed", incident_id, now=call.now)
    return Listed([evidence_view(row, held=held(row)) for row in rows], last)


@blp.endpoint("GET /evidence/<evidence_id>", permission=READ, answer=schemas.Evidence, etag=True, caution=False)
def read_evidence(call: Call, evidence_id: str) -> Any:
    """One piece of evidence: hashes, source, clock, models. No picture of it."""
    doc = readable_evidence(call, evidence_id)
    audit.append(doc["city"], call.who.person_id, "evidence.read", evidence_id, now=call.now)
    return evidence_view(doc, held=held(doc))


@blp.endpoint(
    "GET /evidence/<evidence_id>/custody", permission=VERIFY, answer=schemas.Custody, etag=True, caution=False
)
def read_custody(call: Call, evidence_id: str) -> Any:
    """Who did what with it, from the taking to the deletion, verified against the city's audit chain."""
    entries = custody.entries(evidence_id)
    if not entries or not permissions.reaches(call.who, VERIFY, Target(city=entries[0]["city"])):
        raise EvidenceNotFound("no such evidence")
    city = entries[0]["city"]
    audit.append(city, call.who.person_id, "custody.read", evidence_id, now=call.now)
    verdict = custody.verify(city, evidence_id)
    return {**vars(verdict), "holds": verdict.holds, "unanchored": list(verdict.unanchored), "entries": entries}


@blp.endpoint(
    "POST /evidence/<evidence_id>/openings",
    permission=READ,
    body=schemas.NewOpening,
    answer=Review,
    status=201,
    creates=True,
    caution=False,
    also={409: "The original is not sealed yet."},
)
def ask_opening(call: Call, evidence_id: str) -> Any:
    """Ask to see the sealed original. Somebody else must say yes (`/v1/reviews`); then it can be viewed for an hour."""
    doc, who = readable_evidence(call, evidence_id), call.who.person_id
    if not doc.get("parts") and not doc.get("sha256"):
        raise NotReady("the original is not sealed yet", current=doc.get("state"))
    doc = taking.wanted(doc, now=call.now)
    if doc.get("due"):
        call.services.enqueue("redact", evidence_id)
    reason = call.body["reason"]
    audit.append(doc["city"], who, "evidence.opening_asked", evidence_id, now=call.now, reason=reason)
    made, new = reviews.ask(
        ReviewKind.EVIDENCE_OPENING,
        city=doc["city"],
        subject=evidence_id,
        asked_by=who,
        reason=reason,
        key=f"opening:{evidence_id}:{call.key}" if call.key else "",
        now=call.now,
    )
    call.services.enqueue("drain", "reviews", made["_id"])
    return review_view(made), 201 if new else 200


@blp.endpoint(
    "POST /evidence/<evidence_id>/views",
    permission=READ,
    body=schemas.NewView,
    answer=schemas.View,
    status=201,
    creates=True,
    also={
        403: "The original is opened only after somebody else said yes (`opening_needed`).",
        409: "There is no redacted copy yet (`evidence_not_ready`), or the key was used for another view.",
    },
)
def view(call: Call, evidence_id: str) -> Any:
    """Get the sight of a copy for a quarter of an hour, with a reason; each picture that is sent is told, too. What a citizen
    sent is blurred when somebody first wants to see it: try again after `evidence_not_ready`.
    """
    doc, body = readable_evidence(call, evidence_id), call.body
    doc = taking.wanted(doc, now=call.now)
    if doc.get("due"):
        call.services.enqueue("redact", evidence_id)
    given, new = viewing.give(
        call.new_id("evw"), doc, body["copy"], by=call.who.person_id, reason=body["reason"], now=call.now
    )
    return view_view(given, doc), 201 if new else 200


@blp.endpoint(
    "GET /evidence/<evidence_id>/views/<view_id>/clip",
    permission=READ,
    responses={"200": {"description": "Fragmented MP4 with the viewer's mark.", "content": {"video/mp4": {}}}},
    also={503: "Too many clips are being sent, or this machine cannot encode any."},
)
def watch(call: Call, evidence_id: str, view_id: str) -> Any:
    """The clip, encoded for this viewer while it is sent, and kept nowhere."""
    doc = readable_evidence(call, evidence_id)
    given = viewing.get(view_id, evidence_id, by=call.who.person_id, now=call.now)
    files, offsets, masks = opened_files(call, doc, Copy(given["copy"]))
    viewing.seen(doc, given, "clip", now=call.now)
    mark = watermark.line(call.who.person_id, call.now, evidence_id)
    start, seconds = doc.get("start") or doc["at"], doc.get("seconds") or MOST_SECONDS
    parts = clips.marked(files, offsets, text=mark, start=start, seconds=seconds, masks=masks)
    return _private(Response(parts, mimetype="video/mp4"))


def opened_files(call: Call, doc: Evidence, copy: Copy) -> tuple[list[clips.File], list[float], list[Any]]:
    """(files, where each begins in seconds, masks) of a copy. An original is opened while it is read, a piece at a time."""
    media = Media(call.services.settings.media_url)
    if copy is Copy.REDACTED:
        data = _bytes(media, doc["copy"]["sha256"], doc["_id"])
        return [(len(data), [data])], [float(doc["copy"]["first"])], []
    if not doc.get("parts"):
        data = _bytes(media, doc["sha256"], doc["_id"])
        return [(len(data), [data])], [0.0], []
    sealed = SealedFiles(vault(call.services.settings), media)
    parts: list[Mapping[str, Any]] = doc["parts"]
    files: list[clips.File] = [(part["size"], _opened(sealed, doc["_id"], part)) for part in parts]
    try:
        masks = cameras.camera(doc["camera"], retired=True).get("masks") or []
    except CameraNotFound:
        masks = []
    return files, [(part["start"] - doc["start"]).total_seconds() for part in parts], masks


def _opened(sealed: SealedFiles, evidence_id: str, part: Mapping[str, Any]) -> Iterator[bytes]:
    yield from sealed.open(evidence_id, part)


@blp.endpoint(
    "GET /evidence/<evidence_id>/views/<view_id>/stills/<int:number>",
    permission=READ,
    responses={"200": {"description": "A JPEG with the viewer's mark.", "content": {"image/jpeg": {}}}},
)
def still(call: Call, evidence_id: str, view_id: str, number: int) -> Any:
    """One still of the redacted copy, with the viewer's mark in its pixels."""
    doc = readable_evidence(call, evidence_id)
    given = viewing.get(view_id, evidence_id, by=call.who.person_id, now=call.now)
    stills = (doc.get("copy") or {}).get("stills") or []
    if given["copy"] != Copy.REDACTED or number >= len(stills):
        raise StillNotFound("no such picture")
    jpeg = _bytes(Media(call.services.settings.media_url), stills[number]["sha256"], evidence_id)
    viewing.seen(doc, given, f"still {number}", now=call.now)
    shown = watermark.still(jpeg, call.who.person_id, call.now, evidence_id)
    return _private(Response(shown, mimetype="image/jpeg"))


def _bytes(media: Media, name: str, evidence_id: str) -> bytes:
    try:
        return media.get(name)
    except FileNotFoundError:
        raise EvidenceNotFound("its time was over") from None
    except ValueError:
        _log.error("evidence_damaged", evidence=evidence_id)
        raise EvidenceDamaged("what is stored is damaged") from None


def _private(answer: Response) -> Response:
    """For this viewer alone, and not kept by anything on the way."""
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = "inline"
    return answer
