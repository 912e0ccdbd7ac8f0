"""A call that she asked for, to get away from somebody: her phone rings after a while, or we ring it.

A due time in a document; the delivery has the call's id as its key, so that it rings once however often the sweep runs.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain.errors import Conflict
from domain.journeys.documents import FakeCallDoc
from domain.journeys.errors import FakeCallNotFound
from domain.journeys.states import FakeCallBy
from domain.limits import service as limits

FakeCall = dict[str, Any]

LONGEST_S: Final = 3600
A_DAY: Final = 20
"""A call costs, and nobody needs more."""
KEPT: Final = timedelta(days=1)


def fake_calls() -> Collection[FakeCall]:
    """The raw collection."""
    found: Collection[FakeCall] = FakeCallDoc._get_collection()
    return found


def ask(
    call_id: str,
    person: str,
    *,
    city: str,
    in_s: int,
    by: FakeCallBy,
    label: str,
    fingerprint: str,
    secret: str,
    now: datetime,
) -> tuple[FakeCall, bool]:
    """(call, whether it is new). The same id again is the same call. Raises LimitReached, Conflict."""
    held = fake_calls().find_one({"_id": call_id})
    if held is None:
        limits.take(secret, "fake_call", person, limit=A_DAY, window_s=86_400, now=now)
        doc: FakeCall = {
            "_id": call_id,
            "city": city,
            "person": person,
            "fingerprint": fingerprint,
            "by": str(by),
            "label": label,
            "rings_at": now + timedelta(seconds=in_s),
            "due_at": now + timedelta(seconds=in_s),
            "forget_at": now + timedelta(seconds=in_s) + KEPT,
        }
        try:
            fake_calls().insert_one(doc)
            return doc, True
        except DuplicateKeyError:
            held = own(call_id, person)
    if held["fingerprint"] != fingerprint:
        raise Conflict("this key was used for another call", code="idempotency_conflict")
    return held, False


def own(call_id: str, person: str) -> FakeCall:
    """The call if it is this person's; raises FakeCallNotFound."""
    found = fake_calls().find_one({"_id": call_id})
    if found is None or found["person"] != person:
        raise FakeCallNotFound("no such call")
    return found


def take_back(call_id: str, person: str) -> None:
    """It is not needed any more; nothing is kept of it. Raises FakeCallNotFound."""
    own(call_id, person)
    fake_calls().delete_one({"_id": call_id})


def due(*, now: datetime, limit: int) -> list[FakeCall]:
    """Calls that are to ring by now."""
    return list(fake_calls().find({"due_at": {"$lte": now}}).sort("due_at", 1).limit(limit))


def rung(call_id: str) -> None:
    """It was handed over: it is due no more."""
    fake_calls().update_one({"_id": call_id}, {"$unset": {"due_at": ""}})


def exists(call_id: str) -> bool:
    """Whether it was not taken back."""
    return fake_calls().find_one({"_id": call_id}, {"_id": 1}) is not None


def forget_old(*, now: datetime) -> int:
    """Take away what rang a day ago; how many went."""
    return int(fake_calls().delete_many({"forget_at": {"$lte": now}}).deleted_count)


def forget(person: str) -> int:
    """Somebody asked to be forgotten."""
    return int(fake_calls().delete_many({"person": person}).deleted_count)
