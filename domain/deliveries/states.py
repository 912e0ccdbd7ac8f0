"""How far a delivery got, and why the last attempt at it ended as it did. Pure."""

from enum import StrEnum


class DeliveryStatus(StrEnum):
    """The best that is known of a delivery. It only moves forward: late receipts never take it back."""

    QUEUED = "queued"
    """Written down; no carrier has taken it yet."""
    SENT = "sent"
    """A carrier took it and answers for it."""
    DELIVERED = "delivered"
    """The network reports that it reached the phone."""
    RECEIVED = "received"
    """The app on the phone says that it has it, or a person opened its link."""
    SEEN = "seen"
    """A person looked at it."""
    FAILED_TEMPORARY = "failed_temporary"
    """The last attempt failed and another will be made."""
    FAILED_PERMANENT = "failed_permanent"
    """No channel is left, or it is no longer worth telling."""
    SUPPRESSED = "suppressed"
    """Not sent on purpose; `reason` says why."""


class AttemptState(StrEnum):
    """One try on one channel."""

    SENDING = "sending"
    """Written before the carrier is asked: if we die here, the outcome is unknown."""
    SENT = "sent"
    """The carrier took it."""
    DELIVERED = "delivered"
    """The network reported it delivered."""
    TEMPORARY = "temporary"
    """It did not go out and may later."""
    PERMANENT = "permanent"
    """It will never go out this way."""
    UNKNOWN = "unknown"
    """The carrier may have it: look before sending again."""


D = DeliveryStatus

RANK: dict[DeliveryStatus, int] = {
    D.QUEUED: 0,
    D.FAILED_TEMPORARY: 0,
    D.SENT: 1,
    D.DELIVERED: 2,
    D.RECEIVED: 3,
    D.SEEN: 4,
}
"""Receipts may come in any order; a lower one never replaces a higher one."""

ENDED = frozenset({D.RECEIVED, D.SEEN, D.FAILED_PERMANENT, D.SUPPRESSED})
"""Nothing more will be sent."""


def below(status: DeliveryStatus) -> list[str]:
    """The statuses that a receipt of this status may replace."""
    return [str(each) for each, rank in RANK.items() if rank < RANK[status]]
