"""Live unit positions in Redis: a geo set per city, service and availability, and beside it who was last heard when.

Redis only proposes candidates. Who gets a unit is a lease on the unit's document, so a position that is lost or stale
costs a detour, never a double booking; and what Redis has forgotten comes back with each unit's next position.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import RedisError

from domain.errors import Invalid
from domain.ports import Candidate, PositionsUnavailable
from runtime.redis import gate_of

_MAX_LAT: Final = 85.05112878
"""The edge of Web Mercator, beyond which GEOADD takes nothing (redis.io/commands/geoadd)."""

# Nearest first, without those not heard since ARGV[5]: they are skipped, so that dead units near by do not hide living
# ones farther off. Asks for more only while stale ones took up the places. One round-trip; reads only.
_NEAREST: Final = """
local wanted, oldest = tonumber(ARGV[4]), tonumber(ARGV[5])
local ask, passed, found = wanted + 8, 0, {}
while true do
  local near = redis.call('GEOSEARCH', KEYS[1], 'FROMLONLAT', ARGV[1], ARGV[2], 'BYRADIUS', ARGV[3], 'm',
                          'ASC', 'COUNT', ask, 'WITHDIST')
  for i = passed + 1, #near do
    local seen = redis.call('ZSCORE', KEYS[2], near[i][1])
    if seen and tonumber(seen) >= oldest then
      found[#found + 1] = {near[i][1], near[i][2], seen}
      if #found == wanted then return found end
    end
  end
  if #near < ask then return found end
  passed, ask = #near, ask * 4
end
"""


class RedisPositions:
    """`domain.ports.Positions` over a Redis client that gives up at once (`runtime.redis.connect`).

    Any failure of Redis becomes PositionsUnavailable, and after one no call tries again until Redis answers: a Redis
    that hangs costs one caller half a second, the others nothing.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._gate = gate_of(redis)

    def put(
        self, city: str, unit_id: str, services: Sequence[str], *, available: bool, lat: float, lon: float, at: datetime
    ) -> None:
        """Where a unit is, for each service that it gives. `at` is the server's time of hearing it, not the phone's.

        Raises Invalid for a place where no city lies (beyond 85° north or south), PositionsUnavailable.
        """
        if not (abs(lat) <= _MAX_LAT and abs(lon) <= 180.0):
            raise Invalid("no place for a unit", errors={"position": ["out of range"]})
        with self._asking(), self._redis.pipeline(transaction=True) as pipe:
            for service in services:
                pipe.geoadd(_places(city, service, available=available), (lon, lat, unit_id))
                pipe.zrem(_places(city, service, available=not available), unit_id)
            pipe.zadd(_seen(city), {unit_id: at.timestamp()})
            pipe.execute()

    def remove(self, city: str, unit_id: str, services: Sequence[str]) -> None:
        """Forget a unit: off duty, retired, or moved to another city. Raises PositionsUnavailable."""
        with self._asking(), self._redis.pipeline(transaction=True) as pipe:
            for service in services:
                pipe.zrem(_places(city, service, available=True), unit_id)
                pipe.zrem(_places(city, service, available=False), unit_id)
            pipe.zrem(_seen(city), unit_id)
            pipe.execute()

    def nearest(
        self,
        city: str,
        service: str,
        lat: float,
        lon: float,
        *,
        radius_m: float,
        limit: int,
        now: datetime,
        max_age_s: float,
    ) -> list[Candidate]:
        """Available units of a service within the radius, nearest first, heard within `max_age_s`; at most `limit`.

        Distances are Redis's own, within 0.1 % of `domain.geo`. Raises PositionsUnavailable.
        """
        if limit <= 0 or abs(lat) > _MAX_LAT:
            return []
        keys = (_places(city, service, available=True), _seen(city))
        asked = (lon, lat, radius_m, limit, now.timestamp() - max_age_s)
        with self._asking():
            found = cast(list[tuple[Any, Any, Any]], self._redis.eval(_NEAREST, len(keys), *keys, *map(str, asked)))
        return [
            Candidate(_text(unit_id), float(metres), datetime.fromtimestamp(float(seen), UTC))
            for unit_id, metres, seen in found
        ]

    @contextmanager
    def _asking(self) -> Iterator[None]:
        if self._gate.is_shut:
            raise PositionsUnavailable
        try:
            yield
        except (RedisError, OSError) as error:
            self._gate.shut()
            raise PositionsUnavailable from error


def _places(city: str, service: str, *, available: bool) -> str:
    # The braces keep all keys of a city on one node of a Redis cluster.
    return f"positions:{{{city}}}:{service}:{'available' if available else 'busy'}"


def _seen(city: str) -> str:
    return f"positions:{{{city}}}:seen"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
