"""Turns a document's pending events into what follows from them (`subscriptions.py`), until none is left.

Runs as a job after the request, and from the sweeper for what the queue lost. At least once: a reaction may run again
after a crash, so each has a key that makes the second run a no-op.
"""

import uuid

from domain import outbox
from runtime import logging
from runtime.mongo import STORE_DOWN
from workers.context import Context, current
from workers.subscriptions import explains, react, urgency

log = logging.get(__name__)


def drain(name: str, subject: str) -> int:
    """The job on `urgent`: drain one document's outbox but for what only explains. Returns how many were handled."""
    return drain_with(current(), name, subject, explain=False)


def explain(name: str, subject: str) -> int:
    """The job on `default`: all of a document's outbox, what explains too."""
    return drain_with(current(), name, subject)


def drain_with(context: Context, name: str, subject: str, *, sweep: bool = False, explain: bool = True) -> int:
    """Claim, react, clear. What a reaction adds to the same document is taken up at once, the most urgent first.

    Without `explain`, events that only explain are left, and the job that does them is enqueued: nobody who can come
    hears later because of a camera. An event whose reaction fails stays for the sweeper, for a pause that grows with
    each try.
    """
    owner = uuid.uuid4().hex
    handled_in_all = 0
    while events := outbox.claim(name, subject, now=context.clock(), owner=owner, sweep=sweep):
        handled, failed, left = _react_to_all(context, name, subject, events, owner, explain=explain)
        handled_in_all += len(handled)
        if failed:
            waits = [*failed, *left]  # what is left is no reason to try the failed ones again at once
            tries = outbox.put_off(name, subject, handled=handled, failed=waits, owner=owner, now=context.clock())
            if tries >= outbox.STUBBORN_TRIES:
                log.error("reaction_keeps_failing", outbox=name, subject=subject, events=failed, tries=tries)
            if left:
                context.enqueue("explain", name, subject)
            break
        if outbox.clear(name, subject, handled=handled, left=left, owner=owner, now=context.clock()):
            if left and not context.enqueue("explain", name, subject):
                handled_in_all += drain_with(context, name, subject)
            break
    return handled_in_all


def _react_to_all(
    context: Context, name: str, subject: str, events: list[outbox.Event], owner: str, *, explain: bool
) -> tuple[list[str], list[str], list[str]]:
    """React to the events and to those that their reactions add. Returns the ids of those done, failed and left."""
    handled: list[str] = []
    failed: list[str] = []
    left: list[str] = []

    def due(found: list[outbox.Event]) -> dict[str, outbox.Event]:
        """Those to be done here, by id; `left` becomes the others."""
        seen = {*handled, *failed}
        new = [event for event in found if event["id"] not in seen]
        left[:] = [event["id"] for event in new if not explain and explains(event)]
        return {event["id"]: event for event in new if event["id"] not in left}

    waiting = due(events)
    while waiting:
        event = min(waiting.values(), key=lambda each: (urgency(each), each["v"]))
        del waiting[event["id"]]
        try:
            react(event, context)
        except STORE_DOWN:
            log.warning("store_away", type=event["type"], subject=subject)
            failed.append(event["id"])
            break  # nothing can be read or written now: what is left is due when the lease has run out
        except Exception:
            log.exception("reaction_failed", type=event["type"], subject=subject)
            failed.append(event["id"])
        else:
            handled.append(event["id"])
        now_pending = outbox.renew(name, subject, owner=owner, now=context.clock())
        if now_pending is None:
            break  # somebody else has taken it over: they do the rest
        waiting = due(now_pending)
    return handled, failed, left
