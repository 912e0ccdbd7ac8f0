"""What an incident shows for each camera that was asked, how far a look has got, and what a camera is."""

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
    """Dark, covered, frozen, broken or incomplete footage, or no word from the gateway: it proves nothing."""
    DOWN = "down"
    """The source could not be reached or sent nothing."""
    NOT_COVERING = "not_covering"
    """It is near, but the place is not within its field of view and range."""
    BUSY = "busy"
    """Analytics had more to do than it could; this look was shed."""


SAID = (View.SEEN, View.CLEAR, View.CANNOT_TELL, View.DOWN)
"""What a look or a gateway can say of a view; the rest is said of the asking."""


class LookState(StrEnum):
    """One camera and one window: looked at once for all who ask."""

    WAITING = "waiting"
    """Nobody is looking yet."""
    LOOKING = "looking"
    """A worker has it, until its lease runs out."""
    DONE = "done"
    """The observation is stored."""
    SHED = "shed"
    """It waited too long to be of use, or ended its workers again and again."""


class SourceKind(StrEnum):
    """Where a camera's pictures come from."""

    FILE = "file"
    """One file: a recording where `recorded_at` says when it began, else it stands for what the camera shows now."""
    SEGMENTS = "segments"
    """A folder that a recorder fills with files named by the time of their first picture."""
    MJPEG = "mjpeg"
    """A live stream over HTTP."""
    RTSP = "rtsp"
    """A live stream over RTSP."""
    HLS = "hls"
    """A live stream in segments over HTTP, named by a playlist."""
    GATEWAY = "gateway"
    """No pictures reach us: the camera's gateway looks for itself and posts what it saw."""


class HealthState(StrEnum):
    """The camera's own state, after the last look or the gateway's last word."""

    UNKNOWN = "unknown"
    """Nothing was heard of it yet."""
    OK = "ok"
    """It shows what is before it."""
    IMPAIRED = "impaired"
    """It answers, but dark, covered, frozen, blurred, shaken or broken."""
    DOWN = "down"
    """It cannot be reached or sends nothing."""
