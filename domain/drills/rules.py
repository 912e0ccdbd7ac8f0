"""When a city drills, and what a delivery says about its person. Pure: the plan, the delivery and the time come in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from domain.cities.config import ChannelName, DrillPlan
from domain.deliveries.states import AttemptState, DeliveryStatus
from domain.drills.states import ReachedBy, Unreached

MISSED_AFTER: Final = timedelta(hours=2)
"""A planned drill that could not begin for so long waits for the next time: the city may be asleep by now."""
LONGEST: Final = timedelta(hours=24)


def next_time(plan: DrillPlan, zone: ZoneInfo, now: datetime) -> datetime:
    """The plan's first time after `now`, by the city's own calendar."""
    local = now.astimezone(zone)
    year, month = local.year, local.month
    while True:
        for day in sorted(plan.days):
            at = datetime.combine(date(year, month, day), plan.at, zone)
            if at > now:
                return at.astimezone(now.tzinfo)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


@dataclass(frozen=True)
class Result:
    """What became of one person on one channel. Neither `by` nor `why`: still open, or (`left_out`) not asked."""

    channel: str
    by: ReachedBy | None = None
    why: Unreached | None = None
    left_out: bool = False

    @property
    def waiting(self) -> bool:
        """An answer may still come."""
        return self.by is None and self.why is None and not self.left_out


_BY: Final = {ChannelName.FCM: ReachedBy.DEVICE, ChannelName.SMS: ReachedBy.LINK, ChannelName.VOICE: ReachedBy.KEY}
"""What somebody who answered did, by channel."""

WHY: Final[Mapping[str, Unreached]] = {
    "no_address": Unreached.NO_ADDRESS,
    "unregistered": Unreached.ADDRESS_DEAD,
    "invalid_address": Unreached.ADDRESS_DEAD,
    "not_mobile": Unreached.ADDRESS_DEAD,
    "opted_out": Unreached.OPTED_OUT,
    "unreachable": Unreached.PHONE_OFF,
    "not_answered": Unreached.NOT_ANSWERED,
    "machine": Unreached.MAILBOX,
    "expired": Unreached.PHONE_OFF,
}
"""A failure's code (`notifications/channel.py: FailureCode`) → what it says of the person; any other is the carrier's."""


def result(delivery: Mapping[str, Any], deadline: datetime, now: datetime) -> Result:
    """What a delivery of a drill says at `now`; what came after the deadline does not count."""
    channel = delivery["plan"][0]
    answered = (delivery.get("received_at"), delivery.get("seen_at"))
    if any(_in_time(at, deadline) for at in answered):
        return Result(channel, by=_BY[ChannelName(channel)])
    delivered = _in_time(delivery.get("delivered_at"), deadline)
    if delivered and channel == ChannelName.SMS:
        return Result(channel, by=ReachedBy.NETWORK)
    status = DeliveryStatus(delivery["status"])
    if status == DeliveryStatus.SUPPRESSED and delivery.get("reason") == "busy":
        return Result(channel, left_out=True)
    if status not in {DeliveryStatus.FAILED_PERMANENT, DeliveryStatus.SUPPRESSED} and now < deadline:
        return Result(channel)
    return Result(channel, why=_why(delivery, channel, bool(delivered)))


def _in_time(at: datetime | None, deadline: datetime) -> datetime | None:
    return at if at is not None and at <= deadline else None


def _why(delivery: Mapping[str, Any], channel: str, delivered: bool) -> Unreached:
    reason = delivery.get("reason") or ""
    attempts = delivery.get("attempts") or {}
    if reason == "no_address":
        return Unreached.NO_ADDRESS
    if not attempts:
        return Unreached.NOT_TRIED
    last = attempts[max(attempts, key=int)]
    if delivered and channel == ChannelName.VOICE:
        return Unreached.NO_KEY
    if AttemptState(last["state"]) in {AttemptState.TEMPORARY, AttemptState.PERMANENT}:
        return WHY.get(last.get("code") or reason, Unreached.CARRIER_FAILED)
    if AttemptState(last["state"]) == AttemptState.SENDING:
        return Unreached.CARRIER_FAILED
    return Unreached.NO_RECEIPT


def known_dead(person: Mapping[str, Any], channel: str) -> Unreached | None:
    """Why a person has no address on a channel, where their document knows: what the carriers said earlier."""
    if channel == ChannelName.FCM:
        gone = any(device.get("retired_at") for device in (person.get("devices") or {}).values())
        return Unreached.RETIRED if gone else None
    held = (person.get("retired") or {}).get(channel)
    if held is None:
        return None
    return Unreached.OPTED_OUT if held.get("reason") == "opted_out" else Unreached.RETIRED


Counts = dict[str, Any]


def counts(results: Iterable[Result], channels: Iterable[str]) -> dict[str, Counts]:
    """Channel → `{asked, reached, waiting, left_out, by: {…}, why: {…}}`."""
    found: dict[str, Counts] = {
        str(channel): {"asked": 0, "reached": 0, "waiting": 0, "left_out": 0, "by": {}, "why": {}}
        for channel in channels
    }
    for each in results:
        row = found[each.channel]
        row["asked"] += 1
        row["reached"] += each.by is not None
        row["waiting"] += each.waiting
        row["left_out"] += each.left_out
        for name, value in (("by", each.by), ("why", each.why)):
            if value is not None:
                row[name][str(value)] = row[name].get(str(value), 0) + 1
    return found
