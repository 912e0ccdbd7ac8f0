"""What to do next about a delivery. Pure: the delivery, the addresses that its person has, and `now` come in; one step
comes out.

The order of channels is the delivery's plan. A channel is left when its receipt did not come in time, when it failed, or
when the person has no address there. Nothing is sent again before the outcome of the last try is known.

A channel may have several gateways: when one did not take the message, the next one is asked before the channel is left.
A gateway whose breaker is open is passed over at once; a life-critical message goes out all the same where nothing else is
left, any other waits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from domain.deliveries.states import ENDED, AttemptState
from notifications.channel import FailureCode

TRIES_A_CHANNEL = 6
"""Of the last channel that is left; one that is followed by another is left at its first failure."""
REPORT_WAIT = timedelta(seconds=20)
"""How long an SMS or a call may go without its network receipt before the next channel is tried, if there is one."""
UNKNOWN_WAIT = timedelta(seconds=1)
"""A carrier that timed out needs a moment before its list shows what it took."""
UNREPORTED = timedelta(seconds=8)
"""An SMS or a call that is still `sending` after this has lost its process."""
UNREPORTED_PUSH = timedelta(seconds=4)
"""The same of a push, which may take less long and may be followed by an SMS without harm."""


WORKED_FOR = timedelta(days=1)
"""How long what reached somebody last says where to begin; then the purpose's own order is tried again."""

ANOTHER_GATEWAY: Final = frozenset(
    {
        FailureCode.CARRIER_DOWN,
        FailureCode.NOT_CONNECTED,
        FailureCode.NO_ANSWER,
        FailureCode.RATE_LIMITED,
        FailureCode.MISCONFIGURED,
        FailureCode.BLOCKED,
        FailureCode.REJECTED,
        FailureCode.NO_LIST,
        "not_taken",
    }
)
"""Failures of a gateway, where another may do better. The rest is about the phone or its owner: whoever told one carrier
to stop is not written to through another.
"""


class Do(StrEnum):
    """What to do next."""

    SEND = "send"
    """Start an attempt on `channel`."""
    RECONCILE = "reconcile"
    """Ask the carrier whether attempt `number` arrived there."""
    WAIT = "wait"
    """Look again at `until`; without one, only a receipt brings news."""
    GIVE_UP = "give_up"
    """No channel is left, or it is too late to matter."""


@dataclass(frozen=True)
class Step:
    """The next step. `reason` goes with GIVE_UP."""

    do: Do
    channel: str = ""
    number: int = 0
    until: datetime | None = None
    reason: str = ""
    gateway: str = ""
    """Through which carrier; empty where the channel has only one."""


@dataclass(frozen=True)
class Route:
    """How a channel reaches one person now: the gateways that serve the address, in order, and those that let it pass."""

    gateways: tuple[str, ...] = ("",)
    passing: tuple[str, ...] = ("",)
    again_at: datetime | None = None
    """Where none lets it pass: when one may."""


PLAIN: Final = Route()
Routes = Mapping[str, Route]


def next_step(
    delivery: Mapping[str, Any], reachable: Sequence[str], now: datetime, routes: Routes | None = None
) -> Step:
    """Decide. `reachable` are the channels on which the person has an address and we have a carrier; `routes` says through
    which gateways, where a channel has more than one.
    """
    step = _next(delivery, reachable, now, routes or {})
    return _through(step, delivery, reachable, now, routes or {}) if step.do == Do.SEND else step


def _through(step: Step, delivery: Mapping[str, Any], reachable: Sequence[str], now: datetime, routes: Routes) -> Step:
    """The gateway that a send takes, of those that pass the one with the fewest tries; the next channel where none does."""
    order = list(delivery["plan"])
    behind = [each for each in order[order.index(step.channel) :] if each in reachable]
    for channel in behind:
        route = routes.get(channel, PLAIN)
        if route.passing:
            gateway = min(route.passing, key=lambda name: _tries(delivery, channel, name))
            return Step(Do.SEND, channel=channel, gateway=gateway)
    route = routes[step.channel]
    if delivery.get("life_critical"):
        return Step(Do.SEND, channel=step.channel, gateway=route.gateways[0])
    due = min(routes[channel].again_at or now for channel in behind)
    return Step(Do.WAIT, until=max(due, now + UNKNOWN_WAIT))


def _tries(delivery: Mapping[str, Any], channel: str, gateway: str) -> int:
    attempts = delivery["attempts"].values()
    return sum(each["channel"] == channel and each.get("gateway", "") in {gateway, ""} for each in attempts)


def _other_gateway(delivery: Mapping[str, Any], last: Mapping[str, Any], routes: Routes) -> bool:
    """Whether the same channel has a gateway that was asked less often than the one that failed, and may do better."""
    channel, code = last["channel"], last.get("code")
    route = routes.get(channel, PLAIN)
    tried = _tries(delivery, channel, last.get("gateway", ""))
    fresh = any(_tries(delivery, channel, name) < tried for name in route.passing if name != last.get("gateway", ""))
    return fresh and code in ANOTHER_GATEWAY


def _next(delivery: Mapping[str, Any], reachable: Sequence[str], now: datetime, routes: Routes) -> Step:
    if delivery["status"] in ENDED:
        return Step(Do.WAIT)
    plan = [channel for channel in delivery["plan"] if channel in reachable]
    attempts = [delivery["attempts"][key] for key in sorted(delivery["attempts"], key=int)]
    if not plan:
        return Step(Do.GIVE_UP, reason=(attempts and attempts[-1].get("code")) or "no_address")
    if not attempts:
        return _too_late(delivery, now) or Step(Do.SEND, channel=plan[0])
    last, number = attempts[-1], len(attempts)
    state, channel = AttemptState(last["state"]), last["channel"]
    tried = _tries(delivery, channel, last.get("gateway", ""))
    if state == AttemptState.SENDING:
        lost_at = last["at"] + unreported(delivery, channel)
        return (
            Step(Do.WAIT, until=lost_at)
            if now < lost_at
            else _unknown(plan, last, number, tried, delivery, now, routes)
        )
    if state == AttemptState.UNKNOWN:
        return _unknown(plan, last, number, tried, delivery, now, routes)
    after = _after(delivery, plan, channel)
    if state in {AttemptState.SENT, AttemptState.DELIVERED}:
        if after is None or (state == AttemptState.DELIVERED and channel == "sms"):
            return Step(Do.WAIT)
        due = last["at"] + receipt_wait(delivery, channel)
        return Step(Do.WAIT, until=due) if now < due else _too_late(delivery, now) or Step(Do.SEND, channel=after)
    return _after_failure(delivery, plan, last, tried, now, routes)


def _after_failure(
    delivery: Mapping[str, Any], plan: Sequence[str], last: Mapping[str, Any], tried: int, now: datetime, routes: Routes
) -> Step:
    """Another gateway, else the next channel, else the same one again, unless it is too late or will never work."""
    channel = last["channel"]
    if late := _too_late(delivery, now):
        return late
    if channel in plan and _other_gateway(delivery, last, routes):
        return Step(Do.SEND, channel=channel)
    if after := _after(delivery, plan, channel):
        return Step(Do.SEND, channel=after)
    if last["state"] == AttemptState.PERMANENT:
        return Step(Do.GIVE_UP, reason=last.get("code") or "permanent")
    return _again(plan, last, tried, now)


def _again(plan: Sequence[str], last: Mapping[str, Any], tried: int, now: datetime) -> Step:
    """The same channel once more, not before its time: what the carrier said, or a growing pause since it failed."""
    if tried >= TRIES_A_CHANNEL or last["channel"] not in plan:
        return Step(Do.GIVE_UP, reason=last.get("code") or "temporary")
    failed_at = last.get("reported_at") or last.get("done_at") or last["at"]
    due = last.get("retry_at")
    if due is None or due <= failed_at:
        due = failed_at + backoff(tried, 0.5, None)
    return Step(Do.WAIT, until=due) if now < due else Step(Do.SEND, channel=last["channel"])


def _unknown(
    plan: Sequence[str],
    last: Mapping[str, Any],
    number: int,
    tried: int,
    delivery: Mapping[str, Any],
    now: datetime,
    routes: Routes,
) -> Step:
    """A push may be repeated (the device knows the delivery's id), so it is like one without receipt. Else look first."""
    if last["channel"] == "fcm" or last["channel"] not in plan:  # an address that is gone cannot be asked about
        after = _after(delivery, plan, last["channel"])
        return _too_late(delivery, now) or (Step(Do.SEND, channel=after) if after else _again(plan, last, tried, now))
    if last.get("code") == FailureCode.NO_LIST:  # looked at once, and there is nothing to look in
        due = last["at"] + REPORT_WAIT
        return Step(Do.WAIT, until=due) if now < due else _after_failure(delivery, plan, last, tried, now, routes)
    # Each look that could not be taken is written on the attempt as well (`done_at`), so looks have a pause between them.
    due = max(last.get("retry_at") or last["at"], (last.get("done_at") or last["at"]) + UNKNOWN_WAIT)
    return Step(Do.WAIT, until=due) if now < due else Step(Do.RECONCILE, channel=last["channel"], number=number)


def _after(delivery: Mapping[str, Any], plan: Sequence[str], channel: str) -> str | None:
    """The next reachable channel behind this one, also where this one is no longer reachable itself."""
    order = list(delivery["plan"])
    behind = order[order.index(channel) + 1 :] if channel in order else order
    return next((each for each in behind if each in plan), None)


def _too_late(delivery: Mapping[str, Any], now: datetime) -> Step | None:
    return Step(Do.GIVE_UP, reason="expired") if now >= delivery["valid_until"] else None


def receipt_wait(delivery: Mapping[str, Any], channel: str) -> timedelta:
    """How long to wait for a receipt before the next channel: the device's own for a push, the network's for the rest.

    A push that follows costs nothing and rings nobody twice: what stands before it is given no longer than a push is.
    """
    plan = list(delivery["plan"])
    following = plan[plan.index(channel) + 1 :][:1] if channel in plan else []
    if "fcm" in {channel, *following}:
        return timedelta(seconds=delivery["receipt_wait_s"])
    return REPORT_WAIT


def order(plan: Sequence[str], worked: str) -> tuple[str, ...]:
    """The plan, beginning with the channel that reached this person last. A call stays where the purpose has it: it is
    first where somebody must be woken, and last where the house need not be.
    """
    if worked not in plan or worked == "voice" or plan[0] == "voice":
        return tuple(plan)
    return (worked, *(each for each in plan if each != worked))


def lesson(delivery: Mapping[str, Any], channel: str) -> str | None:
    """What a receipt on `channel` teaches about its person: the channel to begin with next time; "" for the purpose's own
    order; None where it teaches nothing, as no other channel was tried before it.
    """
    tried = [delivery["attempts"][key]["channel"] for key in sorted(delivery["attempts"], key=int)]
    if channel == "fcm":
        return "" if tried[:1] != ["fcm"] or len(set(tried)) > 1 else None
    return channel if channel == "sms" and "fcm" in tried[: tried.index(channel) if channel in tried else 0] else None


def unreported(delivery: Mapping[str, Any], channel: str) -> timedelta:
    """After how long an attempt without an outcome has lost its process. A push that is lost so costs no more than one
    without a receipt.
    """
    return max(UNREPORTED_PUSH, receipt_wait(delivery, channel)) if channel == "fcm" else UNREPORTED


def backoff(tries: int, jitter: float, retry_after: float | None) -> timedelta:
    """When to try the same channel again: 1, 2, 4 … 60 s, ± 25 % by `jitter` in 0–1, never before the carrier's word."""
    seconds = float(min(60, 2 ** max(0, tries - 1))) * (0.75 + jitter / 2)
    return timedelta(seconds=max(seconds, retry_after or 0.0))


def after_attempt(
    delivery: Mapping[str, Any], state: AttemptState, channel: str, now: datetime, retry_at: datetime | None
) -> datetime:
    """When to look at a delivery again after an attempt has ended in `state`; policy then decides anew."""
    if state == AttemptState.SENT:
        return now + receipt_wait(delivery, channel)
    if state == AttemptState.UNKNOWN:
        return max(retry_at or now, now + UNKNOWN_WAIT)
    return now
