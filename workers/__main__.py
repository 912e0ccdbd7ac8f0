"""Starts one worker process: `python -m workers urgent|default|vision|bulk|sweeper`.

A worker serves one queue: one that serves several loses the job when it is killed between two of RQ's steps.
"""

import os
import signal
import sys
from types import FrameType

from rq import Queue
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

from runtime.queues import QUEUES, connect
from runtime.settings import BadSetting, load
from workers import sweeps
from workers.context import build, current

NICE = {"vision": 10, "bulk": 10}


def _work(name: str) -> None:
    context = current()
    if name == "vision":
        from workers.vision import jobs  # cv2 and mediapipe are for this worker alone

        jobs.warm()
    # The worker waits on its queue for seconds at a time, so its own connection may not give up after half a second.
    redis = connect(context.settings.redis_url, patient=True)
    queue = Queue(name, connection=redis, serializer=JSONSerializer)
    worker = SimpleWorker([queue], connection=redis, serializer=JSONSerializer, worker_ttl=20, maintenance_interval=5)
    worker.work(with_scheduler=False, logging_level="WARNING")


def _sweep() -> None:
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sweeps.run(build(load()), stop=lambda: stopping)


def main(arguments: list[str]) -> int:
    """Run one worker until it is told to stop. Returns the exit code."""
    if len(arguments) != 1 or arguments[0] not in (*QUEUES, "sweeper"):
        sys.stderr.write(f"usage: python -m workers {'|'.join((*QUEUES, 'sweeper'))}\n")
        return 2
    role = arguments[0]
    os.nice(NICE.get(role, 0))
    try:
        if role == "sweeper":
            _sweep()
        else:
            _work(role)
    except BadSetting as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
