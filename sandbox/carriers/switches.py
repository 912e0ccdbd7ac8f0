"""The failures that can be switched on, per channel and per number or token.

Which request is hit by a `fraction` follows from the seed, the address and how many requests it had: the same run fails
the same way, whatever the threads do.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from hashlib import blake2b
from typing import Any

CHANNELS = ("sms", "gateway", "voice", "fcm", "oauth")


@dataclass(frozen=True)
class Switch:
    """How one channel, or one number or token of it, misbehaves. The defaults misbehave in no way."""

    fraction: float = 1.0
    """Share of the requests that are hit, 0 to 1."""
    times: int | None = None
    """Only the first so many requests of each number or token are hit, so that a retry gets through."""
    slow_s: float = 0.0
    """The answer comes so much later; the message is taken before that wait."""
    status: int | None = None
    """This HTTP status instead of taking the message: 429, 500, 503 …"""
    retry_after: float | None = None
    """With `status`: the Retry-After header, in seconds."""
    error: str | None = None
    """This vendor error instead of taking the message: an FCM errorCode (`UNAVAILABLE`) or a Twilio code (`21211`)."""
    unregistered: tuple[str, ...] = ()
    """FCM tokens whose app is gone, whatever the fraction; `*` is all."""
    timeout_after_sending: bool = False
    """The message is taken and delivered, but the HTTP answer hangs."""
    hang_s: float = 60.0
    """How long `timeout_after_sending` hangs."""
    no_receipt: bool = False
    """Neither status callback nor device receipt ever comes."""
    undelivered: int | None = None
    """SMS: taken, then undelivered with this Twilio code (30003 …)."""
    outcome: str | None = None
    """Voice: how the call ends instead of ringing: busy, no-answer or failed."""
    queue_s: float = 0.0
    """SMS: how long the carrier's queue holds it; longer than its ValidityPeriod: it fails with 30036."""


NONE = Switch()
_TYPES: dict[str, tuple[type, ...]] = {
    "fraction": (int, float), "times": (int, type(None)), "slow_s": (int, float), "status": (int, type(None)),
    "retry_after": (int, float, type(None)), "error": (str, int, type(None)), "unregistered": (list, tuple),
    "timeout_after_sending": (bool,), "hang_s": (int, float),
    "no_receipt": (bool,), "undelivered": (int, type(None)), "outcome": (str, type(None)), "queue_s": (int, float),
}  # fmt: skip


class Refused(ValueError):
    """A switch that does not exist, or a value that it cannot have."""


def read(values: Any) -> Switch:
    """A Switch from JSON. Raises Refused for an unknown name or a wrong type."""
    if not isinstance(values, dict):
        raise Refused("a switch is an object")
    for name, value in values.items():
        if name not in _TYPES:
            raise Refused(f"no such switch: {name}; there are {', '.join(_TYPES)}")
        if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and bool not in _TYPES[name]):
            raise Refused(f"{name} cannot be {value!r}")
    made = replace(NONE, **values)
    return replace(
        made,
        unregistered=tuple(str(token) for token in made.unregistered),
        error=None if made.error is None else str(made.error),
    )


class Switches:
    """All switches, and the count of what they did."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """All off, counts back to 0, and whoever hangs is let go."""
        with self._lock:
            self.seed = 0
            self._channels: dict[str, Switch] = {}
            self._to: dict[tuple[str, str], Switch] = {}
            self._asked: Counter[tuple[str, str]] = Counter()
            self.fired: Counter[str] = Counter()
            previous, self._release = getattr(self, "_release", None), threading.Event()
        if previous:
            previous.set()

    def set(self, channel: str, values: Any, address: str | None = None) -> None:
        """Replace the switches of a channel, or of one address in it. Raises Refused."""
        if channel not in CHANNELS:
            raise Refused(f"no such channel: {channel}; there are {', '.join(CHANNELS)}")
        switch = read(values)
        with self._lock:
            for asked in [asked for asked in self._asked if asked[0] == channel and address in (None, asked[1])]:
                # Counted from when the switch was set, so that the same settings give the same run.
                del self._asked[asked]
            if address is None:
                self._channels[channel] = switch
            else:
                self._to[(channel, address)] = switch

    def put(self, body: Any) -> None:
        """`{seed, sms: {…, to: {number: {…}}}, voice, fcm, oauth}`: replaces each channel named. Raises Refused."""
        if not isinstance(body, dict):
            raise Refused("switches are an object")
        for channel, values in body.items():
            if channel == "seed":
                self.seed = int(values)
                continue
            values = dict(values) if isinstance(values, dict) else values
            to = values.pop("to", None) if isinstance(values, dict) else None
            self.set(channel, values)
            if to is not None:
                with self._lock:
                    for key in [key for key in self._to if key[0] == channel]:
                        del self._to[key]
                for address, wanted in to.items():
                    self.set(channel, wanted, address)

    def as_json(self) -> dict[str, Any]:
        """What is switched on (only what differs from the default), and `fired`: how often each did something."""

        def short(switch: Switch) -> dict[str, Any]:
            return {f.name: value for f in fields(Switch) if (value := asdict(switch)[f.name]) != getattr(NONE, f.name)}

        with self._lock:
            out: dict[str, Any] = {"seed": self.seed, "fired": dict(self.fired)}
            for channel in CHANNELS:
                out[channel] = short(self._channels.get(channel, NONE))
                out[channel]["to"] = {a: short(s) for (c, a), s in self._to.items() if c == channel}
            return out

    def hit(self, channel: str, address: str) -> Switch:
        """The misbehaviour that this request meets; NONE for most."""
        if not self._channels and not self._to:
            return NONE
        with self._lock:
            switch = self._to.get((channel, address)) or self._channels.get(channel, NONE)
            if address in switch.unregistered or "*" in switch.unregistered:
                return replace(NONE, error="UNREGISTERED")
            nth = self._asked[(channel, address)]
            self._asked[(channel, address)] += 1
            if switch.times is not None and nth >= switch.times:
                return NONE
            if switch.fraction < 1.0:
                digest = blake2b(f"{self.seed}:{channel}:{address}:{nth}".encode(), digest_size=8).digest()
                if int.from_bytes(digest) / 2**64 >= switch.fraction:
                    return NONE
            return switch

    def count(self, channel: str, what: str) -> None:
        """Note that a switch did something."""
        with self._lock:
            self.fired[f"{channel}.{what}"] += 1

    def delay(self, channel: str, switch: Switch, gone: Callable[[], bool]) -> None:
        """Hold the answer back as `slow_s` and `timeout_after_sending` say, or until the switches are cleared.

        `gone` says whether the client has hung up; who waits for nobody must not hold a thread.
        """
        seconds = switch.slow_s
        if seconds:
            self.count(channel, "slow")
        if switch.timeout_after_sending:
            self.count(channel, "timeout_after_sending")
            seconds += switch.hang_s
        end, release = time.monotonic() + seconds, self._release
        while (left := end - time.monotonic()) > 0 and not release.wait(min(left, 0.25)) and not gone():
            pass
