"""The job table, and the only way to put a job on a queue.

A job is named here and nowhere else, so that whoever enqueues needs no import of what runs. Queues are by urgency, not
by feature; a worker serves one (docs/adr/0003 and the measurements behind it). Arguments are ids: JSON, never pickle.
"""

import os
import threading
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.queue import EnqueueData
from rq.serializers import JSONSerializer

from runtime import logging
from runtime.redis import connect, gate_of

__all__ = ["JOBS", "QUEUES", "Hints", "Job", "Queues", "connect"]


log = logging.get(__name__)


class Job(NamedTuple):
    """Where a job's code is, which queue carries it, and after how many seconds RQ kills it."""

    function: str
    queue: str
    timeout_s: int


QUEUES: Final = ("urgent", "default", "vision", "bulk", "footage")

JOBS: Final[dict[str, Job]] = {
    "drain": Job("workers.drain.drain", "urgent", 30),
    "explain": Job("workers.drain.explain", "default", 60),
    "deliver": Job("workers.delivery.advance", "urgent", 30),
    "drill": Job("workers.drills.carry_out", "bulk", 180),
    "poll_cap": Job("workers.cap_feeds.poll_cap", "default", 180),
    "broadcast": Job("workers.alerts.broadcast", "bulk", 120),
    "broadcast_batch": Job("workers.alerts.broadcast_batch", "bulk", 300),
    "look": Job("workers.vision.jobs.look", "vision", 150),
    "footage": Job("workers.footage.take", "footage", 900),
    "redact": Job("workers.redaction.redact", "footage", 2400),
    "redact_photo": Job("workers.photos.redact", "footage", 180),
    "blur_report": Job("workers.report_pictures.blur", "footage", 300),
    "search_faces": Job("workers.faces.search", "footage", 2400),
}

RESULT_TTL_S: Final = 5
FAILURE_TTL_S: Final = 3600
KEPT_HINTS: Final = 10_000
"""Hints that wait for Redis to answer; of more, the oldest are left to the sweeper."""

Hint = tuple[str, tuple[str | int | float | None, ...]]
"""A job's name and its arguments."""


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
        return self.put([(job, args)])

    def put(self, hints: Sequence[Hint]) -> bool:
        """Enqueue several in one round trip a queue; False when Redis would not have them."""
        if self._gate.is_shut:
            return False
        by_queue: dict[str, list[EnqueueData]] = {}
        for job, args in hints:
            found = JOBS[job]
            data = Queue.prepare_data(
                found.function,
                args=args,
                timeout=found.timeout_s,
                result_ttl=RESULT_TTL_S,
                failure_ttl=FAILURE_TTL_S,
                job_id=f"{job}-{uuid.uuid4().hex}",
            )
            by_queue.setdefault(found.queue, []).append(data)
        try:
            for queue, jobs in by_queue.items():
                self._queues[queue].enqueue_many(jobs)
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


class Hints:
    """`domain.ports.Enqueue` for whoever answers people: a thread of its own speaks to Redis, so that no answer waits for
    it, however Redis hangs. Hints that come together go in one round trip.

    What is lost with the process, or because Redis was away, the sweeper finds: the database is the truth.
    """

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._waiting: deque[Hint] = deque(maxlen=KEPT_HINTS)
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._pid = 0

    def __call__(self, job: str, *args: str | int | float | None) -> bool:
        """Hand it to the thread. Always True: whether Redis took it, nobody here would wait to hear."""
        if job not in JOBS:
            raise KeyError(job)
        self._waiting.append((job, args))
        if self._pid != os.getpid():  # at the first hint, and again in a child: threads do not survive a fork
            with self._lock:
                if self._pid != os.getpid():
                    self._pid = os.getpid()
                    threading.Thread(target=self._speak, name="hints", daemon=True).start()
        self._wake.set()
        return True

    def away(self) -> bool:
        """True when Redis does not answer now."""
        return self._queues.away()

    def depth(self) -> dict[str, int]:
        """Jobs that wait, by queue. Raises RedisError when Redis is away."""
        return self._queues.depth()

    def _speak(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            hints: dict[Hint, None] = {}
            while self._waiting:
                hints[self._waiting.popleft()] = None  # the same hint twice is one
            try:
                if hints:
                    self._queues.put(list(hints))
            except Exception:
                log.exception("hints_failed")  # this thread must outlive what it could not say
