"""The sweep that signs each day of the audit chain once the day is over, and keeps the head where the chain is not.

A day that was missed, since nobody swept, is signed later. One that does not hold is not signed: that is an alarm.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from domain.audit import chain
from domain.cities import queries as cities
from runtime import logging
from runtime.heads import Heads
from workers.context import Context

SETTLED = timedelta(minutes=10)
"""After midnight (UTC): by then nobody appends to the day before any more."""
LOOK_BACK = 31
"""Days that are signed late if need be."""
NOWHERE = "-"
"""The chain of what belongs to no city."""

log = logging.get(__name__)


def audit_heads(context: Context, pool: ThreadPoolExecutor) -> int:
    """Sign and keep the head of every day that is over and has none yet; how many were written."""
    heads, key = Heads(context.settings.heads_url), context.settings.signing_key
    written = 0
    for city in (*cities.known(), NOWHERE):
        for day in _over(city, context.clock()):
            if heads.has(city, day):
                continue
            head = chain.signed_head(key, city, day)
            if head is None:
                log.error("audit_chain_broken", city=city, day=f"{day:%Y-%m-%d}")
                continue
            written += heads.put(city, day, json.dumps(head))
    if written:
        log.info("audit_heads_kept", heads=written)
    return written


def _over(city: str, now: datetime) -> Iterator[datetime]:
    """The days that are over since the chain's first one, LOOK_BACK at most, the last first."""
    first = chain.first_day(city)
    day = (now - SETTLED).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(LOOK_BACK):
        day -= timedelta(days=1)
        if first is None or day < first:
            return
        yield day
