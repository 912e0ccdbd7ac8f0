"""Following a report, and no longer. Again is harmless."""

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from domain.follows.queries import follow_id, follows


def follow(report: Mapping[str, Any], person: str, *, now: datetime) -> None:
    """Tell them from now on what comes of it."""
    made = {"city": report["city"], "report": report["_id"], "person": person, "at": now}
    with contextlib.suppress(DuplicateKeyError):  # twice at once: one of them made it
        follows().update_one({"_id": follow_id(report["_id"], person)}, {"$setOnInsert": made}, upsert=True)


def unfollow(report: str, person: str) -> None:
    """Tell them no more; nothing is kept of it."""
    follows().delete_one({"_id": follow_id(report, person)})


def forget(person: str) -> int:
    """Somebody asked to be forgotten."""
    return follows().delete_many({"person": person}).deleted_count


def forget_of(report: str) -> int:
    """A report is gone: nobody follows it."""
    return follows().delete_many({"report": report}).deleted_count


def exported(person: str, now: datetime) -> list[dict[str, Any]]:
    """Every report that a person follows."""
    return [{"report": row["report"], "at": row["at"]} for row in follows().find({"person": person}).limit(1000)]
