"""Sends public alerts: finds an area's people page by page, tells them batch by batch, and counts what arrived.

Jobs on `bulk` do it; the sweeper finds what a dead worker or a lost queue left, and works it off itself where the queue is
away or nobody takes what it gave.
"""

import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

from domain.alerts import audience, batches, broadcasts, intake, queries, rules
from domain.alerts.states import BatchState
from domain.cities import queries as cities
from domain.cities.config import Kept
from domain.deliveries import bulk as deliveries
from domain.notices import service as notices
from domain.notices.states import NoticeKind
from domain.outbox import Event
from domain.watch_alerts import audience as group_audience
from notifications.bulk.deliver import deliver
from notifications.bulk.go import Batch
from runtime import logging
from runtime.collector import leave_loaded_alone
from runtime.mongo import STORE_DOWN
from workers.context import Context, current

PAGES: Final = 20
"""Pages found in one job: then others have their turn."""
SWEPT: Final = 20
"""Alerts or batches that one sweep looks at."""
COUNTED: Final = 10
SIDE_BY_SIDE: Final = 2
HINTS: Final = 6
"""So often the queue is given what nobody takes; then the sweeper does it itself."""

log = logging.get(__name__)

_TOLD: Final = (audience, group_audience)
"""Each of these registers what it tells to many."""


def announce(event: Event, context: Context) -> None:
    """An alert was issued: find its people. While the queue is away, the sweeper does."""
    context.enqueue("broadcast", event["subject"])


def decided(event: Event, context: Context) -> None:
    """An operator has decided about what a feed brought: the notice of it is gone, and of what it ends."""
    alert = queries.get(event["subject"])
    for each in [alert["_id"], *(alert.get("references") or [])]:
        notices.clear(NoticeKind.ALERT_WAITS, each, city=alert["city"], now=context.clock())


def broadcast(alert_id: str) -> None:
    """The job that finds an alert's recipients."""
    find(current(), alert_id)


def broadcast_batch(batch_id: str) -> None:
    """The job that tells one batch, and the one behind it beside it: carriers are asked while either is written up."""
    tell_side_by_side(current(), [batch_id, *queries.behind(batch_id)])


def find(context: Context, alert_id: str, *, pages: int = PAGES, enqueue: bool = True) -> list[str]:
    """Find the next pages of an alert's recipients. Returns the batches that were made, each enqueued as it is."""
    alert, kind = broadcasts.get(alert_id), broadcasts.of(alert_id)
    kind.begun(alert, context.clock())
    if kind.is_over(alert, context.clock()):
        batches.stop(alert_id, now=context.clock())
        return []
    finder = kind.finder(alert)
    found: list[str] = []
    for _ in range(pages):
        batch_id = batches.find_page(alert_id, finder, now=context.clock())
        if batch_id is None:
            sum_up(context, alert_id)
            return found
        found.append(batch_id)
        if enqueue:
            context.enqueue("broadcast_batch", batch_id)
    if enqueue:
        context.enqueue("broadcast", alert_id)
    return found


def tell(context: Context, batch_id: str) -> bool:
    """Tell one batch as far as it goes now. False when there was nothing to do, or somebody else has it."""
    leave_loaded_alone()
    owner = uuid.uuid4().hex
    batch = batches.claim(batch_id, owner=owner, now=context.clock())
    if batch is None:
        return False
    alert = broadcasts.get(batch["alert"])
    kept = [time.monotonic()]

    def keep() -> bool:
        if time.monotonic() - kept[0] < batches.RENEW_S:
            return True
        kept[0] = time.monotonic()
        if not batches.renew(batch_id, owner=owner, now=context.clock()):
            log.warning("batch_lost", alert=alert["_id"], batch=batch_id)
            return False
        _show(context, batch)
        return True

    try:
        ended = deliver(_batch_of(batch, alert), context.post, keep=keep)
    except STORE_DOWN:
        raise  # its lease runs out
    except Exception:
        faults = batches.put_off(batch_id, owner=owner, now=context.clock())
        log.exception("batch_failed", alert=alert["_id"], batch=batch_id, faults=faults)
        return True
    if ended.lost:
        return True
    told = ended.told or batch["state"] == BatchState.TOLD
    counts = deliveries.counts(batch_id, len(batch["people"]), stopped=ended.stopped)
    batches.put_down(batch_id, owner=owner, now=context.clock(), due=ended.due, counts=counts, told=told)
    sum_up(context, alert["_id"])
    return True


def tell_side_by_side(context: Context, batch_ids: Sequence[str]) -> None:
    """Tell these batches, two at a time, through one pool of senders."""
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="batch") as pool:
        list(pool.map(lambda each: tell(context, each), batch_ids))


def _batch_of(batch: dict[str, Any], alert: dict[str, Any]) -> Batch:
    kind = broadcasts.of(alert["_id"])
    return Batch(
        id=batch["_id"],
        city=alert["city"],
        purpose=kind.purpose,
        subject=alert["_id"],
        people=batch["people"],
        life_critical=kind.life_critical(alert),
        receipt_wait_s=rules.RECEIPT_WAIT_S,
        valid_until=alert["expires"],
        refs=batch.get("refs") or {},
    )


def _show(context: Context, batch: dict[str, Any]) -> None:
    """Count while it goes on: somebody watches the progress."""
    before = queries.batches().find_one({"_id": batch["_id"]}, {"people": 0}) or batch
    counts = deliveries.counts(batch["_id"], len(batch["people"]))
    batches.counted(before, counts, settled=False, now=context.clock())
    sum_up(context, batch["alert"])


def sum_up(context: Context, alert_id: str) -> None:
    """Write an alert's progress."""
    batches.sum_up(alert_id, now=context.clock())


def tell_all(context: Context, alert_id: str) -> dict[str, int]:
    """Find and tell everybody here and now, whatever the queue: for a bench, a test, a machine without workers.

    Returns the alert's progress once everybody was tried; what is to be tried again later is the sweeper's.
    """
    while made := find(context, alert_id, enqueue=False):
        tell_side_by_side(context, made)
    return dict(broadcasts.get(alert_id).get("progress") or {})


# sweeps


def due_alerts(context: Context, pool: ThreadPoolExecutor) -> int:
    """Alerts whose recipients nobody looks for."""
    now = context.clock()
    rows = [row for kind in broadcasts.kinds() for row in broadcasts.due(kind, now=now, limit=SWEPT)]
    for row in rows:
        hints = batches.hint_alert(row, now=context.clock())
        if hints is not None and (hints >= HINTS or not context.enqueue("broadcast", row["_id"])):
            pool.submit(_one_at_a_time, find, context, row["_id"])
    return len(rows)


def due_batches(context: Context, pool: ThreadPoolExecutor) -> int:
    """Batches that nobody tells: lost by the queue, their worker died, or something is to be tried again."""
    rows = queries.due_batches(now=context.clock(), limit=SWEPT)
    for row in rows:
        hints = batches.hint_batch(row, now=context.clock())
        if hints is not None and (hints >= HINTS or not context.enqueue("broadcast_batch", row["_id"])):
            pool.submit(_one_at_a_time, tell, context, row["_id"])
    return len(rows)


_here = threading.Lock()


def _one_at_a_time(step: Any, *arguments: Any) -> None:
    """In the sweeper, whose threads are for what is urgent: one of these, and what finds it taken is due again later."""
    if not _here.acquire(blocking=False):
        return
    try:
        step(*arguments)
    except Exception:
        log.exception("broadcast_step_failed", step=step.__name__)  # its due time brings us back
    finally:
        _here.release()


def count_receipts(context: Context, pool: ThreadPoolExecutor) -> int:
    """What phones and networks said since: each batch's counts, and the alerts' progress."""
    rows = queries.due_counts(now=context.clock(), limit=COUNTED)
    changed: set[str] = set()
    for row in rows:
        found = queries.batches().find_one({"_id": row["_id"]}, {"people": 1}) or {"people": []}
        counts = deliveries.counts(row["_id"], len(found["people"]))
        if row["counts"].get("suppressed"):  # it was stopped: those who were not told will not be
            counts = deliveries.counts(row["_id"], len(found["people"]), stopped=True)
        settled = deliveries.is_settled(counts)
        if batches.counted(row, counts, settled=settled, now=context.clock()):
            changed.add(row["alert"])
    for alert_id in changed:
        sum_up(context, alert_id)
    return len(rows)


def old_broadcasts(context: Context, pool: ThreadPoolExecutor) -> int:
    """Who was in which batch, for as long as the city keeps deliveries; and what feeds brought long ago."""
    now = context.clock()
    gone = intake.forget(now=now)
    for city in cities.known():
        kept = timedelta(days=cities.current(city).retention_days[Kept.DELIVERIES])
        gone += batches.forget(city, before=now - kept)
    return gone
