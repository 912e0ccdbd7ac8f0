"""Hints to the queue cost whoever answers people nothing, whatever Redis does."""

import socket
import time
from collections.abc import Iterator

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from runtime.queues import Hints, Queues, connect


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    client = connect(redis_url)
    client.flushdb()
    yield client
    client.close()


def _waiting(redis: Redis) -> list[tuple[str, ...]]:
    queue = Queue("urgent", connection=redis, serializer=JSONSerializer)
    return [tuple(job.args) for job in queue.jobs]


def test_hints_reach_the_queue_in_their_order_and_the_same_one_once(redis: Redis) -> None:
    queues = Queues(redis)
    assert queues.put([("drain", ("incidents", "inc_1")), ("drain", ("incidents", "inc_2"))])
    hints = Hints(queues)
    for subject in ("inc_3", "inc_4"):
        assert hints("drain", "incidents", subject)
    end = time.monotonic() + 5
    while len(_waiting(redis)) < 4 and time.monotonic() < end:
        time.sleep(0.01)
    assert _waiting(redis) == [("incidents", f"inc_{number}") for number in (1, 2, 3, 4)]


def test_a_job_that_is_not_in_the_table_is_a_fault_of_ours(redis: Redis) -> None:
    with pytest.raises(KeyError):
        Hints(Queues(redis))("no_such_job")


def test_nobody_waits_for_a_redis_that_hangs_not_even_the_first() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        hints = Hints(Queues(connect(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")))
        began = time.perf_counter()
        for number in range(50):
            hints("drain", "incidents", f"inc_{number}")
        assert time.perf_counter() - began < 0.3


def test_a_redis_that_refuses_stops_no_later_hint(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    queues = Queues(redis)
    asked: list[int] = []
    put = queues.put

    def once_broken(hints: list[tuple[str, tuple[str, ...]]]) -> bool:
        asked.append(len(hints))
        if len(asked) == 1:
            raise RuntimeError("a fault of ours")
        return put(hints)

    monkeypatch.setattr(queues, "put", once_broken)
    hints = Hints(queues)
    hints("drain", "incidents", "inc_1")
    end = time.monotonic() + 5
    while not asked and time.monotonic() < end:
        time.sleep(0.01)
    hints("drain", "incidents", "inc_2")
    while not _waiting(redis) and time.monotonic() < end:
        time.sleep(0.01)
    assert _waiting(redis) == [("incidents", "inc_2")]
