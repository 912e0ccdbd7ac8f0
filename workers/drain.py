"""Turns a document's pending events into what follows from them (`subscriptions.py`), until none is left.

Runs as a job after the request, and from the sweeper for what the queue lost. At least once: a reaction may run again
after a crash, so each has a key that makes the second run a no-op.
"""

import uuid

from domain import outbox
from runtime import logging
from workers.context import Context, current
from workers.subscriptions import react, urgency

log = logging.get(__name__)



def drain(name: str, subject: str) -> int:
    """The job: drain one document's outbox. Returns how many events were handled."""
    return drain_with(current(), name, subject)


def drain_with(context: Context, name: str, subject: str, *, sweep: bool = False) -> int:
    """Claim, react, clear. What a reaction adds to the same document is taken up at once, the most urgent first.

    An event whose reaction fails stays for the sweeper, after the lease.
    """
    owner = uuid.uuid4().hex
    handled_in_all = 0
    while events := outbox.claim(name, subject, now=context.clock(), owner=owner, sweep=sweep):
        handled, failed = _react_to_all(context, name, subject, events)
        handled_in_all += len(handled)
        if failed:
            # Clear what was done and leave the lease to run out: the rest is tried again after it, not at once.
            outbox.forget(name, subject, handled=handled, owner=owner)
            break
        if outbox.clear(name, subject, handled=handled, owner=owner, now=context.clock()):
            break
    return handled_in_all


def _react_to_all(
    context: Context, name: str, subject: str, events: list[outbox.Event]
) -> tuple[list[str], list[str]]:
    """React to the events and to those that their reactions add. Returns the ids of those done and those failed."""
    waiting = {event["id"]: event for event in events}
    handled: list[str] = []
    failed: list[str] = []
    while waiting:
        event = min(waiting.values(), key=lambda each: (urgency(each), each["v"]))
        del waiting[event["id"]]
        try:
            react(event, context)
        except Exception:
            log.exception("reaction_failed", type=event["type"], subject=subject)
            failed.append(event["id"])
        else:
            handled.append(event["id"])
        seen = {*handled, *failed}
        waiting |= {each["id"]: each for each in outbox.pending_of(name, subject) if each["id"] not in seen}
    return handled, failed
