"""What may be asked of humans, and where a question stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

RULE: Final = "rule"
"""Who asked, where no human did: nobody hears the answer, and anybody who may answer does."""


class Said(StrEnum):
    """What one person answers."""

    YES = "yes"
    """It is so, or it may be done."""
    NO = "no"
    """It is not so, or it may not be done."""
    CANNOT_TELL = "cannot_tell"
    """Whoever looked cannot say: only of a picture."""


class ReviewStatus(StrEnum):
    """Where a review stands."""

    OPEN = "open"
    """Not enough people have answered, and the deadline is ahead."""
    APPROVED = "approved"
    """As many as are needed said yes, and nobody said no."""
    REFUSED = "refused"
    """Somebody said no."""
    CANNOT_TELL = "cannot_tell"
    """Somebody looked at the picture, and could not say."""
    EXPIRED = "expired"
    """The deadline passed: nothing may follow from it."""
    WITHDRAWN = "withdrawn"
    """What it is about is no longer kept: nobody can answer it any more."""


class ReviewKind(StrEnum):
    """What is asked."""

    VAULT_OPENING = "vault_opening"
    """May this counsellor read a helpline request that she does not have?"""
    MODERATION = "moderation"
    """May others read this report, which a rule or neighbours' flags hold back?"""
    REPORT_APPEAL = "report_appeal"
    """Its author says that a report was held or removed wrongly: may others read it?"""
    SANCTION_APPEAL = "sanction_appeal"
    """Whoever is sanctioned says that it is wrong: should it end now?"""
    CLIP_CHECK = "clip_check"
    """Is it so, what analytics found in a camera's pictures?"""
    PLATE_HIT = "plate_hit"
    """Is this, in the picture, the plate on the watchlist?"""
    EVIDENCE_OPENING = "evidence_opening"
    """May whoever asks see the sealed original of this footage, with the faces in it?"""
    FACE_SEARCH = "face_search"
    """May faces in one incident's footage be compared with one that is searched for, on this legal basis?"""
    FACE_LEAD = "face_lead"
    """Is this the one who is searched for? A likeness in figures proves nothing."""


@dataclass(frozen=True)
class Question:
    """How a kind is asked: how many must say yes, for how long it is open, who may answer, how long a yes holds."""

    approvals: int
    open_for: timedelta
    action: str
    """Of `domain/permissions.py`: whoever has it in the city may answer, but for whoever asked."""
    holds_for: timedelta
    of_a_picture: bool = False
    """Whoever answers looks at a picture: they may say that they cannot tell, and need not say why."""


QUESTIONS: Final[Mapping[ReviewKind, Question]] = {
    ReviewKind.VAULT_OPENING: Question(1, timedelta(hours=1), "helpline.supervise", timedelta(minutes=30)),
    ReviewKind.MODERATION: Question(1, timedelta(days=2), "watch.moderate", timedelta(0)),
    ReviewKind.REPORT_APPEAL: Question(1, timedelta(days=2), "watch.moderate", timedelta(0)),
    ReviewKind.SANCTION_APPEAL: Question(1, timedelta(days=2), "watch.moderate", timedelta(0)),
    ReviewKind.CLIP_CHECK: Question(1, timedelta(minutes=5), "observation.read", timedelta(0), of_a_picture=True),
    ReviewKind.PLATE_HIT: Question(1, timedelta(minutes=10), "watchlist.read", timedelta(0), of_a_picture=True),
    ReviewKind.EVIDENCE_OPENING: Question(1, timedelta(hours=24), "evidence.approve", timedelta(hours=1)),
    ReviewKind.FACE_SEARCH: Question(2, timedelta(hours=24), "face.approve", timedelta(0)),
    ReviewKind.FACE_LEAD: Question(1, timedelta(hours=72), "face.search", timedelta(0), of_a_picture=True),
}
"""One table: a new kind is a line here and a reaction to `review.decided`, where something follows from it."""
