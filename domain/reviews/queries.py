"""Reads of reviews."""

from collections.abc import Sequence
from datetime import datetime

from domain.reviews.service import Review, reviews
from domain.reviews.states import ReviewKind, ReviewStatus


def listed(city: str, status: ReviewStatus, kinds: Sequence[str], *, limit: int) -> list[Review]:
    """A city's reviews of these kinds, newest first."""
    condition = {"city": city, "status": str(status), "kind": {"$in": list(kinds)}}
    return list(reviews().find(condition).sort("asked_at", -1).limit(limit))


def due(*, now: datetime, limit: int) -> list[Review]:
    """Open reviews whose deadline has passed."""
    return list(reviews().find({"due_at": {"$lte": now}}).sort("due_at", 1).limit(limit))


def decided(city: str, kind: ReviewKind, *, since: datetime, limit: int) -> list[Review]:
    """A city's decided reviews of a kind, newest first: whether they were answered, and how."""
    condition = {"city": city, "kind": str(kind), "decided_at": {"$gte": since}}
    return list(reviews().find(condition).sort("decided_at", -1).limit(limit))
