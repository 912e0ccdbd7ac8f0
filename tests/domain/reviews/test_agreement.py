"""Detectors are measured by what humans said: counted by detector, finding and confidence."""

from typing import Any

import pytest

from domain.reviews import agreement, service
from domain.reviews.states import ReviewStatus


def review(status: ReviewStatus, confidence: float = 0.65, finding: str = "lying", detector: str = "pose 1") -> Any:
    return {"status": str(status), "about": {"finding": finding, "detector": detector, "confidence": confidence}}


def test_answers_are_counted_by_detector_finding_and_confidence() -> None:
    yes, no, blurred = ReviewStatus.APPROVED, ReviewStatus.REFUSED, ReviewStatus.CANNOT_TELL
    rows = [
        review(yes, 0.95), review(yes, 0.61), review(no, 0.69), review(no, 0.2), review(blurred), review(ReviewStatus.EXPIRED),
        review(ReviewStatus.WITHDRAWN), review(no, 1.0, "plate", "plates 1"), {"status": "refused"},
    ]  # fmt: skip
    plates, pose, unknown = agreement.figures(rows)
    assert (pose.yes, pose.no, pose.cannot_tell, pose.unanswered, pose.precision) == (2, 2, 1, 1, 0.5)
    assert pose.bands == {0.0: (0, 1), 0.6: (1, 1), 0.9: (1, 0)}
    assert (plates.detector, plates.finding, plates.precision) == ("plates 1", "plate", 0.0)
    assert (unknown.detector, unknown.no) == ("unknown", 1)
    assert agreement.figures([review(ReviewStatus.EXPIRED)])[0].precision is None


@pytest.mark.parametrize(
    ("said", "needed", "status"),
    [
        ([], 1, "open"), (["cannot_tell"], 1, "cannot_tell"), (["yes"], 1, "approved"), (["no"], 1, "refused"),
        (["yes", "cannot_tell"], 2, "cannot_tell"), (["cannot_tell", "no"], 2, "refused"), (["yes", "yes"], 2, "approved"),
    ],
)  # fmt: skip
def test_who_cannot_tell_ends_a_question_without_a_yes(said: list[str], needed: int, status: str) -> None:
    assert service.decision([{"said": each} for each in said], needed) == status
