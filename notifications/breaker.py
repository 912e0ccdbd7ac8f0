"""A breaker before each carrier: one that fails again and again is left alone for a moment, so that nobody waits for it.

Pure: a breaker is a value, time is an argument. `allows` says whether a message may go to the carrier now, `went` that it
does, `told` what became of it. A message that a life depends on may look more often whether the carrier is back.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from notifications.channel import ChannelError, FailureCode

FAILURES = 5
"""So many in a row open it: of a carrier that refuses one message in ten, one row in 100,000 does."""
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=60)
LIFE_LOOKS_EVERY = timedelta(seconds=1)
"""While it is open, a life-critical message goes through so often, as a probe."""
PROBE_LOST = timedelta(seconds=10)
"""A probe of which nothing was heard for so long has lost its process."""

CARRIERS_FAULT = frozenset(
    {
        FailureCode.CARRIER_DOWN,
        FailureCode.NOT_CONNECTED,
        FailureCode.NO_ANSWER,
        FailureCode.RATE_LIMITED,
        FailureCode.MISCONFIGURED,
    }
)
"""What counts against the carrier. Any other failure is about one person's phone or one message: the carrier works."""


class BreakerState(StrEnum):
    """Whether a carrier is asked."""

    CLOSED = "closed"
    """It works, as far as we know: every message goes to it."""
    OPEN = "open"
    """It failed several times in a row: none goes to it before `until`, but a life-critical one now and then."""
    HALF_OPEN = "half_open"
    """The pause is over: one message goes to it, and what becomes of that decides."""


@dataclass(frozen=True)
class Breaker:
    """What is known of one carrier in one process."""

    failures: int = 0
    """In a row."""
    until: datetime | None = None
    """When the pause ends; None: closed."""
    pause: timedelta = FIRST_PAUSE
    probe_at: datetime | None = None
    """When the message left that decides."""

    def state(self, now: datetime) -> BreakerState:
        """Where it stands at `now`."""
        if self.until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.until else BreakerState.HALF_OPEN

    def allows(self, now: datetime, *, life_critical: bool) -> bool:
        """Whether a message may go to this carrier now."""
        state = self.state(now)
        if state == BreakerState.CLOSED:
            return True
        if life_critical:
            return self.probe_at is None or now >= self.probe_at + LIFE_LOOKS_EVERY
        return state == BreakerState.HALF_OPEN and not self._probing(now)

    def _probing(self, now: datetime) -> bool:
        """Whether a message that left after the pause has not been heard of yet."""
        since = self.probe_at
        return since is not None and self.until is not None and since >= self.until and now < since + PROBE_LOST

    def opens_at(self, now: datetime) -> datetime:
        """When a message that it does not allow now is worth another look."""
        if self.until is not None and now < self.until:
            return self.until
        return now + timedelta(seconds=1)  # a probe is out: its answer is near


def went(breaker: Breaker, now: datetime) -> Breaker:
    """A message goes to the carrier at `now`."""
    return breaker if breaker.until is None else replace(breaker, probe_at=now)


def told(breaker: Breaker, error: ChannelError | None, now: datetime) -> Breaker:
    """What became of a message: None where the carrier took it."""
    if error is None or error.code not in CARRIERS_FAULT:
        return Breaker()
    failures = breaker.failures + 1
    if breaker.until is None:
        if failures < FAILURES:
            return replace(breaker, failures=failures)
        return Breaker(failures, until=now + FIRST_PAUSE)
    if breaker.probe_at is None:  # it left before the breaker opened: nothing new
        return replace(breaker, failures=failures)
    pause = min(2 * breaker.pause, LONGEST_PAUSE) if now >= breaker.until else breaker.pause
    return Breaker(failures, until=max(breaker.until, now + pause), pause=pause, probe_at=breaker.probe_at)
