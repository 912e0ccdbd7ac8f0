"""Reads of reviews."""

from collections.abc import Sequence
from datetime import datetime

from domain.reviews.service import Review, reviews
from domain.reviews.states import ReviewStatus


def listed(city: str, status: ReviewStatus, kinds: Sequence[str], *, limit: int) -> list[Review]:
    """A city's reviews of these kinds, newest first."""
    condition = {"city": city, "status": str(status), "kind": {"$in": list(kinds)}}
    return list(reviews().find(condition).sort("asked_at", -1).limit(limit))


def due(*, now: datetime, limit: int) -> list[Review]:
    """Open reviews whose deadline has passed."""
    return list(reviews().find({"due_at": {"$lte": now}}).sort("due_at", 1).limit(limit))
