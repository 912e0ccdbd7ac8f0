"""From "these people must be told this" to deliveries under way: written down one by one, then sent side by side.

The pool belongs to the process. Whoever hands deliveries over goes on as soon as each has a thread, so that a carrier
call that hangs holds that one thread: not the job, not the next SOS, not the other people. Only when all threads are
taken does handing over wait, for a moment; then the most urgent goes first, whoever came before. What a dead process
leaves behind, the sweeper finds by `next_at`.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from domain.deliveries import service as store
from domain.deliveries.service import Delivery, Recipient, Telling
from domain.deliveries.states import Priority
from domain.errors import DomainError
from domain.outbox import Event
from notifications import purposes
from notifications.content import READ
from notifications.deliveries import Post, advance
from runtime import logging
from runtime.mongo import STORE_DOWN

POOL_THREADS = 64
"""As many as a channel keeps connections; a thread that waits for a carrier costs next to nothing."""
AS_READ = timedelta(seconds=1)
"""So long what was just written down, and read with it, counts as it is."""
PATIENCE_S = 2.0
"""How long handing over waits while every thread is taken. The rest goes on in the pool, in turn."""

log = logging.get(__name__)


class _UnderWay:
    """The deliveries that this process has in hand, waiting for a thread or in one: none is taken up twice."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._waiting = 0
        self._changed = threading.Condition()

    def take(self, delivery_id: str) -> bool:
        """False when it is in hand already."""
        with self._changed:
            if delivery_id in self._ids:
                return False
            self._ids.add(delivery_id)
            self._waiting += 1
            return True

    @property
    def ids(self) -> set[str]:
        """All that are in hand now."""
        with self._changed:
            return set(self._ids)

    def begin(self) -> None:
        """One of those that wait has a thread now."""
        with self._changed:
            self._waiting -= 1
            self._changed.notify_all()

    def done(self, delivery_id: str) -> None:
        """It is out of our hands."""
        with self._changed:
            self._ids.discard(delivery_id)
            self._changed.notify_all()

    def wait_until_begun(self, timeout_s: float) -> None:
        """Return when none waits for a thread, or time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting == 0, timeout_s)

    def wait_until_done(self, ids: set[str], timeout_s: float) -> None:
        """Return when none of these is in hand, or time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._ids.isdisjoint(ids), timeout_s)


_under_way = _UnderWay()


class _Turn(NamedTuple):
    """A delivery that waits for a thread; `made` is the delivery itself where it was written down just now."""

    priority: int
    delivery_id: str
    post: Post
    made: Delivery | None = None


class _Waiting:
    """What waits for a thread, the most urgent first, and of the same urgency what came first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, _Turn]] = []
        self._came = itertools.count()
        self._turn = threading.Lock()

    def add(self, turn: _Turn) -> None:
        """One more waits."""
        with self._turn:
            heapq.heappush(self._heap, (turn.priority, next(self._came), turn))

    def next(self) -> _Turn:
        """The next one's turn. There is one for each call: each is added before its turn is asked for."""
        with self._turn:
            return heapq.heappop(self._heap)[2]


_waiting = _Waiting()


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="send")


def tell(
    tellings: Iterable[Telling],
    post: Post,
    *,
    patience_s: float = PATIENCE_S,
    about: Mapping[str, Any] | None = None,
) -> list[str]:
    """Write the deliveries down and hand them over. Returns their ids; a repeated call tells nobody twice.

    `about` is the incident of all of them, as the caller has just read it: those that begin at once need not read it.
    """
    ranked = [(each, purposes.priority(each.purpose, life_critical=each.life_critical)) for each in tellings]
    written = store.write_down_all(ranked, now=post.clock())
    if about is not None:
        for made in written.values():
            if made is not None:
                made[READ] = about
    priorities = {store.delivery_id(telling): priority for telling, priority in ranked}
    _hand_over([_Turn(priorities[each], each, post, made) for each, made in written.items()], patience_s)
    return list(written)


def tell_one(event: Event, recipient: Recipient, post: Post, *, subject: str = "", **telling: Any) -> list[str]:
    """`tell` of what the only one hears of an event, of its subject where nothing else is said; `telling` as `Telling`
    has it: purpose, plan, valid_for at least.
    """
    made = Telling(
        key=event["id"], city=event["city"], subject=subject or event["subject"], recipient=recipient, **telling
    )
    return tell([made], post)


def advance_all(ids: Iterable[str], post: Post, *, patience_s: float = PATIENCE_S) -> None:
    """Take each delivery its next step, side by side; returns when each has begun, or patience ends.

    `ids` may be a map id → `Priority`; where none is given it counts as one that was tried before.
    """
    priorities: Mapping[str, int] = ids if isinstance(ids, Mapping) else {}
    _hand_over([_Turn(priorities.get(each, Priority.AGAIN), each, post) for each in ids], patience_s)


def _hand_over(turns: Iterable[_Turn], patience_s: float) -> None:
    taken = [each for each in turns if _under_way.take(each.delivery_id)]
    for turn in taken:
        _waiting.add(turn)
        _pool().submit(_take_turn)
    if taken:
        _under_way.wait_until_begun(patience_s)


def settle(ids: Iterable[str] = (), *, timeout_s: float = 10.0) -> None:
    """Wait until what was handed over has been done: for whoever must see what came of it (a test, a command)."""
    wanted = set(ids)
    end = time.monotonic() + timeout_s
    _under_way.wait_until_begun(timeout_s)
    _under_way.wait_until_done(wanted or _under_way.ids, max(0.0, end - time.monotonic()))


def _take_turn() -> None:
    turn = _waiting.next()
    _advance(turn.delivery_id, turn.post, turn.made)


def _advance(delivery_id: str, post: Post, made: Delivery | None) -> None:
    _under_way.begin()
    try:
        fresh = made is not None and post.clock() - made["created_at"] < AS_READ
        advance(delivery_id, post, known=made if fresh else None)
    except STORE_DOWN:
        log.warning("store_away", delivery=delivery_id)  # its next_at brings the sweeper
    except Exception as error:
        if isinstance(error, DomainError):
            log.warning("delivery_refused", delivery=delivery_id, reason=error.error_code)
        else:
            log.exception("delivery_failed", delivery=delivery_id)
        _put_off(delivery_id, post)
    finally:
        _under_way.done(delivery_id)


def _put_off(delivery_id: str, post: Post) -> None:
    """What cannot even be tried is due again after a growing pause: it must not stand before everybody else's."""
    try:
        tries = store.put_off(delivery_id, now=post.clock())
    except STORE_DOWN:
        return
    if tries >= store.STUBBORN_TRIES:
        log.error("delivery_keeps_failing", delivery=delivery_id, tries=tries)
