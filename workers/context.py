"""What a worker process has: built once per process, after the fork, from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from domain.cities import queries as cities
from domain.clock import Clock, utc_now
from domain.dispatch.service import Desk
from domain.ports import Enqueue, Positions
from notifications.channel import Channel
from notifications.deliveries import Post
from notifications.registry import build_channels
from runtime import logging, mongo, queues
from runtime.positions import RedisPositions
from runtime.settings import Settings, load


@dataclass(frozen=True)
class Context:
    """Settings, time, ports and carriers. Tests make their own; a worker process has one."""

    settings: Settings
    clock: Clock
    enqueue: Enqueue
    positions: Positions
    channels: Mapping[str, Channel]

    @property
    def post(self) -> Post:
        """What sending needs."""
        return Post(self.settings, self.clock, self.channels)

    def desk(self, city: str) -> Desk:
        """What dispatching in a city needs."""
        return Desk(cities.current(city), self.positions, self.settings.signing_key)


def build(settings: Settings) -> Context:
    """Connect this process to the store, the queue and the carriers."""
    logging.configure(settings.log_level)
    mongo.connect(settings, pool=32)
    redis = queues.connect(settings.redis_url)
    channels = {str(kind): channel for kind, channel in build_channels(settings).items()}
    return Context(settings, utc_now, queues.Queues(redis), RedisPositions(redis), channels)


@lru_cache(maxsize=1)
def current() -> Context:
    """This process's context."""
    return build(load())
