"""HTTP to a carrier under one deadline, knowing whether the message left.

The vendors' libraries bound each socket read, not the whole call, so that a carrier which answers a byte at a time, a
hung token endpoint before the message, or a name that does not resolve can hold a thread for minutes; and they retry
in secret. `within` gives the whole call one deadline by running it in a thread of its own and closing its socket when
time is up. The adapter under the library's session notes what the libraries do not tell: whether any byte of the
message was sent (if not, it is safe to send again), and the Retry-After of the answer.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

T = TypeVar("T")

_POOL = 64  # connections kept to one carrier: as many as threads that send at once
_LONGEST_WAIT_S = 3600.0  # a Retry-After beyond an hour is treated as an hour


class Exchange:
    """One call under way: its deadline, the socket it waits on, and what has happened so far."""

    def __init__(self, timeout_s: float) -> None:
        self._deadline = time.monotonic() + timeout_s
        self._socket: socket.socket | None = None
        self._over = False
        self.carries_message = False
        self.sent = False
        self.status: int | None = None
        self.retry_after: float | None = None

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._deadline - time.monotonic())

    def leaving(self, sock: socket.socket | None) -> None:
        """Bytes are about to leave through this socket."""
        self._socket = sock
        if self._over:
            raise requests.ConnectTimeout("the deadline passed before anything was sent")
        self.sent = self.sent or self.carries_message

    def abort(self) -> None:
        """Time is up: whoever reads from the socket stops at once."""
        self._over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """How a bounded call ended: a value, or an error, or (`overdue`) neither in time."""

    value: T | None
    error: BaseException | None
    overdue: bool
    sent: bool
    """Whether the carrier may have the message."""
    status: int | None
    """Of the last answer, if one came: a library may choke on its body and tell less."""
    retry_after: float | None
    """Seconds, from the last answer's Retry-After."""


class _Watch:
    """Closes the sockets of calls that are overdue: for threads that may be held, at a tenth of a new thread's cost."""

    def __init__(self) -> None:
        self._calls: dict[int, Exchange] = {}
        self._lock = threading.Lock()
        self._runs = False

    def over(self, exchange: Exchange) -> None:
        """Look after this call until it is `done`."""
        with self._lock:
            self._calls[id(exchange)] = exchange
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._look, name="carrier-watch", daemon=True).start()

    def done(self, exchange: Exchange) -> None:
        """It has ended."""
        with self._lock:
            self._calls.pop(id(exchange), None)

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            with self._lock:
                overdue = [each for each in self._calls.values() if not each.remaining()]
            for each in overdue:
                each.abort()


_LOOK_S = 0.1
_watch = _Watch()
_may_be_held = threading.local()


def hold_this_thread() -> None:
    """From now on calls of this thread run in it. For a pool that sends to very many: a name that does not resolve may
    hold such a thread for as long as the system's resolver wants; anything else ends in time.
    """
    _may_be_held.yes = True


def _held(timeout_s: float, call: Callable[[], T]) -> Outcome[T]:
    exchange = Exchange(timeout_s)
    value: T | None = None
    error: BaseException | None = None
    before = _exchange.set(exchange)
    _watch.over(exchange)
    try:
        value = call()
    except BaseException as raised:
        error = raised
    finally:
        _watch.done(exchange)
        _exchange.reset(before)
    overdue = error is not None and not exchange.remaining()
    return Outcome(
        value=value,
        error=None if overdue else error,
        overdue=overdue,
        sent=exchange.sent,
        status=exchange.status,
        retry_after=exchange.retry_after,
    )


def within(timeout_s: float, call: Callable[[], T]) -> Outcome[T]:
    """Run `call` and wait at most `timeout_s` seconds for it. Never raises what `call` raised: the outcome has it."""
    if getattr(_may_be_held, "yes", False):
        return _held(timeout_s, call)
    exchange = Exchange(timeout_s)
    done = threading.Event()
    value: list[T] = []
    error: list[BaseException] = []

    def run() -> None:
        _exchange.set(exchange)  # a new thread has a context of its own: nothing to reset
        try:
            value.append(call())
        except BaseException as raised:
            error.append(raised)
        finally:
            done.set()

    threading.Thread(target=run, name="carrier", daemon=True).start()
    overdue = not done.wait(timeout_s)
    if overdue:
        exchange.abort()
    return Outcome(
        value=value[0] if value and not overdue else None,
        error=error[0] if error and not overdue else None,
        overdue=overdue,
        sent=exchange.sent,
        status=exchange.status,
        retry_after=exchange.retry_after,
    )


def retry_after(header: str | None) -> float | None:
    """Seconds from a Retry-After header, which is a number or an HTTP date (RFC 9110 §10.2.3); None if unreadable."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT_S) if seconds == seconds else None


class _Watched:
    """Tells the exchange under way which socket it uses, and when the first byte leaves."""

    sock: socket.socket | None
    auto_open: int

    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()  # type: ignore[attr-defined]
        exchange = _exchange.get()
        if exchange is not None:
            exchange.leaving(self.sock)
        super().send(data)  # type: ignore[misc]


class _WatchedHTTP(_Watched, HTTPConnection):
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _PoolHTTP(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _PoolHTTPS(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class BoundedAdapter(HTTPAdapter):
    """Gives each request what is left of its exchange's time, and never retries.

    `carries_message` is False for requests that only prepare one, such as fetching an access token.
    """

    def __init__(self, *, carries_message: bool = True, default_timeout_s: float = 10.0) -> None:
        self._carries_message = carries_message
        self._default_timeout_s = default_timeout_s
        super().__init__(pool_maxsize=_POOL, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PoolHTTP, "https": _PoolHTTPS}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        exchange = _exchange.get() or Exchange(self._default_timeout_s)
        left = exchange.remaining()
        if left <= 0:
            raise requests.ConnectTimeout("the deadline passed before the request", request=request)
        exchange.carries_message = self._carries_message
        if proxies and select_proxy(request.url or "", dict(proxies)):
            exchange.sent = (
                exchange.sent or self._carries_message
            )  # a proxy's connection is not watched: assume the worst
        response = super().send(request, stream, left, verify, cert, proxies)
        exchange.status = response.status_code
        exchange.retry_after = retry_after(response.headers.get("Retry-After"))
        return response


def bound(session: requests.Session, *, carries_message: bool = True) -> None:
    """Put every request of this session under the deadline of `within`, whatever its library mounted before."""
    session.adapters.clear()
    adapter = BoundedAdapter(carries_message=carries_message)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
