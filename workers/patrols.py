"""Reactions to patrols and the sweep of their timers: who signed up is reminded, who leads hears whom nobody has seen."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

from domain.deliveries.service import Recipient, Telling
from domain.outbox import Event
from domain.patrols import personal, queries, service
from domain.watch import queries as watch
from notifications.fanout import tell
from workers.context import Context
from workers.timers import step

BATCH: Final = 200
NEWS_MATTERS: Final = timedelta(hours=12)
RECEIPT_WAIT_S: Final = 900
"""A phone that is away for a moment needs no SMS beside the push; who has no app gets one at once."""
MISSED_MATTERS: Final = timedelta(hours=2)


def remind(event: Event, context: Context) -> None:
    """Everybody who signed up hears that it is near, until it begins."""
    doc = queries.get(event["subject"])
    left = doc["starts_at"] - context.clock()
    if left > timedelta(0):
        _tell(event, doc, doc["people"], "roster_reminder", left, context)


def cancelled(event: Event, context: Context) -> None:
    """Everybody who signed up hears that they need not come."""
    doc = queries.get(event["subject"])
    _tell(event, doc, doc["people"], "roster_reminder", NEWS_MATTERS, context, variant="cancelled")


def taken(event: Event, context: Context) -> None:
    """Whoever offered their place hears that somebody has it."""
    doc = queries.get(event["subject"])
    if event["person"] not in doc["places"]:  # else it was given back
        _tell(event, doc, [event["person"]], "roster_reminder", NEWS_MATTERS, context, variant="taken")


def missed(event: Event, context: Context) -> None:
    """Those who lead the group hear that somebody has not checked in; where nobody else leads it, those who walk with them."""
    doc = queries.get(event["subject"])
    if gone := set(service.missing(doc)):
        leaders = {row["person"] for row in watch.leaders(doc["group"])} - gone
        told = leaders or set(doc["people"]) - gone
        _tell(event, doc, sorted(told), "patrol_missed", MISSED_MATTERS, context)


def _tell(
    event: Event,
    doc: dict[str, Any],
    people: Iterable[str],
    purpose: str,
    valid_for: timedelta,
    context: Context,
    *,
    variant: str = "",
) -> None:
    tell(
        [
            Telling(
                key=event["id"],
                city=doc["city"],
                purpose=purpose,
                subject=doc["_id"],
                recipient=Recipient("person", person),
                plan=("fcm", "sms"),
                valid_for=valid_for,
                refs={"variant": variant} if variant else {},
                receipt_wait_s=RECEIPT_WAIT_S,
            )
            for person in people
        ],
        context.post,
    )


def group_closed(event: Event, context: Context) -> None:
    """Nobody walks for a group that was closed: what is still to come is taken off the roster."""
    now = context.clock()
    for doc in queries.ahead(event["subject"], now=now):
        service.cancel(doc["_id"], "", now=now)
        context.enqueue("drain", "watch_patrols", doc["_id"])


def forget(event: Event, context: Context) -> None:
    """Who is erased is on no roster any more."""
    personal.forget(event["subject"], now=context.clock())


def due_patrols(context: Context, pool: ThreadPoolExecutor) -> int:
    """The sweep of patrols whose earliest timer has run out."""
    rows = queries.due(now=context.clock(), limit=BATCH)
    list(
        pool.map(
            lambda row: step(context, "watch_patrols", row["_id"], row["due_at"], service.timers, service.put_off), rows
        )
    )
    return len(rows)
