"""The port to a carrier: what a channel promises when it returns, and what each failure means.

**Success.** `send` returns `Sent` when the carrier has acknowledged the message with an id of its own. It is out of our
hands, not in anybody's: receipts say the rest (`Receipt`).

**Failure.** One of three, always with our own stable `code` and never with a number, a token or a text in it:

- `Temporary`: the carrier does not have the message, and the same message may work later. `retry_after` is in seconds,
  where the carrier named a time; nobody should try earlier.
- `Permanent`: this message will never work on this address through this channel: take the next channel now. With
  `retire` the address itself is dead (the app was removed, no such number) and should not be used on this channel
  again.
- `Unknown`: the carrier may or may not have it (it stopped answering after it was asked). Do not send again before
  `reconcile` has looked.

**Time.** A call returns or raises within `timeout_s`, however the carrier hangs. Nothing is retried inside a channel:
who waits, how long, and who comes next is the business of deliveries.

**To add a provider**: write `channels/<vendor>.py` with a class that has this protocol and one table of the vendor's
codes (`Mapping[str, Verdict]`, with its source), list its builder in `registry.py`, and add it to the conformance
tests (`tests/notifications/test_conformance.py`), which say what it must do when the carrier misbehaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from notifications.messages import AddressKind, Message, Sent


class FailureCode(StrEnum):
    """Why a message did not go out, in our words; vendors' codes are mapped to these in one table each."""

    INVALID_ADDRESS = "invalid_address"
    """The number or token is malformed or does not exist."""
    UNREGISTERED = "unregistered"
    """The app was removed from this phone, or its token belongs to another app."""
    NOT_MOBILE = "not_mobile"
    """The number exists and cannot receive an SMS (a landline)."""
    OPTED_OUT = "opted_out"
    """The person told the carrier to stop our SMS; it lifts the block itself when the person changes their mind."""
    BLOCKED = "blocked"
    """The carrier or a network filtered this message; other messages may pass."""
    UNREACHABLE = "unreachable"
    """The phone is off, out of coverage, or the network cannot find it now."""
    NOT_ANSWERED = "not_answered"
    """A call that was busy or rang out."""
    MACHINE = "machine"
    """An answering machine or a fax took the call: nobody heard it."""
    EXPIRED = "expired"
    """It was not delivered within its time to live."""
    REJECTED = "rejected"
    """The carrier does not take this message as it is written (too long, bad field)."""
    MISCONFIGURED = "misconfigured"
    """Our account, credentials, sender or permissions at the carrier are wrong: a matter for an administrator."""
    RATE_LIMITED = "rate_limited"
    """The carrier asks us to slow down, or its queue is full."""
    CARRIER_DOWN = "carrier_down"
    """The carrier says that it has a fault."""
    NOT_CONNECTED = "not_connected"
    """The carrier could not be reached, so it never saw the message."""
    NO_LIST = "no_list"
    """It may have the message, and keeps no list that could be asked: its report says, or nobody ever will."""
    NO_ANSWER = "no_answer"
    """The carrier was asked and its answer did not arrive or could not be read."""


class ChannelError(Exception):
    """A message did not go out, or may not have. Its text is safe to log."""

    def __init__(self, code: FailureCode, *, vendor_code: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{code}{f' ({vendor_code})' if vendor_code else ''}")
        self.code = code
        self.vendor_code = vendor_code
        self.retry_after = retry_after


class Temporary(ChannelError):
    """The carrier does not have it; the same message may work later, not before `retry_after` seconds."""


class Permanent(ChannelError):
    """This message will never work on this address through this channel; `retire`: nor will any other."""

    def __init__(self, code: FailureCode, *, vendor_code: str = "", retire: bool = False) -> None:
        super().__init__(code, vendor_code=vendor_code)
        self.retire = retire


class Unknown(ChannelError):
    """The carrier may have it: reconcile before anything is sent again."""


Fate = Literal["temporary", "permanent", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """One line of a vendor's table: what one of its codes means for us."""

    fate: Fate
    code: FailureCode
    retire: bool = False

    def error(self, vendor_code: str = "", retry_after: float | None = None) -> ChannelError:
        """The exception that says so."""
        if self.fate == "permanent":
            return Permanent(self.code, vendor_code=vendor_code, retire=self.retire)
        kind = Temporary if self.fate == "temporary" else Unknown
        return kind(self.code, vendor_code=vendor_code, retry_after=retry_after)


ReceiptState = Literal["sent", "delivered", "seen", "failed_temporary", "failed_permanent"]


@dataclass(frozen=True)
class Receipt:
    """What a carrier's status callback says about a message that it had taken, in the words of deliveries."""

    state: ReceiptState
    code: FailureCode | None = None
    vendor_code: str = ""
    retire: bool = False

    @classmethod
    def failed(cls, verdict: Verdict, vendor_code: str) -> "Receipt":
        """A failure after the carrier took the message: nothing is unknown any more, so only two states are left."""
        state: ReceiptState = "failed_permanent" if verdict.fate == "permanent" else "failed_temporary"
        return cls(state, verdict.code, vendor_code, verdict.retire)


VendorTable = Mapping[str, Verdict]

USUAL_VERDICTS: Mapping[FailureCode, Verdict] = {
    # For carriers whose own codes are given in our words (`gateway_table.py`). What is wrong with our account is
    # temporary: the address is innocent, and an administrator mends it.
    FailureCode.INVALID_ADDRESS: Verdict("permanent", FailureCode.INVALID_ADDRESS, retire=True),
    FailureCode.NOT_MOBILE: Verdict("permanent", FailureCode.NOT_MOBILE, retire=True),
    FailureCode.OPTED_OUT: Verdict("permanent", FailureCode.OPTED_OUT),
    FailureCode.BLOCKED: Verdict("permanent", FailureCode.BLOCKED),
    FailureCode.EXPIRED: Verdict("permanent", FailureCode.EXPIRED),
    FailureCode.REJECTED: Verdict("permanent", FailureCode.REJECTED),
    FailureCode.UNREACHABLE: Verdict("temporary", FailureCode.UNREACHABLE),
    FailureCode.MISCONFIGURED: Verdict("temporary", FailureCode.MISCONFIGURED),
    FailureCode.RATE_LIMITED: Verdict("temporary", FailureCode.RATE_LIMITED),
    FailureCode.CARRIER_DOWN: Verdict("temporary", FailureCode.CARRIER_DOWN),
    FailureCode.NO_ANSWER: Verdict("unknown", FailureCode.NO_ANSWER),
}
"""What each failure usually means."""


class Channel(Protocol):
    """One way to reach a person, through one carrier. Instances are shared by threads."""

    @property
    def kind(self) -> AddressKind:
        """Which addresses it serves."""

    @property
    def name(self) -> str:
        """The vendor's name, for metrics and logs: `fcm`, `twilio_sms`."""

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        """Hand the message to the carrier once; returns or raises within `timeout_s` seconds.

        Raises Temporary, Permanent or Unknown as the module says; anything else is a fault in our own code.
        """

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        """Look whether an attempt of unknown outcome, made at or after `since` (aware), reached the carrier.

        Returns what `send` would have, or None where the carrier has no such message, so that it may be sent again.
        Where the carrier took it and then gave up, raises what that means: Temporary or Permanent. Raises Unknown
        where the carrier could not be asked: ask again, not before its `retry_after`.
        """
