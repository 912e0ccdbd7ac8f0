"""Reactions to comments: a human reads what is held, and what they answer follows."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from domain.audit import chain
from domain.comments import queries, service
from domain.comments.errors import CommentNotFound, CommentOver, OwnComment
from domain.comments.queries import Comment
from domain.comments.states import CommentStatus
from domain.deliveries.service import Recipient, Telling
from domain.outbox import Event
from domain.reports import queries as report_queries
from domain.reports.changing import HUMAN
from domain.reviews import service as reviews
from domain.reviews.states import RULE, ReviewKind, ReviewStatus
from domain.watch import queries as watch
from notifications.fanout import tell
from workers.context import Context

NEWS_MATTERS: Final = timedelta(days=3)
_DECIDED: Final = {ReviewStatus.APPROVED: CommentStatus.PUBLISHED, ReviewStatus.REFUSED: CommentStatus.REMOVED}
"""What an answer makes of a held comment. One that nobody answers stays held, and is asked about again."""


def ask_a_human(event: Event, context: Context) -> None:
    """A comment is held: may others read it? One question for each time; those who lead its groups hear that it waits."""
    try:
        doc = queries.get(event["subject"])
    except CommentNotFound:
        return  # its author deleted it
    if event.get("by") != HUMAN and not reviews.known(RULE, event["id"]):
        # What a rule decided is on the audit chain as what a human did, also where one has let it through since. Once, or
        # twice where a worker died in between.
        chain.append(
            doc["city"], RULE, "comment.held", doc["_id"], now=context.clock(), reason=", ".join(doc["reasons"])
        )
    if doc["status"] == CommentStatus.HELD:
        _ask(doc, event, context)


def _ask(doc: Comment, event: Event, context: Context, *, but_not: Sequence[str] = ()) -> None:
    """One question for each event; those who lead its groups hear that it waits."""
    review, _ = reviews.ask(
        ReviewKind.MODERATION,
        city=doc["city"],
        subject=doc["_id"],
        asked_by=RULE,
        reason=", ".join(doc["reasons"]) or "held",
        key=event["id"],
        but_not=but_not,
        now=context.clock(),
    )
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
    """A human answered: the comment is published, or removed. One that was decided otherwise meanwhile stays so. One that
    nobody answered in time is asked about again, unless it was let through and held anew since: that is a question already.
    """
    status = _DECIDED.get(ReviewStatus(event["status"]))
    expired = event["status"] == ReviewStatus.EXPIRED
    if event.get("asks") != ReviewKind.MODERATION or not (status or expired):
        return
    doc = reviews.get(event["subject"])
    try:
        held = queries.get(doc["subject"])
        if expired and held["status"] == CommentStatus.HELD and held["changed_at"] <= doc["asked_at"]:
            _ask(held, event, context)
        if status and held["status"] == CommentStatus.HELD and doc["answers"]:
            last = doc["answers"][-1]
            try:
                service.decide(held["_id"], status, by=last["by"], reason=last["reason"], now=context.clock())
            except OwnComment:  # whoever answered wrote it: somebody else is asked
                _ask(held, event, context, but_not=[last["by"]])
    except (CommentNotFound, CommentOver):
        return


def forget(event: Event, context: Context) -> None:
    """Who is erased has said nothing, and nothing was said below their reports: those go next."""
    for row in report_queries.of_author(event["subject"], limit=10_000):
        service.forget_of(row["_id"])
    service.forget(event["subject"])
