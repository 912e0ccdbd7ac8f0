"""An SOS as its phone raises, follows and cancels it."""

from datetime import timedelta
from typing import Any

from flask import request

from api import auth
from api.blueprint import Blueprint, Call
from api.incidents import intake, schemas
from api.incidents.access import PUBLIC, SECURITY, own_sos
from api.incidents.elsewhere import to_streams
from api.incidents.position import heard_at
from api.paging import Listed
from domain.incidents import cancelling, following, seen
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, address_hash, facts
from domain.incidents.projection import newest_messages

blp = Blueprint("sos", __name__, url_prefix="/v1", description="A call for help, as its citizen sees it.")


@blp.endpoint(
    "POST /sos",
    public="An SOS is taken from whoever sends it.",
    body=schemas.NewSos,
    lenient=True,
    answer=schemas.RaisedSos,
    status=201,
    creates=True,
    security=[{}, {"bearer": []}],
    also={422: "Neither a position, a phone number nor a device can be made out."},
)
def raise_sos(call: Call) -> Any:
    """Call for help. Never refused for its shape: what cannot be read is kept and flagged. A retry adds what is new."""
    settings = call.services.settings
    who = auth.soft_principal()
    reading = intake.read(_body())
    secret = settings.signing_key
    found = facts(
        CallForHelp(
            channel="app",
            position=reading.position,
            phone=reading.phone,
            device=reading.device,
            person=who.person_id or None,
            verified=bool(who.person_id) and not who.expired,
            category=reading.category,
            services=reading.services,
            silent=reading.silent,
            practice=reading.practice,
            battery_pct=reading.battery_pct,
            note=reading.note,
            language=reading.language,
            key=call.key or "",
            sent_at=call.sent_at,
            address=address_hash(secret, request.remote_addr or ""),
            unreadable=reading.unreadable,
        ),
        now=call.now,
    )
    raised = incidents.raise_sos(found, now=call.now, secret=secret, link_ttl=timedelta(seconds=settings.link_ttl_s))
    doc = raised.incident
    if doc.get("pending_events"):
        call.services.enqueue("drain", "incidents", doc["_id"])
    body = {
        "id": doc["_id"],
        "status": seen.by_citizen(doc, call.now)["status"],
        "share_url": f"{settings.links}/t/{incidents.share_token(secret, doc)}",
        # Whether she has set a PIN is not read here: nothing stands before an SOS. GET says it for certain.
        "cancel_requires_pin": bool(doc["citizen"].get("person")),
        "sos_token": incidents.sos_token(secret, doc["_id"]),
    }
    return body, 201 if raised.created else 200


def _body() -> bytes:
    """What came, as much of it as an SOS can need: a body that is too large, or breaks off, is cut, not refused."""
    length = request.content_length
    if length is None and not request.environ.get("wsgi.input_terminated"):
        return b""
    most = intake.BODY_BYTES if length is None else min(length, intake.BODY_BYTES)
    try:
        found: bytes = request.environ["wsgi.input"].read(most)
    except OSError:
        return b""
    return found


@blp.endpoint("GET /sos/<sos_id>", public=PUBLIC, answer=schemas.SosDetail, etag=True, security=SECURITY)
def follow(call: Call, sos_id: str) -> Any:
    """How the SOS stands."""
    doc = own_sos(sos_id)
    view = seen.by_citizen(doc, call.now)
    settings = call.services.settings
    extra = {
        "cancel_requires_pin": cancelling.requires_pin(doc),
        "share_url": f"{settings.links}/t/{incidents.share_token(settings.signing_key, doc)}",
    }
    return view | extra, 200, view["version"]


@blp.endpoint(
    "POST /sos/<sos_id>/cancel",
    public=PUBLIC,
    body=schemas.CancelBody,
    answer=schemas.Sos,
    security=SECURITY,
    also={403: "The PIN is wrong; it was counted.", 429: "Too many wrong PINs."},
)
def cancel(call: Call, sos_id: str) -> Any:
    """Say that it is over, with the PIN where one is needed."""
    doc = cancelling.cancel(
        own_sos(sos_id),
        call.body.get("pin") or "",
        reason=call.body.get("reason") or "",
        secret=call.services.settings.signing_key,
        now=call.now,
    )
    if doc.get("pending_events"):
        call.services.enqueue("drain", "incidents", sos_id)
    return seen.by_citizen(doc, call.now)


@blp.endpoint(
    "POST /sos/<sos_id>/positions",
    public=PUBLIC,
    body=schemas.TrackBatch,
    answer=schemas.TrackTaken,
    status=202,
    security=SECURITY,
    also={409: "It is over since half an hour: send no more."},
)
def add_positions(call: Call, sos_id: str) -> Any:
    """Where the phone is: up to 100 positions, in any order; taken until 30 minutes after it is over."""
    points = call.body["positions"]
    following.positions(
        own_sos(sos_id), points, age_of=lambda point: heard_at(point, sent_at=call.sent_at, now=call.now), now=call.now
    )
    return {"accepted": len(points)}


@blp.endpoint("GET /sos/<sos_id>/messages", public=PUBLIC, answer=schemas.SosMessage, paged=True, security=SECURITY)
def list_messages(call: Call, sos_id: str) -> Any:
    """What was written, newest first. Not after a cancel: the SOS then shows what there was."""
    doc = own_sos(sos_id)
    held = list((doc.get("citizen") or {}).get("messages") or [])
    after = call.after(int)
    rest = held[: after[0]] if after else held
    page = newest_messages(rest, most=call.limit)[::-1]
    left = len(rest) - len(page)
    return Listed(page, [left] if left > 0 else None)


@blp.endpoint(
    "POST /sos/<sos_id>/messages",
    public=PUBLIC,
    body=schemas.NewMessage,
    answer=schemas.SosMessage,
    status=201,
    creates=True,
    security=SECURITY,
    also={409: "It is over."},
)
def add_message(call: Call, sos_id: str) -> Any:
    """Write to the control room, silently. The same key is the same message."""
    doc = own_sos(sos_id)
    key = call.key or call.fingerprint
    by = (doc.get("citizen") or {}).get("person")
    made = following.message_id(sos_id, "citizen", key)
    repeated = following.holds_message(doc, made)
    after = following.message(doc, call.body["text"], sender="citizen", by=by, key=key, now=call.now)
    call.services.enqueue("drain", "incidents", sos_id)
    mine = next(each for each in after["citizen"]["messages"] if each["id"] == made)
    return mine, 200 if repeated else 201


@blp.endpoint("POST /sos/<sos_id>/share", public=PUBLIC, answer=schemas.ShareAnswer, status=201, security=SECURITY)
def renew_share(call: Call, sos_id: str) -> Any:
    """End every live page at once, guardians' too, and open a new one."""
    settings = call.services.settings
    secret, ttl = settings.signing_key, timedelta(seconds=settings.link_ttl_s)
    doc = following.new_share_link(own_sos(sos_id), secret=secret, ttl=ttl, now=call.now)
    return {"share_url": f"{settings.links}/t/{incidents.share_token(secret, doc)}"}


@blp.endpoint(
    "GET /sos/<sos_id>/events",
    public=PUBLIC,
    status=307,
    security=SECURITY,
    also={404: "No event streams here: poll with If-None-Match."},
)
def events(call: Call, sos_id: str) -> Any:
    """Where the event stream of an SOS is: `streams_url` of app-config has the same path (text/event-stream)."""
    return to_streams()
