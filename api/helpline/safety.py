"""Danger, and being found again: the five questions, the one button to an SOS, the returning word, the local copy."""

from datetime import timedelta
from typing import Any

from api.blueprint import Blueprint, Call
from api.helpline import desk_schemas, schemas
from api.helpline.access import PUBLIC, PUBLIC_BOTH, SECURITY, hers, party, the_vault
from api.helpline.views import row_view
from domain.audit import chain as audit
from domain.helpline import danger, returning, rules
from domain.helpline import questions as asked
from domain.helpline import service as helpline
from domain.helpline.states import Side
from domain.incidents import service as incidents

blp = Blueprint("helpline_safety", __name__, url_prefix="/v1/helpline", description="When it is more than a talk.")


@blp.endpoint(
    "GET /assessment", public="Words alone, the same for everybody.", answer=schemas.AssessmentQuestions, etag=True
)
def questions(call: Call) -> Any:
    """The five questions, by name."""
    return {"items": asked.QUESTIONS, "urdu": asked.QUESTIONS_UR, "source": asked.SOURCE}


@blp.endpoint(
    "POST /requests/<request_id>/assessment",
    public=PUBLIC_BOTH,
    body=schemas.Assessment,
    answer=desk_schemas.WaitingRow,
    security=SECURITY,
    also={409: "It is over."},
)
def assess(call: Call, request_id: str) -> Any:
    """Answer the questions, all or some; a counsellor's judgement stands over them. Who is in danger comes first."""
    who = party(request_id)
    judged = call.body.get("judged") if who.side == Side.COUNSELLOR else None
    doc = danger.assess(
        who.doc,
        the_vault().box(request_id),
        answers=call.body["answers"],
        danger_now=call.body["danger_now"],
        judged=judged,
        by=who.by,
        now=call.now,
    )
    return row_view(doc)


@blp.endpoint(
    "POST /requests/<request_id>/sos",
    public=PUBLIC_BOTH,
    body=schemas.ToSos,
    answer=schemas.SosMade,
    security=SECURITY,
    status=201,
    creates=True,
)
def to_sos(call: Call, request_id: str) -> Any:
    """Danger now: an SOS with one button, by either side, with the place and the number that she told already."""
    who = party(request_id)
    settings = call.services.settings
    box = the_vault().box(request_id)
    audit.append(who.doc["city"], who.by, "helpline.sos", request_id, now=call.now)
    raised = danger.raise_sos(
        who.doc,
        box,
        position=call.body.get("position"),
        by=who.by,
        secret=settings.signing_key,
        link_ttl=timedelta(seconds=settings.link_ttl_s),
        now=call.now,
    )
    doc = raised.incident
    call.services.enqueue("drain", "incidents", doc["_id"])
    call.services.enqueue("drain", "helpline_requests", request_id)
    view = {"id": doc["_id"], "status": doc["status"]}
    if who.side == Side.CITIZEN:
        view["sos_token"] = incidents.sos_token(settings.signing_key, doc["_id"])
        view["share_url"] = f"{settings.links}/t/{incidents.share_token(settings.signing_key, doc)}"
    return view, 201 if raised.created else 200


@blp.endpoint(
    "POST /requests/<request_id>/word", public=PUBLIC, answer=schemas.WordAnswer, status=201, security=SECURITY
)
def give_word(call: Call, request_id: str) -> Any:
    """Four words by which she is found again, anonymous as she is. Shown once; new ones take the place of the old."""
    hers(request_id)
    word = returning.new_word()
    returning.remember(request_id, word, the_vault(), now=call.now)
    return {"word": word}


@blp.endpoint("POST /requests/<request_id>/expire-local", public=PUBLIC_BOTH, status=202, security=SECURITY)
def expire_local(call: Call, request_id: str) -> Any:
    """Have the app on her phone forget this talk, by push; the talk itself stays until she erases it."""
    who = party(request_id)
    helpline.change(request_id, lambda doc: rules.expire_local(doc, by=who.by), now=call.now)
    call.services.enqueue("drain", "helpline_requests", request_id)
    return {}
