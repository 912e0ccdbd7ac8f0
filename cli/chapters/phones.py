"""A phone as the demo plays it: it speaks to the API as the app does and looks into its own inbox at the carriers."""

import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import requests

from cli.chapters.observed import NotObserved, wait_for
from sandbox.live_street import LiveStreet
from sandbox.neighbourhood import Neighbourhood

LINK = re.compile(r"https?://\S+/[at]/[0-9a-z]{12}")
BUTTON = re.compile(r'<button[^>]*name="([a-z_]+)" value="([a-z_]+)"')
CODE = re.compile(r"\b(\d{6})\b")
PATIENCE_S: Final = 65.0
"""Longer than a number waits for its next code."""


def unix(moment: str) -> float:
    """An RFC 3339 time as seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def rfc3339() -> str:
    """The phone's clock."""
    return datetime.now(UTC).isoformat()


class Town:
    """The two addresses that phones know: the API and the carriers; and the processes behind them, to be killed."""

    def __init__(self, api: str, carriers: str, pids: Callable[[], dict[str, int]] = dict) -> None:
        self.api, self.carriers, self.pids = api, carriers, pids
        self.http = requests.Session()
        self.desk: list[Phone] = []
        """The helpline's desk, signed in: two counsellors, their supervisor, the auditor."""
        self.street: LiveStreet | None = None
        """The drawn street with its live cameras, where a chapter plays on it."""
        self.around: Neighbourhood | None = None
        """Who lives around the demo's place, signed in, and the office's key, where a chapter needs them."""
        self.papers: Path | None = None
        """Where a chapter leaves what it was given as a file."""

    def inbox(self, number: str) -> dict[str, Any]:
        """What arrived on a phone: {sms, calls, pushes}."""
        found: dict[str, Any] = self.http.get(f"{self.carriers}/phones/{quote(number)}.json", timeout=10).json()
        return found

    def sms(self, number: str) -> list[dict[str, Any]]:
        """SMS that a phone received."""
        return [sms for sms in self.inbox(number)["sms"] if sms.get("direction", "in") != "out"]

    def page(self, link: str) -> str:
        """Open a link as a browser would."""
        answer = self.http.get(link, timeout=10)
        answer.raise_for_status()
        return answer.text

    def press(self, link: str, value: str) -> str:
        """Press the button of that value on a page: its form is posted, as a browser would."""
        for name, offered in BUTTON.findall(self.page(link)):
            if offered == value:
                answer = self.http.post(link, data={name: value}, timeout=10)
                answer.raise_for_status()
                return answer.text
        raise NotObserved(f"no button {value} on {link}")


class Phone:
    """One person's phone with the app."""

    def __init__(self, town: Town, number: str) -> None:
        self.town, self.number = town, number
        self.device = f"dev-{uuid.uuid4().hex[:12]}"
        self.push_token = f"push-{uuid.uuid4().hex}"
        self.access = ""

    def call(self, method: str, path: str, body: Any = None, *, bearer: str = "", **headers: str) -> requests.Response:
        """A request as the app sends it."""
        sent = {"Sent-At": rfc3339(), **{name.replace("_", "-"): value for name, value in headers.items()}}
        if bearer or self.access:
            sent["Authorization"] = f"Bearer {bearer or self.access}"
        return self.town.http.request(method, self.town.api + path, json=body, headers=sent, timeout=15)

    def sign_in(self, *, receipts: bool = True) -> None:
        """Ask for a code, read it from the SMS, give it, and bind the push token. `receipts`: whether the phone hears."""
        began = time.time()
        register = {"number": self.number, "auto_receipt": receipts, "api_url": self.town.api}
        self.town.http.put(f"{self.town.carriers}/devices/{self.push_token}", json=register, timeout=10)
        asked = self._ask_for_a_code()
        if asked.status_code == 429:  # this number had a code a moment ago, in another chapter
            time.sleep(min(float(asked.headers["Retry-After"]) + 0.5, PATIENCE_S))
            began, asked = time.time(), self._ask_for_a_code()
        asked.raise_for_status()

        def code() -> str | None:
            for sms in reversed(self.town.sms(self.number)):
                if unix(sms["at"]) >= began - 1 and (found := CODE.search(sms["body"])):
                    return found.group(1)
            return None

        given = {
            "challenge_id": asked.json()["challenge_id"],
            "code": wait_for("a code by SMS", code, 10),
            "device": {"id": self.device, "platform": "android", "token": self.push_token, "language": "en"},
        }
        signed_in = self.call("POST", "/v1/auth/token", given, Idempotency_Key=str(uuid.uuid4()))
        signed_in.raise_for_status()
        self.access = signed_in.json()["access_token"]

    def _ask_for_a_code(self) -> requests.Response:
        return self.call("POST", "/v1/auth/otp", {"phone": self.number}, Idempotency_Key=str(uuid.uuid4()))

    def pushes(self, kind: str) -> list[dict[str, Any]]:
        """Pushes of a kind that reached this phone."""
        url = f"{self.town.carriers}/devices/{self.push_token}.json"
        found = self.town.http.get(url, timeout=10).json()["pushes"]
        return [push for push in found if push["data"].get("type") == kind]
