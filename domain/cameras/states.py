"""What an incident shows for each camera that was asked, and how far a look has got."""

from enum import StrEnum


class View(StrEnum):
    """One camera's answer to one incident. "Camera down" is a finding, never "nothing seen"."""

    ASKED = "asked"
    """A look is queued or under way."""
    SEEN = "seen"
    """Somebody is in view; findings say more."""
    CLEAR = "clear"
    """The view was good for the whole window, and nobody is in it."""
    CANNOT_TELL = "cannot_tell"
    """Dark, covered, frozen, broken or incomplete footage: it proves nothing."""
    DOWN = "down"
    """The source could not be reached or sent nothing."""
    NOT_COVERING = "not_covering"
    """It is near, but the place is not within its field of view and range."""
    BUSY = "busy"
    """Analytics had more to do than it could; this look was shed."""


class LookState(StrEnum):
    """One camera and one window: looked at once for all who ask."""

    WAITING = "waiting"
    """Nobody is looking yet."""
    LOOKING = "looking"
    """A worker has it, until its lease runs out."""
    DONE = "done"
    """The observation is stored."""
    SHED = "shed"
    """It waited too long to be of use."""


ANSWERED = frozenset({View.SEEN, View.CLEAR, View.CANNOT_TELL, View.DOWN, View.NOT_COVERING, View.BUSY})
