"""Deliveries by the hundred: the same documents as `service.py` writes, with few writes.

Each has its batch, and no `next_at`: whoever has the batch sees to them, not the sweeper of single deliveries (but what a
carrier reports of one later, it does). A delivery is inserted with its first attempt already under way, so that what a
process that dies leaves in doubt is what it had in flight, and no more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from domain.deliveries.service import Delivery, deliveries
from domain.deliveries.states import ENDED, AttemptState, DeliveryStatus, below

_DUPLICATE = 11000


def insert(made: Sequence[Delivery]) -> set[str]:
    """Write new deliveries down; the ids of those that were there already, and are not ours to send."""
    if not made:
        return set()
    try:
        deliveries().insert_many(list(made), ordered=False)
    except BulkWriteError as error:
        failed = error.details.get("writeErrors") or []
        if any(each.get("code") != _DUPLICATE for each in failed):
            raise
        return {str(made[each["index"]]["_id"]) for each in failed}
    return set()


def of_batch(batch_id: str) -> list[Delivery]:
    """All deliveries of a batch."""
    return list(deliveries().find({"batch": batch_id}))


def begin(attempts: Mapping[str, tuple[int, int, Mapping[str, Any]]]) -> set[str]:
    """Write down that attempts start: id → (version, number, attempt). Returns those that nobody touched meanwhile.

    One that `repeats` leaves what became of the one before it unknown for ever.
    """
    if not attempts:
        return set()
    operations = []
    for each, (version, number, attempt) in attempts.items():
        change: dict[str, Any] = {f"attempts.{number}": dict(attempt), "tries": number}
        if attempt.get("repeats"):
            change[f"attempts.{number - 1}.state"] = str(AttemptState.UNKNOWN)
        operations.append(UpdateOne({"_id": each, "version": version}, {"$set": change, "$inc": {"version": 1}}))
    done = deliveries().bulk_write(operations, ordered=False)
    if done.matched_count == len(operations):
        return set(attempts)
    rows = deliveries().find({"_id": {"$in": list(attempts)}}, {"tries": 1, "version": 1})
    return {
        str(row["_id"])
        for row in rows
        if row["tries"] == attempts[row["_id"]][1] and row["version"] == attempts[row["_id"]][0] + 1
    }


_REACHED = {
    str(AttemptState.SENT): DeliveryStatus.SENT,
    str(AttemptState.TEMPORARY): DeliveryStatus.FAILED_TEMPORARY,
}


def finish(
    outcomes: Mapping[str, tuple[int, Mapping[str, Any]]], known_as: Mapping[str, Sequence[str]] | None = None
) -> None:
    """What became of attempts: id → (number, outcome as `service.finish` takes it). A receipt that was quicker stays.

    `known_as`: id → what a carrier will report it by that has only an id of its own (`service.by_vendor_id`).
    """
    operations = []
    names = known_as or {}
    for each, (number, outcome) in outcomes.items():
        changes: dict[str, Any] = {f"attempts.{number}.{name}": value for name, value in outcome.items()}
        undecided = _UNDECIDED if outcome["state"] != AttemptState.SENT else [*_UNDECIDED, str(AttemptState.SENT)]
        condition: dict[str, Any] = {
            "_id": each, "status": {"$in": _OPEN}, f"attempts.{number}.state": {"$in": undecided}
        }  # fmt: skip
        reached = _REACHED.get(str(outcome["state"]))
        if reached == DeliveryStatus.SENT:
            changes |= {"status": str(reached), "sent_at": outcome["done_at"]}
            condition["status"] = {"$in": below(DeliveryStatus.SENT)}
        elif reached:
            changes["status"] = str(reached)
            condition["status"] = {"$in": below(DeliveryStatus.SENT)}
        operations.append(UpdateOne(condition, {"$set": changes, "$inc": {"version": 1}, **_named(names.get(each))}))
    if not operations:
        return
    if deliveries().bulk_write(operations, ordered=False).matched_count < len(operations):
        _complete(outcomes, names)


def _named(known_as: Sequence[str] | None) -> dict[str, Any]:
    return {"$addToSet": {"vendor_ids": {"$each": list(known_as)}}} if known_as else {}


_UNDECIDED = [str(AttemptState.SENDING), str(AttemptState.UNKNOWN)]
"""Attempts of which no receipt has said anything."""
_OPEN = [str(each) for each in DeliveryStatus if each not in ENDED]


def _complete(outcomes: Mapping[str, tuple[int, Mapping[str, Any]]], known_as: Mapping[str, Sequence[str]]) -> None:
    """Receipts came before our own word: add what they did not say (the vendor's id, when it was taken)."""
    rows = deliveries().find({"_id": {"$in": list(outcomes)}}, {"attempts": 1, "sent_at": 1})
    operations = []
    for row in rows:
        number, outcome = outcomes[row["_id"]]
        attempt = (row.get("attempts") or {}).get(str(number)) or {}
        if "done_at" in attempt:
            continue
        changes = {
            f"attempts.{number}.{name}": value
            for name, value in outcome.items()
            if name not in {"state", "code", "vendor_code", "retry_at"}
        }
        if attempt.get("state") == AttemptState.SENDING:
            changes[f"attempts.{number}.state"] = outcome["state"]
        if outcome["state"] == AttemptState.SENT and not row.get("sent_at"):
            changes["sent_at"] = outcome["done_at"]
        update = {"$set": changes, "$inc": {"version": 1}, **_named(known_as.get(row["_id"]))}
        operations.append(UpdateOne({"_id": row["_id"]}, update))
    if operations:
        deliveries().bulk_write(operations, ordered=False)


def end(ids: Mapping[str, tuple[DeliveryStatus, str]], *, now: datetime) -> None:
    """Nothing more will be sent: id → (status, reason)."""
    operations = [
        UpdateOne(
            {"_id": each, "status": {"$in": _OPEN}},
            {"$set": {"status": str(status), "reason": reason, "ended_at": now}, "$inc": {"version": 1}},
        )
        for each, (status, reason) in ids.items()
    ]
    if operations:
        deliveries().bulk_write(operations, ordered=False)


COUNTED = (
    "people",
    "sent",
    "received",
    "seen",
    "failed",
    "retrying",
    "unknown",
    "suppressed",
    "repeated",
    "acknowledged",
)


def counts(batch_id: str, people: int, *, stopped: bool = False) -> dict[str, int]:
    """How a batch stands: `people` in it; those to whom a message is `sent` (taken by a carrier, or further), `received`
    by the phone (or further), `seen`; `failed` for good; `retrying`; `unknown`: whether the carrier has it is not known
    now; `suppressed` on purpose; `repeated`: sent again because a process died in mid-send;
    `acknowledged`: the person said so, where they are asked to.

    `stopped`: who was not told will not be, and counts as suppressed.
    """
    found = dict.fromkeys(COUNTED, 0) | {"people": people}
    for row in deliveries().find({"batch": batch_id}, {"status": 1, "attempts": 1, "acknowledged_at": 1}):
        status, attempts = row["status"], row.get("attempts") or {}
        last = attempts[max(attempts, key=int)] if attempts else {}
        for name in _COUNTS_AS.get(status, ()):
            found[name] += 1
        if status not in _COUNTS_AS:
            in_doubt = last.get("state") in {AttemptState.SENDING, AttemptState.UNKNOWN}
            found["unknown" if in_doubt else "retrying"] += 1
        found["repeated"] += any(each.get("repeats") for each in attempts.values())
        found["acknowledged"] += bool(row.get("acknowledged_at"))
    if stopped:
        known = ("sent", "failed", "suppressed", "retrying", "unknown")
        found["suppressed"] += max(0, people - sum(found[name] for name in known))
    return found


_COUNTS_AS: Mapping[str, tuple[str, ...]] = {
    "sent": ("sent",),
    "delivered": ("sent",),
    "received": ("sent", "received"),
    "seen": ("sent", "received", "seen"),
    "failed_permanent": ("failed",),
    "suppressed": ("suppressed",),
}


def is_settled(found: Mapping[str, int]) -> bool:
    """Whether no count can change any more: all have seen it, or have ended otherwise."""
    return found["seen"] + found["failed"] + found["suppressed"] >= found["people"]
