"""Reads of who follows what. Each is served by `_id` or an index that `documents.py` declares."""

from typing import Any

from pymongo.collection import Collection

from domain.follows.documents import FollowDoc
from domain.ids import derived_id


def follows() -> Collection[dict[str, Any]]:
    """The raw collection."""
    found: Collection[dict[str, Any]] = FollowDoc._get_collection()
    return found


def follow_id(report: str, person: str) -> str:
    """The one id of a person's following of a report."""
    return derived_id("fol", report, person)


def is_followed(report: str, person: str) -> bool:
    """Whether this person follows this report."""
    return follows().find_one({"_id": follow_id(report, person)}, {"_id": 1}) is not None


def followers(report: str, *, after: str = "", limit: int = 500) -> list[dict[str, Any]]:
    """Some of those who follow a report, by the id of their following."""
    return list(follows().find({"report": report, "_id": {"$gt": after}}).sort("_id", 1).limit(limit))
