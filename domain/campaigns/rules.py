"""When a campaign's messages may go out, and how its reach is told. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from domain.campaigns.errors import CampaignInvalid

MOST: Final = 10
APART: Final = timedelta(hours=12)
"""Between two messages: a series informs, it does not pester."""
AHEAD: Final = timedelta(days=120)
COUNTS: Final = ("people", "sent", "received", "seen", "acknowledged")


def check_times(times: Sequence[datetime], *, now: datetime) -> None:
    """Raise CampaignInvalid for times that are not ahead, not in order or too near each other."""
    if any(not now <= each <= now + AHEAD for each in times):
        raise CampaignInvalid("not ahead", errors={"messages": [f"Ahead, at most {AHEAD.days} days."]})
    if any(later - earlier < APART for earlier, later in pairwise(times)):
        raise CampaignInvalid("too near", errors={"messages": ["In order, with twelve hours between two of them."]})


def told(count: int, k: int) -> int:
    """A number of persons as it may be told: down to a multiple of k, so that neither it nor the difference of two such
    numbers ever speaks of fewer than k persons. 0 means fewer than k.
    """
    return count // k * k


def reach(progresses: Sequence[Mapping[str, Any]], k: int) -> list[dict[str, int]]:
    """How far each message got, by its alert's progress."""
    return [{name: told(int(each.get(name) or 0), k) for name in COUNTS} for each in progresses]
