"""What a worker process has: built once per process, after the fork, from the settings."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from domain.cities import queries as cities
from domain.clock import Clock, utc_now
from domain.dispatch.service import Desk
from domain.ports import Enqueue, Positions
from notifications import reports
from notifications.channel import Channel
from notifications.deliveries import Post
from notifications.registry import build_channels, table
from runtime import logging, mongo, queues
from runtime.positions import RedisPositions
from runtime.settings import Settings, load
from runtime.vault import vault


class _WhenNeeded(Mapping[str, Channel]):
    """The carriers, built when first asked for: a worker that only looks at cameras loads no vendor's library."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._built: Mapping[str, Channel] | None = None

    def _channels(self) -> Mapping[str, Channel]:
        with self._lock:
            if self._built is None:
                channels = build_channels(self._settings, report=reports.keeper(utc_now))
                self._built = {str(kind): channel for kind, channel in channels.items()}
            return self._built

    def __getitem__(self, kind: str) -> Channel:
        return self._channels()[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._channels())

    def __len__(self) -> int:
        return len(self._channels())


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
    vault(settings)  # a wrong key stops the start
    table(settings)  # and a wrong table of SMS gateways
    redis = queues.connect(settings.redis_url)
    return Context(settings, utc_now, queues.Queues(redis), RedisPositions(redis), _WhenNeeded(settings))


@lru_cache(maxsize=1)
def current() -> Context:
    """This process's context."""
    return build(load())
