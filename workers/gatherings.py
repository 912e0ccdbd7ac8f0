"""Reactions to gatherings and the sweep of their timers: whoever wants to come is reminded, and hears what changed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from domain.deliveries.service import Recipient, Telling
from domain.gatherings import personal, queries, rules, service
from domain.gatherings.states import GatheringStatus
from domain.outbox import Event
from notifications.fanout import tell
from runtime import logging
from runtime.mongo import STORE_DOWN
from workers.context import Context

BATCH: Final = 200
AGAIN: Final = timedelta(seconds=10)
RECEIPT_WAIT_S: Final = 900
NEWS_MATTERS: Final = timedelta(days=2)

log = logging.get(__name__)


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
    list(pool.map(lambda row: _step(context, row["_id"], row["due_at"]), rows))
    return len(rows)


def _step(context: Context, gathering_id: str, due: datetime) -> None:
    now = context.clock()
    try:
        doc = service.timers(gathering_id, now=now)
    except STORE_DOWN:
        return
    except Exception:
        log.exception("gathering_failed", subject=gathering_id)
        doc = {"due_at": due}
    if doc.get("due_at") == due:  # nothing came of it: it must not stand before the others
        service.put_off(gathering_id, due, until=now + AGAIN)
    if doc.get("pending_events"):
        context.enqueue("drain", "watch_gatherings", gathering_id)
