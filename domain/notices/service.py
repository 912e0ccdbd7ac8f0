"""Opening, acknowledging and clearing notices. Each is one conditional write, and one cause has one notice."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.ids import derived_id
from domain.notices import queries
from domain.notices.errors import NoticeOver
from domain.notices.queries import Notice, notices
from domain.notices.states import STANDING, NoticeKind, NoticeStatus

_TRIES: Final = 4
TOLD_AGAIN_AFTER: Final = timedelta(minutes=30)
"""A cause that comes back sooner is on the screens again, and nobody is rung again."""


def notice_id(kind: NoticeKind, cause: str, city: str) -> str:
    """One cause, one id."""
    return derived_id("ntc", city, str(kind), cause)


def see(
    kind: NoticeKind,
    cause: str,
    *,
    city: str,
    now: datetime,
    figures: Mapping[str, Any] | None = None,
    tell: bool = True,
) -> str:
    """The cause shows: its notice stands afterwards. Staff are told when it opens, unless they just were, or `tell` is
    False since they hear of it in another way. Returns its id.
    """
    found_id = notice_id(kind, cause, city)
    seen = {"last_seen_at": now, "figures": dict(figures or {})}
    for _ in range(_TRIES):
        if notices().update_one({"_id": found_id, "status": {"$in": sorted(STANDING)}}, {"$set": seen}).matched_count:
            return found_id
        before = notices().find_one({"_id": found_id}, {"version": 1, "told_at": 1, "times": 1})
        version = (before["version"] if before else 0) + 1
        told_at = before.get("told_at") if before else None
        opens: dict[str, Any] = {
            "city": city, "kind": str(kind), "cause": cause, "status": str(NoticeStatus.OPEN), "opened_at": now, **seen,
        }  # fmt: skip
        update: dict[str, Any] = {
            "$set": opens,
            "$unset": {"cleared_at": "", "acknowledged_at": "", "acknowledged_by": ""},
            "$inc": {"times": 1, "version": 1},
        }
        if tell and (told_at is None or now - told_at >= TOLD_AGAIN_AFTER):
            event = outbox.event("notice.opened", found_id, version=version, now=now, city=city)
            update = outbox.merge(update, outbox.pending([event], now), {"$set": {"told_at": now}})
        condition: dict[str, Any] = {"_id": found_id, "version": {"$exists": False}}
        if before is not None:
            condition |= {"version": before["version"], "status": str(NoticeStatus.CLEARED)}
        try:
            done = notices().update_one(condition, update, upsert=before is None)
        except DuplicateKeyError:
            continue  # somebody else opened it
        if done.matched_count or done.upserted_id is not None:
            break
    return found_id


def acknowledge(found_id: str, *, by: str, now: datetime) -> Notice:
    """Somebody sees to it; the first one's name stays. Raises NoticeNotFound, NoticeOver."""
    found = notices().find_one_and_update(
        {"_id": found_id, "status": str(NoticeStatus.OPEN)},
        {
            "$set": {"status": str(NoticeStatus.ACKNOWLEDGED), "acknowledged_by": by, "acknowledged_at": now},
            "$inc": {"version": 1},
        },
        return_document=ReturnDocument.AFTER,
    )
    if found is None:
        found = queries.get(found_id)
        if found["status"] == NoticeStatus.CLEARED:
            raise NoticeOver("its cause is gone", current=found["status"])
    return found


def clear(kind: NoticeKind, cause: str, *, city: str, now: datetime) -> bool:
    """The cause is gone. False when no notice stood."""
    done = notices().update_one(
        {"_id": notice_id(kind, cause, city), "status": {"$in": sorted(STANDING)}},
        {"$set": {"status": str(NoticeStatus.CLEARED), "cleared_at": now}, "$inc": {"version": 1}},
    )
    return bool(done.modified_count)
