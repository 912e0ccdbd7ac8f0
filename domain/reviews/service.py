"""Asking, answering and letting a question run out. Each is one conditional write."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.ids import derived_id, new_id
from domain.reviews.documents import ReviewDoc
from domain.reviews.errors import AnsweredAlready, NotForAPicture, OwnQuestion, ReviewNotFound, ReviewOver
from domain.reviews.states import QUESTIONS, ReviewKind, ReviewStatus, Said

Review = dict[str, Any]

_TRIES: Final = 12


def reviews() -> Collection[Review]:
    """The raw collection."""
    found: Collection[Review] = ReviewDoc._get_collection()
    return found


def get(review_id: str) -> Review:
    """One review; raises ReviewNotFound."""
    found = reviews().find_one({"_id": review_id})
    if found is None:
        raise ReviewNotFound("no such review")
    return found


def ask(
    kind: ReviewKind,
    *,
    city: str,
    subject: str,
    asked_by: str,
    reason: str,
    key: str = "",
    about: Mapping[str, Any] | None = None,
    but_not: Iterable[str] = (),
    now: datetime,
) -> tuple[Review, bool]:
    """Put a question, and whether this call did. The same key of the same person is the same question.

    `about`: what whoever answers is shown, by id: no name, number or plate. `but_not`: who may not answer it beside whoever
    asked, such as who decided what is appealed against.
    """
    question = QUESTIONS[kind]
    review_id = id_of(asked_by, key) if key else new_id("rev", now)
    made: Review = {
        "_id": review_id,
        "city": city,
        "kind": str(kind),
        "subject": subject,
        "asked_by": asked_by,
        "asked_at": now,
        "reason": reason,
        "about": dict(about or {}),
        "but_not": list(but_not),
        "needed": question.approvals,
        "status": str(ReviewStatus.OPEN),
        "answers": [],
        "due_at": now + question.open_for,
        "version": 1,
    }
    event = outbox.event("review.asked", review_id, version=1, now=now, city=city, asks=str(kind))
    try:
        reviews().insert_one(made | outbox.fields([event], now))
    except DuplicateKeyError:
        return get(review_id), False
    return made, True


def id_of(asked_by: str, key: str) -> str:
    """The id of the question that this person puts with this key, put already or not."""
    return derived_id("rev", asked_by, key)


def known(asked_by: str, key: str) -> bool:
    """Whether the question of this key was put already."""
    return reviews().find_one({"_id": id_of(asked_by, key)}, {"_id": 1}) is not None


def decision(answers: list[dict[str, Any]], needed: int) -> ReviewStatus:
    """One no is a no; as many yes as are needed are a yes; else one who cannot tell ends it. Pure."""
    said = [answer["said"] for answer in answers]
    if Said.NO in said:
        return ReviewStatus.REFUSED
    if said.count(Said.YES) >= needed:
        return ReviewStatus.APPROVED
    return ReviewStatus.CANNOT_TELL if Said.CANNOT_TELL in said else ReviewStatus.OPEN


def is_news(doc: Review, *, by: str, said: Said, now: datetime) -> bool:
    """Whether this answer would count; False for the same one again. Raises OwnQuestion, ReviewOver, AnsweredAlready,
    NotForAPicture.
    """
    if by in (doc["asked_by"], *(doc.get("but_not") or ())):
        raise OwnQuestion("somebody else must answer it")
    if said is Said.CANNOT_TELL and not QUESTIONS[ReviewKind(doc["kind"])].of_a_picture:
        raise NotForAPicture("yes or no", errors={"answer": ["Say yes or no."]})
    mine = next((each for each in doc["answers"] if each["by"] == by), None)
    if mine is not None:
        if mine["said"] == said:
            return False
        raise AnsweredAlready("you answered it otherwise", current=doc["status"])
    if doc["status"] != ReviewStatus.OPEN or doc["due_at"] <= now:
        raise ReviewOver("it is over", current=doc["status"])
    return True


def answer(review_id: str, *, by: str, said: Said, reason: str, now: datetime) -> Review:
    """One person's answer. The same again is no change; raises what `is_news` does.

    Of two who answer at once, one is taken; the other hears that it is over.
    """
    for _ in range(_TRIES):
        doc = get(review_id)
        if not is_news(doc, by=by, said=said, now=now):
            return doc
        given = {"by": by, "at": now, "said": str(said), "reason": reason}
        status = decision([*doc["answers"], given], doc["needed"])
        if (written := _settle(doc, status, now, answer=given)) is not None:
            return written
    raise ReviewOver("it kept changing")


def expire(doc: Review, *, now: datetime) -> Review | None:
    """The deadline has passed. None when somebody was quicker."""
    return _settle(doc, ReviewStatus.EXPIRED, now)


def withdraw(subjects: Iterable[str], *, now: datetime) -> list[str]:
    """What these open questions are about is no longer kept. Returns the ids of those that were open."""
    wanted = list(subjects)
    if not wanted:
        return []
    rows = reviews().find({"subject": {"$in": wanted}, "status": str(ReviewStatus.OPEN)})
    return [doc["_id"] for doc in rows if _settle(doc, ReviewStatus.WITHDRAWN, now) is not None]


def _settle(doc: Review, status: ReviewStatus, now: datetime, *, answer: dict[str, Any] | None = None) -> Review | None:
    version = doc["version"] + 1
    update: dict[str, Any] = {"$set": {"status": str(status)}, "$inc": {"version": 1}}
    if answer:
        update["$push"] = {"answers": {"$each": [answer]}}
    if status != ReviewStatus.OPEN:
        update["$set"]["decided_at"] = now
        update["$unset"] = {"due_at": ""}
        event = outbox.event(
            "review.decided",
            doc["_id"],
            version=version,
            now=now,
            city=doc["city"],
            asks=doc["kind"],
            status=str(status),
        )
        update = outbox.merge(update, outbox.pending([event], now))
    return reviews().find_one_and_update(
        {"_id": doc["_id"], "version": doc["version"], "status": str(ReviewStatus.OPEN)},
        update,
        return_document=ReturnDocument.AFTER,
    )


def approved(kind: ReviewKind, subject: str, asked_by: str, *, now: datetime) -> Review | None:
    """The approved review by which this person may do it now; a yes holds for a while only."""
    since = now - QUESTIONS[kind].holds_for
    for doc in reviews().find({"subject": subject, "kind": str(kind), "status": str(ReviewStatus.APPROVED)}):
        if doc["asked_by"] == asked_by and doc["decided_at"] > since:
            return doc
    return None
