"""Reactions to gatherings and the sweep of their timers: whoever wants to come is reminded, and hears what changed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from domain.deliveries.service import Recipient, Telling
from domain.gatherings import personal, queries, rules, service
from domain.gatherings.states import GatheringStatus
from domain.outbox import Event
from notifications.fanout import tell
from workers.context import Context
from workers.timers import step

BATCH: Final = 200
RECEIPT_WAIT_S: Final = 900
NEWS_MATTERS: Final = timedelta(days=2)


def remind(event: Event, context: Context) -> None:
    """Everybody who comes, or may, hears that it is near."""
    left = queries.get(event["subject"])["starts_at"] - context.clock()
    if left > timedelta(0):
        _tell(event, left, context)


def changed(event: Event, context: Context) -> None:
    """They hear that its time, place or name is another."""
    _tell(event, NEWS_MATTERS, context, variant="changed")


def cancelled(event: Event, context: Context) -> None:
    """They hear that it does not take place."""
    _tell(event, NEWS_MATTERS, context, variant="cancelled")


def _tell(event: Event, valid_for: timedelta, context: Context, *, variant: str = "") -> None:
    doc = queries.get(event["subject"])
    tell(
        [
            Telling(
                key=event["id"],
                city=doc["city"],
                purpose="gathering_reminder",
                subject=doc["_id"],
                recipient=Recipient("person", person),
                plan=("fcm", "sms"),
                valid_for=valid_for,
                refs={"variant": variant} if variant else {},
                receipt_wait_s=RECEIPT_WAIT_S,
            )
            for person in rules.wanted_by(doc)
        ],
        context.post,
    )


def group_closed(event: Event, context: Context) -> None:
    """Nothing takes place of a group that was closed."""
    now = context.clock()
    for doc in queries.of_groups([event["subject"]], since=now, limit=service.MOST_AHEAD):
        if doc["status"] == GatheringStatus.PLANNED:
            service.cancel(doc["_id"], "", now=now)
            context.enqueue("drain", "watch_gatherings", doc["_id"])


def forget(event: Event, context: Context) -> None:
    """Who is erased comes to nothing."""
    personal.forget(event["subject"], now=context.clock())


def due_gatherings(context: Context, pool: ThreadPoolExecutor) -> int:
    """The sweep of gatherings whose earliest timer has run out."""
    rows = queries.due(now=context.clock(), limit=BATCH)
    list(
        pool.map(
            lambda row: step(context, "watch_gatherings", row["_id"], row["due_at"], service.timers, service.put_off),
            rows,
        )
    )
    return len(rows)
