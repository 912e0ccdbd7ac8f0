"""The times in which she may be called, as she named them. Pure: windows, the city's zone and `now` come in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from domain.cities.config import Span
from domain.cities.hours import in_span
from domain.helpline.states import Mode

MAX_WINDOWS: Final = 14
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _span(window: Mapping[str, Any]) -> Span:
    return Span(
        frozenset(DAYS.index(day) for day in window["days"]),
        time.fromisoformat(window["from"]),
        time.fromisoformat(window["until"]),
    )


def safe_until(windows: Iterable[Mapping[str, Any]], zone: ZoneInfo, now: datetime) -> datetime | None:
    """Until when (UTC) she may be called, by the window in which `now` lies; None outside them all.

    A window is `{days: [mon …], from: "10:00", until: "12:30"}` of local time, or `{since, till}` once (she has just
    called). Where she named none, no call is safe.
    """
    local, ends = now.astimezone(zone), []
    for window in windows:
        if "till" in window:
            since, till = datetime.fromisoformat(window["since"]), datetime.fromisoformat(window["till"])
            ends += [till] if since <= now < till else []
        elif in_span(span := _span(window), local):
            day = local.date() + timedelta(days=1 if span.until <= span.since and local.time() >= span.since else 0)
            ends.append(datetime.combine(day, span.until, zone))
    return max(ends).astimezone(now.tzinfo) if ends else None


def is_safe(windows: Sequence[Mapping[str, Any]], zone: ZoneInfo, now: datetime) -> bool:
    """Whether she may be called at `now`."""
    return safe_until(windows, zone, now) is not None


def next_safe(windows: Sequence[Mapping[str, Any]], zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the next such time begins (UTC); `now` inside one; None where there is none."""
    if is_safe(windows, zone, now):
        return now
    local = now.astimezone(zone)
    begins = []
    for window in windows:
        if "till" in window:
            continue
        span = _span(window)
        for ahead in range(8):
            day = (local + timedelta(days=ahead)).date()
            at = datetime.combine(day, span.since, zone)
            if day.weekday() in span.days and at > local:
                begins.append(at)
                break
    return min(begins).astimezone(now.tzinfo) if begins else None


def windows_problem(mode: Mode | str, windows: Sequence[Mapping[str, Any]], *, has_phone: bool) -> str:
    """Why a request cannot stand so; empty when it can."""
    if mode != Mode.CALL_BACK:
        return ""
    if not has_phone:
        return "A call-back needs a phone number."
    return "" if windows else "Say when a call is safe."
