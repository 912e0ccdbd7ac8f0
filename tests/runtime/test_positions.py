"""Live positions against a real Redis: nearest first, stale and busy ones left out, and at once when Redis is away."""

import itertools
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError

from domain.errors import Invalid
from domain.geo import destination, distance_m
from domain.ports import Positions, PositionsUnavailable
from runtime.positions import RedisPositions
from runtime.queues import Queues
from runtime.redis import connect, gate_of

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
HERE = (31.5204, 74.3587)
_numbers = itertools.count()


@pytest.fixture
def redis(redis_url: str) -> Iterator["Redis"]:
    """A client with the product's time-outs."""
    with connect(redis_url) as client:
        yield client


@pytest.fixture
def positions(redis: "Redis") -> RedisPositions:
    return RedisPositions(redis)


@pytest.fixture
def city() -> str:
    """A city of the test's own, since the server is shared."""
    return f"city-{uuid.uuid4().hex[:8]}-{next(_numbers)}"


def place(positions: Positions, city: str, unit: str, metres: float, *, bearing: float = 90, available: bool = True,
          services: tuple[str, ...] = ("police",), age_s: float = 0) -> None:  # fmt: skip
    lat, lon = destination(*HERE, bearing, metres)
    at = NOW - timedelta(seconds=age_s)
    positions.put(city, unit, services, available=available, lat=lat, lon=lon, at=at)


def near(positions: Positions, city: str, service: str = "police", *, radius_m: float = 5000, limit: int = 10,
         max_age_s: float = 300) -> list[str]:  # fmt: skip
    found = positions.nearest(city, service, *HERE, radius_m=radius_m, limit=limit, now=NOW, max_age_s=max_age_s)
    return [candidate.unit_id for candidate in found]


def test_nearest_first_within_radius_and_limit(positions: RedisPositions, city: str) -> None:
    for metres in (3000, 100, 900, 7000):
        place(positions, city, f"unit_{metres}", metres, bearing=metres % 360)
    assert near(positions, city) == ["unit_100", "unit_900", "unit_3000"]
    assert near(positions, city, limit=2) == ["unit_100", "unit_900"]
    assert near(positions, city, radius_m=500) == ["unit_100"]
    assert near(positions, city, limit=0) == []


def test_a_candidate_says_how_far_and_when_heard(positions: RedisPositions, city: str) -> None:
    place(positions, city, "unit_a", 1234, age_s=12.5)
    (found,) = positions.nearest(city, "police", *HERE, radius_m=5000, limit=3, now=NOW, max_age_s=60)
    lat, lon = destination(*HERE, 90, 1234)
    assert found.distance_m == pytest.approx(distance_m(*HERE, lat, lon), rel=0.002)
    assert found.seen_at == NOW - timedelta(seconds=12.5)


def test_a_unit_is_found_by_each_of_its_services_only(positions: RedisPositions, city: str) -> None:
    place(positions, city, "unit_a", 500, services=("medical", "fire"))
    assert near(positions, city, "medical") == near(positions, city, "fire") == ["unit_a"]
    assert near(positions, city, "police") == []
    assert near(positions, f"{city}-other", "medical") == []


def test_busy_units_are_not_candidates_until_free_again(positions: RedisPositions, city: str) -> None:
    place(positions, city, "unit_a", 500)
    place(positions, city, "unit_a", 600, available=False)
    assert near(positions, city) == []
    place(positions, city, "unit_a", 700)
    assert near(positions, city) == ["unit_a"]


def test_a_removed_unit_is_gone(positions: RedisPositions, city: str) -> None:
    place(positions, city, "unit_a", 500)
    place(positions, city, "unit_b", 600, available=False)
    positions.remove(city, "unit_a", ["police"])
    positions.remove(city, "unit_b", ["police"])
    positions.remove(city, "unit_never_seen", ["police"])
    assert near(positions, city) == []


def test_stale_units_near_by_do_not_hide_living_ones_farther_off(positions: RedisPositions, city: str) -> None:
    for number in range(120):
        place(positions, city, f"unit_dead_{number}", 100 + number, age_s=301)
    place(positions, city, "unit_alive", 4000, age_s=299)
    assert near(positions, city, limit=3) == ["unit_alive"]
    assert len(near(positions, city, limit=1000, max_age_s=1000)) == 121


def test_each_call_is_one_round_trip(positions: RedisPositions, city: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place(positions, city, "unit_warm", 500)
    sent: list[object] = []
    send: Any = AbstractConnection.send_packed_command

    def counted(connection: AbstractConnection, command: object, check_health: bool = True) -> None:
        sent.append(command)
        send(connection, command, check_health)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    place(positions, city, "unit_a", 500, services=("police", "medical", "fire"))
    assert len(sent) == 1
    sent.clear()
    assert set(near(positions, city)) == {"unit_warm", "unit_a"}
    assert len(sent) == 1
    sent.clear()
    positions.remove(city, "unit_a", ["police", "medical", "fire"])
    assert len(sent) == 1


def test_a_place_beyond_mercator_is_refused(positions: RedisPositions, city: str) -> None:
    with pytest.raises(Invalid):
        positions.put(city, "unit_a", ["police"], available=True, lat=89.0, lon=0.0, at=NOW)
    assert positions.nearest(city, "police", 89.0, 0.0, radius_m=9, limit=1, now=NOW, max_age_s=9) == []


def test_a_refusing_redis_is_positions_unavailable_at_once(city: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with connect(f"redis://127.0.0.1:{port}/0") as client:
        positions = RedisPositions(client)
        with pytest.raises(PositionsUnavailable):
            near(positions, city)
        with pytest.raises(PositionsUnavailable):
            place(positions, city, "unit_a", 1)
        with pytest.raises(PositionsUnavailable):
            positions.remove(city, "unit_a", ["police"])


def test_a_hanging_redis_costs_half_a_second_once(city: str) -> None:
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, never answers
    with silent, connect(f"redis://127.0.0.1:{silent.getsockname()[1]}/0") as client:
        positions = RedisPositions(client)
        started = time.monotonic()
        with pytest.raises(PositionsUnavailable):
            near(positions, city)
        first = time.monotonic() - started
        for _ in range(50):
            with pytest.raises(PositionsUnavailable):
                near(positions, city)
        rest = time.monotonic() - started - first
    assert first < 2.0  # a connection and an answer, half a second each
    assert rest < 0.3


def test_it_recovers_as_soon_as_redis_answers(redis: "Redis", city: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is away nobody but the gate's own thread asks; the queue on the same client knows it too."""
    positions, queues = RedisPositions(redis), Queues(redis)
    place(positions, city, "unit_a", 500)
    away = threading.Event()
    away.set()
    ping = redis.ping

    def pong() -> object:
        if away.is_set():
            raise RedisConnectionError
        return ping()

    monkeypatch.setattr(redis, "ping", pong)
    gate_of(redis).shut()
    with pytest.raises(PositionsUnavailable):
        near(positions, city)
    assert queues.away()
    assert not queues("drain", "incidents", "inc_1")
    away.clear()
    end = time.monotonic() + 10
    while gate_of(redis).is_shut and time.monotonic() < end:
        time.sleep(0.02)
    assert near(positions, city) == ["unit_a"]
