"""Writing down what must be told, and what became of it. Each step is one conditional write."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from domain.deliveries.documents import DeliveryDoc
from domain.deliveries.states import ENDED, AttemptState, DeliveryStatus, Held, Priority, Suppressed, below
from domain.errors import NotFound
from domain.ids import derived_id, link_token

Delivery = dict[str, Any]

LEASE = timedelta(seconds=10)
"""Longer than any carrier call may take: until then nobody else touches an attempt that is under way."""

FRESH = timedelta(seconds=1)
"""For so long a delivery belongs to whoever wrote it down and is about to send it; then the sweeper may."""
STUBBORN_TRIES = 5
"""From so many failures of ours on (not of a carrier) somebody should look at it."""
_LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True)
class Recipient:
    """Who is told. `guardian` ids belong to the person `of`; a `unit` is told on its own phone."""

    kind: str
    id: str
    of: str = ""


@dataclass(frozen=True)
class Telling:
    """What somebody must be told. `key` makes the delivery's id: the same key is the same delivery, told once."""

    key: str
    city: str
    purpose: str
    subject: str
    recipient: Recipient
    plan: Sequence[str]
    valid_for: timedelta
    refs: Mapping[str, Any] = field(default_factory=dict)
    life_critical: bool = False
    receipt_wait_s: int = 5


def deliveries() -> Collection[Delivery]:
    """The raw collection."""
    found: Collection[Delivery] = DeliveryDoc._get_collection()
    return found


def delivery_id(telling: Telling) -> str:
    """Derived from the key and the recipient."""
    return derived_id("dlv", telling.key, telling.purpose, telling.recipient.kind, telling.recipient.id)


def write_down(telling: Telling, *, now: datetime, priority: Priority = Priority.NEWS) -> tuple[Delivery, bool]:
    """The delivery, and whether this call made it; a job that runs again meets the first one."""
    made = _document(telling, now, priority)
    try:
        deliveries().insert_one(made)
    except DuplicateKeyError:
        return get(made["_id"]), False
    return made, True


def write_down_all(tellings: Iterable[tuple[Telling, Priority]], *, now: datetime) -> dict[str, Delivery | None]:
    """The same of several, in one write: id → the delivery as it stands, None where it was there before."""
    made = {each["_id"]: each for each in (_document(telling, now, priority) for telling, priority in tellings)}
    if not made:
        return {}
    try:
        deliveries().insert_many(list(made.values()), ordered=False)
    except BulkWriteError as error:
        failures = error.details["writeErrors"]
        if any(each["code"] != DUPLICATE_KEY for each in failures):
            raise
        known = {each["op"]["_id"] for each in failures}
        return {found_id: None if found_id in known else each for found_id, each in made.items()}
    return dict(made)


DUPLICATE_KEY = 11000


def _document(telling: Telling, now: datetime, priority: Priority) -> Delivery:
    return {
        "_id": delivery_id(telling),
        "city": telling.city,
        "purpose": telling.purpose,
        "subject": telling.subject,
        "recipient": {"kind": telling.recipient.kind, "id": telling.recipient.id, "of": telling.recipient.of},
        "refs": dict(telling.refs),
        "plan": list(telling.plan),
        "status": str(DeliveryStatus.QUEUED),
        "life_critical": telling.life_critical,
        "priority": int(priority),
        "receipt_wait_s": telling.receipt_wait_s,
        "valid_until": now + telling.valid_for,
        "attempts": {},
        "tries": 0,
        "created_at": now,
        "next_at": now + FRESH,
        "version": 1,
    }


def get(found_id: str) -> Delivery:
    """One delivery; raises NotFound."""
    found = deliveries().find_one({"_id": found_id})
    if found is None:
        raise NotFound("no such delivery", code="delivery_not_found")
    return found


def begin(
    delivery: Delivery,
    channel: str,
    *,
    device: str | None,
    now: datetime,
    lease: timedelta = LEASE,
    gateway: str = "",
    plan: Sequence[str] = (),
) -> Delivery | None:
    """Write down that an attempt starts, before the carrier is asked. None when somebody else moved first.

    After `lease` the process that makes it counts as dead, if it has said nothing. `gateway` is the carrier that is asked,
    by its channel's name: the same one is asked later what became of it. `plan` replaces the order of channels, if given.
    """
    number = delivery["tries"] + 1
    attempt = {"channel": channel, "state": str(AttemptState.SENDING), "at": now, "device": device, "gateway": gateway}
    change: dict[str, Any] = {f"attempts.{number}": attempt, "tries": number, "next_at": now + lease}
    if plan:
        change["plan"] = list(plan)
    return deliveries().find_one_and_update(
        {"_id": delivery["_id"], "version": delivery["version"]},
        {"$set": change, "$max": {"priority": int(Priority.AGAIN)}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )


def hold(delivery: Delivery, *, now: datetime) -> Delivery | None:
    """Claim a delivery for a while without an attempt (to reconcile one). None when somebody else moved first."""
    return deliveries().find_one_and_update(
        {"_id": delivery["_id"], "version": delivery["version"]},
        {"$set": {"next_at": now + LEASE}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )


def finish(
    delivery: Delivery,
    number: int,
    outcome: Mapping[str, Any],
    *,
    next_at: datetime | None,
    known_as: Sequence[str] = (),
) -> None:
    """What became of an attempt: `outcome` has its state and the vendor's words; `next_at` is when to look again.
    `known_as`: what its carrier will report it by, where that is only an id of the carrier's own (`by_vendor_id`).

    A receipt may have overtaken us. The device's own: the delivery has ended, and only the attempt is completed. The
    carrier's: what it said of the attempt stays, and only what it did not say is added.
    """
    state = AttemptState(outcome["state"])
    changes = {f"attempts.{number}.{name}": value for name, value in outcome.items()}
    reached = {
        AttemptState.SENT: DeliveryStatus.SENT,
        AttemptState.TEMPORARY: DeliveryStatus.FAILED_TEMPORARY,
    }.get(state)
    open_states = _UNDECIDED | {AttemptState.SENT} if state == AttemptState.SENT else _UNDECIDED
    undecided = {f"attempts.{number}.state": {"$in": sorted(open_states)}}
    going_on = {"status": {"$nin": [str(ended) for ended in ENDED]}}
    condition: dict[str, Any] = {"_id": delivery["_id"], **undecided, **going_on}
    counted: dict[str, Any] = {"$inc": {"version": 1}}
    if known_as:
        counted["$addToSet"] = {"vendor_ids": {"$each": list(known_as)}}
    update: dict[str, Any] = {"$set": dict(changes), **counted}
    if next_at is None:
        update["$unset"] = {"next_at": ""}
    else:
        update["$set"]["next_at"] = next_at
    if state == AttemptState.SENT and not delivery.get("sent_at"):
        update["$set"]["sent_at"] = outcome["done_at"]
    if reached and delivery["status"] in below(reached):
        # What nearly always happens: no receipt has come yet, and one write says it all.
        usual = {**condition, "status": delivery["status"]}
        rising = {**update, "$set": {**update["$set"], "status": str(reached)}}
        if deliveries().update_one(usual, rising).matched_count:
            return
    if deliveries().update_one(condition, update).matched_count:
        if reached:
            _raise_status(delivery["_id"], reached, {})
        return
    completed = deliveries().update_one({"_id": delivery["_id"], **undecided}, {"$set": dict(changes), **counted})
    if not completed.matched_count:
        added = {path: value for path, value in changes.items() if path.rpartition(".")[2] not in _REPORTED}
        deliveries().update_one({"_id": delivery["_id"]}, {"$set": added, **counted})
        if state == AttemptState.SENT:
            _raise_status(delivery["_id"], DeliveryStatus.SENT, {"sent_at": outcome["done_at"]})


_UNDECIDED = frozenset({AttemptState.SENDING, AttemptState.UNKNOWN})
"""An attempt of which no receipt has said anything."""
_REPORTED = frozenset({"state", "code", "vendor_code", "retry_at"})
"""What of an attempt a receipt knows better."""


def end(delivery: Delivery, status: DeliveryStatus, reason: str) -> bool:
    """Nothing more will be sent. False when it had ended already."""
    done = deliveries().update_one(
        {"_id": delivery["_id"], "status": {"$nin": [str(ended) for ended in ENDED]}},
        {"$set": {"status": str(status), "reason": reason}, "$unset": {"next_at": ""}, "$inc": {"version": 1}},
    )
    return done.modified_count == 1


def wait(delivery: Delivery, until: datetime | None) -> None:
    """Look again at `until`, or never."""
    change: dict[str, Any] = {"$set": {"next_at": until}} if until else {"$unset": {"next_at": ""}}
    deliveries().update_one(
        {"_id": delivery["_id"], "version": delivery["version"]}, {**change, "$inc": {"version": 1}}
    )


def hold_back(delivery: Delivery, reason: Held, *, until: datetime, now: datetime) -> bool:
    """Not now: look again at `until`, or when it no longer matters. False when somebody else moved first."""
    done = deliveries().update_one(
        {"_id": delivery["_id"], "version": delivery["version"]},
        {
            "$set": {"held": {"reason": str(reason), "at": now}, "next_at": min(until, delivery["valid_until"])},
            "$inc": {"version": 1},
        },
    )
    return done.modified_count == 1


def told_later(delivery: Delivery) -> bool:
    """Whether a newer delivery tells the same person the latest of the same thing, or did, or will."""
    newer = {
        "recipient.id": delivery["recipient"]["id"],
        "created_at": {"$gte": delivery["created_at"]},
        "subject": delivery["subject"],
        "purpose": delivery["purpose"],
        "status": {"$ne": str(DeliveryStatus.FAILED_PERMANENT)},
        "reason": {"$nin": [str(each) for each in Suppressed if each != Suppressed.BUNDLED]},
    }
    mine = (delivery["created_at"], delivery["_id"])
    rows = deliveries().find(newer, {"created_at": 1})
    return any((row["created_at"], row["_id"]) > mine for row in rows)


def put_off(found_id: str, *, now: datetime) -> int:
    """It could not even be tried, by a fault of ours: look again after a growing pause, and give up when it is too late.

    Returns how often that has happened; 0 when the delivery is not there or has ended.
    """
    going_on = {"_id": found_id, "status": {"$nin": [str(ended) for ended in ENDED]}}
    found = deliveries().find_one_and_update(going_on, {"$inc": {"faults": 1}}, return_document=ReturnDocument.AFTER)
    if found is None:
        return 0
    faults = int(found["faults"])
    if now >= found["valid_until"]:
        end(found, DeliveryStatus.FAILED_PERMANENT, "fault")
    else:
        pause = timedelta(seconds=min(_LONGEST_PAUSE_S, 2.0 ** min(faults, 10)))
        deliveries().update_one(going_on, {"$set": {"next_at": now + pause}})
    return faults


def receipt_token(secret: str, found_id: str) -> str:
    """What a push carries and the app sends back with its receipt."""
    return link_token(secret, "receipt", found_id)


def receive(found_id: str, token: str, status: DeliveryStatus, *, secret: str, now: datetime) -> Delivery:
    """The device's own receipt (received, seen). Raises NotFound for an unknown id or a wrong token."""
    if not hmac.compare_digest(token.encode(errors="replace"), receipt_token(secret, found_id).encode()):
        raise NotFound("no such delivery", code="delivery_not_found")
    return _raise_status(found_id, status, {f"{status}_at": now}, ends=True) or get(found_id)


def opened(found_id: str, *, now: datetime) -> None:
    """A person opened the link: as good as the app's receipt."""
    _raise_status(found_id, DeliveryStatus.SEEN, {"seen_at": now}, ends=True)


def acknowledged(found_id: str, *, now: datetime) -> str:
    """The person said that they know of it: seen, and more. The first time counts; raises NotFound where nothing was sent.

    Returns the batch that it belongs to, which is to be counted again; empty for none.
    """
    opened(found_id, now=now)
    found = get(found_id)
    deliveries().update_one(
        {"_id": found_id, "acknowledged_at": {"$exists": False}},
        {"$set": {"acknowledged_at": now}, "$inc": {"version": 1}},
    )
    return found.get("batch") or ""


def reported(
    found_id: str, number: int, state: AttemptState, *, code: str, vendor_code: str, now: datetime
) -> Delivery | None:
    """A carrier's own receipt. Out of order and repeated ones are harmless; raises NotFound for an unknown delivery.

    The delivery as it was before, where the receipt said something new of the attempt.
    """
    for _ in range(_TRIES):
        found = get(found_id)
        if str(number) not in found["attempts"]:
            raise NotFound("no such attempt", code="delivery_not_found")
        known = AttemptState(found["attempts"][str(number)]["state"])
        if _ORDER.get(state, 2) <= _ORDER.get(known, 2):
            return None
        changes: dict[str, Any] = {
            f"attempts.{number}.state": str(state),
            f"attempts.{number}.code": code,
            f"attempts.{number}.vendor_code": vendor_code,
            f"attempts.{number}.reported_at": now,
        }
        condition = {"_id": found_id, f"attempts.{number}.state": str(known), "status": found["status"]}
        # What follows for the delivery stands in the same write: the carrier tells us once.
        if state in {AttemptState.TEMPORARY, AttemptState.PERMANENT} and found["status"] not in ENDED:
            changes["next_at"] = now  # another way must be tried; policy says which
        elif state == AttemptState.DELIVERED and found["status"] in below(DeliveryStatus.DELIVERED):
            changes |= {"status": str(DeliveryStatus.DELIVERED), "delivered_at": now}
        if deliveries().update_one(condition, {"$set": changes, "$inc": {"version": 1}}).matched_count:
            return found
    return None


def by_vendor_id(gateway: str, vendor_id: str) -> tuple[str, int, bool] | None:
    """What a gateway took under this id of its own: the delivery, the number of the attempt, and whether the id stands for
    all of it. A message in several parts has an id each, joined by `+`; its last part stands for it.
    """
    found = deliveries().find_one({"vendor_ids": f"{gateway}:{vendor_id}"}, {"attempts": 1}) if vendor_id else None
    for number, attempt in ((found or {}).get("attempts") or {}).items():
        ids = str(attempt.get("vendor_id") or "").split("+")
        if vendor_id in ids and attempt.get("gateway") == gateway:
            return str((found or {})["_id"]), int(number), vendor_id == ids[-1]
    return None


_ORDER = {AttemptState.SENDING: 0, AttemptState.UNKNOWN: 0, AttemptState.SENT: 1}
"""What a receipt may replace: only what is less certain than itself; all else is 2."""
_TRIES = 8
"""A receipt may meet the sender's own write: then it looks again."""


def _raise_status(
    found_id: str, status: DeliveryStatus, times: Mapping[str, datetime], *, ends: bool = False
) -> Delivery | None:
    """The delivery with its new status; None where that, or more, was known. If it `ends`, nothing more is sent."""
    update: dict[str, Any] = {"$set": {"status": str(status), **times}, "$inc": {"version": 1}}
    if ends:
        update["$unset"] = {"next_at": ""}
    lower = below(status) if status != DeliveryStatus.FAILED_TEMPORARY else [str(DeliveryStatus.QUEUED)]
    return deliveries().find_one_and_update(
        {"_id": found_id, "status": {"$in": lower}}, update, return_document=ReturnDocument.AFTER
    )


def about(subject: str, assignment: str) -> list[str]:
    """Ids of the deliveries that offered an assignment, those that were sent."""
    rows = deliveries().find(
        {"subject": subject, "purpose": "assignment_offered", "refs.assignment": assignment}, {"tries": 1}
    )
    return [row["_id"] for row in rows if row.get("tries")]


def forget(subject: str, person_id: str, instead: str) -> None:
    """Take a person's id out of what was told about a subject: as the one who was told, and as the one whose guardian was."""
    deliveries().update_many({"subject": subject, "recipient.id": person_id}, {"$set": {"recipient.id": instead}})
    deliveries().update_many({"subject": subject, "recipient.of": person_id}, {"$set": {"recipient.of": instead}})
