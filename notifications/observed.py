"""A carrier that is watched: what became of each message, how long the carrier took, what it cost.

Whoever sends through a watched channel is counted, whatever it sends. Counts stay in memory for a second and go to the
store together; what a killed process had not written yet is missing from the figures and from nothing else.
"""

import atexit
import contextlib
import os
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from domain.cities import queries as cities
from domain.cities.errors import UnknownCity
from domain.clock import Clock, utc_now
from domain.deliveries.states import AttemptState
from domain.insights import carriers
from domain.insights.carriers import MS_EDGES, S_EDGES, Whose, bucket
from notifications.breaker import CARRIERS_FAULT
from notifications.channel import Channel, ChannelError, FailureCode, Permanent, Temporary
from notifications.messages import AddressKind, Message, Sent
from runtime import mongo

FLUSH_S: Final = 1.0
_SLOT_S: Final = int(carriers.SLOT.total_seconds())


class Tally:
    """Counts that wait to be written. Shared by threads; after a fork the child begins with none."""

    def __init__(self) -> None:
        self.begin()
        os.register_at_fork(after_in_child=self.begin)
        atexit.register(self.flush)

    def begin(self) -> None:
        """Nothing waits, and no thread writes yet: threads do not survive a fork, and the parent writes its own."""
        self._lock = threading.Lock()
        self._writes = False
        self._waiting: dict[tuple[Whose, int], dict[str, float]] = {}
        self._wake = threading.Event()

    def add(self, whose: Whose, counters: Mapping[str, float], *, at: datetime) -> None:
        """Count; written within a second or so."""
        key = (whose, int(at.timestamp()) // _SLOT_S)
        with self._lock:
            if not self._writes:
                self._writes = True
                threading.Thread(target=self._write_for_ever, name="tally", daemon=True).start()
            held = self._waiting.setdefault(key, defaultdict(float))
            for name, value in counters.items():
                held[name] += value
        self._wake.set()

    def flush(self) -> None:
        """Write what waits. What the store does not take now waits on."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
        for (whose, slot), counters in taken.items():
            try:
                with mongo.connecting:
                    carriers.add(whose, counters, at=_time_of(slot))
            except Exception:  # kept for the next time: figures must never end a thread, or anybody's message
                with self._lock:
                    held = self._waiting.setdefault((whose, slot), defaultdict(float))
                    for name, value in counters.items():
                        held[name] += value

    def forget(self) -> None:
        """Drop what waits, where its store is gone for good: it is not written into another one."""
        with self._lock:
            self._waiting.clear()

    def _write_for_ever(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(FLUSH_S)
            self._wake.clear()
            self.flush()


def _time_of(slot: int) -> datetime:
    return carriers.EPOCH + timedelta(seconds=slot * _SLOT_S)


tally = Tally()
"""This process's."""


class Observed:
    """A channel whose messages are counted; itself a `Channel` of the same name."""

    def __init__(self, channel: Channel, *, clock: Clock = utc_now, counts: Tally = tally) -> None:
        self._channel = channel
        self._clock = clock
        self._counts = counts

    @property
    def kind(self) -> AddressKind:
        """Which addresses it serves."""
        return self._channel.kind

    @property
    def name(self) -> str:
        """The vendor's."""
        return self._channel.name

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        """See `Channel.send`."""
        began = time.perf_counter()
        try:
            sent = self._channel.send(message, timeout_s=timeout_s)
        except ChannelError as error:
            self._count(message, began, _failed(error))
            raise
        self._count(message, began, {"n.taken": 1, "sums.segments": sent.segments, **self._cost(message, sent)})
        return sent

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        """See `Channel.reconcile`; not counted: it sends nothing."""
        return self._channel.reconcile(message, since=since, timeout_s=timeout_s)

    def _count(self, message: Message, began: float, counters: Mapping[str, float]) -> None:
        ms = (time.perf_counter() - began) * 1000
        whose = Whose(self.name, str(self.kind), message.city)
        timed = {f"ms.{bucket(ms, MS_EDGES)}": 1, "sums.ms": ms, "now.n": 1}
        self._counts.add(whose, {**timed, **counters}, at=self._clock())

    def _cost(self, message: Message, sent: Sent) -> dict[str, float]:
        if not message.city:
            return {}
        with contextlib.suppress(UnknownCity):
            price = cities.current(message.city).price(self.name, message.to.value)
            if price is not None:
                return {f"cost.{price.currency}": price.amount * sent.segments}
        return {}


def _failed(error: ChannelError) -> dict[str, float]:
    fate = "temporary" if isinstance(error, Temporary) else "permanent" if isinstance(error, Permanent) else "unknown"
    fault = {"now.faults": 1.0} if error.code in CARRIERS_FAULT else {}
    return {f"n.{fate}": 1, f"codes.{error.code}": 1, **fault}


_GIVEN_UP: Final = frozenset({*CARRIERS_FAULT, FailureCode.BLOCKED})
"""What a carrier says later and that counts against it: it took the message, and failed, or filtered it."""
_LATER: Final[Mapping[AttemptState, str]] = {
    AttemptState.DELIVERED: "delivered",
    AttemptState.TEMPORARY: "failed_later",
    AttemptState.PERMANENT: "failed_later",
}
"""What a carrier's receipt counts as; that it has a message which it had taken anyway is no news."""


def reported(delivery: Mapping[str, Any], number: int, state: AttemptState, *, code: str, now: datetime) -> None:
    """Count a carrier's receipt that said something new of an attempt."""
    name = _LATER.get(state)
    if name is not None:
        _receipt(delivery, delivery["attempts"][str(number)], name, code=code, now=now)


def received(delivery: Mapping[str, Any], *, now: datetime) -> None:
    """Count the device's own receipt, once for a delivery."""
    pushes = [each for each in delivery["attempts"].values() if each["channel"] == AddressKind.FCM]
    if pushes:
        _receipt(delivery, pushes[-1], "received", now=now)


def _receipt(
    delivery: Mapping[str, Any], attempt: Mapping[str, Any], name: str, *, now: datetime, code: str = ""
) -> None:
    whose = Whose(attempt.get("gateway") or attempt["channel"], attempt["channel"], delivery["city"])
    counters: dict[str, float] = {f"n.{name}": 1}
    if name == "failed_later":
        counters[f"codes.{code or 'unknown'}"] = 1
        if code in _GIVEN_UP:
            counters["now.faults"] = 1
    else:
        seconds = max(0.0, (now - attempt["at"]).total_seconds())
        counters |= {f"receipt_s.{bucket(seconds, S_EDGES)}": 1, "sums.receipt_s": seconds}
    tally.add(whose, counters, at=now)


def breaker_open(name: str, kind: AddressKind, *, at: datetime) -> None:
    """A carrier is left alone for a while: somebody will want to know."""
    tally.add(Whose(name, str(kind), ""), {"now.open": 1}, at=at)
