"""The helpline as her phone uses it: ask, wait, talk, be in charge of who contacts her and when, and be forgotten."""

from typing import Any

from flask import request

from api import auth
from api.blueprint import Blueprint, Call
from api.helpline import schemas
from api.helpline.access import PUBLIC, PUBLIC_BOTH, SECURITY, closing, hers, once, party, reader, the_vault
from api.helpline.views import her_view
from api.incidents.elsewhere import to_streams
from api.paging import Listed
from domain.audit import chain as audit
from domain.cities import queries as cities
from domain.helpline import chat, erasing, line, returning, rules, shifts
from domain.helpline import service as helpline
from domain.helpline.errors import QuickUnknown
from domain.helpline.rules import Step
from domain.helpline.service import Asked
from domain.helpline.states import Danger, Outcome, Side
from domain.incidents.calls import address_hash
from domain.limits import service as limits
from domain.permissions import Principal
from runtime.media import Media

blp = Blueprint("helpline", __name__, url_prefix="/v1/helpline", description="A counsellor for whoever asks.")

ASKS_PER_ADDRESS_HOUR = 60
"""Whole neighbourhoods share an address behind their operator's NAT."""
WORDS_PER_ADDRESS_HOUR = 10
"""Beyond this a word finds nothing: four words are 24 bits."""
ANSWER_BYTES = 6 * 1024
"""Of a page of messages: with the rest of the answer below what a phone on a bad network is sent."""


@blp.endpoint(
    "POST /requests",
    public="Whoever needs the helpline need not be known to it.",
    body=schemas.NewRequest,
    answer=schemas.AskedRequest,
    status=201,
    creates=True,
    security=[{}, {"bearer": []}],
    also={
        409: "The key was used for another request.",
        410: "What this key made was erased.",
        429: "Too many from this network.",
    },
)
def ask(call: Call) -> Any:
    """Ask for a counsellor. Anonymous where she says so or has no account; what she tells is sealed before it is stored."""
    body, secret = call.body, call.services.settings.signing_key
    address = address_hash(secret, request.remote_addr or "")
    limits.take(secret, "helpline", address, limit=ASKS_PER_ADDRESS_HOUR, window_s=3600, now=call.now)
    who = auth.principal() if auth.soft_principal().person_id and not body["anonymous"] else None
    told = {name: body.get(name) for name in ("phone", "name", "codeword", "safe_to_call", "position")}
    told |= {"push": body.get("push_token"), "person": who.person_id if who else None}
    asked = Asked(
        city=_city(call, who),
        mode=body["mode"],
        language=body.get("language") or (who.language if who else "ur"),
        wanted=body["wanted"],
        disguise=body["disguise"],
        danger=Danger.NOW if body["danger_now"] else Danger.UNKNOWN,
        anonymous=who is None,
        listen_in=bool(body.get("listen_in")),
        owner=who.person_id if who else f"phone:{body.get('device') or ''}",
        key=call.key or "",
        fingerprint=call.fingerprint,
        told=told,
    )
    doc, created = helpline.ask(asked, the_vault(), now=call.now)
    if created and body.get("word"):
        doc = _with_earlier(call, doc, body["word"], address)
    call.services.enqueue("drain", "helpline_requests", doc["_id"])
    box = the_vault().box(doc["_id"])
    if body.get("message"):
        message, _ = chat.write(doc, box, body["message"], side=Side.CITIZEN, by="citizen", key="first", now=call.now)
        call.services.enqueue("drain", "helpline_messages", message["_id"])
    view = her_view(doc, box, now=call.now) | {"helpline_token": helpline.token(secret, doc["_id"])}
    return view, 201 if created else 200


def _with_earlier(call: Call, doc: dict[str, Any], word: str, address: str) -> dict[str, Any]:
    """What the word finds is for her counsellor; her phone's answer is the same whether it found anything."""
    secret = call.services.settings.signing_key
    if limits.count(secret, "helpline_word", address, window_s=3600, now=call.now) > WORDS_PER_ADDRESS_HOUR:
        return doc
    if not (earlier := returning.found(word, the_vault(), city=doc["city"])):
        return doc
    return helpline.change(doc["_id"], lambda _: Step(sets={"earlier": earlier}), now=call.now)


def _city(call: Call, who: Principal | None) -> str:
    """By position, else as she says, else her home's, else the first one: nobody is sent away for want of a city."""
    position, known = call.body.get("position"), cities.known()
    if position and (inside := cities.city_at(position["lat"], position["lon"])):
        return inside
    for wanted in (call.body.get("city"), who.city if who else ""):
        if wanted in known:
            return str(wanted)
    return known[0]


@blp.endpoint("GET /requests", permission="helpline.ask", answer=schemas.HelplineRequest, paged=True)
def list_mine(call: Call) -> Any:
    """One's own requests that were not anonymous, newest first."""
    rows = line.of_person(the_vault().index("person", call.who.person_id), limit=call.limit)
    return Listed([her_view(doc, the_vault().box(doc["_id"]), now=call.now) for doc in rows])


@blp.endpoint("GET /requests/<request_id>", public=PUBLIC, answer=schemas.HelplineRequest, etag=True, security=SECURITY)
def follow(call: Call, request_id: str) -> Any:
    """How it stands: her place, an honest waiting time, and whether somebody is there."""
    doc = hers(request_id)
    return her_view(doc, the_vault().box(request_id), now=call.now, secret=call.services.settings.signing_key)


@blp.endpoint(
    "PATCH /requests/<request_id>",
    public=PUBLIC,
    body=schemas.ChangeRequest,
    answer=schemas.HelplineRequest,
    security=SECURITY,
    also={409: "It is over."},
)
def change(call: Call, request_id: str) -> Any:
    """Change number, safe times, whom she wants, what notifications pretend to be."""
    doc, body = hers(request_id), dict(call.body)
    told: dict[str, Any] = {name: body[name] for name in ("phone", "codeword", "safe_to_call") if name in body}
    if "push_token" in body:
        told["push"] = body["push_token"]
    if told:
        doc = helpline.told_again(request_id, told, the_vault(), now=call.now)
    doc = helpline.change(request_id, lambda found: rules.prefer(found, body), now=call.now)
    call.services.enqueue("drain", "helpline_requests", request_id)
    return her_view(doc, the_vault().box(request_id), now=call.now)


@blp.endpoint(
    "POST /requests/<request_id>/contact",
    public=PUBLIC,
    body=schemas.ContactWish,
    answer=schemas.HelplineRequest,
    security=SECURITY,
)
def set_contact(call: Call, request_id: str) -> Any:
    """Stop every call, message and push at once, or allow them again."""
    hers(request_id)
    rule = rules.stop_contact if call.body["stop"] else rules.contact_again
    doc = helpline.change(request_id, rule, now=call.now)
    call.services.enqueue("drain", "helpline_requests", request_id)
    return her_view(doc, the_vault().box(request_id), now=call.now)


@blp.endpoint(
    "GET /requests/<request_id>/messages",
    public=PUBLIC_BOTH,
    query=schemas.MessagesQuery,
    answer=schemas.HelplineMessage,
    paged=True,
    security=SECURITY,
    also={403: "Of another counsellor: ask for an opening."},
)
def list_messages(call: Call, request_id: str) -> Any:
    """What was written, oldest first, after `after_seq`. A counsellor's reading is on the audit chain first."""
    who = reader(request_id, now=call.now)
    start = (call.after(int) or [call.query["after_seq"]])[0]
    rows = chat.after(request_id, start, limit=call.limit + 1)
    if who.side == Side.COUNSELLOR:
        shifts.seen(who.by, now=call.now)
    if rows and who.side == Side.COUNSELLOR:
        audit.append(who.doc["city"], who.by, "helpline.read", request_id, now=call.now, up_to=str(rows[-1]["seq"]))
    box = the_vault().box(request_id)
    page: list[dict[str, Any]] = []
    room = ANSWER_BYTES
    for row in rows[: call.limit]:
        view = chat.view(row, box)
        room -= len(view["text"].encode()) + 200
        if page and room < 0:
            break
        page.append(view)
    return Listed(page, [page[-1]["seq"]] if len(page) < len(rows) else None)


@blp.endpoint(
    "POST /requests/<request_id>/messages",
    public=PUBLIC_BOTH,
    body=schemas.NewHelplineMessage,
    answer=schemas.HelplineMessage,
    status=201,
    creates=True,
    security=SECURITY,
    also={409: "It is over, or she asked not to be contacted."},
)
def add_message(call: Call, request_id: str) -> Any:
    """Write. The same key is the same message, so a phone repeats it until it is answered."""
    who = party(request_id)
    text, kind = call.body.get("text"), "text"
    if quick := call.body.get("quick"):
        if quick not in chat.QUICK:
            raise QuickUnknown("no such quick reply", errors={"quick": ["See /v1/helpline/quick-replies."]})
        language = who.doc["language"] if who.doc["language"] in chat.QUICK[quick] else "en"
        text, kind = chat.QUICK[quick][language], quick
    if not text:
        raise QuickUnknown("write something", errors={"text": ["Missing."]})
    box = the_vault().box(request_id)
    key = once(call)
    message, made = chat.write(who.doc, box, text, side=who.side, by=who.by, key=key, kind=kind, now=call.now)
    call.services.enqueue("drain", "helpline_messages", message["_id"])
    return chat.view(message, box), 201 if made else 200


@blp.endpoint(
    "GET /requests/<request_id>/events",
    public=PUBLIC_BOTH,
    status=307,
    security=SECURITY,
    also={404: "No event streams here: poll with If-None-Match."},
)
def events(call: Call, request_id: str) -> Any:
    """Where the event stream of a talk is: `streams_url` of app-config has the same path (text/event-stream). Its events
    are called `changed` and have the id and the version, nothing else: ask then for what is new.
    """
    return to_streams()


@blp.endpoint(
    "POST /requests/<request_id>/receipts", public=PUBLIC_BOTH, body=schemas.ReadUpTo, status=204, security=SECURITY
)
def receipts(call: Call, request_id: str) -> Any:
    """Up to which message the caller has received and seen."""
    who = party(request_id)
    chat.got(request_id, who.side, received=call.body["received"], seen=call.body["seen"], now=call.now)
    return None, 204


@blp.endpoint(
    "POST /requests/<request_id>/close",
    public=PUBLIC_BOTH,
    body=schemas.CloseRequest,
    answer=schemas.ClosedRequest,
    security=SECURITY,
    also={403: "Another counsellor took it meanwhile."},
)
def close(call: Call, request_id: str) -> Any:
    """It is over. Where she closes it, that is the outcome. The answer says that alone: whoever had it sees no more."""
    who = closing(request_id)
    outcome = Outcome.ENDED_BY_HER if who.side == Side.CITIZEN else call.body["outcome"]

    def rule(doc: rules.Request) -> Step | None:
        return rules.close(doc, outcome, call.now, by=who.by)

    doc = helpline.change(request_id, rule, now=call.now)
    call.services.enqueue("drain", "helpline_requests", request_id)
    return {"id": doc["_id"], **{name: doc.get(name) for name in ("status", "outcome", "version", "closed_at")}}


@blp.endpoint("DELETE /requests/<request_id>", public=PUBLIC, status=204, security=SECURITY)
def erase(call: Call, request_id: str) -> Any:
    """Be forgotten: the key is destroyed, and with it every word, in every copy."""
    doc = hers(request_id)
    audit.append(doc["city"], "citizen", "helpline.erased", request_id, now=call.now)
    erasing.erase(request_id, the_vault(), Media(call.services.settings.media_url).delete, now=call.now)
    return None, 204


@blp.endpoint(
    "GET /quick-replies", public="Words alone, the same for everybody.", answer=schemas.QuickReplies, etag=True
)
def quick_replies(call: Call) -> Any:
    """Replies of one tap."""
    return {"items": chat.QUICK}
