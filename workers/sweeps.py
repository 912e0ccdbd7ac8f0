"""The sweeper: finds in the database what the queue lost and what has become due, once a second.

Every sweep is a query by an indexed time and an idempotent step, so that two sweepers do no harm and none loses nothing
but time. While the queue is away, the sweeper does the urgent work itself.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NamedTuple

from domain import outbox
from domain.cameras import service as cameras
from domain.deliveries import queries as deliveries
from domain.dispatch import leases
from domain.dispatch import service as dispatch
from domain.incidents import service as incidents
from domain.limits import service as limits
from domain.people import sign_in
from notifications.fanout import advance_all
from runtime import logging
from runtime.mongo import STORE_DOWN
from workers.context import Context
from workers.drain import drain_with

BATCH = 200

log = logging.get(__name__)


class Sweep(NamedTuple):
    """One thing to look for, and how often, in seconds."""

    name: str
    run: Callable[[Context, ThreadPoolExecutor], int]
    every_s: float


def overdue_events(context: Context, pool: ThreadPoolExecutor) -> int:
    """Documents whose events are due: to the queue, or, while it is away, worked off here."""
    found = 0
    for name in outbox.names():
        for subject in outbox.overdue(name, now=context.clock(), limit=BATCH):
            found += 1
            if not context.enqueue("drain", name, subject):
                pool.submit(_safely, drain_with, context, name, subject)
    return found


def due_deliveries(context: Context, pool: ThreadPoolExecutor) -> int:
    """Deliveries whose next step is due; taken here, in the pool that a worker would use."""
    ids = deliveries.due(now=context.clock(), limit=BATCH)
    if ids:
        advance_all(ids, context.post, patience_s=1.0)
    return len(ids)


def due_ladders(context: Context, pool: ThreadPoolExecutor) -> int:
    """Incidents whose ladder's timer has run out."""
    rows = list(
        incidents.incidents()
        .find({"ladder_due": {"$lte": context.clock()}}, {"city": 1})
        .sort("ladder_due", 1)
        .limit(BATCH)
    )
    list(pool.map(lambda row: _safely(_climb, context, row["_id"], row["city"]), rows))
    return len(rows)


def _climb(context: Context, incident_id: str, city: str) -> None:
    doc = dispatch.timers(incident_id, context.desk(city), now=context.clock())
    if doc.get("pending_events") and not context.enqueue("drain", "incidents", incident_id):
        drain_with(context, "incidents", incident_id)


def orphan_leases(context: Context, pool: ThreadPoolExecutor) -> int:
    """Units that are leased to an assignment which does not hold its slot."""
    freed = 0
    for unit_id, assignment_id, taken_at in leases.orphans(now=context.clock()):
        freed += leases.give_back(unit_id, assignment_id, taken_at=taken_at)
    return freed


def waiting_looks(context: Context, pool: ThreadPoolExecutor) -> int:
    """Looks that nobody does: on the queue again, or shed when they come too late to help."""
    ids = cameras.overdue_looks(now=context.clock())
    for look_id in ids:
        now = context.clock()
        if not cameras.shed_if_late(look_id, now=now) and context.enqueue("look", look_id):
            cameras.postpone(look_id, until=now + LOOK_AGAIN)
    return len(ids)


def spent_codes(context: Context, pool: ThreadPoolExecutor) -> int:
    """One-time codes and counters that are over: no store of ours expires documents by itself."""
    now = context.clock()
    return limits.sweep(now=now) + sign_in.sweep(now=now)


LOOK_AGAIN = timedelta(seconds=10)

SWEEPS = (
    Sweep("overdue_events", overdue_events, 0.5),
    Sweep("due_deliveries", due_deliveries, 0.5),
    Sweep("due_ladders", due_ladders, 0.5),
    Sweep("waiting_looks", waiting_looks, 1.0),
    Sweep("orphan_leases", orphan_leases, 5.0),
    Sweep("spent_codes", spent_codes, 60.0),
)


def _safely(step: Callable[..., object], *args: object) -> None:
    try:
        step(*args)
    except STORE_DOWN:
        log.warning("store_away")
    except Exception:
        log.exception("sweep_step_failed", step=getattr(step, "__name__", "step"))


def sweep_once(context: Context, pool: ThreadPoolExecutor) -> dict[str, int]:
    """Run every sweep once, whatever its rhythm. Returns what each found."""
    return {sweep.name: sweep.run(context, pool) for sweep in SWEEPS}


def run(context: Context, *, stop: Callable[[], bool] = lambda: False) -> None:
    """Sweep until `stop` says so. Nothing that goes wrong ends it: the next second tries again."""
    next_at = {sweep.name: 0.0 for sweep in SWEEPS}
    with ThreadPoolExecutor(8, thread_name_prefix="sweep") as pool:
        while not stop():
            for sweep in SWEEPS:
                if time.monotonic() >= next_at[sweep.name]:
                    next_at[sweep.name] = time.monotonic() + sweep.every_s
                    _safely(sweep.run, context, pool)
            time.sleep(0.1)
