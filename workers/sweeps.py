"""The sweeper: finds in the database what the queue lost and what has become due, twice a second.

Every sweep is a query by an indexed time and an idempotent step, so that two sweepers do no harm and none loses nothing
but time. While the queue is away, or its workers are, the sweeper does the urgent work itself.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

from domain import outbox
from domain.cameras import looks, observations
from domain.cities import queries as cities
from domain.correlation import service as correlation
from domain.deliveries import queries as deliveries
from domain.dispatch import leases
from domain.dispatch import service as dispatch
from domain.incidents import retention
from domain.incidents import service as incidents
from domain.limits import service as limits
from domain.lines import service as lines
from domain.people import sign_in
from domain.reviews import service as reviews_asked
from notifications.fanout import advance_all
from runtime import logging
from runtime.media import Media
from runtime.mongo import STORE_DOWN
from workers import alerts, cap_feeds, sight
from workers import retention as applied
from workers.blind_cameras import blind_cameras
from workers.campaigns import due_campaigns
from workers.clusters import due_clusters
from workers.context import Context
from workers.drain import drain_with
from workers.drills import due_drills, plan_drills
from workers.escorts import due_escorts, old_escorts
from workers.faces import ended_searches, waiting_searches
from workers.footage import old_views, waiting_footage
from workers.gatherings import due_gatherings
from workers.heads import audit_heads
from workers.helpline import due_follow_ups, due_helpline, ended_shifts, helpline_kept
from workers.journeys import due_fake_calls, due_journeys, old_journeys
from workers.notices import look_after
from workers.patrols import due_patrols
from workers.photos import due_photos
from workers.report_pictures import unblurred_pictures
from workers.reviews import due_reviews
from workers.subscriptions import explains
from workers.uploads import forgotten_uploads, whole_uploads
from workers.watch_groups import ended_sanctions, old_tombstones, silent_coordinators

BATCH = 200
ROUNDS = 20
POOL_THREADS = 16
TAKE_OVER_AFTER = timedelta(seconds=1.5)
"""How long the queue has for what the sweeper gave it. With DUE_AFTER and a sweep's rhythm this stays under 5 s."""
EXPLAIN_HERE_AFTER = timedelta(seconds=45)
"""From what age on the sweeper does what only explains: its queue may be long, and whoever can come is told first."""
LADDER_AGAIN = timedelta(seconds=10)
"""When to look again at a ladder whose step failed."""

log = logging.get(__name__)


class Sweep(NamedTuple):
    """One thing to look for, and how often, in seconds."""

    name: str
    run: Callable[[Context, ThreadPoolExecutor], int]
    every_s: float


class _InHand:
    """What the sweeper has asked the queue for, and what it does itself: nothing is asked for or begun twice."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], datetime] = {}
        self._doing: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def asked_at(self, key: tuple[str, str]) -> datetime | None:
        """When the queue took what is still overdue; None when it was not asked."""
        with self._lock:
            return self._asked.get(key)

    def ask(self, key: tuple[str, str], now: datetime) -> None:
        """The queue has taken it."""
        with self._lock:
            self._asked[key] = now

    def keep(self, overdue: set[tuple[str, str]]) -> None:
        """Forget what was asked for and is no longer overdue: somebody took it."""
        with self._lock:
            self._asked = {key: at for key, at in self._asked.items() if key in overdue}

    def begin(self, key: tuple[str, str]) -> bool:
        """True when it may be begun here: it is not, and a thread will soon be free."""
        with self._lock:
            if key in self._doing or len(self._doing) >= 2 * POOL_THREADS:
                return False
            self._doing.add(key)
            return True

    def is_begun(self, key: tuple[str, str]) -> bool:
        """Whether it is under way here, or waits for a thread."""
        with self._lock:
            return key in self._doing

    def done(self, key: tuple[str, str]) -> None:
        """It was done here."""
        with self._lock:
            self._doing.discard(key)


_in_hand = _InHand()


def overdue_events(context: Context, pool: ThreadPoolExecutor) -> int:
    """Documents whose events are due: to the queue once, so that a deep queue is not made deeper.

    Worked off here where the queue is away, and where it took one and nothing came of it: its workers are dead, or the
    queue lost it, or it is too deep.
    """
    found = {
        (name, subject): events
        for name in outbox.names()
        for subject, events in outbox.overdue(name, now=context.clock(), limit=BATCH).items()
    }
    _in_hand.keep(set(found))
    for key, events in sorted(found.items()):
        now = context.clock()
        if events and all(explains(event) for event in events):
            young = min(event["at"] for event in events) > now - EXPLAIN_HERE_AFTER
            if young and context.enqueue("explain", *key):
                outbox.leave(*key, now=now)  # it must not stand before what calls somebody
                continue
            if _in_hand.begin(key):
                pool.submit(_work_off, context, *key)
            elif not _in_hand.is_begun(key):
                outbox.leave(*key, now=now)  # nor while no thread is free
            continue
        asked_at = _in_hand.asked_at(key)
        if asked_at is None and context.enqueue("drain", *key):
            _in_hand.ask(key, now)
            continue
        if (asked_at is None or now - asked_at >= TAKE_OVER_AFTER) and _in_hand.begin(key):
            pool.submit(_work_off, context, *key)
    return len(found)


def _work_off(context: Context, name: str, subject: str) -> None:
    try:
        _safely(drain_with, context, name, subject, sweep=True)
    finally:
        _in_hand.done((name, subject))


def due_deliveries(context: Context, pool: ThreadPoolExecutor) -> int:
    """Deliveries whose next step is due; taken here, in the pool that a worker would use."""
    due = deliveries.due(now=context.clock(), limit=BATCH)
    if due:
        advance_all(due, context.post, patience_s=1.0)
    return len(due)


def due_ladders(context: Context, pool: ThreadPoolExecutor) -> int:
    """Incidents whose ladder's timer has run out."""
    rows = list(
        incidents.incidents()
        .find({"ladder_due": {"$lte": context.clock()}}, {"city": 1, "ladder_due": 1})
        .sort("ladder_due", 1)
        .limit(BATCH)
    )
    list(pool.map(lambda row: _safely(_climb, context, row["_id"], row["city"], row["ladder_due"]), rows))
    return len(rows)


def _climb(context: Context, incident_id: str, city: str, due: datetime) -> None:
    now = context.clock()
    try:
        doc = dispatch.timers(incident_id, context.desk(city), now=now)
    except STORE_DOWN:
        raise
    except Exception:
        log.exception("ladder_failed", subject=incident_id)
        doc = {"ladder_due": due}
    if doc.get("ladder_due") == due:
        # Nothing came of it: by our fault, or by a timer that means nothing. It must not stand before the others.
        incidents.incidents().update_one(
            {"_id": incident_id, "ladder_due": due}, {"$set": {"ladder_due": now + LADDER_AGAIN}}
        )
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
    again = looks.see_to_overdue(now=context.clock())
    for look_id in again:
        sight.enqueue(look_id, context)
    return len(again)


def spent_codes(context: Context, pool: ThreadPoolExecutor) -> int:
    """One-time codes and counters that are over: no store of ours expires documents by itself."""
    now = context.clock()
    return limits.sweep(now=now) + sign_in.sweep(now=now)


def kept_long_enough(context: Context, pool: ThreadPoolExecutor) -> int:
    """What cameras saw, and its stills, gone when each city has kept it for as long as it says."""
    media, now = Media(context.settings.media_url), context.clock()
    looks_gone = seen_gone = 0
    for _ in range(ROUNDS):  # a batch each; a busy city makes more in a minute than one batch holds
        if not (gone := observations.forget_looks(media.delete, now=now)):
            break
        looks_gone += gone
    for city in cities.known():
        for _ in range(ROUNDS):
            keep = retention.held(city).observations
            if not (ids := observations.expire(cities.current(city), media.delete, now=now, keep=keep)):
                break
            correlation.forget(ids)
            reviews_asked.withdraw(ids, now=now)
            seen_gone += len(ids)
    if looks_gone or seen_gone:
        log.info("kept_long_enough", looks=looks_gone, observations=seen_gone)
    return looks_gone + seen_gone


def old_lines(context: Context, pool: ThreadPoolExecutor) -> int:
    """Phone numbers whose reply codes and calls are over."""
    return lines.sweep(now=context.clock())


SWEEPS = (
    Sweep("overdue_events", overdue_events, 0.5),
    Sweep("due_deliveries", due_deliveries, 0.5),
    Sweep("due_ladders", due_ladders, 0.5),
    Sweep("due_journeys", due_journeys, 1.0),
    Sweep("due_escorts", due_escorts, 2.0),
    Sweep("due_fake_calls", due_fake_calls, 1.0),
    Sweep("waiting_looks", waiting_looks, 1.0),
    Sweep("due_clusters", due_clusters, 0.5),
    Sweep("due_feeds", cap_feeds.due_feeds, 5.0),
    Sweep("due_alerts", alerts.due_alerts, 1.0),
    Sweep("due_batches", alerts.due_batches, 1.0),
    Sweep("count_receipts", alerts.count_receipts, 2.0),
    Sweep("old_broadcasts", alerts.old_broadcasts, 3600.0),
    Sweep("kept_long_enough", kept_long_enough, 60.0),
    Sweep("waiting_footage", waiting_footage, 10.0),
    Sweep("old_views", old_views, 300.0),
    Sweep("waiting_searches", waiting_searches, 10.0),
    Sweep("ended_searches", ended_searches, 10.0),
    Sweep("retention", applied.kept_long_enough, 600.0),
    Sweep("audit_heads", audit_heads, 3600.0),
    Sweep("orphan_leases", orphan_leases, 5.0),
    Sweep("whole_uploads", whole_uploads, 10.0),
    Sweep("forgotten_uploads", forgotten_uploads, 60.0),
    Sweep("old_lines", old_lines, 60.0),
    Sweep("spent_codes", spent_codes, 60.0),
    Sweep("old_journeys", old_journeys, 60.0),
    Sweep("old_escorts", old_escorts, 60.0),
    Sweep("due_photos", due_photos, 10.0),
    Sweep("due_helpline", due_helpline, 1.0),
    Sweep("due_follow_ups", due_follow_ups, 30.0),
    Sweep("due_patrols", due_patrols, 5.0),
    Sweep("due_campaigns", due_campaigns, 10.0),
    Sweep("due_gatherings", due_gatherings, 10.0),
    Sweep("due_reviews", due_reviews, 5.0),
    Sweep("ended_shifts", ended_shifts, 5.0),
    Sweep("helpline_kept", helpline_kept, 60.0),
    Sweep("silent_coordinators", silent_coordinators, 60.0),
    Sweep("ended_sanctions", ended_sanctions, 5.0),
    Sweep("unblurred_pictures", unblurred_pictures, 30.0),
    Sweep("old_tombstones", old_tombstones, 3600.0),
    Sweep("due_drills", due_drills, 2.0),
    Sweep("look_after", look_after, 5.0),
    Sweep("blind_cameras", blind_cameras, 5.0),
    Sweep("plan_drills", plan_drills, 60.0),
)


def _safely(step: Callable[..., object], *args: object, **named: object) -> None:
    try:
        step(*args, **named)
    except STORE_DOWN:
        log.warning("store_away", step=getattr(step, "__name__", "step"))
    except Exception:
        log.exception("sweep_step_failed", step=getattr(step, "__name__", "step"))


def sweep_once(context: Context, pool: ThreadPoolExecutor) -> dict[str, int]:
    """Run every sweep once, whatever its rhythm. Returns what each found."""
    return {sweep.name: sweep.run(context, pool) for sweep in SWEEPS}


def run(context: Context, *, stop: Callable[[], bool] = lambda: False) -> None:
    """Sweep until `stop` says so. Nothing that goes wrong ends it: the next second tries again.

    Each sweep has a thread of its own, so that one which hangs holds up none of the others.
    """
    with ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="sweep") as pool:
        threads = [
            threading.Thread(target=_repeat, args=(sweep, context, pool, stop), name=sweep.name, daemon=True)
            for sweep in SWEEPS
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)  # in short waits: a signal is noticed between two of them


def _repeat(sweep: Sweep, context: Context, pool: ThreadPoolExecutor, stop: Callable[[], bool]) -> None:
    while not stop():
        began = time.monotonic()
        _safely(sweep.run, context, pool)
        while not stop() and time.monotonic() < began + sweep.every_s:
            time.sleep(min(0.1, sweep.every_s))
