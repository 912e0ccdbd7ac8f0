"""The breaker before a carrier, as a story of seconds: what goes through, and what becomes of it."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications import breaker
from notifications.breaker import CARRIERS_FAULT, FAILURES, Breaker, BreakerState
from notifications.channel import ChannelError, FailureCode, Permanent, Temporary, Unknown

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOWN = Temporary(FailureCode.CARRIER_DOWN)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def failing(times: int, *, seconds: float = 0, held: Breaker | None = None) -> Breaker:
    held = held or Breaker()
    for _ in range(times):
        held = breaker.told(breaker.went(held, at(seconds)), DOWN, at(seconds))
    return held


def passes(held: Breaker, seconds: float, *, life: bool = False) -> bool:
    return held.allows(at(seconds), life_critical=life)


def test_one_failure_less_leaves_it_closed_and_a_success_forgets_them() -> None:
    nearly = failing(FAILURES - 1)
    assert nearly.state(at(0)) == BreakerState.CLOSED
    assert passes(nearly, 0)
    assert breaker.told(nearly, None, at(0)) == Breaker()


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (Temporary(FailureCode.CARRIER_DOWN), True),
        (Temporary(FailureCode.NOT_CONNECTED), True),
        (Temporary(FailureCode.RATE_LIMITED), True),
        (Temporary(FailureCode.MISCONFIGURED), True),
        (Unknown(FailureCode.NO_ANSWER), True),
        (Temporary(FailureCode.UNREACHABLE), False),
        (Temporary(FailureCode.NOT_ANSWERED), False),
        (Permanent(FailureCode.NOT_MOBILE, retire=True), False),
        (Permanent(FailureCode.OPTED_OUT), False),
        (Permanent(FailureCode.REJECTED), False),
    ],
)
def test_what_counts_is_the_carriers_fault_not_the_phones(error: ChannelError, counts: bool) -> None:
    held = breaker.told(failing(FAILURES - 1), error, at(0))
    assert (held.state(at(0)) == BreakerState.OPEN) is counts
    assert (error.code in CARRIERS_FAULT) is counts


def test_open_lets_nothing_through_but_a_life_critical_message_each_second() -> None:
    held = failing(FAILURES)
    assert held.state(at(1)) == BreakerState.OPEN
    assert not passes(held, 1)
    assert passes(held, 1, life=True)
    held = breaker.went(held, at(1))
    assert not passes(held, 1.5, life=True)
    assert passes(held, 2, life=True)
    assert held.opens_at(at(1)) == at(5)


def test_after_the_pause_one_message_decides() -> None:
    held = failing(FAILURES)
    assert held.state(at(5)) == BreakerState.HALF_OPEN
    assert passes(held, 5)
    probing = breaker.went(held, at(5))
    assert not passes(probing, 5.5)
    assert at(5.5) < probing.opens_at(at(5.5)) <= at(7)
    assert breaker.told(probing, None, at(6)) == Breaker()
    assert passes(probing, 15)  # its process died


def test_each_probe_that_fails_doubles_the_pause_to_a_minute() -> None:
    held, now, pauses = failing(FAILURES), 0.0, []
    for _ in range(6):
        assert held.until is not None
        now = (held.until - NOON).total_seconds()
        held = breaker.told(breaker.went(held, at(now)), DOWN, at(now))
        assert held.until is not None
        pauses.append((held.until - at(now)).total_seconds())
        assert not passes(held, now + 1)
        assert passes(held, now + pauses[-1])
    assert pauses == [10, 20, 40, 60, 60, 60]


def test_calls_that_hung_from_before_it_opened_change_nothing() -> None:
    held = failing(FAILURES)
    late = breaker.told(held, DOWN, at(4))
    assert late.until == held.until
    assert breaker.told(held, None, at(4)) == Breaker()  # one that got through all the same closes it
