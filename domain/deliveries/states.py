"""How far a delivery got, and why the last attempt at it ended as it did. Pure."""

from enum import IntEnum, StrEnum


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


class Priority(IntEnum):
    """Who goes first where not all can at once: where sends wait for a thread, and where the sweeper looks for what is due."""

    FIRST = 0
    """Nobody has told this person yet what a life may depend on: an offer, a mayday, an alarm to a guardian."""
    AGAIN = 1
    """The same, after a try that did not arrive or has no receipt."""
    WAITED_FOR = 2
    """Somebody waits for it or acts on it at once: a one-time code, "turn back", "help is on the way"."""
    NEWS = 3
    """How something stands now: what comes late is still true."""
    BULK = 4
    """One text to very many people, and tests of reachability: they take the room that the others leave."""


class Suppressed(StrEnum):
    """Why a delivery was not sent on purpose, or not sent on. The carriers' own reasons are `notifications/channel.py`."""

    EXPIRED = "expired"
    """It waited (for quiet hours to end, for a throttled number, for a carrier) until it no longer mattered."""
    BUNDLED = "bundled"
    """It waited, and a later one about the same thing to the same person tells the latest state."""
    CANCELLED = "cancelled"
    """The citizen cancelled the SOS that it is about."""
    SUPERSEDED = "superseded"
    """A later alert was issued in the place of the one that it is about."""
    OVER = "over"
    """What it is about is over: the alert was cancelled, the journey ended, the concern was lifted."""
    SHARING_ENDED = "sharing_ended"
    """She no longer shares the journey that it is about."""
    TAKEN_BACK = "taken_back"
    """The call that she had ordered for herself was taken back."""
    CLOSED = "closed"
    """The incident that it is about is closed."""
    ANSWERED = "answered"
    """Somebody has the slot of which a supervisor was to hear that nobody has it; or she answered what she was asked."""
    ACKNOWLEDGED = "acknowledged"
    """Another supervisor sees to it."""
    BUSY = "busy"
    """An exercise, and its person was needed elsewhere: nobody is called for a drill then."""
    CLEARED = "cleared"
    """The notice that it is about is over."""
    OFFER_RENEWED = "offer_renewed"
    """The unit was asked for the same slot again since: the new offer tells it."""
    OFFER_ACCEPTED = "offer_accepted"
    """The unit said yes before everybody on it had been told."""
    OFFER_EN_ROUTE = "offer_en_route"
    """The unit said yes and is moving."""
    OFFER_ON_SCENE = "offer_on_scene"
    """The unit said yes and is there."""
    OFFER_CLEARED = "offer_cleared"
    """The unit said yes and has finished."""
    OFFER_DECLINED = "offer_declined"
    """The unit said no."""
    OFFER_WITHDRAWN = "offer_withdrawn"
    """Another unit has it, or it is over: whoever was told before hears that by a message of its own."""
    OFFER_OVER = "offer_over"
    """A call was to put a unit through to its caller, and the unit no longer has the slot."""
    MAY_NOT_RING = "may_not_ring"
    """A call was to put somebody through to a caller whose phone must not ring."""
    DOUBT_OVER = "doubt_over"
    """A unit was to be asked whether it still comes, and it is no longer on its way: there, done, or taken off it."""
    OFF_DUTY = "off_duty"
    """They went off duty since, while others of the unit are on: it is theirs to answer."""
    UNMERGED = "unmerged"
    """It told how another incident stands, and the two were taken apart again."""
    RANG_ENOUGH = "rang_enough"
    """An exercise, and nobody answered its calls."""
    OPTED_IN = "opted_in"
    """A supervisor was to hear that somebody wants no SMS, and they asked for SMS again."""
    CONTACT_STOPPED = "contact_stopped"
    """She told the helpline to contact her no more."""
    ERASED = "erased"
    """What it is about was erased."""


class Held(StrEnum):
    """What a delivery waits for that is not sent yet. A life-critical one never waits for any of these."""

    QUIET_HOURS = "quiet_hours"
    """The city sleeps and the message would ring: it goes out in the morning, if it still matters."""
    THROTTLED = "throttled"
    """The number had as many messages in this window as a person can read."""
