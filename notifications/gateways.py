"""The carriers of one kind of address: which of them serves a number, in which order, and a breaker before each.

A table of prefixes chooses (`gateway_table.py`): the longest prefix of the number wins, and names the gateways in order.
The second is asked when the first is known to be down, or did not take the message; which one an attempt went to stands
on the attempt, so that the same one is asked later what became of it. Instances are shared by threads.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from notifications import breaker, observed
from notifications.breaker import Breaker, BreakerState
from notifications.channel import Channel, ChannelError
from notifications.messages import AddressKind, Message, Sent
from notifications.policy import Route
from runtime import logging

_WELL = Breaker()

log = logging.get(__name__)


@dataclass(frozen=True)
class Trait:
    """What sending needs to know of a gateway beside its channel."""

    two_way: bool = False
    """Whether what people answer to its sender reaches the city."""
    reports: Literal["", "signed", "by_id"] = ""
    """How it reports: to an address of each attempt's own (`reports.address`), or by its own id of the message. Empty: as
    Twilio does."""


def serving(prefixes: Mapping[str, Sequence[str]], names: Sequence[str], number: str) -> tuple[str, ...]:
    """Of the gateways `names`, those that serve a number, in order: by the longest prefix that it begins with. A number
    that no prefix has is served by the first.
    """
    fitting = [prefix for prefix in prefixes if number.startswith(prefix)]
    chosen = prefixes[max(fitting, key=len)] if fitting else ()
    return tuple(name for name in chosen if name in names) or tuple(names)[:1]


class Gateways:
    """A channel through one or several carriers. As a plain `Channel` it is the first of them for each number."""

    def __init__(
        self,
        channels: Sequence[Channel],
        prefixes: Mapping[str, Sequence[str]] | None = None,
        traits: Mapping[str, Trait] | None = None,
    ) -> None:
        """`prefixes`: E.164 prefix → names of channels, in order; "" is every other number. None: all, as they come."""
        self._traits = traits or {}
        self._channels = {channel.name: channel for channel in channels}
        self._prefixes = prefixes or {"": tuple(self._channels)}
        self._breakers = dict.fromkeys(self._channels, Breaker())
        self._turn = threading.Lock()

    @property
    def kind(self) -> AddressKind:
        """Which addresses they serve."""
        return next(iter(self._channels.values())).kind

    @property
    def name(self) -> str:
        """The first one's name, which stands for them all where there is only one."""
        return next(iter(self._channels))

    @property
    def names(self) -> tuple[str, ...]:
        """Of every gateway."""
        return tuple(self._channels)

    def order(self, number: str) -> tuple[str, ...]:
        """The gateways that serve a number, the first to be asked first."""
        return serving(self._prefixes, self.names, number)

    def route(self, number: str, now: datetime, *, life_critical: bool) -> Route:
        """How a message to this number may go now."""
        order = self.order(number)
        with self._turn:
            held = {name: self._breakers[name] for name in order}
        passing = tuple(name for name in order if held[name].allows(now, life_critical=life_critical))
        return Route(order, passing, None if passing else min(each.opens_at(now) for each in held.values()))

    def named(self, name: str) -> Channel:
        """One gateway; the first where it is not here any more, or an attempt has none."""
        return self._channels.get(name) or self._channels[self.name]

    def has(self, name: str) -> bool:
        """Whether this gateway is here; "" is an attempt of a time when there was only the first."""
        return not name or name in self._channels

    def trait(self, name: str) -> Trait:
        """What there is to know of a gateway."""
        return self._traits.get(name, Trait())

    def went(self, name: str, now: datetime) -> None:
        """A message goes to this gateway."""
        if self._breakers.get(name) == _WELL:
            return
        self._change(name, lambda held: breaker.went(held, now))

    def told(self, name: str, error: ChannelError | None, now: datetime) -> None:
        """What became of it: None where the gateway took it."""
        if error is None and self._breakers.get(name) == _WELL:
            return  # what nearly always happens, and changes nothing
        before, after = self._change(name, lambda held: breaker.told(held, error, now))
        if after.until is not None:
            observed.breaker_open(name, self.kind, at=now)
        if (before.until is None) != (after.until is None):
            log.warning("carrier_breaker", gateway=name, open=after.until is not None)

    def states(self, now: datetime) -> Mapping[str, BreakerState]:
        """Where each gateway stands, as far as this process knows."""
        with self._turn:
            return {name: held.state(now) for name, held in self._breakers.items()}

    def _change(self, name: str, step: Callable[[Breaker], Breaker]) -> tuple[Breaker, Breaker]:
        with self._turn:
            before = self._breakers.get(name, Breaker())
            after = step(before)
            if name in self._channels:
                self._breakers[name] = after
        return before, after

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        """Through the first gateway of the number; see `Channel.send`."""
        return self.named(self.order(message.to.value)[0]).send(message, timeout_s=timeout_s)

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        """At the first gateway of the number; see `Channel.reconcile`."""
        return self.named(self.order(message.to.value)[0]).reconcile(message, since=since, timeout_s=timeout_s)
