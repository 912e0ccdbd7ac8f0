"""An alert's recipients, found page by page and written down in batches; who works on which, and how far it is.

Finding is resumable: the alert keeps a cursor (the last person's id) and the number of pages. A page's batch is inserted
under an id derived from the alert and the number, then the cursor moves, so a process that dies in between meets its own
batch. A batch is in one worker's hands by a lease that the worker renews; `due` is when somebody must see to it next.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain.alerts import broadcasts
from domain.alerts.broadcasts import Doc, Finder
from domain.alerts.queries import Batch, batches, batches_of
from domain.alerts.states import BatchState
from domain.ids import derived_id

BATCH: Final = 500
"""People in one batch: what FCM takes at once."""
LEASE: Final = timedelta(seconds=6)
"""How long a batch waits for a worker that died."""
RENEW_S: Final = 2.0
HINTED: Final = timedelta(seconds=2)
"""How long the queue has for what it was given."""


def find_page(alert_id: str, finder: Finder, *, now: datetime) -> str | None:
    """Find the next page of an alert's recipients, by its kind's finder. Returns the batch to be sent, or None when all are
    found.

    Two who do this at once find the same page: the cursor moves once.
    """
    alert, alerts = broadcasts.get(alert_id), broadcasts.of(alert_id).collection()
    broadcast = alert.get("broadcast") or {}
    if broadcast.get("state") != "finding":
        return None
    number, cursor = int(broadcast["pages"]), str(broadcast["cursor"])
    batch_id = derived_id("bat", alert_id, str(number))
    held = batches().find_one({"_id": batch_id})
    if held is None:
        page = finder(cursor, BATCH)
        if page is None:
            done = {"$set": {"broadcast.state": "sending"}, "$unset": {"broadcast_due": ""}, "$inc": {"version": 1}}
            alerts.update_one({"_id": alert_id, "broadcast.state": "finding", "broadcast.cursor": cursor}, done)
            return None
        held = {
            "_id": batch_id,
            "alert": alert_id,
            "city": alert["city"],
            "number": number,
            "people": list(page.people),
            "last": page.last,
            "refs": dict(page.refs),
            "state": str(BatchState.WAITING),
            "due": now + HINTED,
            "hints": 0,
            "counts": {},
            "created_at": now,
        }
        try:
            batches().insert_one(dict(held))
        except DuplicateKeyError:
            held = batches().find_one({"_id": batch_id}) or held
    alerts.update_one(
        {"_id": alert_id, "broadcast.state": "finding", "broadcast.pages": number},
        {
            "$set": {
                "broadcast.cursor": held["last"],
                "broadcast.pages": number + 1,
                "broadcast.hints": 0,
                "broadcast_due": now + LEASE,
            },
            "$inc": {"broadcast.people": len(held["people"]), "version": 1},
        },
    )
    return batch_id


def claim(batch_id: str, *, owner: str, now: datetime) -> Batch | None:
    """Take a batch for LEASE; None when there is nothing to do in it, or somebody else has it."""
    return batches().find_one_and_update(
        {
            "_id": batch_id,
            "due": {"$exists": True},
            "$or": [{"until": {"$exists": False}}, {"until": {"$lte": now}}],
        },
        {"$set": {"owner": owner, "until": now + LEASE, "due": now + LEASE, "hints": 0}},
        return_document=ReturnDocument.AFTER,
    )


def put_off(batch_id: str, *, owner: str, now: datetime) -> int:
    """It could not even be worked on, by a fault of ours: again after a growing pause. Returns how often that was."""
    found = batches().find_one_and_update(
        {"_id": batch_id, "owner": owner}, {"$inc": {"faults": 1}}, return_document=ReturnDocument.AFTER
    )
    if found is None:
        return 0
    faults = int(found["faults"])
    change = {"$set": {"due": now + _pause(faults)}, "$unset": {"owner": "", "until": ""}}
    batches().update_one({"_id": batch_id, "owner": owner}, change)
    return faults


def stop(alert_id: str, *, now: datetime) -> None:
    """Nobody more need be found: the alert was taken back, or has passed."""
    change = {"$set": {"broadcast.state": "stopped"}, "$unset": {"broadcast_due": ""}, "$inc": {"version": 1}}
    rows = broadcasts.of(alert_id).collection()
    rows.update_one({"_id": alert_id, "broadcast.state": "finding"}, change)


def forget(city: str, *, before: datetime) -> int:
    """Who was in which batch, of alerts from before a time; how many batches went."""
    return int(batches().delete_many({"created_at": {"$lt": before}, "city": city}).deleted_count)


def renew(batch_id: str, *, owner: str, now: datetime) -> bool:
    """Keep a batch for another LEASE; False when somebody else has it."""
    kept = batches().update_one({"_id": batch_id, "owner": owner}, {"$set": {"until": now + LEASE, "due": now + LEASE}})
    return kept.matched_count == 1


def put_down(
    batch_id: str, *, owner: str, now: datetime, due: datetime | None, counts: Mapping[str, int], told: bool
) -> None:
    """End the lease. `due` is when something is to be tried again (None: never); `told`: everybody was tried once."""
    change: dict[str, Any] = {"$set": {"counts": dict(counts), "count_due": now + COUNT_AGAIN}, "$unset": {}}
    if told:
        change["$set"] |= {"state": str(BatchState.TOLD), "told_at": now}
    if due is None:
        change["$unset"]["due"] = ""
    else:
        change["$set"]["due"] = due
    change["$unset"] |= {"owner": "", "until": ""}
    batches().update_one({"_id": batch_id, "owner": owner}, change)


def hint_batch(batch: Batch, *, now: datetime) -> int | None:
    """The queue is given this batch (again): look after it later, with a growing pause.

    Returns how often it was given before; None when somebody else was first, or took it up.
    """
    hints = int(batch.get("hints") or 0)
    done = batches().update_one(
        {"_id": batch["_id"], "due": batch["due"]}, {"$set": {"due": now + _pause(hints)}, "$inc": {"hints": 1}}
    )
    return hints if done.matched_count else None


def hint_alert(alert: Doc, *, now: datetime) -> int | None:
    """The same of an alert whose people are to be found."""
    hints = int((alert.get("broadcast") or {}).get("hints") or 0)
    done = (
        broadcasts.of(alert["_id"])
        .collection()
        .update_one(
            {"_id": alert["_id"], "broadcast_due": alert["broadcast_due"]},
            {"$set": {"broadcast_due": now + _pause(hints)}, "$inc": {"broadcast.hints": 1}},
        )
    )
    return hints if done.matched_count else None


def _pause(hints: int) -> timedelta:
    """A deep queue is not made deeper: 2, 4, 8 … 60 s."""
    return min(timedelta(seconds=60), HINTED * (1 << min(hints, 5)))


COUNT_AGAIN: Final = timedelta(seconds=2)
_OFTEN: Final = timedelta(minutes=2)
_SELDOM: Final = timedelta(seconds=30)
_COUNTED_FOR: Final = timedelta(hours=6)


def counted(batch: Batch, counts: Mapping[str, int], *, settled: bool, now: datetime) -> bool:
    """Keep a batch's counts; whether they differ from before. Young ones are counted often, old ones no more.

    `batch` as it was before it was counted: who counted it since knows better, and nothing is written.
    """
    since = batch.get("told_at") or batch["created_at"]
    update: dict[str, Any] = {"$set": {"counts": dict(counts)}}
    if settled or now - since > _COUNTED_FOR:
        update["$unset"] = {"count_due": ""}
    else:
        update["$set"]["count_due"] = now + (COUNT_AGAIN if now - since < _OFTEN else _SELDOM)
    kept = batches().update_one({"_id": batch["_id"], "count_due": batch.get("count_due")}, update)
    return kept.matched_count == 1 and dict(counts) != dict(batch.get("counts") or {})


def count_again(batch_id: str, *, now: datetime) -> None:
    """Somebody said something of a batch that may be counted no more."""
    batches().update_one({"_id": batch_id}, {"$set": {"count_due": now}})


def sum_up(alert_id: str, *, now: datetime) -> None:
    """Write an alert's progress: the sum over its batches, and when all had been tried once.

    Two who sum up at once: who read the batches first finds the alert changed, and reads again.
    """
    rows = broadcasts.of(alert_id).collection()
    while True:
        alert = broadcasts.get(alert_id)
        change = _progress(alert, batches_of(alert_id), now)
        if not change:
            return
        unchanged = {"_id": alert_id, "version": alert["version"]}
        if rows.update_one(unchanged, {"$set": change, "$inc": {"version": 1}}).matched_count:
            return


def _progress(alert: Doc, all_batches: Sequence[Batch], now: datetime) -> dict[str, Any]:
    """What is to be written of an alert whose batches stand so."""
    progress: dict[str, int] = {}
    for batch in all_batches:
        for name, number in (batch.get("counts") or {}).items():
            progress[name] = progress.get(name, 0) + int(number)
    told = (alert.get("broadcast") or {}).get("state") == "sending" and all(
        batch["state"] == BatchState.TOLD for batch in all_batches
    )
    change: dict[str, Any] = {}
    if progress != (alert.get("progress") or {}):
        change["progress"] = progress
    if told:
        change |= {"broadcast.state": "told", "broadcast.told_at": now}
    return change
