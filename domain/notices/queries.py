"""Reading notices."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from domain.notices.documents import NoticeDoc
from domain.notices.errors import NoticeNotFound
from domain.notices.states import STANDING

Notice = dict[str, Any]


def notices() -> Collection[Notice]:
    """The raw collection."""
    found: Collection[Notice] = NoticeDoc._get_collection()
    return found


def get(notice_id: str) -> Notice:
    """One notice; raises NoticeNotFound."""
    found = notices().find_one({"_id": notice_id})
    if found is None:
        raise NoticeNotFound("no such notice")
    return found


def standing(kinds: Iterable[str] = ()) -> list[Notice]:
    """All whose cause still shows, everywhere, of these kinds where some are named: there are few."""
    wanted: dict[str, Any] = {"status": {"$in": sorted(STANDING)}}
    if named := sorted(str(each) for each in kinds):
        wanted["kind"] = {"$in": named}
    return list(notices().find(wanted).limit(5000))


def listed(city: str, *, statuses: Iterable[str], after: tuple[datetime, str] | None, limit: int) -> list[Notice]:
    """A city's notices and those of the machine, the newest first; `after` is the time and the id of the last one."""
    wanted: dict[str, Any] = {"city": {"$in": [city, "*"]}, "status": {"$in": list(statuses)}}
    if after is not None:
        wanted |= {
            "opened_at": {"$lte": after[0]},
            "$or": [{"opened_at": {"$lt": after[0]}}, {"_id": {"$lt": after[1]}}],
        }
    return list(notices().find(wanted).sort([("opened_at", -1), ("_id", -1)]).limit(limit))
