"""One broadcast of the product in a process of its own, as its worker on `bulk` does it; prints one line of JSON.

Run by `bench/fanout.py`: `broadcast ALERT OFFSET_S`, the second how far this city's clock is ahead, so that it is day in it.
"""

import json
import sys
import time
from datetime import datetime, timedelta
from typing import Any

from bench.figures import peak_mb
from domain.alerts import queries
from domain.clock import utc_now
from notifications import observed
from notifications.registry import build_channels
from runtime import logging, mongo, queues
from runtime.positions import RedisPositions
from runtime.settings import load
from workers import alerts
from workers.context import Context

PATIENCE_S = 240.0


def context(ahead: timedelta) -> Context:
    """A worker's, with the clock put ahead."""
    settings = load()
    logging.configure("error")
    mongo.connect(settings, pool=32)
    redis = queues.connect(settings.redis_url)

    def clock() -> datetime:
        return utc_now() + ahead

    channels = {str(kind): channel for kind, channel in build_channels(settings, clock=clock).items()}
    return Context(settings, clock, queues.Queues(redis), RedisPositions(redis), channels)


def again(found: Context) -> int:
    """What is to be tried again, as the sweeper has it done, until nothing is. Returns how many rounds that took."""
    rounds, end = 0, time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if queries.batches().find_one({"due": {"$exists": True}}, {"_id": 1}) is None:
            return rounds
        due = queries.due_batches(now=found.clock(), limit=100)
        for row in due:
            alerts.tell(found, row["_id"])
        rounds += 1
        if not due:
            time.sleep(0.1)
    raise SystemExit("some were still to be tried again when patience ended")


def main() -> None:
    """Find and tell everybody, then what is to be tried again."""
    alert_id, ahead = sys.argv[1], timedelta(seconds=float(sys.argv[2]))
    found = context(ahead)
    len(found.channels)
    before = peak_mb()
    began = time.perf_counter()
    cpu = time.process_time()
    progress = alerts.tell_all(found, alert_id)
    seconds = time.perf_counter() - began
    cpu = time.process_time() - cpu
    rounds = again(found)
    whole = time.perf_counter() - began
    observed.tally.flush()
    peak = peak_mb()
    told: dict[str, Any] = {"seconds": seconds, "cpu_s": cpu, "whole_s": whole, "rounds": rounds}
    print(json.dumps({**told, "before_mb": before, "peak_mb": peak, "progress": progress}))


if __name__ == "__main__":
    main()
