"""Evidence that is taken elsewhere: to a court, to another agency. What leaves is the redacted copy, unless a yes holds."""

import json
from collections.abc import Iterator
from typing import Any, Final

from flask import Response

from api.blueprint import Blueprint, Call
from api.evidence import schemas
from api.evidence.viewing import READ, held, opened_files, readable_evidence
from api.evidence.views import evidence_view
from domain.evidence import custody, viewing
from domain.evidence.states import Copy
from domain.evidence.taking import Evidence
from runtime import clips, watermark
from runtime.zips import zipped

blp = Blueprint("evidence_exports", __name__, url_prefix="/v1", description="Evidence that is taken elsewhere.")

_INDENT: Final = 1


class ClipBroken(Exception):
    """A clip that is not whole is no evidence."""


@blp.endpoint(
    "POST /evidence/<evidence_id>/exports",
    permission=READ,
    body=schemas.NewView,
    responses={
        "200": {"description": "The files, their hashes and the chain of custody.", "content": {"application/zip": {}}}
    },
    also={
        403: "The original leaves only after somebody else said yes (`opening_needed`).",
        409: "There is no redacted copy yet (`evidence_not_ready`).",
        503: "Too many clips are being sent, or this machine cannot encode any.",
    },
)
def export(call: Call, evidence_id: str) -> Any:
    """A ZIP: of the redacted copy the clip with the caller's mark in it; of the original the recorder's own files, whose
    SHA-256 stand in `manifest.json` and on the chain of custody. Told before it is sent.
    """
    doc, copy, reason = readable_evidence(call, evidence_id), call.body["copy"], call.body["reason"]
    review = viewing.check(doc, copy, by=call.who.person_id, now=call.now)
    files, offsets, masks = opened_files(call, doc, copy)
    clip = None
    if copy is Copy.REDACTED:
        mark = watermark.line(call.who.person_id, call.now, evidence_id)
        clip = clips.marked(files, offsets, text=mark, start=doc["start"], seconds=doc["seconds"], masks=masks)
    try:
        viewing.exported(doc, copy, by=call.who.person_id, reason=reason, review=review, now=call.now)
    except BaseException:
        if clip is not None:
            clip.close()  # else the next viewer waits for its place
        raise
    answer = Response(zipped(_entries(doc, copy, files, clip), at=call.now), mimetype="application/zip")
    if clip is not None:
        answer.call_on_close(clip.close)
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = f'attachment; filename="{evidence_id}-{copy}.zip"'
    return answer


def _entries(
    doc: Evidence, copy: Copy, files: list[clips.File], clip: "clips.Clip | None"
) -> Iterator[tuple[str, Any]]:
    if clip is not None:
        yield "redacted.mp4", _whole(clip)
    else:
        names = [part["name"] for part in doc.get("parts") or []] or ["original"]
        for index, (name, (_, parts)) in enumerate(zip(names, files, strict=True)):
            yield f"original/{index:04d}-{name}", parts
    yield "manifest.json", [_json(evidence_view(doc, held=held(doc)) | {"exported": str(copy)})]
    yield "custody.json", [_json(custody.entries(doc["_id"]))]


def _whole(clip: "clips.Clip") -> Iterator[bytes]:
    """The clip's parts; raises ClipBroken after the last where it broke off, so that the ZIP breaks off, too."""
    yield from clip
    if not clip.whole:
        raise ClipBroken("the clip broke off")


def _json(found: Any) -> bytes:
    return json.dumps(found, indent=_INDENT, default=_plain, ensure_ascii=False).encode()


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
