"""How a beat and a patrol stand. Pure."""

from enum import StrEnum


class BeatKind(StrEnum):
    """What a beat is on the map."""

    AREA = "area"
    """A few streets, a market, a park: a polygon."""
    ROUTE = "route"
    """A way that is walked: a line."""


class PatrolStatus(StrEnum):
    """Where a patrol is in its life."""

    PLANNED = "planned"
    """Members sign up, and walk it when it is time."""
    CANCELLED = "cancelled"
    """The coordinator took it off the roster."""
    OVER = "over"
    """Its time has passed."""


class PlaceStatus(StrEnum):
    """How somebody stands to a patrol that they signed up for; told from what was written down."""

    SIGNED_UP = "signed_up"
    """They will come."""
    OFFERED = "offered"
    """They will come unless somebody takes their place."""
    CHECKED_IN = "checked_in"
    """They were at the beat in time."""
    LATE = "late"
    """They were at the beat, later than the grace."""
    MISSED = "missed"
    """They were not at the beat in time, and have said nothing since."""
