"""The connection to Redis, and the gate before it.

Redis is a hint and a cache here, so whoever asks it must never wait for it. redis-py's own defaults hold a request for
seconds when Redis is down and for most of a minute when it hangs; ours give up after half a second, and the first
failure shuts a gate: from then on nobody of this process tries, and a thread of its own looks until Redis answers again.
"""

import threading
import time
import weakref
from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

TIMEOUT_S: Final = 0.5
_LOOK_EVERY_S: Final = 0.5
_LOOK_FOR_S: Final = 3600.0
"""A process that was forgotten (a test's) does not look for ever; the next caller after that tries for itself."""


def connect(redis_url: str, *, patient: bool = False) -> "Redis":
    """A client that gives up at once.

    `patient` is for a worker, whose blocking wait for the next job is longer than any request may be; its TCP
    keep-alive finds out about a machine that went away without a word.
    """
    return Redis.from_url(
        redis_url,
        socket_timeout=None if patient else TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
    )


class Gate:
    """Shut while Redis is known to be away. One per client, shared by the queues and the positions on it."""

    def __init__(self, redis: "Redis") -> None:
        # Weakly: the thread that looks must not keep a client alive that nobody uses any more.
        self._redis = weakref.ref(redis)
        self._shut = False
        self._lock = threading.Lock()

    @property
    def is_shut(self) -> bool:
        """True while nobody should try."""
        return self._shut

    def shut(self) -> None:
        """Redis did not answer: let nobody try until it does."""
        with self._lock:
            if self._shut:
                return
            self._shut = True
            threading.Thread(target=self._look, name="redis-gate", daemon=True).start()

    def _look(self) -> None:
        end = time.monotonic() + _LOOK_FOR_S
        while time.monotonic() < end:
            redis = self._redis()
            if redis is None:
                break
            try:
                redis.ping()
                break
            except (RedisError, OSError, ValueError):  # ValueError: the socket was closed while redis-py read from it
                del redis
                time.sleep(_LOOK_EVERY_S)
        self._shut = False


_gates: "weakref.WeakKeyDictionary[Redis, Gate]" = weakref.WeakKeyDictionary()
_gates_lock = threading.Lock()


def gate_of(redis: "Redis") -> Gate:
    """The gate before this client, the same for everybody who uses it."""
    with _gates_lock:
        if redis not in _gates:
            _gates[redis] = Gate(redis)
        return _gates[redis]
