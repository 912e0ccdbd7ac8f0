"""What a channel is given and what it gives back: one message to one person, already rendered.

A message carries everything a carrier needs, so that a channel decides nothing about people, languages or incidents.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_NONCE_ALPHABET = "23456789bcdfghjkmnpqrstvwxz"  # no vowels, no look-alikes: it never spells a word or a command
_NONCE_LENGTH = 6


class AddressKind(StrEnum):
    """Which channel an address belongs to."""

    FCM = "fcm"
    """A phone with the app: an FCM registration token, or `fid:` and a Firebase installation id."""
    SMS = "sms"
    """A phone number that is written to, E.164."""
    VOICE = "voice"
    """A phone number that is called, E.164."""
    CONSOLE = "console"
    """A name on the operator's terminal: no carrier at all, for a first start and for tests."""


@dataclass(frozen=True)
class Address:
    """Where one message goes. `value` is private (a number, a token): it is sent, never logged."""

    kind: AddressKind
    value: str = field(repr=False)


@dataclass(frozen=True)
class Message:
    """One thing to tell one person through one channel, already rendered.

    `key` names the attempt (delivery id and attempt number) and is the same however often a job runs. `nonce` is made
    from it (`nonce_of`) and stands in the text of an SMS, so that an attempt whose outcome is unknown is found again in
    the carrier's own list. `ttl_s` is how long, in seconds, the message is worth delivering: carriers drop it later.
    """

    key: str
    to: Address
    text: str = field(default="", repr=False)
    """The body of an SMS, or what a call says."""
    data: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The data of a push: strings only, see `mobile-contract/push/`."""
    title: str = ""
    """Title of the visible notification of a push; neutral, a stranger may read it. Empty: nothing is shown."""
    body: str = field(default="", repr=False)
    """Body of the visible notification, neutral too."""
    urgent: bool = False
    """True only where a life depends on it: wakes the phone at once."""
    quiet: bool = False
    """Shown without a sound or a vibration: an SOS that was raised silently must never ring its citizen's phone."""
    ttl_s: int = 3600
    collapse: str = ""
    """A later push with the same value replaces this one where it has not been delivered yet. Empty: never replaced."""
    nonce: str = ""
    language: str = "en"
    """BCP 47 tag of the text, for the voice that speaks it."""
    twiml_url: str | None = None
    """Where the carrier asks what to say and which keys mean what; None: the text is said and the call ends."""
    city: str = ""
    """In whose figures it is counted; never sent."""
    status_url: str | None = None
    """Where the carrier reports how the message fares; None: it does not."""


@dataclass(frozen=True)
class Sent:
    """The carrier has taken the message and answers for it from now on: not yet that anybody received it."""

    vendor_id: str
    """The carrier's own id; status callbacks carry it."""
    segments: int = 1
    """How many SMS segments it was billed as; 1 for a push or a call."""


def nonce_of(key: str) -> str:
    """The six characters that mark one attempt in an SMS; always the same for the same key (29 bits of SHA-256).

    Only messages to one number within one reconciliation are compared, so that 29 bits are plenty.
    """
    number = int.from_bytes(hashlib.sha256(f"nonce\x1f{key}".encode()).digest(), "big")
    letters = []
    for _ in range(_NONCE_LENGTH):
        number, index = divmod(number, len(_NONCE_ALPHABET))
        letters.append(_NONCE_ALPHABET[index])
    return "".join(letters)
