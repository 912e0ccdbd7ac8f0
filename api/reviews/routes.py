"""Questions to humans: who may answer them, sees them."""

from typing import Any

from api.blueprint import Blueprint, Call
from api.cameras.views import stills_of
from api.paging import Listed
from api.reviews import reasons, schemas
from domain import permissions
from domain.audit import chain as audit
from domain.errors import Invalid
from domain.permissions import Target
from domain.reviews import pictures, queries, service
from domain.reviews.errors import ReviewNotFound, SubjectGone
from domain.reviews.service import Review
from domain.reviews.states import QUESTIONS, ReviewKind, ReviewStatus, Said

blp = Blueprint("reviews", __name__, url_prefix="/v1/reviews", description="Questions to humans, with a deadline.")

ANSWER = "review.answer"
_SAID = {Said.YES: "review.approved", Said.NO: "review.refused", Said.CANNOT_TELL: "review.cannot_tell"}


LEAST_REASON = 5


def review_view(doc: Review) -> dict[str, Any]:
    """A review as whoever asked it, or may answer it, sees it."""
    said = reasons.shown(doc)
    answers = [{**each, "answer": each["said"]} for each in said["answers"]]
    view = {"id": doc["_id"], **doc, "reason": said["reason"], "answers": answers}
    if QUESTIONS[ReviewKind(doc["kind"])].of_a_picture:
        view |= {"question": pictures.question(doc), "about": _about(doc)}
    return view


def _about(doc: Review) -> dict[str, Any]:
    """What is shown with a picture's question; its pictures are gone when what it is about is."""
    about = dict(doc.get("about") or {})
    if hit := about.get("hit"):
        shown = [f"/v1/hits/{hit}/crop"] if about.get("crop") else []
    elif search := about.get("search"):
        here = f"/v1/face-searches/{search}"
        shown = [f"{here}/photo", f"{here}/leads/{doc['subject']}/crop"]
    else:
        shown = stills_of(doc["subject"], int(about.get("stills") or 0))
    return about | {"pictures": shown if pictures.is_kept(doc) else []}


def _for(call: Call, review_id: str) -> Review:
    doc = service.get(review_id)
    action = QUESTIONS[ReviewKind(doc["kind"])].action
    if doc["asked_by"] != call.who.person_id and not permissions.reaches(call.who, action, Target(city=doc["city"])):
        raise ReviewNotFound("no such review")
    return doc


@blp.endpoint("GET ", permission=ANSWER, query=schemas.ReviewsQuery, answer=schemas.Review, paged=True, caution=False)
def list_reviews(call: Call) -> Any:
    """What waits for an answer that the caller may give, newest first."""
    given = call.query.get("city")
    found = []
    for city in [given] if given else sorted(permissions.cities(call.who, ANSWER) - {"*"}):
        kinds = [
            str(kind)
            for kind, question in QUESTIONS.items()
            if permissions.reaches(call.who, question.action, Target(city=city))
        ]
        if kinds:
            found += queries.listed(city, call.query["status"], kinds, limit=call.limit)
    return Listed([review_view(doc) for doc in found[: call.limit]])


@blp.endpoint("GET /<review_id>", permission="me.read", answer=schemas.Review, etag=True, caution=False)
def read_review(call: Call, review_id: str) -> Any:
    """One review: for whoever asked it, or may answer it."""
    doc = _for(call, review_id)
    return review_view(doc), 200, doc["version"]


@blp.endpoint(
    "POST /<review_id>/answer",
    permission=ANSWER,
    body=schemas.AnswerBody,
    answer=schemas.Review,
    caution=False,
    also={
        403: "Nobody answers what they asked themselves.",
        409: "It is over, or was answered otherwise: of two who answer at once, one is taken.",
        410: "What it is about is no longer kept.",
    },
)
def answer(call: Call, review_id: str) -> Any:
    """Say yes or no, with a reason; of a picture also that one cannot tell. On the audit chain before it counts, so that
    no yes stands without its entry; what came of it, where two were at it at once, is in the review.
    """
    doc, who, body = _for(call, review_id), call.who.person_id, call.body
    said = body.get("answer") or (Said.YES if body["approve"] else Said.NO)
    action = QUESTIONS[ReviewKind(doc["kind"])].action
    call.require_reach(action, Target(city=doc["city"]))
    if not QUESTIONS[ReviewKind(doc["kind"])].of_a_picture and len(body["reason"]) < LEAST_REASON:
        raise Invalid("say why", errors={"reason": [f"At least {LEAST_REASON} characters."]})
    if doc["status"] == ReviewStatus.OPEN and not pictures.is_kept(doc):
        service.withdraw([doc["subject"]], now=call.now)
        call.services.enqueue("drain", "reviews", review_id)
        raise SubjectGone("what it asks about is no longer kept")
    reason = reasons.kept(doc["kind"], doc["subject"], who, body["reason"])
    if service.is_news(doc, by=who, said=said, now=call.now):
        why = "sealed" if reasons.are_sealed(doc["kind"]) else reason
        audit.append(doc["city"], who, _SAID[said], review_id, now=call.now, reason=why, about=doc["subject"])
    after = service.answer(review_id, by=who, said=said, reason=reason, now=call.now)
    call.services.enqueue("drain", "reviews", review_id)
    return review_view(after)
