"""The job table, and the only way to put a job on a queue.

A job is named here and nowhere else, so that whoever enqueues needs no import of what runs. Queues are by urgency, not
by feature; a worker serves one (docs/adr/0003 and the measurements behind it). Arguments are ids: JSON, never pickle.
"""

import uuid
from typing import Final, NamedTuple

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from runtime.redis import connect, gate_of

__all__ = ["JOBS", "QUEUES", "Job", "Queues", "connect"]


class Job(NamedTuple):
    """Where a job's code is, which queue carries it, and after how many seconds RQ kills it."""

    function: str
    queue: str
    timeout_s: int


QUEUES: Final = ("urgent", "default", "vision", "bulk")

JOBS: Final[dict[str, Job]] = {
    "drain": Job("workers.drain.drain", "urgent", 30),
    "deliver": Job("workers.delivery.advance", "urgent", 30),
    "look": Job("workers.vision.jobs.look", "vision", 150),
}

RESULT_TTL_S: Final = 5
FAILURE_TTL_S: Final = 3600


class Queues:
    """Puts jobs on the queues. `enqueue` is `domain.ports.Enqueue`: it never raises and never blocks for long.

    After a failure no call tries again until Redis answers (`runtime.redis`), so that a hanging Redis costs one request
    half a second and the others nothing; the sweeper finds what was not enqueued.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._gate = gate_of(redis)
        self._queues = {name: Queue(name, connection=redis, serializer=JSONSerializer) for name in QUEUES}

    @property
    def redis(self) -> "Redis":
        """The client underneath."""
        return self._redis

    def __call__(self, job: str, *args: str | int | float | None) -> bool:
        """Enqueue by the table's name; False when Redis would not have it."""
        found = JOBS[job]
        if self._gate.is_shut:
            return False
        try:
            self._queues[found.queue].enqueue_call(
                found.function,
                args=args,
                timeout=found.timeout_s,
                result_ttl=RESULT_TTL_S,
                failure_ttl=FAILURE_TTL_S,
                job_id=f"{job}-{uuid.uuid4().hex}",
            )
        except (RedisError, OSError):
            self._gate.shut()
            return False
        return True

    def away(self) -> bool:
        """True when Redis does not answer now."""
        if self._gate.is_shut:
            return True
        try:
            self._redis.ping()
        except (RedisError, OSError):
            self._gate.shut()
            return True
        return False

    def depth(self) -> dict[str, int]:
        """Jobs that wait, by queue. Raises RedisError when Redis is away."""
        return {name: queue.count for name, queue in self._queues.items()}
