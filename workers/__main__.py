"""Starts one worker process: `python -m workers urgent|default|vision|bulk|footage|sweeper|recorder`.

A worker serves one queue: one that serves several loses the job when it is killed between two of RQ's steps.
"""

import contextlib
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

from runtime import logging
from runtime.queues import QUEUES
from runtime.redis import connect
from runtime.settings import BadSetting, load

NICE = {"default": 5, "vision": 10, "bulk": 10, "footage": 15, "recorder": 5}


PREPARED = frozenset({"urgent", "vision"})
"""Queues whose first job may not wait for imports and connections; the others load with their first job."""
AGAIN_S = 0.5


class _Worker(SimpleWorker):
    """Looks for a lost Redis every second or two: RQ's own pause grows to a minute, in which nobody would work."""

    max_connection_wait_time = 2.0
    told_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.told_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def _work(name: str) -> None:
    """Work until told to stop. RQ's loop ends when Redis goes away in mid-job: then wait for it, here.

    A process that ended instead would be started again after ever longer pauses, and read all its code anew each time.
    """
    settings = load()
    logging.configure(settings.log_level)
    if name in PREPARED:
        _prepare(name)
    asking = connect(settings.redis_url)
    # The worker waits on its queue for seconds at a time, so its own connection may not give up after half a second.
    waiting = connect(settings.redis_url, patient=True)
    while True:
        queue = Queue(name, connection=waiting, serializer=JSONSerializer)
        worker = _Worker([queue], connection=waiting, serializer=JSONSerializer, worker_ttl=20, maintenance_interval=5)
        try:
            _wait_for(asking)
            worker.work(with_scheduler=False, logging_level="WARNING")
        except (RedisError, OSError) as error:
            logging.get(__name__).warning("redis_away", kind=type(error).__name__)
        except StopRequested:
            return  # told while it waited for Redis
        if worker.told_to_stop:
            return
        with contextlib.suppress(RedisError, OSError, AttributeError):
            worker.unsubscribe()  # type: ignore[no-untyped-call]  # else its thread would listen for ever


def _wait_for(redis: "Redis") -> None:
    while True:
        try:
            redis.ping()
        except (RedisError, OSError):
            time.sleep(AGAIN_S)
        else:
            return


def _prepare(name: str) -> None:
    from workers.context import current

    context = current()
    if name == "urgent":
        importlib.import_module("workers.drain")  # what its jobs run
        len(context.channels)  # the carriers' libraries too
    if name == "vision":
        from workers.vision import jobs  # cv2 and mediapipe are for this worker alone

        jobs.warm()


def _until_told(run: Callable[[Callable[[], bool]], None]) -> None:
    """Run until SIGTERM or SIGINT."""
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    run(lambda: stopping)


def _sweep(stop: Callable[[], bool]) -> None:
    from workers import sweeps
    from workers.context import build

    context = build(load())
    len(context.channels)  # built before the first message is due
    sweeps.run(context, stop=stop)


def _record(stop: Callable[[], bool]) -> None:
    from workers import recorder
    from workers.context import build

    recorder.run(build(load()), stop=stop)


ALONE = {"sweeper": _sweep, "recorder": _record}
"""Roles that serve no queue."""


def main(arguments: list[str]) -> int:
    """Run one worker until it is told to stop. Returns the exit code."""
    if len(arguments) != 1 or arguments[0] not in (*QUEUES, *ALONE):
        sys.stderr.write(f"usage: python -m workers {'|'.join((*QUEUES, *ALONE))}\n")
        return 2
    role = arguments[0]
    os.nice(NICE.get(role, 0))
    try:
        if role in ALONE:
            _until_told(ALONE[role])
        else:
            _work(role)
    except BadSetting as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
