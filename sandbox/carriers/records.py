"""What the local carriers remember, one dataclass each. Times are seconds since 1970 (UTC)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


def sid(prefix: str) -> str:
    """A Twilio identifier: two letters and 32 hexadecimal digits."""
    return prefix + os.urandom(16).hex()


def rfc3339(moment: float | None) -> str | None:
    """`2026-11-23T14:05:06.123456+00:00`, always with microseconds; None stays None."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")


@dataclass(slots=True)
class Sms:
    """One text message, either way."""

    sid: str
    from_: str
    to: str
    body: str
    direction: str
    """outbound-api, outbound-reply or inbound, as Twilio says it."""
    status: str
    segments: int
    created: float
    updated: float
    at: float | None = None
    """When it reached the phone (outbound) or left it (inbound); None while the carrier still holds it."""
    sent: float | None = None
    messaging_service_sid: str | None = None
    error_code: int | None = None
    error_message: str | None = None
    status_callback: str = ""
    validity_s: float = 36_000.0
    reference: str | None = None
    """The customer's own id, of a message that came by the generic gateway instead of Twilio."""
    seq: int = 0

    @property
    def phone(self) -> str:
        """The person's side of it."""
        return self.from_ if self.direction == "inbound" else self.to


@dataclass(slots=True)
class Call:
    """One leg of a voice call, and everything that was said and pressed in it."""

    sid: str
    from_: str
    to: str
    direction: str
    """outbound-api, outbound-dial or inbound."""
    status: str
    created: float
    updated: float
    at: float
    """When it began to ring (outbound) or was dialled (inbound)."""
    params: dict[str, Any] = field(default_factory=dict)
    """What the caller asked for: Url, Method, StatusCallback, StatusCallbackEvent, MachineDetection and so on."""
    answered: float | None = None
    ended: float | None = None
    answered_by: str | None = None
    parent: str | None = None
    heard: list[dict[str, Any]] = field(default_factory=list)
    """What happened on the line, in order: {at, verb, text|url|digits|…}."""
    waiting: dict[str, Any] | None = None
    """The Gather that waits for a key: {action, method, num_digits, finish_on_key, timeout}."""
    error_code: int | None = None
    sequence: int = 0
    seq: int = 0

    @property
    def phone(self) -> str:
        """The person's side of it."""
        return self.from_ if self.direction == "inbound" else self.to


@dataclass(slots=True)
class Push:
    """One FCM message as a device got it."""

    name: str
    token: str
    at: float
    data: dict[str, str]
    notification: dict[str, Any] | None
    priority: str
    ttl_s: float | None
    message: dict[str, Any]
    """The whole message as it was sent."""
    receipt: str = ""
    """How the app's receipt ended: '' not sent, 'received', 'seen', or 'failed: …'."""
    seq: int = 0


@dataclass(slots=True)
class Device:
    """A phone's app, known by its FCM token."""

    token: str
    number: str = ""
    auto_receipt: bool = False
    api_url: str = ""
    """Base of the city's API, which gets the receipts."""


@dataclass(slots=True)
class Phone:
    """A handset and how it behaves when somebody calls."""

    number: str
    answers: str = "by_hand"
    """by_hand: rings until somebody answers it here; human or machine: answers itself; busy, no_answer, reject."""
    reachable: bool = True
    """False: switched off; an SMS comes back undelivered (30003), a call is not answered."""
