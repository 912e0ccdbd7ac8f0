"""Questions to humans: who may answer them, sees them."""

from typing import Any

from api.blueprint import Blueprint, Call
from api.paging import Listed
from api.reviews import schemas
from domain import permissions
from domain.audit import chain as audit
from domain.permissions import Target
from domain.reviews import queries, service
from domain.reviews.errors import ReviewNotFound
from domain.reviews.service import Review
from domain.reviews.states import QUESTIONS, ReviewKind

blp = Blueprint("reviews", __name__, url_prefix="/v1/reviews", description="Questions to humans, with a deadline.")

ANSWER = "review.answer"


def review_view(doc: Review) -> dict[str, Any]:
    """A review as whoever asked it, or may answer it, sees it."""
    return {"id": doc["_id"], **doc}


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
    also={403: "Nobody answers what they asked themselves.", 409: "It is over, or was answered otherwise."},
)
def answer(call: Call, review_id: str) -> Any:
    """Say yes or no, with a reason. On the audit chain."""
    doc, who, body = _for(call, review_id), call.who.person_id, call.body
    action = QUESTIONS[ReviewKind(doc["kind"])].action
    call.require_reach(action, Target(city=doc["city"]))
    after = service.answer(review_id, by=who, approve=body["approve"], reason=body["reason"], now=call.now)
    said = "review.approved" if body["approve"] else "review.refused"
    audit.append(doc["city"], who, said, review_id, now=call.now, reason=body["reason"], about=doc["subject"])
    call.services.enqueue("drain", "reviews", review_id)
    return review_view(after)
