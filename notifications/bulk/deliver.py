"""One text to hundreds of people: a batch of deliveries taken as far as it goes now, with few writes.

Policy decides for each person as for a single delivery; only reading, writing and rendering are done for many at once.
People are told through a window: slices of deliveries are written down with their attempt under way, sent side by side, and
their outcomes written as they come, many in one go. So what a process that is killed leaves in doubt is one window at most.
Whoever takes the batch up repeats the pushes among them (a phone shows one delivery once) and looks for each SMS at the
carrier by its nonce before it sends it again (docs/adr: broadcast in batches).

The caller holds the batch by a lease, so nobody else has these deliveries in hand; receipts may come at any time.
"""

import contextlib
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from domain.deliveries import bulk as store
from domain.deliveries.service import Delivery
from domain.deliveries.states import ENDED, AttemptState, DeliveryStatus
from notifications import policy
from notifications.bulk.decide import decide, left_out
from notifications.bulk.go import Batch, Go, Try, last, person_of
from notifications.bulk.outcomes import known_as, outcome
from notifications.bulk.send import send
from notifications.channel import FailureCode, Unknown
from notifications.channels.bounded import hold_this_thread
from notifications.deliveries import Post
from notifications.messages import Sent
from runtime import logging

SLICE: Final = 50
"""Deliveries that are written down together."""
WINDOW: Final = 100
"""Messages of one batch that are under way or not yet written up: what may be in doubt after a kill."""
FLUSH_S: Final = 0.1
"""How long outcomes are gathered before they are written."""
SENDERS: Final = 24
"""Threads. More do not send faster from one core, and hold more in flight."""
KEEP_S: Final = 2.0
"""How often the lease is renewed while carriers are waited for."""
ROUNDS: Final = 6
"""Steps of one delivery without a pause: push, SMS, another gateway."""

log = logging.get(__name__)


@dataclass(frozen=True)
class Ended:
    """How far it went: `due` is when something is to be tried again (None: never), `told` whether everybody was tried.
    `lost`: somebody else has the batch now, and nothing should be written about it. `stopped`: it is not worth telling any
    more.
    """

    due: datetime | None
    told: bool
    lost: bool = False
    stopped: bool = False


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(SENDERS, thread_name_prefix="bulk", initializer=hold_this_thread)


def deliver(batch: Batch, post: Post, *, keep: Callable[[], bool]) -> Ended:
    """Take every delivery of the batch as far as it goes without waiting. `keep` renews the lease; False: it is lost."""
    run = _Run(batch, post, keep)
    for _ in range(ROUNDS):
        if not run.round():
            break
    else:
        run.go_on_soon()
    return Ended(run.go.due, told=run.whole and not run.lost, lost=run.lost, stopped=run.stopped)


class _Run:
    """The rounds of one go, and its messages that are under way."""

    def __init__(self, batch: Batch, post: Post, keep: Callable[[], bool]) -> None:
        self.go, self.keep = Go(batch, post), keep
        self.lost = self.whole = self.stopped = False
        self._done: queue.SimpleQueue[tuple[Try, Any]] = queue.SimpleQueue()

    def round(self) -> bool:
        """Take each delivery one step. True where another round has something to do at once."""
        self.go.due, self.go.again = None, False
        held = {row["recipient"]["id"]: row for row in store.of_batch(self.go.batch.id)}
        self.go.probe = self.go.fresh("", self.go.post.clock())
        if reason := self.go.content.overtaken(self.go.probe):
            self._stop(held, reason)
            return False
        tries = decide(self.go, held, self.go.batch.people)
        if silent := left_out(self.go, tries):
            tries = [each for each in tries if person_of(each) not in silent] + decide(self.go, held, silent)
        self._send_all(tries)
        self.whole = not self.lost
        return self.go.again and not self.lost

    def go_on_soon(self) -> None:
        """There is more to do at once, and others have their turn first."""
        self.go.due = self.go.post.clock()

    def _send_all(self, tries: Sequence[Try]) -> None:
        """Send all of these, a window of them at a time: the threads have work while others are written down."""
        under_way = begun = 0
        while under_way or (begun < len(tries) and not self.lost):
            while begun < len(tries) and under_way + SLICE <= WINDOW and not self.lost:
                ours = self._begin(tries[begun : begun + SLICE])
                begun += SLICE
                under_way += len(ours)
                for each in ours:
                    _pool().submit(self._send_and_tell, each)
            ended = self._ended(min(under_way, SLICE))
            if not self.keep():
                self.lost = True  # whoever has the batch now looks into what we have under way
            under_way -= len(ended)
            names = {
                each.delivery["_id"]: known_as(self.go, each, result)
                for each, result in ended
                if isinstance(result, Sent)
            }
            outcomes = {each.delivery["_id"]: (each.number, outcome(self.go, each, result)) for each, result in ended}
            store.finish(outcomes, names)

    def _ended(self, most: int) -> list[tuple[Try, Any]]:
        """Some that have ended, as many as there are within a moment; none where carriers let wait for longer."""
        found: list[tuple[Try, Any]] = []
        if not most:
            return found
        with contextlib.suppress(queue.Empty):
            found.append(self._done.get(timeout=KEEP_S))
            until = time.monotonic() + FLUSH_S
            while len(found) < most:
                found.append(self._done.get(timeout=max(0.0, until - time.monotonic())))
        return found

    def _stop(self, held: Mapping[str, Delivery], reason: str) -> None:
        """It is no longer worth telling: who was not told yet is not, and nothing is tried again."""
        going_on = [row for row in held.values() if row["status"] not in ENDED and not _has_gone(row)]
        now = self.go.post.clock()
        store.end({row["_id"]: (DeliveryStatus.SUPPRESSED, reason) for row in going_on}, now=now)
        self.whole = self.stopped = True

    def _begin(self, tries: Sequence[Try]) -> list[Try]:
        """Write down that these attempts start. Those that somebody else wrote down, or a receipt ended, are left out."""
        now = self.go.post.clock()
        made: list[Delivery] = []
        again: dict[str, tuple[int, int, Mapping[str, Any]]] = {}
        for each in tries:
            if each.step.do == policy.Do.RECONCILE:
                continue
            attempt = _attempt(self.go, each, now)
            if each.new:
                made.append({**each.delivery, "attempts": {"1": attempt}, "tries": 1, "created_at": now})
            else:
                again[each.delivery["_id"]] = (each.delivery["version"], each.number, attempt)
        others = store.insert(made)
        ours = store.begin(again)
        return [
            each
            for each in tries
            if each.step.do == policy.Do.RECONCILE
            or (each.delivery["_id"] not in others if each.new else each.delivery["_id"] in ours)
        ]

    def _send_and_tell(self, each: Try) -> None:
        """In a thread. Whatever happens, it is heard of."""
        result: Any = None
        try:
            result = send(self.go, each)
        except Exception as fault:
            # Ours, not the carrier's, before anything was sent or after: not known, so look before it is sent again.
            log.error("bulk_send_failed", delivery=each.delivery["_id"], kind=type(fault).__name__)
            result = Unknown(FailureCode.NO_ANSWER, vendor_code="fault")
        finally:
            self._done.put((each, result))


def _attempt(go: Go, each: Try, now: datetime) -> dict[str, Any]:
    channel = each.step.channel
    attempt: dict[str, Any] = {
        "channel": channel,
        "state": str(AttemptState.SENDING),
        "at": now,
        "device": each.reached.device if channel == "fcm" else None,
        "gateway": go.gateway_name(each),
    }
    if each.repeats:
        attempt["repeats"] = True
    return attempt


def _has_gone(delivery: Delivery) -> bool:
    """Whether a message of it is out, or may be."""
    latest = last(delivery)
    gone = {AttemptState.SENDING, AttemptState.SENT, AttemptState.DELIVERED, AttemptState.UNKNOWN}
    return latest is not None and latest["state"] in gone
