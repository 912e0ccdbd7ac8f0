"""The nine parameters of a place audit. Pure.

Safetipin's rubric (safetipin.com, "My Safetipin" safety audit): each 0 (worst) to 3 (best).
"""

from enum import StrEnum


class Aspect(StrEnum):
    """What is looked at; each is rated 0 to 3."""

    LIGHTING = "lighting"
    """None, little, enough, bright."""
    OPENNESS = "openness"
    """Whether one can see in all directions: not, partly, mostly, completely."""
    VISIBILITY = "visibility"
    """Eyes on the street, from windows, doors, shops: no, few, some, many."""
    PEOPLE = "people"
    """Deserted, few, some, crowded."""
    SECURITY = "security"
    """Police or guards: none, somewhere near, in sight, here."""
    WALK_PATH = "walk_path"
    """None, poor, fair, good to walk even fast."""
    PUBLIC_TRANSPORT = "public_transport"
    """None within ten minutes, within ten, within five, here."""
    GENDER_USAGE = "gender_usage"
    """No women or children about, few, some, as many as men."""
    FEELING = "feeling"
    """Frightening, uncomfortable, acceptable, comfortable."""


WORST, BEST = 0, 3
