"""Reactions to comments: a human reads what is held, and what they answer follows."""

from datetime import timedelta
from typing import Final

from domain.audit import chain
from domain.comments import queries, service
from domain.comments.errors import CommentNotFound, CommentOver, OwnComment
from domain.comments.states import CommentStatus
from domain.deliveries.service import Recipient, Telling
from domain.outbox import Event
from domain.reports import queries as report_queries
from domain.reviews import service as reviews
from domain.reviews.states import RULE, ReviewKind, ReviewStatus
from domain.watch import queries as watch
from notifications.fanout import tell
from workers.context import Context

NEWS_MATTERS: Final = timedelta(days=3)
_DECIDED: Final = {ReviewStatus.APPROVED: CommentStatus.PUBLISHED, ReviewStatus.REFUSED: CommentStatus.REMOVED}
"""What an answer makes of a held comment. One that nobody answers stays held."""


def ask_a_human(event: Event, context: Context) -> None:
    """A comment is held: may others read it? One question for each time; those who lead its groups hear that it waits."""
    try:
        doc = queries.get(event["subject"])
    except CommentNotFound:
        return  # its author deleted it
    if doc["status"] != CommentStatus.HELD:
        return
    reason = ", ".join(doc["reasons"]) or "held"
    review, fresh = reviews.ask(
        ReviewKind.MODERATION,
        city=doc["city"],
        subject=doc["_id"],
        asked_by=RULE,
        reason=reason,
        key=event["id"],
        now=context.clock(),
    )
    if fresh and not doc.get("decision"):
        chain.append(doc["city"], RULE, "comment.held", doc["_id"], now=context.clock(), reason=reason)
    context.enqueue("drain", "reviews", review["_id"])
    leaders = {row["person"] for group in doc["groups"] for row in watch.leaders(group)} - {doc["author"]}
    tell(
        [
            Telling(
                key=event["id"],
                city=doc["city"],
                purpose="watch_moderation",
                subject=doc["_id"],
                recipient=Recipient("person", person),
                plan=("fcm",),
                valid_for=NEWS_MATTERS,
                refs={"variant": "held"},
            )
            for person in sorted(leaders)
        ],
        context.post,
    )


def reviewed(event: Event, context: Context) -> None:
    """A human answered: the comment is published, or removed. One that was decided otherwise meanwhile stays so."""
    status = _DECIDED.get(ReviewStatus(event["status"]))
    if event.get("asks") != ReviewKind.MODERATION or status is None:
        return
    doc = reviews.get(event["subject"])
    try:
        held = queries.get(doc["subject"])
        if held["status"] == CommentStatus.HELD and doc["answers"]:
            last = doc["answers"][-1]
            service.decide(held["_id"], status, by=last["by"], reason=last["reason"], now=context.clock())
    except (CommentNotFound, CommentOver, OwnComment):
        return


def forget(event: Event, context: Context) -> None:
    """Who is erased has said nothing, and nothing was said below their reports: those go next."""
    for row in report_queries.of_author(event["subject"], limit=10_000):
        service.forget_of(row["_id"])
    service.forget(event["subject"])
