"""What the local carriers are told at start: who the customer is, and where the city's API listens.

The defaults are invented, so that `python -m sandbox.carriers` alone gives a usable server; `amaan up` and the tests
pass their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ACCOUNT_SID = "AC" + "0a" * 16
AUTH_TOKEN = "local-carriers-auth-token"  # invented, opens nothing but this server
PROJECT = "amaan-local"
NUMBERS = ("+924235550100",)


@dataclass(frozen=True)
class Options:
    """Everything the server needs to know. Times are seconds, URLs are absolute, numbers are E.164."""

    dir: Path
    account_sid: str = ACCOUNT_SID
    auth_token: str = AUTH_TOKEN
    numbers: tuple[str, ...] = NUMBERS
    sms_url: str = ""
    """Where an SMS from a person is posted (Twilio's "A message comes in"); empty: it is only kept."""
    voice_url: str = ""
    """Where an incoming call asks for its TwiML; empty: the call is refused."""
    voice_status_url: str = ""
    """Where the end of an incoming call is posted (Twilio's "Call status changes"); empty: nowhere."""
    project: str = PROJECT
    receipt_delay: float = 0.05
    """How long each step of a receipt takes: queued, sent, delivered; and a phone's own receipt for a push."""
    pace: float = 1.0
    """1: speech and pauses in a call take the time they would take; 0: none."""
    zone: str = "Asia/Karachi"
    """The IANA zone of the times on the pages."""

    @property
    def journal(self) -> Path:
        """The append-only file that keeps the inboxes."""
        return self.dir / "journal.jsonl"

    @property
    def service_account(self) -> Path:
        """The Google service account file that `firebase_admin.credentials.Certificate` reads."""
        return self.dir / "service-account.json"
