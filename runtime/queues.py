"""The job table, and the only way to put a job on a queue.

A job is named here and nowhere else, so that whoever enqueues needs no import of what runs. Queues are by urgency, not
by feature; a worker serves one (docs/adr/0003 and the measurements behind it). Arguments are ids: JSON, never pickle.
"""

import threading
import time
import uuid
from typing import Final, NamedTuple

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer


class Job(NamedTuple):
    """Where a job's code is, which queue carries it, and after how many seconds RQ kills it."""

    function: str
    queue: str
    timeout_s: int


QUEUES: Final = ("urgent", "default", "vision", "bulk")

JOBS: Final[dict[str, Job]] = {
    "drain": Job("workers.drain.drain", "urgent", 30),
    "deliver": Job("workers.delivery.advance", "urgent", 30),
    "look": Job("workers.vision.jobs.look", "vision", 60),
}

RESULT_TTL_S: Final = 5
_TIMEOUT_S: Final = 0.5
_COOL_S: Final = 1.0


def connect(redis_url: str, *, patient: bool = False) -> "Redis":
    """A client that gives up at once: redis-py's own defaults hold a request for seconds when Redis is down.

    `patient` is for a worker, whose blocking wait for the next job is longer than any request may be.
    """
    return Redis.from_url(
        redis_url,
        socket_timeout=None if patient else _TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
    )


class Queues:
    """Puts jobs on the queues. `enqueue` is `domain.ports.Enqueue`: it never raises and never blocks for long.

    After a failure no call tries again for a second, so that a hanging Redis costs one request half a second and the
    others nothing; the sweeper finds what was not enqueued.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._queues = {name: Queue(name, connection=redis, serializer=JSONSerializer) for name in QUEUES}
        self._cool_until = 0.0
        self._lock = threading.Lock()

    @property
    def redis(self) -> "Redis":
        """The client underneath."""
        return self._redis

    def __call__(self, job: str, *args: str | int | float | None) -> bool:
        """Enqueue by the table's name; False when Redis would not have it."""
        found = JOBS[job]
        if time.monotonic() < self._cool_until:
            return False
        try:
            self._queues[found.queue].enqueue_call(
                found.function,
                args=args,
                timeout=found.timeout_s,
                result_ttl=RESULT_TTL_S,
                failure_ttl=3600,
                job_id=f"{job}-{uuid.uuid4().hex}",
            )
        except (RedisError, OSError):
            self._cool_until = time.monotonic() + _COOL_S
            return False
        return True

    def away(self) -> bool:
        """True when Redis does not answer now."""
        try:
            self._redis.ping()
        except (RedisError, OSError):
            return True
        return False

    def depth(self) -> dict[str, int]:
        """Jobs that wait, by queue. Raises RedisError when Redis is away."""
        return {name: queue.count for name, queue in self._queues.items()}
