"""Events that wait inside the document that changed, until their reactions are done.

A service that changes a document pushes its event into `pending_events` and sets `outbox_due` in the same write, so
what was accepted and what must follow from it can never part. A worker claims the document by a lease (`outbox_lease`
and a later `outbox_due`), runs the reactions while it renews the lease, and clears exactly the events it handled. If it
dies, the lease runs out and the sweeper finds the document by `outbox_due`. Events whose reactions fail stay, and are
tried again after a growing pause (`outbox_tries`), so that one poisonous document cannot starve the others.

The 4-second lease is the figure that held in measurement (docs/adr/0003).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection

DUE_AFTER = timedelta(seconds=2)
LEFT_FOR = timedelta(seconds=10)
"""How long events that were left to another job have before the sweeper asks for it again: that job may be far back."""
LEASE = timedelta(seconds=4)
LONGEST_PAUSE = timedelta(seconds=60)
"""Between two tries of what keeps failing."""
STUBBORN_TRIES = 5
"""From so many failed tries on somebody should look at it: about a minute after the first."""

Event = dict[str, Any]

_outboxes: dict[str, Any] = {}


def register(name: str, document: Any) -> None:
    """Name a mongoengine document class whose documents have an outbox; the sweeper visits every one of these."""
    _outboxes[name] = document


def names() -> list[str]:
    """The registered outboxes, by collection name."""
    return sorted(_outboxes)


def collection(name: str) -> Collection[dict[str, Any]]:
    """The raw collection behind a registered outbox."""
    found: Collection[dict[str, Any]] = _outboxes[name]._get_collection()
    return found


def event(kind: str, subject: str, *, version: int, now: datetime, city: str, **ids: Any) -> Event:
    """An event as it is stored: ids only, never text, a name or a number. Its id is derived, so a retry has the same.

    `{id, type, v, at, city, subject, …ids}`; `v` is the version that the document has after the change.
    """
    tail = "-".join(str(ids[key]) for key in sorted(ids))
    event_id = f"{subject}-{version}-{kind.replace('.', '_')}" + (f"-{tail}" if tail else "")
    return {"id": event_id, "type": kind, "v": version, "at": now, "city": city, "subject": subject, **ids}


def pending(events: Iterable[Event], now: datetime) -> dict[str, Any]:
    """The update operators that put events into a document's outbox; merge them into the one write with `merge`."""
    return {"$push": {"pending_events": {"$each": list(events)}}, "$set": {"outbox_due": now + DUE_AFTER}}


def fields(events: Iterable[Event], now: datetime) -> dict[str, Any]:
    """The same for a document that is being inserted."""
    return {"pending_events": list(events), "outbox_due": now + DUE_AFTER}


def merge(*updates: Mapping[str, Any]) -> dict[str, Any]:
    """Join update documents operator by operator. Two `$push` to one path join their `$each`."""
    joined: dict[str, Any] = {}
    for update in updates:
        for operator, changes in update.items():
            target = joined.setdefault(operator, {})
            for path, value in changes.items():
                if operator == "$push" and path in target:
                    value = {**target[path], **value, "$each": [*target[path]["$each"], *value["$each"]]}
                target[path] = value
    return joined


def write(
    rows: Collection[dict[str, Any]],
    doc: Mapping[str, Any],
    changes: Mapping[str, Any],
    events: Iterable[Event] = (),
    *,
    now: datetime,
    still: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """Change a document with its events in one conditional write (docs/adr/0007): as it stands then, or None where it is no
    longer the version that was read, or not `still` what is said besides. A field whose value is None is taken away.
    """
    update = {
        "$set": {name: value for name, value in changes.items() if value is not None} | {"changed_at": now},
        "$unset": {name: "" for name, value in changes.items() if value is None},
        "$inc": {"version": 1},
    }
    if made := list(events):
        update = merge(update, pending(made, now))
    return rows.find_one_and_update(
        {"_id": doc["_id"], "version": doc["version"], **(still or {})},
        {operator: fields for operator, fields in update.items() if fields},
        return_document=ReturnDocument.AFTER,
    )


def claim(name: str, subject: str, *, now: datetime, owner: str, sweep: bool = False) -> list[Event]:
    """Take the document's pending events for LEASE, or [] when there are none or somebody else has them.

    The lease is a later `outbox_due`: while it runs, the sweeper does not see the document. A drain that was enqueued
    by the request may claim before `outbox_due`, so its condition is the lease; the sweeper's is the due time.
    """
    condition: dict[str, Any] = {"_id": subject, "outbox_due": {"$exists": True}}
    if sweep:
        condition["outbox_due"] = {"$lte": now}
    condition["$or"] = [{"outbox_lease.until": {"$exists": False}}, {"outbox_lease.until": {"$lte": now}}]
    target = collection(name)
    found = target.find_one_and_update(
        condition,
        {"$set": {"outbox_lease": {"owner": owner, "until": now + LEASE}, "outbox_due": now + LEASE}},
        projection={"pending_events": 1},
        return_document=ReturnDocument.AFTER,
    )
    if found is None:
        return []
    if events := list(found.get("pending_events") or []):
        return events
    # Due with nothing pending: written so by nobody, but it would come back for ever.
    nothing = [{"pending_events": {"$exists": False}}, {"pending_events": {"$size": 0}}]
    target.update_one({"_id": subject, "outbox_lease.owner": owner, "$or": nothing}, {"$unset": _AT_REST})
    return []


_AT_REST = {"outbox_due": "", "outbox_lease": "", "outbox_tries": ""}


def renew(name: str, subject: str, *, owner: str, now: datetime) -> list[Event] | None:
    """Keep a claim for another LEASE while its reactions go on, and read what is pending now.

    None when the lease ran out and somebody else has it, or nothing is left: stop, whoever has it does the rest.
    """
    found = collection(name).find_one_and_update(
        {"_id": subject, "outbox_lease.owner": owner},
        {"$set": {"outbox_lease.until": now + LEASE, "outbox_due": now + LEASE}},
        projection={"pending_events": 1},
        return_document=ReturnDocument.AFTER,
    )
    return None if found is None else list(found.get("pending_events") or [])


def clear(
    name: str, subject: str, *, handled: Iterable[str], owner: str, now: datetime, left: Iterable[str] = ()
) -> bool:
    """Take out exactly the handled events and end the lease. True when none is left but `left`, which somebody else does.

    Two conditional writes cover both ends: nothing else is pending, then `outbox_due` goes too (or, with `left`, is
    LEFT_FOR from now); else it is due now.
    """
    ids, others = list(handled), list(left)
    target = collection(name)
    mine = {"_id": subject, "outbox_lease.owner": owner}
    pull = {"$pull": {"pending_events": {"id": {"$in": ids}}}}
    rest: dict[str, Any] = {"$unset": _AT_REST}
    if others:
        rest = {"$set": {"outbox_due": now + LEFT_FOR}, "$unset": {"outbox_lease": "", "outbox_tries": ""}}
    done = target.update_one(
        {**mine, "pending_events": {"$not": {"$elemMatch": {"id": {"$nin": [*ids, *others]}}}}}, {**pull, **rest}
    )
    if done.modified_count:
        return True
    target.update_one(mine, {**pull, "$set": {"outbox_due": now}, "$unset": {"outbox_lease": "", "outbox_tries": ""}})
    return False


def leave(name: str, subject: str, *, now: datetime) -> None:
    """What was due is due again after LEFT_FOR: another job was asked for it. No matter once a new event has come."""
    collection(name).update_one({"_id": subject, "outbox_due": {"$lte": now}}, {"$set": {"outbox_due": now + LEFT_FOR}})


def overdue(name: str, *, now: datetime, limit: int) -> dict[str, list[Event]]:
    """Documents whose events are due (lost by the queue, or their worker died), the longest due first: id → its events,
    of which only `type` and `at` are read.
    """
    shown = {"pending_events.type": 1, "pending_events.at": 1}
    rows = collection(name).find({"outbox_due": {"$lte": now}}, shown).sort("outbox_due", 1).limit(limit)
    return {row["_id"]: row.get("pending_events") or [] for row in rows}


def oldest_due(name: str) -> datetime | None:
    """When the oldest of the events that wait was due; None where none waits."""
    row = collection(name).find_one({"outbox_due": {"$exists": True}}, {"outbox_due": 1}, sort=[("outbox_due", 1)])
    return row["outbox_due"] if row else None


def put_off(
    name: str, subject: str, *, handled: Iterable[str], failed: Iterable[str], owner: str, now: datetime
) -> int:
    """Take out the handled events, end the lease, and let the failed ones be due after a pause that grows with each try.

    An event that came meanwhile does not wait for them: then the document is due now. Returns how often in a row the
    document's events have failed now; 0 when the lease was lost.
    """
    done, ids = list(handled), {*handled, *failed}
    target = collection(name)
    mine = {"_id": subject, "outbox_lease.owner": owner}
    found = target.find_one(mine, {"outbox_tries": 1})
    if found is None:
        return 0
    tries = int(found.get("outbox_tries") or 0) + 1
    change: dict[str, Any] = {"$pull": {"pending_events": {"id": {"$in": done}}}, "$unset": {"outbox_lease": ""}}
    alone = {**mine, "pending_events": {"$not": {"$elemMatch": {"id": {"$nin": sorted(ids)}}}}}
    later = {"outbox_due": now + pause(tries), "outbox_tries": tries}
    if not target.update_one(alone, {**change, "$set": later}).matched_count:
        target.update_one(mine, {**change, "$set": {"outbox_due": now, "outbox_tries": tries}})
    return tries


def pause(tries: int) -> timedelta:
    """How long what failed `tries` times waits: LEASE, then twice as long each time, up to LONGEST_PAUSE."""
    doubled: int = 2 ** min(max(tries, 1) - 1, 10)
    return min(LONGEST_PAUSE, LEASE * doubled)


def stubborn(name: str, *, limit: int = 20) -> list[str]:
    """Ids of documents whose events have failed STUBBORN_TRIES times or more: a fault of ours, for a human to look at."""
    rows = collection(name).find(
        {"outbox_due": {"$exists": True}, "outbox_tries": {"$gte": STUBBORN_TRIES}}, {"_id": 1}
    )
    return [row["_id"] for row in rows.limit(limit)]
