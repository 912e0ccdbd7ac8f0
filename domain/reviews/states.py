"""What may be asked of humans, and where a question stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

RULE: Final = "rule"
"""Who asked, where no human did: nobody hears the answer, and anybody who may answer does."""


class ReviewStatus(StrEnum):
    """Where a review stands."""

    OPEN = "open"
    """Not enough people have answered, and the deadline is ahead."""
    APPROVED = "approved"
    """As many as are needed said yes, and nobody said no."""
    REFUSED = "refused"
    """Somebody said no."""
    EXPIRED = "expired"
    """The deadline passed: that is a no."""


class ReviewKind(StrEnum):
    """What is asked."""

    VAULT_OPENING = "vault_opening"
    """May this counsellor read a helpline request that she does not have?"""
    MODERATION = "moderation"
    """May others read this report, which a rule or neighbours' flags hold back?"""
    EVIDENCE_OPENING = "evidence_opening"
    """May whoever asks see the sealed original of this footage, with the faces in it?"""


@dataclass(frozen=True)
class Question:
    """How a kind is asked: how many must say yes, for how long it is open, who may answer, how long a yes holds."""

    approvals: int
    open_for: timedelta
    action: str
    """Of `domain/permissions.py`: whoever has it in the city may answer, but for whoever asked."""
    holds_for: timedelta


QUESTIONS: Final[Mapping[ReviewKind, Question]] = {
    ReviewKind.VAULT_OPENING: Question(1, timedelta(hours=1), "helpline.supervise", timedelta(minutes=30)),
    ReviewKind.MODERATION: Question(1, timedelta(days=2), "watch.moderate", timedelta(0)),
    ReviewKind.EVIDENCE_OPENING: Question(1, timedelta(hours=24), "evidence.approve", timedelta(hours=1)),
}
"""One table: a new kind is a line here and a reaction to `review.decided`, where something follows from it."""
