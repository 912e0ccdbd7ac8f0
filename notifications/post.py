"""What sending needs, and what of it depends on the gateway that an attempt takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.clock import Clock
from domain.deliveries.service import Delivery
from notifications import policy
from notifications.channel import Channel, ChannelError
from notifications.gateways import Gateways, Trait
from notifications.recipients import Reached
from runtime.settings import Settings


@dataclass(frozen=True)
class Post:
    """What sending needs: the settings, the time, and one channel a kind of address (`registry.build_channels`)."""

    settings: Settings
    clock: Clock
    channels: Mapping[str, Channel]


def routes(delivery: Delivery, reached: Reached, post: Post, now: datetime) -> policy.Routes:
    """Through which gateways each channel reaches them now; a channel with one carrier and no breaker has none."""
    life_critical = bool(delivery.get("life_critical"))
    return {
        kind: channel.route(address.value, now, life_critical=life_critical)
        for kind, address in reached.addresses.items()
        if isinstance(channel := post.channels.get(kind), Gateways)
    }


def gateway(channel: Channel, name: str) -> Channel:
    """The carrier of this name behind a channel."""
    return channel.named(name) if isinstance(channel, Gateways) else channel


def heard(post: Post, channel: str, name: str, error: ChannelError | None) -> None:
    """The breaker before a carrier learns what became of a message."""
    gateways = post.channels[channel]
    if isinstance(gateways, Gateways):
        gateways.told(name, error, post.clock())


def trait(post: Post, channel: str, name: str) -> Trait:
    """What there is to know of the gateway that an attempt took."""
    gateways = post.channels[channel]
    return gateways.trait(name) if isinstance(gateways, Gateways) else Trait()
