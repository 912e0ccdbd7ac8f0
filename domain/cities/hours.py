"""When somebody answers and when people sleep: spans of local time. Pure; `now` comes in."""

from datetime import UTC, datetime, timedelta

from domain.cities.config import CityConfig, Hours, Span


def in_span(span: Span, local: datetime) -> bool:
    """Whether a local time falls into a span. One that passes midnight belongs to the day on which it begins."""
    today, clock = local.weekday(), local.time()
    if span.since < span.until:
        return today in span.days and span.since <= clock < span.until
    yesterday = (local - timedelta(days=1)).weekday()
    return (today in span.days and clock >= span.since) or (yesterday in span.days and clock < span.until)


def is_open(hours: Hours, city: CityConfig, now: datetime) -> bool | None:
    """Whether somebody answers at `now`; None where the hours are not stated."""
    if not hours.stated:
        return None
    if hours.always:
        return True
    local = now.astimezone(city.zone)
    return any(in_span(span, local) for span in hours.spans)


def is_quiet(city: CityConfig, now: datetime) -> bool:
    """Whether the city sleeps at `now`: what can wait, waits; an SOS never does."""
    return in_span(city.quiet, now.astimezone(city.zone))


def quiet_until(city: CityConfig, now: datetime) -> datetime | None:
    """When the city's quiet hours end, where they go on at `now`; None where it is awake."""
    if not is_quiet(city, now):
        return None
    local = now.astimezone(city.zone)
    ends = local.replace(
        hour=city.quiet.until.hour, minute=city.quiet.until.minute, second=city.quiet.until.second, microsecond=0
    )
    return (ends if ends > local else ends + timedelta(days=1)).astimezone(UTC)
