"""The local carriers as a real process, once per test session (per xdist worker): fixture `carriers`.

What arrives stays until `reset()`; tests that share the session use numbers and tokens of their own, or reset first.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response as TwilioResponse
from twilio.rest import Client

from sandbox import carriers as local_carriers
from sandbox.carriers.options import ACCOUNT_SID, AUTH_TOKEN, NUMBERS, PROJECT
from tests import local_servers
from tests.fakes import push_contract

REPOSITORY = Path(__file__).parents[2]


class LocalTwilio(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own HTTP client, sent to a local address instead of api.twilio.com."""

    def __init__(self, base_url: str, timeout: float = 10.0) -> None:
        super().__init__(timeout=timeout)
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> TwilioResponse:
        """The request, with scheme and host replaced."""
        return super().request(method, url.replace("https://api.twilio.com", self._base_url), *args, **kwargs)


class CarriersProcess:
    """A running process of the local carriers, and what tests do with it."""

    account_sid, auth_token, number, project = ACCOUNT_SID, AUTH_TOKEN, NUMBERS[0], PROJECT

    def __init__(self, dir: Path, port: int = 0, **options: Any) -> None:
        self.dir, self.options = dir, {"pace": 0, "receipt_delay": 0.02, **options}
        self._http = requests.Session()
        self.start(port)

    def start(self, port: int = 0) -> None:
        """Start it, and wait until it answers."""
        command = local_carriers.command(port, self.dir, **self.options)
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, preexec_fn=local_servers.die_with_parent
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), f"the local carriers did not start: {line!r}"
        self.url = "http://" + line.removeprefix("listening on ").strip()
        # gunicorn says where it listens before its worker is there.
        self._http.get(f"{self.url}/healthz", timeout=20).raise_for_status()

    def stop(self, *, kill: bool = False) -> None:
        """End it: gently, or as a crash would."""
        wrong = [] if kill else self.broken_pushes()
        if kill:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            self.process.kill()
            for child in children:
                os.kill(int(child), signal.SIGKILL)
        else:
            self.process.terminate()
        self.process.wait(10)
        self._http.close()
        if self.process.stdout:
            self.process.stdout.close()
        assert not wrong, wrong

    @property
    def service_account(self) -> Path:
        """The file for `firebase_admin.credentials.Certificate`."""
        return self.dir / "service-account.json"

    def twilio(self, base_url: str = "", timeout: float = 10.0) -> Client:
        """Twilio's real client, pointed here (or at a proxy before it)."""
        return Client(self.account_sid, self.auth_token, http_client=LocalTwilio(base_url or self.url, timeout))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the people's side; returns the JSON answer, raises for an error."""
        answer = self._http.request(method, self.url + path, json=body, timeout=20)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def inbox(self, number: str) -> dict[str, Any]:
        """`{sms, calls, pushes, …}` of one phone, oldest first."""
        found: dict[str, Any] = self.call("GET", f"/phones/{quote(number)}.json")
        return found

    def device(self, token: str) -> dict[str, Any]:
        """`{number, auto_receipt, api_url, pushes}` of one device."""
        found: dict[str, Any] = self.call("GET", f"/devices/{quote(token, safe='')}.json")
        return found

    def register(self, token: str, number: str = "", *, auto_receipt: bool = False, api_url: str = "") -> None:
        """Put the app on a phone."""
        body = {"number": number, "auto_receipt": auto_receipt, "api_url": api_url}
        self.call("PUT", f"/devices/{quote(token, safe='')}", body)

    def set_switch(self, channel: str, address: str | None = None, **values: Any) -> None:
        """Switch failures on for a channel (sms, voice, fcm, oauth), or for one number or token of it."""
        self.call("PUT", f"/switches/{channel}" + (f"/{quote(address, safe='')}" if address else ""), values)

    def clear_switches(self) -> None:
        """All failures off; requests that hang are answered."""
        self.call("DELETE", "/switches")

    def set_webhooks(self, *, sms_url: str = "", voice_url: str = "", voice_status_url: str = "") -> None:
        """Where SMS and calls of people to the city are told; empty: nowhere."""
        urls = {"sms_url": sms_url, "voice_url": voice_url, "voice_status_url": voice_status_url}
        self.call("PUT", "/webhooks", urls)

    def write(self, number: str, body: str, to: str = "") -> dict[str, Any]:
        """A person sends an SMS to the city: `{sid, replies, error}`."""
        told: dict[str, Any] = self.call("POST", f"/phones/{quote(number)}/sms", {"to": to, "body": body})
        return told

    def dial(self, number: str, to: str = "") -> dict[str, Any]:
        """A person calls the city; returns the call."""
        made: dict[str, Any] = self.call("POST", f"/phones/{quote(number)}/call", {"to": to})
        return made

    def press(self, number: str, sid: str, digits: str) -> dict[str, Any]:
        """A person presses keys in a call, which is answered first if it rings; returns the call."""
        changed: dict[str, Any] = self.call("POST", f"/phones/{quote(number)}/calls/{sid}/press", {"digits": digits})
        return changed

    def hang_up(self, number: str, sid: str) -> None:
        """A person ends (or declines) a call."""
        self.call("POST", f"/phones/{quote(number)}/calls/{sid}/hangup", {})

    def set_phone(self, number: str, **values: Any) -> None:
        """How a phone behaves: answers=by_hand, human, machine, busy, no_answer, reject; reachable."""
        self.call("PUT", f"/phones/{quote(number)}", values)

    def broken_pushes(self) -> list[str]:
        """What of the pushes that phones got is against the contract with them."""
        return push_contract.faults(
            each for each in self.call("GET", "/messages.json")["items"] if each["kind"] == "push"
        )

    def reset(self) -> None:
        """Empty every inbox, forget phones, devices and webhooks, switches off; fails for a push that no app could read."""
        self.clear_switches()
        self.set_webhooks()
        wrong = self.broken_pushes()
        self.call("DELETE", "/messages")
        assert not wrong, wrong

    def wait_for(self, found: Callable[[], Any], timeout: float = 5.0) -> Any:
        """The first true answer of `found()`; fails the test after `timeout` seconds."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            answer = found()
            if answer:
                return answer
            time.sleep(0.01)
        raise AssertionError("it did not happen in time")


@pytest.fixture(scope="session")
def carriers_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CarriersProcess]:
    """The process itself, once per session."""
    process = CarriersProcess(tmp_path_factory.mktemp("carriers"))
    yield process
    process.stop()


@pytest.fixture
def carriers(carriers_process: CarriersProcess) -> Iterator[CarriersProcess]:
    """The local carriers with every switch off before and after the test."""
    carriers_process.reset()
    yield carriers_process
    carriers_process.clear_switches()
