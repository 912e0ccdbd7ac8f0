"""The changes of a collection in one order, by time and then by id, so that who reads them in pieces misses none of those that
share a millisecond, however many they are.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo.collection import Collection

Row = dict[str, Any]
_ORDER: Final = [("changed_at", 1), ("_id", 1)]


def oldest(
    rows: Collection[Row],
    wanted: Mapping[str, Any],
    since: datetime,
    after: tuple[datetime, str] | None,
    *,
    limit: int,
) -> list[Row]:
    """What changed after a time, or after a change: the oldest of them. `after` is the (time, id) of the last one read."""
    if after is None:
        return list(rows.find({**wanted, "changed_at": {"$gt": since}}).sort(_ORDER).limit(limit))
    at, last = after
    same = {**wanted, "changed_at": at, "_id": {"$gt": last}}
    found = list(rows.find(same).sort("_id", 1).limit(limit))
    if len(found) < limit:
        later = {**wanted, "changed_at": {"$gt": at}}
        found += rows.find(later).sort(_ORDER).limit(limit - len(found))
    return found


def by_id(
    rows: Collection[Row], wanted: Mapping[str, Any], since: datetime, until: datetime, after: str, *, limit: int
) -> list[Row]:
    """What changed after one time and by another, in the order of ids, behind one of them."""
    span: Row = {**wanted, "changed_at": {"$gt": since, "$lte": until}}
    return list(rows.find(span | ({"_id": {"$gt": after}} if after else {})).sort("_id", 1).limit(limit))
