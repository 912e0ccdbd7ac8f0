"""Reads of comments and reactions. Each is served by `_id` or an index that `documents.py` declares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from domain.comments.documents import CommentDoc, ReactionDoc
from domain.comments.errors import CommentNotFound
from domain.comments.states import CommentStatus, Reaction
from domain.ids import derived_id

Comment = dict[str, Any]


def comments() -> Collection[Comment]:
    """The raw collection."""
    found: Collection[Comment] = CommentDoc._get_collection()
    return found


def reactions() -> Collection[dict[str, Any]]:
    """The raw collection of reactions."""
    found: Collection[dict[str, Any]] = ReactionDoc._get_collection()
    return found


def get(comment_id: str) -> Comment:
    """The comment as it is stored; raises CommentNotFound."""
    found = comments().find_one({"_id": comment_id})
    if found is None:
        raise CommentNotFound("no such comment")
    return found


def of_report(
    report: str, statuses: Sequence[str], *, author: str, after: tuple[datetime, str] | None, limit: int
) -> list[Comment]:
    """Comments on a report that stand so, and this person's own however they stand; the oldest first."""
    wanted: dict[str, Any] = {
        "report": report,
        "created_at": {"$gte": after[0]} if after else {"$exists": True},
        "$or": [{"status": {"$in": list(statuses)}}, {"author": author}],
    }
    rows = comments().find(wanted).sort("created_at", 1).limit(limit + 50)  # as many may come at once
    ordered = sorted(rows, key=lambda row: (row["created_at"], row["_id"]))
    return [row for row in ordered if after is None or (row["created_at"], row["_id"]) > after][:limit]


def ids_of(report: str) -> list[str]:
    """The ids of all comments on a report, however they stand."""
    return [row["_id"] for row in comments().find({"report": report}, {"_id": 1})]


def count(report: str) -> int:
    """How many comments a report has, however they stand."""
    return comments().count_documents({"report": report})


def published(report: str) -> int:
    """How many of them may be read."""
    return comments().count_documents({"report": report, "status": str(CommentStatus.PUBLISHED)})


def of_author(author: str, *, limit: int) -> list[Comment]:
    """Somebody's own comments, newest first."""
    return list(comments().find({"author": author}).sort("created_at", -1).limit(limit))


def reaction_id(report: str, person: str) -> str:
    """The one id of a person's reaction to a report."""
    return derived_id("rct", report, person)


def reacted(report: str) -> dict[str, int]:
    """How many reacted so to a report, by kind."""
    return {str(kind): reactions().count_documents({"report": report, "kind": str(kind)}) for kind in Reaction}


def reaction_of(report: str, person: str) -> str | None:
    """How somebody reacted to a report."""
    found = reactions().find_one({"_id": reaction_id(report, person)})
    return found["kind"] if found else None
