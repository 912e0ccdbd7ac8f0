"""Who is asked, with 10, 1,000 and 10,000 units at constant density: the time of one ladder's first rung.

python -m bench.dispatch
"""

import math
import random
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.city import CITY, settings_of, stack
from bench.figures import Figure, keep
from domain import geo
from domain.cities import queries as cities
from domain.clock import utc_now
from domain.dispatch import queries
from domain.dispatch import service as dispatching
from domain.dispatch.service import Desk
from domain.incidents import service as incidents
from domain.incidents.service import SosFacts
from domain.ports import Candidate, Positions, PositionsUnavailable
from runtime import queues
from runtime.positions import RedisPositions
from sandbox.townspeople import PLACE

SIZES = (10, 1_000, 10_000)
PER_KM2 = 0.8
RUNS = 60
COMMAND = "python -m bench.dispatch"


class Forgotten(RedisPositions):
    """Redis is away: candidates come from the documents' last known cells."""

    def nearest(self, *arguments: Any, **options: Any) -> list[Candidate]:
        """Nothing is known."""
        raise PositionsUnavailable


def main() -> list[Figure]:
    """Measure and keep the figures."""
    live: dict[int, float] = {}
    documents: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as var, stack(Path(var) / "var", workers=False) as made:
        redis = queues.connect(settings_of(made).redis_url)
        positions = RedisPositions(redis)
        for size in SIZES:
            queries.units().delete_many({})
            redis.flushdb()
            _place(size, positions)
            live[size] = _first_rung(positions)
            documents[size] = _first_rung(Forgotten(redis))
    figures = []
    for name, times in (("live positions", live), ("documents' cells", documents)):
        figures += [Figure(f"dispatch, {size:,} units, {name}", times[size], "ms", "", COMMAND) for size in SIZES]
        growth = times[SIZES[-1]] / times[SIZES[0]]
        figures.append(Figure(f"dispatch growth 10 to 10,000 units, {name}", growth, "ratio", "≤ 2", COMMAND))
    keep(figures)
    for figure in figures:
        print(f"{figure.name:58} {figure.value:10.3f} {figure.unit:10} {figure.aim}")
    return figures


def _place(size: int, positions: Positions) -> None:
    """Units spread evenly over a disk that grows with their number."""
    draw, now = random.Random(size), utc_now()
    radius = math.sqrt(size / PER_KM2 / math.pi) * 1000
    rows = []
    for index in range(size):
        lat, lon = geo.destination(*PLACE, draw.uniform(0, 360), radius * math.sqrt(draw.random()))
        found = geo.cells(lat, lon)
        rows.append(
            {
                "_id": f"unt_bench{index}",
                "city": CITY,
                "agency": "punjab_police",
                "services": ["police"],
                "skills": [],
                "status": "available",
                "position": {"lat": lat, "lon": lon, "at": now},
                "cells": {"r5": found.r5, "r7": found.r7, "r9": found.r9},
                "version": 1,
            }
        )
        positions.put(CITY, f"unt_bench{index}", ["police"], available=True, lat=lat, lon=lon, at=now)
    for start in range(0, size, 1000):
        queries.units().insert_many(rows[start : start + 1000])


def _first_rung(positions: Positions) -> float:
    """Median milliseconds from a stored SOS to its written offers."""
    desk = Desk(cities.current(CITY), positions, "bench-secret-of-thirty-two-letters")
    times = []
    for index in range(RUNS):
        now = utc_now()
        lat, lon = geo.destination(*PLACE, index * 6.0, 300.0)
        facts = SosFacts(
            city=CITY,
            category="robbery",
            services=("police",),
            severity="Severe",
            urgency="Immediate",
            certainty="Observed",
            position={"lat": lat, "lon": lon, "accuracy_m": 10, "source": "phone"},
        )
        raised = incidents.raise_sos(facts, now=now, secret=desk.secret, link_ttl=timedelta(hours=1))
        began = time.perf_counter()
        doc = dispatching.start(raised.incident["_id"], desk, now=now)
        times.append((time.perf_counter() - began) * 1000)
        if not doc["assignments"]:
            raise SystemExit("nobody was asked: the bench measures nothing")
    return statistics.median(times)


if __name__ == "__main__":
    main()
