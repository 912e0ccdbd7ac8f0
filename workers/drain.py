"""Turns a document's pending events into what follows from them (`subscriptions.py`), until none is left.

Runs as a job after the request, and from the sweeper for what the queue lost. At least once: a reaction may run again
after a crash, so each has a key that makes the second run a no-op.
"""

import os
import threading

from domain import outbox
from runtime import logging
from workers.context import Context, current
from workers.subscriptions import react

log = logging.get(__name__)

_ROUNDS = 20


def drain(name: str, subject: str) -> int:
    """The job: drain one document's outbox. Returns how many events were handled."""
    return drain_with(current(), name, subject)


def drain_with(context: Context, name: str, subject: str, *, sweep: bool = False) -> int:
    """Claim, react, clear; again while new events came meanwhile. An event whose reaction fails stays for the sweeper."""
    owner = f"{os.getpid()}-{threading.get_ident()}"
    handled_in_all = 0
    for _ in range(_ROUNDS):
        events = outbox.claim(name, subject, now=context.clock(), owner=owner, sweep=sweep)
        if not events:
            break
        handled = []
        for event in events:
            try:
                react(event, context)
            except Exception:
                log.exception("reaction_failed", type=event["type"], subject=subject)
                continue
            handled.append(event["id"])
        handled_in_all += len(handled)
        if len(handled) < len(events):
            # Clear what was done and leave the lease to run out: the rest is tried again after it, not at once.
            outbox.forget(name, subject, handled=handled, owner=owner)
            break
        if outbox.clear(name, subject, handled=handled, owner=owner, now=context.clock()):
            break
    return handled_in_all
