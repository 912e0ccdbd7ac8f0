"""How a campaign stands. Pure."""

from enum import StrEnum


class CampaignStatus(StrEnum):
    """Where a campaign is in its life."""

    UNDER_WAY = "under_way"
    """Messages of it are still to go out."""
    STOPPED = "stopped"
    """Somebody ended it: what has not gone out does not."""
    OVER = "over"
    """Every message has gone out."""
