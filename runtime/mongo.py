"""The connection to the document store, and the breaker before it.

Connect after fork. A request against a dead store must not hold a thread for the selection time-out each time: the
breaker opens at the first failure and answers at once until the store is back (`Unavailable`, HTTP 503).
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mongoengine
from mongoengine.connection import get_connection, get_db
from pymongo import MongoClient, monitoring
from pymongo.errors import ConnectionFailure, ExecutionTimeout, NetworkTimeout, WTimeoutError

from domain.cities import atlas
from domain.cities import queries as cities
from domain.errors import Unavailable
from runtime.settings import Settings

STORE_DOWN = (ConnectionFailure, NetworkTimeout, ExecutionTimeout, WTimeoutError)
RETRY_AFTER_S = 1


class StoreUnavailable(Unavailable):
    """The document store is away; come again after `retry_after` seconds."""

    code = "store_unavailable"


class Breaker(monitoring.ServerHeartbeatListener):
    """Open while the store is known to be down, as the driver's own watch over it sees it: no request has to try.

    Open from the moment that the driver has lost the last server that takes writes, until it has found one again; a
    secondary that is away opens nothing. A request that failed opens it for a moment as well (`trip`), since a store
    that hangs is noticed by the driver's watch only later.
    """

    def __init__(self) -> None:
        self._down_until = 0.0
        self._looked = False  # one was found, or looked for in vain: before that, nothing is known
        self._client: MongoClient[dict[str, Any]] | None = None

    def watch(self, client: "MongoClient[dict[str, Any]]") -> None:
        """This process's connection; what was known of an earlier one no longer counts."""
        self._client, self._looked, self._down_until = client, False, 0.0

    def forget(self) -> None:
        """The connection is closed by ourselves: the store is not to blame."""
        self._client, self._looked, self._down_until = None, False, 0.0

    def started(self, event: Any) -> None:
        """A heartbeat began: nothing is known yet."""

    def succeeded(self, event: Any) -> None:
        """A server answered: what a request tripped is over. Whether it takes writes, the driver's list says."""
        self._down_until = 0.0

    def failed(self, event: Any) -> None:
        """A server did not answer the heartbeat."""
        self._looked = True

    def trip(self) -> None:
        """Answer at once for a while; a later heartbeat ends it sooner."""
        self._down_until = time.monotonic() + RETRY_AFTER_S

    @property
    def is_open(self) -> bool:
        """True while requests should not try. Reads memory alone."""
        if time.monotonic() < self._down_until:
            return True
        if self._client is None:
            return False
        if self._client.topology_description.has_writable_server():
            self._looked = True
            return False
        return self._looked


breaker = Breaker()


connecting = threading.RLock()
"""Held while this process's connection is made or closed. A thread of its own that asks for the connection just then
would make, and lose, a second one."""


def _free_in_child() -> None:
    """A thread that held it does not survive a fork."""
    global connecting
    connecting = threading.RLock()


os.register_at_fork(after_in_child=_free_in_child)

AT_ONCE_MS = 300
"""How long a request looks for a server that takes writes: those that are under way when the store dies find none."""


def connect(
    settings: Settings, *, pool: int = 16, timeout_ms: int = 5000, selection_ms: int = 1500
) -> MongoClient[dict[str, Any]]:
    """Connect this process (after fork). Lazy: does not fail when the store is down.

    `timeout_ms` is for one answer, `selection_ms` for finding a server. Not the driver's `timeoutMS`: that one lets an
    operation look for a server for all of its time, so that a dead store would hold each request under way for it.
    """
    breaker.forget()
    if atlas.look_in(settings.cities_dir):
        cities.forget()
    with connecting:
        mongoengine.disconnect()
        client: MongoClient[dict[str, Any]] = mongoengine.connect(
            host=settings.mongodb_url,
            tz_aware=True,
            uuidRepresentation="standard",
            serverSelectionTimeoutMS=selection_ms,
            socketTimeoutMS=timeout_ms,
            waitQueueTimeoutMS=timeout_ms,
            connectTimeoutMS=1500,
            heartbeatFrequencyMS=1000,
            maxPoolSize=pool,
            w="majority",
            retryWrites=True,
            event_listeners=[breaker],
        )
    breaker.watch(client)
    return client


def disconnect() -> None:
    """Close this process's connection."""
    breaker.forget()
    with connecting:
        mongoengine.disconnect()


def ping() -> bool:
    """True when the store answers now."""
    try:
        get_connection().admin.command("ping")
    except STORE_DOWN:
        return False
    return True


def database() -> Any:
    """The raw database of this process's connection."""
    return get_db()


@contextmanager
def guarded() -> Iterator[None]:
    """Translate a dead store into Unavailable, and answer at once while it is known to be dead."""
    if breaker.is_open:
        raise StoreUnavailable("the document store is away", retry_after=RETRY_AFTER_S)
    try:
        yield
    except STORE_DOWN as error:
        breaker.trip()
        raise StoreUnavailable("the document store is away", retry_after=RETRY_AFTER_S) from error
