"""Counting by window, and spacing. Both are one atomic write; both raise LimitReached with `retry_after` seconds."""

import contextlib
import hashlib
import hmac
import math
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain.errors import LimitReached
from domain.limits.documents import LimitDoc


def _limits() -> Any:
    return LimitDoc._get_collection()


def _key(secret: str, name: str, subject: str) -> str:
    return f"{name}:{hmac.new(secret.encode(), f'{name}|{subject}'.encode(), hashlib.sha256).hexdigest()[:32]}"


def count(secret: str, name: str, subject: str, *, window_s: int, now: datetime) -> int:
    """Count one more in the present window (aligned to the epoch) and say how many that makes. Never raises a limit."""
    start = int(now.timestamp()) // window_s * window_s
    found = _limits().find_one_and_update(
        {"_id": f"{_key(secret, name, subject)}:{start}"},
        {"$inc": {"count": 1}, "$setOnInsert": {"until": datetime.fromtimestamp(start + window_s, UTC)}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    return int(found["count"])


def take(secret: str, name: str, subject: str, *, limit: int, window_s: int, now: datetime) -> None:
    """Count one more; raise LimitReached when that is more than `limit` in the window."""
    if count(secret, name, subject, window_s=window_s, now=now) > limit:
        left = window_s - int(now.timestamp()) % window_s
        raise LimitReached("too often", retry_after=left)


def admit(secret: str, name: str, subject: str, *, limit: int, window_s: int, now: datetime) -> datetime | None:
    """Count one more unless the window has `limit` already: None, or when the window ends. One conditional write."""
    start = int(now.timestamp()) // window_s * window_s
    ends = datetime.fromtimestamp(start + window_s, UTC)
    for _ in range(2):  # the first of a window may be two at once: the slower one finds the counter there
        with contextlib.suppress(DuplicateKeyError):
            _limits().update_one(
                {"_id": f"{_key(secret, name, subject)}:{start}", "count": {"$lt": limit}},
                {"$inc": {"count": 1}, "$setOnInsert": {"until": ends}},
                upsert=True,
            )
            return None
    return ends


def space(secret: str, name: str, subject: str, *, every_s: int, now: datetime) -> None:
    """Let it pass at most once in `every_s` seconds; raise LimitReached with the rest of them."""
    key = _key(secret, name, subject)
    try:
        _limits().update_one(
            {"_id": key, "until": {"$lte": now}},
            {"$set": {"until": now + timedelta(seconds=every_s)}},
            upsert=True,
        )
    except DuplicateKeyError:
        row = _limits().find_one({"_id": key}) or {"until": now}
        left = max(1, math.ceil((row["until"] - now).total_seconds()))
        raise LimitReached("too soon", retry_after=left) from None


def sweep(*, now: datetime, limit: int = 1000, rounds: int = 50) -> int:
    """Remove counters whose window is over, `limit` at a time; how many went. Each SOS leaves two, so one round a sweep
    would fall behind.
    """
    gone = 0
    for _ in range(rounds):
        over = [row["_id"] for row in _limits().find({"until": {"$lte": now}}, {"_id": 1}).limit(limit)]
        if over:
            gone += int(_limits().delete_many({"_id": {"$in": over}, "until": {"$lte": now}}).deleted_count)
        if len(over) < limit:
            break
    return gone
