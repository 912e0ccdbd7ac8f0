"""How far a drill is, how somebody was reached by it, and why not. Pure."""

from enum import StrEnum


class DrillStatus(StrEnum):
    """Where a drill stands."""

    PLANNED = "planned"
    """Its time has not come; nobody was told."""
    RUNNING = "running"
    """Messages go out, and whoever has one may answer until the deadline."""
    ENDED = "ended"
    """The deadline has passed: the report stands."""
    WITHDRAWN = "withdrawn"
    """Called off before anybody was told."""


class ReachedBy(StrEnum):
    """What proves that a message of a drill arrived. Only the network's word does not prove a person."""

    DEVICE = "device"
    """The app on the phone sent its receipt."""
    LINK = "link"
    """The person confirmed on the page behind the link."""
    KEY = "key"
    """The person pressed the key on the call."""
    NETWORK = "network"
    """The network reports the SMS delivered to the phone; nobody confirmed it."""


class Unreached(StrEnum):
    """Why somebody was not reached on a channel."""

    NO_ADDRESS = "no_address"
    """They have no phone number, or no phone with the app signed in."""
    RETIRED = "retired"
    """Their number or app was found dead earlier and is not used any more."""
    OPTED_OUT = "opted_out"
    """They told the carrier to stop our messages."""
    ADDRESS_DEAD = "address_dead"
    """The carrier said in this drill that the app is gone or that there is no such number."""
    NO_CARRIER = "no_carrier"
    """No carrier is configured for this channel."""
    CARRIER_FAILED = "carrier_failed"
    """The carrier did not take the message before the deadline, or filtered it."""
    PHONE_OFF = "phone_off"
    """The network could not find the phone: off, or out of coverage."""
    NOT_ANSWERED = "not_answered"
    """The call was busy or rang out."""
    MAILBOX = "mailbox"
    """A mailbox or another machine took the call."""
    NO_KEY = "no_key"
    """The call was answered, perhaps by a mailbox, and the key was not pressed."""
    NO_RECEIPT = "no_receipt"
    """The carrier took the message and nothing came back before the deadline."""
    NOT_TRIED = "not_tried"
    """The deadline came before their turn."""


ENDED = frozenset({DrillStatus.ENDED, DrillStatus.WITHDRAWN})
"""Nothing more follows."""
