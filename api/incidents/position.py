"""When a position was true, by the server's clock."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.errors import Invalid


def heard_at(position: Mapping[str, Any], *, sent_at: datetime | None, now: datetime) -> datetime:
    """The server's time at which a phone was there: now − (Sent-At − captured_at), both by the phone's own clock.

    Without one of the two, or where they contradict each other, it is now.
    """
    captured_at = position.get("captured_at")
    age = sent_at - captured_at if sent_at and captured_at else timedelta(0)
    return now - age if timedelta(0) <= age <= timedelta(days=1) else now


def by_our_clock(at: datetime, *, sent_at: datetime | None, now: datetime, field: str) -> datetime:
    """A time that a phone names (not one at which it saw something), by the server's clock: what is wrong in its clock is
    wrong in Sent-At too. Raises Invalid where that is no time any more.
    """
    try:
        return at + (now - sent_at) if sent_at else at
    except OverflowError:
        raise Invalid("not a time", errors={field: ["Not a time by the clock of Sent-At."]}) from None
