"""What a notice is about, and where it stands. Pure."""

from enum import StrEnum


class NoticeStatus(StrEnum):
    """Where a notice stands."""

    OPEN = "open"
    """Its cause shows, and nobody has said that they see to it."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody sees to it."""
    CLEARED = "cleared"
    """Its cause is gone. The same cause opens the same notice again."""


class NoticeKind(StrEnum):
    """What is wrong with Amaan."""

    CARRIER_FAILING = "carrier_failing"
    """A large share of what a carrier was asked in the last minutes failed by its own fault."""
    CARRIER_LEFT_ALONE = "carrier_left_alone"
    """A carrier failed so often in a row that messages no longer go to it for a while: its breaker is open."""
    QUEUE_BEHIND = "queue_behind"
    """More jobs wait on a queue than its workers can soon do, or none of them works."""
    QUEUE_AWAY = "queue_away"
    """Redis does not answer: the sweeper does the urgent work, more slowly."""
    EVENTS_BEHIND = "events_behind"
    """What must follow from a change waits longer than it ever should."""
    MESSAGES_BEHIND = "messages_behind"
    """Messages that are due wait longer than they ever should."""
    REACTION_FAILS = "reaction_fails"
    """What must follow from a change fails again and again: a fault in our own code."""
    LADDER_UNANSWERED = "ladder_unanswered"
    """A whole ladder found nobody for an incident; it goes on."""
    ALERT_WAITS = "alert_waits"
    """Another system's feed brought a public alert, or the end of one, and an operator must decide."""
    CAMERA_BLIND = "camera_blind"
    """What a camera shows has proved nothing for a minute: it is down, dark, covered, frozen or was turned."""
    CAMERAS_BLIND = "cameras_blind"
    """More cameras of a city are blind than are told one by one."""
    CAMERAS_UNWATCHED = "cameras_unwatched"
    """Nobody has sampled cameras of a city for minutes: the recorder is away, or has more to do than it can."""
    DISK_FULL = "disk_full"
    """Hardly any room is left on the disk: nothing is recorded, and no footage taken or copied, until somebody makes some."""
    DETECTOR_LEFT_ALONE = "detector_left_alone"
    """A detector that the city added to its cameras' hangs, and is left alone for a while: looks go on without it."""
    PEOPLE_UNREACHABLE = "people_unreachable"
    """A drill reached some of its people on no channel at all."""


STANDING = frozenset({NoticeStatus.OPEN, NoticeStatus.ACKNOWLEDGED})
"""Its cause still shows."""
