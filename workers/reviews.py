"""What follows from questions to humans: those who may answer hear, whoever asked hears the answer, and time runs out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from domain.deliveries.service import Recipient, Telling
from domain.outbox import Event
from domain.people import queries as people
from domain.permissions import TABLE, Scope
from domain.reviews import queries
from domain.reviews import service as reviews
from domain.reviews.states import QUESTIONS, RULE, ReviewKind
from notifications.fanout import tell
from workers.context import Context

BATCH = 100
DECISION_MATTERS = timedelta(hours=1)


def to_desk(event: Event, context: Context, told: set[str], *, subject: str = "") -> None:
    """Tell these people that something waits for them, once each for an event: the review, or what `subject` says."""
    tell(
        [
            Telling(
                key=event["id"],
                city=event["city"],
                purpose="helpline_desk",
                subject=subject or event["subject"],
                recipient=Recipient("person", person_id),
                plan=("fcm",),
                valid_for=DECISION_MATTERS,
                refs={"variant": "review"},
            )
            for person_id in sorted(told)
        ],
        context.post,
    )


def asked(event: Event, context: Context) -> None:
    """Everybody who may answer it hears of it, but for whoever asked."""
    doc = reviews.get(event["subject"])
    action = QUESTIONS[ReviewKind(doc["kind"])].action
    roles = [role for role, grants in TABLE.items() if action in grants.get(Scope.CITY, frozenset())]
    told = {person.id for role in roles for person in people.with_role(doc["city"], role)}
    to_desk(event, context, told - {doc["asked_by"]})


def decided(event: Event, context: Context) -> None:
    """Whoever asked hears that there is an answer; of an appeal, by what follows from it (`workers/watch.py`)."""
    if event.get("asks") in (ReviewKind.REPORT_APPEAL, ReviewKind.SANCTION_APPEAL):
        return
    to_desk(event, context, {reviews.get(event["subject"])["asked_by"]} - {RULE})


def due_reviews(context: Context, pool: ThreadPoolExecutor) -> int:
    """Questions whose deadline has passed: that is a no."""
    now = context.clock()
    rows = queries.due(now=now, limit=BATCH)
    for doc in rows:
        reviews.expire(doc, now=now)
        context.enqueue("drain", "reviews", doc["_id"])
    return len(rows)
