"""One harness per channel, so that the same conformance tests run over all of them.

A twin knows how to build its channel, how to see what reached the person, and how to make its carrier misbehave.
"""

import io
import itertools
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pydantic import SecretStr

from notifications.channel import Channel
from notifications.channels.console import ConsoleChannel
from notifications.channels.fcm import FcmChannel
from notifications.channels.http_sms import HttpSmsChannel
from notifications.channels.smpp_sms import SmppSmsChannel
from notifications.channels.twilio_sms import TwilioSmsChannel
from notifications.channels.twilio_voice import TwilioVoiceChannel
from notifications.gateway_table import HttpGateway, read
from notifications.messages import Address, AddressKind, Message, nonce_of
from tests.fakes.carriers_process import CarriersProcess
from tests.fakes.smsc_process import SmscProcess
from tests.invariants.sources import ROOT

_numbers = itertools.count(int.from_bytes(uuid.uuid4().bytes[:3]) * 40)


def number() -> str:
    """A mobile number of the test's own."""
    return f"+92300{next(_numbers) % 10_000_000:07d}"


class Twin(Protocol):
    """What the conformance tests ask of each channel's surroundings."""

    name: str
    has_list: bool
    """Whether the carrier can be asked what it took."""

    def channel(self, base_url: str = "") -> Channel: ...

    def message(self) -> Message: ...

    def received(self, message: Message) -> list[str]:
        """What has reached the person, oldest first."""

    def asked(self, message: Message) -> int:
        """How many requests the carrier's switch met."""

    def dead_address(self, message: Message) -> None: ...

    def slow_down(self, message: Message, retry_after: float) -> None: ...

    def fault(self, message: Message) -> None: ...

    def time_out_after_sending(self, message: Message) -> None: ...

    def mend(self) -> None: ...


@dataclass
class CarrierTwin:
    """FCM, SMS or voice over the local carriers."""

    carriers: CarriersProcess
    name: str
    build: Callable[[CarriersProcess, str], Channel]
    has_list: bool
    dead: dict[str, Any]
    address: str = ""
    """The kind of its addresses, where its name is not that."""

    def channel(self, base_url: str = "") -> Channel:
        return self.build(self.carriers, base_url or self.carriers.url)

    def message(self) -> Message:
        key = f"dlv_{uuid.uuid4().hex}-1"
        nonce = nonce_of(key)
        kind = AddressKind(self.address or self.name)
        to = Address(kind, f"tok-{uuid.uuid4().hex}" if kind == AddressKind.FCM else number())
        title, body = ("Amaan", "There is news for you.") if kind == AddressKind.FCM else ("", "")
        return Message(
            key=key,
            to=to,
            text=f"Hello {nonce}",
            title=title,
            body=body,
            data={"delivery_id": "dlv_1", "nonce": nonce},
            nonce=nonce,
            ttl_s=60,
        )

    def received(self, message: Message) -> list[str]:
        if self.name == "fcm":
            return [push["data"]["nonce"] for push in self.carriers.device(message.to.value)["pushes"]]
        inbox = self.carriers.inbox(message.to.value)
        if self.address == "sms" or self.name == "sms":
            return [sms["body"].removeprefix("Hello ") for sms in inbox["sms"]]
        return [message.nonce for call in inbox["calls"] if call["status"] != "failed"]

    def asked(self, message: Message) -> int:
        fired: dict[str, int] = self.carriers.call("GET", "/switches")["fired"]
        return sum(times for what, times in fired.items() if what.startswith(f"{self.name}."))

    def dead_address(self, message: Message) -> None:
        self.carriers.set_switch(self.name, message.to.value, **self.dead)

    def slow_down(self, message: Message, retry_after: float) -> None:
        self.carriers.set_switch(self.name, message.to.value, status=429, retry_after=retry_after)

    def fault(self, message: Message) -> None:
        self.carriers.set_switch(self.name, message.to.value, status=503)

    def time_out_after_sending(self, message: Message) -> None:
        self.carriers.set_switch(self.name, message.to.value, timeout_after_sending=True, hang_s=20)

    def mend(self) -> None:
        self.carriers.clear_switches()


class _Terminal(io.StringIO):
    """A terminal that can be stopped (Ctrl-S), or broken."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()
        self.broken = False
        self.writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        if self.broken:
            raise BrokenPipeError
        done = super().write(text)
        self.go.wait(20)
        return done


class ConsoleTwin:
    """The console: no carrier, so nobody to ask and nobody who wants us to slow down."""

    name = "console"
    has_list = True

    def __init__(self) -> None:
        self.terminal = _Terminal()

    def channel(self, base_url: str = "") -> Channel:
        return ConsoleChannel(self.terminal)

    def message(self) -> Message:
        key = f"dlv_{uuid.uuid4().hex}-1"
        return Message(key=key, to=Address(AddressKind.CONSOLE, "operator"), text=nonce_of(key), nonce=nonce_of(key))

    def received(self, message: Message) -> list[str]:
        lines = map(json.loads, self.terminal.getvalue().splitlines())
        return [line["text"] for line in lines if line["text"] == message.text]

    def asked(self, message: Message) -> int:
        return self.terminal.writes

    def dead_address(self, message: Message) -> None:
        object.__setattr__(message, "to", replace(message.to, value=""))

    def slow_down(self, message: Message, retry_after: float) -> None:
        raise NotImplementedError

    def fault(self, message: Message) -> None:
        self.terminal.broken = True

    def time_out_after_sending(self, message: Message) -> None:
        self.terminal.go.clear()

    def mend(self) -> None:
        self.terminal.broken = False
        self.terminal.go.set()


@dataclass
class SmppTwin:
    """SMPP over the local SMSC."""

    smsc: SmscProcess
    name: str = "smpp"
    has_list: bool = True
    made: list[SmppSmsChannel] = field(default_factory=list)

    def channel(self, base_url: str = "") -> Channel:
        self.made.append(SmppSmsChannel(self.smsc.gateway()))
        return self.made[-1]

    def message(self) -> Message:
        key = f"dlv_{uuid.uuid4().hex}-1"
        nonce = nonce_of(key)
        return Message(key, Address(AddressKind.SMS, number()), text=f"Hello {nonce}", nonce=nonce, ttl_s=60)

    def received(self, message: Message) -> list[str]:
        return [text.removeprefix("Hello ") for text in self.smsc.texts(message.to.value)]

    def asked(self, message: Message) -> int:
        return int(self.smsc.call("GET", "/asked", to=message.to.value.lstrip("+"))["asked"])

    def dead_address(self, message: Message) -> None:
        self.smsc.fault(message.to.value, status=0x0B)

    def slow_down(self, message: Message, retry_after: float) -> None:
        raise NotImplementedError

    def fault(self, message: Message) -> None:
        self.smsc.fault(message.to.value, status=0x08)

    def time_out_after_sending(self, message: Message) -> None:
        self.made[-1].send(self.message(), timeout_s=5)  # bound before
        self.smsc.fault(message.to.value, slow_ms=1100)

    def mend(self) -> None:
        self.smsc.call("DELETE", "/faults")

    def close(self) -> None:
        for channel in self.made:
            channel.close()


def fcm(carriers: CarriersProcess, base_url: str) -> Channel:
    """The channel as the registry builds it."""
    return FcmChannel(carriers.project, str(carriers.service_account), base_url)


def sms(carriers: CarriersProcess, base_url: str) -> Channel:
    """The channel as the registry builds it."""
    return TwilioSmsChannel(carriers.account_sid, carriers.auth_token, carriers.number, base_url)


def voice(carriers: CarriersProcess, base_url: str) -> Channel:
    """The channel as the registry builds it."""
    return TwilioVoiceChannel(carriers.account_sid, carriers.auth_token, carriers.number, base_url)


def gateway(base_url: str, token: str, **fields: Any) -> HttpGateway:
    """The local carriers' second gateway, as `deploy/sms-gateways.toml` has it."""
    table = read(ROOT / "deploy" / "sms-gateways.toml")
    [found] = table.http
    assert found.look_up is not None
    look_up = found.look_up.model_copy(update={"url": f"{base_url}/gateway/messages?reference={{key}}"})
    made = {"url": f"{base_url}/gateway/messages", "headers": {"Authorization": SecretStr(f"Bearer {token}")}}
    return found.model_copy(update={**made, "look_up": look_up, **fields})


def http_sms(carriers: CarriersProcess, base_url: str) -> Channel:
    """The channel as the registry builds it."""
    return HttpSmsChannel(gateway(base_url, carriers.auth_token))


def twin_of(name: str, carriers: CarriersProcess) -> Twin:
    """The twin of `fcm`, `sms`, `voice` or `console`."""
    if name == "console":
        return ConsoleTwin()
    return {
        "fcm": CarrierTwin(carriers, name, fcm, False, {"unregistered": ["*"]}),
        "gateway": CarrierTwin(carriers, name, http_sms, True, {"error": "E14"}, "sms"),
        "sms": CarrierTwin(carriers, name, sms, True, {"error": "21614"}),
        "voice": CarrierTwin(carriers, name, voice, True, {"error": "21211"}),
    }[name]
