"""What linking a new incident costs with 1,000, 10,000 and 100,000 incidents at constant density.

python -m bench.correlation

Incidents are spread evenly over a disk and a time, both before the new one, so that about 100 lie within reach of it
(1 km, 30 minutes) at every size: the disk grows to Lahore's 1,772 km², then the time grows. Measured is the reaction as
the worker runs it: search, scores, up to 20 links written and shown on both sides.
"""

import math
import random
import statistics
import tempfile
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.city import CITY, stack
from bench.figures import Figure, keep, percentile
from domain import geo
from domain.clock import utc_now
from domain.correlation import rules, service
from domain.incidents import service as incidents
from domain.incidents.service import SosFacts
from sandbox.townspeople import PLACE

SIZES = (1_000, 10_000, 100_000)
IN_REACH = 100
CITY_KM2 = 1772.0
RUNS = 60
WARM_UP = 5
COMMAND = "python -m bench.correlation"
CATEGORIES = ("unspecified", "robbery", "harassment", "medical", "road_accident", "assault")


def main() -> list[Figure]:
    """Measure and keep the figures."""
    times: dict[int, list[float]] = {}
    found: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as var, stack(Path(var) / "var", workers=False):
        for size in (SIZES[0], *SIZES):  # the first one twice: the server's own compiler warms up
            incidents.incidents().delete_many({})
            service.links().delete_many({})
            now = utc_now()
            _fill(size, now)
            times[size], found[size] = _link(now)
    figures = []
    for size in SIZES:
        figures += [
            Figure(f"correlation, {size:,} incidents", statistics.median(times[size]), "ms", "", COMMAND),
            Figure(f"correlation, p95 with {size:,} incidents", percentile(times[size], 0.95), "ms", "", COMMAND),
            Figure(f"correlation, things linked with {size:,} incidents", found[size], "things", "", COMMAND),
        ]
    growth = statistics.median(times[SIZES[-1]]) / statistics.median(times[SIZES[0]])
    figures.append(Figure("correlation growth 1,000 to 100,000 incidents", growth, "ratio", "≤ 2", COMMAND))
    keep(figures)
    for figure in figures:
        print(f"{figure.name:58} {figure.value:10.3f} {figure.unit:10} {figure.aim}")
    return figures


def spread(size: int) -> tuple[float, float]:
    """(km², hours) over which so many incidents are spread, with IN_REACH of them in reach of one at the end of it."""
    reach_km2 = math.pi * (rules.RADIUS_M / 1000) ** 2
    per_km2_hour = IN_REACH / reach_km2 / (rules.WITHIN.total_seconds() / 3600)  # a new one has no future in reach
    hours = rules.WITHIN.total_seconds() / 3600
    area = min(CITY_KM2, size / per_km2_hour / hours)
    return area, size / per_km2_hour / area


def _fill(size: int, now: datetime) -> None:
    draw = random.Random(size)
    area, hours = spread(size)
    radius = math.sqrt(area / math.pi) * 1000
    rows: list[dict[str, Any]] = []
    for index in range(size):
        lat, lon = geo.destination(*PLACE, draw.uniform(0, 360), radius * math.sqrt(draw.random()))
        at = now - timedelta(hours=hours * draw.random())
        doc = incidents._document(f"inc_{size}_{index}", _facts(lat, lon, at, draw.choice(CATEGORIES)), at)
        for name in ("pending_events", "outbox_due", "ladder_due"):
            doc.pop(name, None)  # they were seen to long ago
        rows.append(doc)
        if len(rows) == 1000:
            incidents.incidents().insert_many(rows)
            rows = []
    if rows:
        incidents.incidents().insert_many(rows)


def _facts(lat: float, lon: float, at: datetime, category: str) -> SosFacts:
    return SosFacts(
        city=CITY,
        category=category,
        services=("police",),
        severity="Severe",
        urgency="Immediate",
        certainty="Observed",
        owner="bench",
        key=uuid.uuid4().hex,
        device=uuid.uuid4().hex,
        position={"lat": lat, "lon": lon, "accuracy_m": 10, "source": "phone"},
        raised_at=at,
    )


def _link(now: datetime) -> tuple[list[float], float]:
    """(milliseconds of each link, things that spoke for one on average) for incidents that arrive near the middle."""
    times, linked = [], []
    for index in range(WARM_UP + RUNS):
        lat, lon = geo.destination(*PLACE, index * 360 / RUNS, 1200.0)
        raised = incidents.raise_sos(
            _facts(lat, lon, now, CATEGORIES[index % len(CATEGORIES)]),
            now=now,
            secret="bench-secret-of-thirty-two-letters",
            link_ttl=timedelta(hours=1),
        )
        began = time.perf_counter()
        count = service.link_incident(raised.incident["_id"], now=now)
        if index >= WARM_UP:
            times.append((time.perf_counter() - began) * 1000)
            linked.append(count)
        incidents.incidents().delete_one({"_id": raised.incident["_id"]})  # the density stays as it was
    if not any(linked):
        raise SystemExit("nothing was linked: the bench measures nothing")
    return times, statistics.mean(linked)


if __name__ == "__main__":
    main()
