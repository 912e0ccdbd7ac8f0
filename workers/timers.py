"""A step whose time has come, of something that keeps its own timer: taken once, and put off where nothing came of it, so
that it does not stand before the others.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from runtime import logging
from runtime.mongo import STORE_DOWN
from workers.context import Context

AGAIN: Final = timedelta(seconds=10)
"""When to look again at one whose step failed."""

log = logging.get(__name__)


class PutOff(Protocol):
    """Makes a timer due later, where it still is at `due`."""

    def __call__(self, subject: str, due: datetime, /, *, until: datetime) -> None: ...


def step(
    context: Context, collection: str, subject: str, due: datetime, take: Callable[..., dict[str, Any]], put_off: PutOff
) -> None:
    """`take(subject, now=…)` does the step and returns the document after it; its events are worked off next."""
    now = context.clock()
    try:
        doc = take(subject, now=now)
    except STORE_DOWN:
        return
    except Exception:
        log.exception("timer_failed", kind=collection, subject=subject)
        doc = {"due_at": due}
    if doc.get("due_at") == due:
        put_off(subject, due, until=now + AGAIN)
    if doc.get("pending_events"):
        context.enqueue("drain", collection, subject)
