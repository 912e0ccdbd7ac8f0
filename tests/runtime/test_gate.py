"""The gate before Redis opens again, whatever redis-py says meanwhile."""

import time
from typing import Any, cast

import pytest
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import TimeoutError as RedisSilent

from runtime.redis import Gate


class Moody:
    """A client whose ping fails in each of these ways in turn, and then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    def ping(self) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        return True


def opens(gate: Gate) -> bool:
    """Whether it opens within ten seconds."""
    end = time.monotonic() + 10
    while gate.is_shut and time.monotonic() < end:
        time.sleep(0.02)
    return not gate.is_shut


@pytest.mark.parametrize(
    "failure",
    [RedisGone("gone"), RedisSilent("silent"), OSError(9, "bad"), ValueError("I/O operation on closed file.")],
    ids=lambda failure: type(failure).__name__,
)
def test_it_opens_when_redis_answers_again(failure: Exception) -> None:
    redis = Moody(failure)
    gate = Gate(cast(Any, redis))
    gate.shut()
    assert gate.is_shut
    assert opens(gate)
    assert redis.failures == []


def test_it_opens_when_nobody_uses_the_client_any_more() -> None:
    redis = Moody(*(RedisGone("gone") for _ in range(1000)))
    gate = Gate(cast(Any, redis))
    gate.shut()
    del redis
    assert opens(gate)
