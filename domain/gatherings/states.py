"""What a gathering is, how it stands, and who comes. Pure."""

from enum import StrEnum


class GatheringKind(StrEnum):
    """What a gathering is for."""

    MEETING = "meeting"
    """The group talks over what is to be done."""
    WORKSHOP = "workshop"
    """Somebody teaches: first aid, safety at home, what the law says."""


class GatheringStatus(StrEnum):
    """Where a gathering is in its life."""

    PLANNED = "planned"
    """It takes place."""
    CANCELLED = "cancelled"
    """It does not; whoever wanted to come was told."""
    OVER = "over"
    """Its time has passed."""


class Coming(StrEnum):
    """What a member answers."""

    GOING = "going"
    """They come, and have a place."""
    MAYBE = "maybe"
    """They may come; no place is kept."""
    NOT_GOING = "not_going"
    """They do not come."""
