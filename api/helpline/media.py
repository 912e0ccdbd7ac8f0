"""Pictures and voices in the talk: drawn anew without what a camera hides in them, sealed, and only then stored."""

from typing import Any, Final

import filetype
from flask import Response, request

from api.blueprint import Blueprint, Call
from api.helpline import schemas
from api.helpline.access import PUBLIC_BOTH, SECURITY, once, party, reader, the_vault
from domain.audit import chain as audit
from domain.errors import DomainError
from domain.helpline import chat
from domain.helpline.errors import MediaUnknown, RequestNotFound
from domain.helpline.states import Side
from runtime.evidence import redrawn
from runtime.media import Media

blp = Blueprint("helpline_media", __name__, url_prefix="/v1/helpline", description="Pictures and voices in the talk.")

MOST_BYTES: Final = 6 * 1024 * 1024
VOICES: Final = (
    "audio/ogg",
    "audio/mpeg",
    "audio/mp4",
    "audio/x-m4a",
    "audio/aac",
    "audio/amr",
    "audio/x-wav",
    "video/mp4",
)
"""What phones record; a voice of an Android phone is often a video without a picture."""
PICTURES: Final = ("image/jpeg", "image/png", "image/webp")


def _binary(kinds: tuple[str, ...]) -> dict[str, Any]:
    return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}


@blp.endpoint(
    "POST /requests/<request_id>/media",
    public=PUBLIC_BOTH,
    answer=schemas.HelplineMessage,
    status=201,
    creates=True,
    security=SECURITY,
    also={409: "It is over, or she asked not to be contacted.", 413: "More than 6 MiB."},
    requestBody={"required": True, "content": _binary((*PICTURES, *VOICES))},
)
def add_media(call: Call, request_id: str) -> Any:
    """Send a picture or a voice, at most 6 MiB. A picture keeps nothing but what one sees in it."""
    who = party(request_id)
    request.max_content_length = MOST_BYTES
    data = request.get_data(cache=False)
    clean = redrawn(data)
    found = filetype.guess(data[:8192])
    if clean is None and (found is None or found.mime not in VOICES):
        raise MediaUnknown("neither a picture nor a voice", errors={"body": ["A JPEG, PNG, WebP or a recorded voice."]})
    plain, kind = clean if clean is not None else (data, str(found.mime if found else ""))
    box, key = the_vault().box(request_id), once(call)
    message_id = chat.message_id(request_id, who.side, key)
    name = Media(call.services.settings.media_url).put(box.seal_bytes(f"media:{message_id}", plain))
    media = {"sha256": name, "type": kind, "size": len(plain)}
    try:
        message, made = chat.write(
            who.doc, box, "", side=who.side, by=who.by, key=key, kind="media", media=media, now=call.now
        )
    except DomainError:
        Media(call.services.settings.media_url).delete(name)  # refused: no message will ever name it
        raise
    if not made and message["media"]["sha256"] != name:
        Media(call.services.settings.media_url).delete(name)  # a retry seals anew: the first one stays
    call.services.enqueue("drain", "helpline_messages", message["_id"])
    return chat.view(message, box), 201 if made else 200


@blp.endpoint(
    "GET /requests/<request_id>/messages/<message_id>/media",
    public=PUBLIC_BOTH,
    security=SECURITY,
    responses={"200": {"description": "The picture or the voice.", "content": _binary((*PICTURES, *VOICES))}},
    also={403: "Of another counsellor: ask for an opening."},
)
def read_media(call: Call, request_id: str, message_id: str) -> Any:
    """The picture or the voice of a message. A counsellor's look is on the audit chain first."""
    who = reader(request_id, now=call.now)
    message = chat.with_media(request_id, message_id)
    if message is None:
        raise RequestNotFound("no such picture")
    if who.side == Side.COUNSELLOR:
        audit.append(who.doc["city"], who.by, "helpline.read", request_id, now=call.now, message=message_id)
    try:
        sealed = Media(call.services.settings.media_url).get(message["media"]["sha256"])
    except FileNotFoundError as error:
        raise RequestNotFound("no such picture") from error
    plain = the_vault().box(request_id).open_bytes(f"media:{message_id}", sealed)
    return Response(plain, mimetype=message["media"]["type"], headers={"Content-Disposition": "inline"})
