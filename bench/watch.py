"""Neighbourhood watch under load: everybody reports one blast; a city full of groups; feed and sync with much behind them.

python -m bench.watch

The burst: 2,000 reports of one blast from 1,500 phones by eight threads at once, around a place where cells meet. Time to
cluster is from the report's arrival in the domain until it is stored with its cluster, beside a bare insert of the same
document with as many threads. Every tenth author's reports have helped before, so that cameras might be asked about theirs.
"""

import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench.city import CITY, stack
from bench.figures import Figure, keep, percentile
from domain import geo, sync
from domain.cameras import queries as cameras
from domain.cameras import registry
from domain.cities import queries as cities
from domain.clock import utc_now
from domain.clusters import believing
from domain.clusters import queries as clusters
from domain.people import queries as people
from domain.reports import looking, service
from domain.reports import queries as reports
from domain.reports.service import Seen
from domain.reports.states import Anonymity
from domain.watch import queries as watch
from domain.watch.states import Standing
from sandbox.townspeople import PLACE

COMMAND = "python -m bench.watch"
REPORTS, PHONES, THREADS = 2_000, 1_500, 8
CAMERAS = 4
GROUPS, MEMBERS = 2_000, 100_000
SIZES = (1_000, 10_000, 100_000)
RUNS = 40
SECRET = "bench-secret-of-thirty-two-letters"
_NOTES = ("", "dhamaka hua hai", "بہت زور کا دھماکہ", "Loud bang, windows broken at Liberty market")
_KINDS = ("street_light", "noise", "robbery", "fire", "suspicious", "open_manhole")


def main() -> list[Figure]:
    """Measure and keep the figures."""
    with tempfile.TemporaryDirectory() as var, stack(Path(var) / "var", workers=False) as made:
        figures = [*_burst(made.env["MONGODB_URL"]), *_groups(), *_feeds()]
    keep(figures)
    for figure in figures:
        print(f"{figure.name:58} {figure.value:10.3f} {figure.unit:10} {figure.aim}")
    return figures


def _burst(url: str) -> list[Figure]:
    now = utc_now()
    people.collection().insert_many(
        {
            "_id": f"per_blast{index}",
            "city": CITY,
            "created_at": now - timedelta(days=8 + index),
            "version": 1,
            "roles": [],
            "trust": {"helped": int(index % 10 == 0), "false_alarm": 0},
        }
        for index in range(PHONES)
    )
    for index in range(CAMERAS):
        _camera(index, now)
    _once(-1, now)  # imports, connections and the server's own compiler
    _reset()
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        times = list(pool.map(lambda index: _once(index, now), range(REPORTS)))
    whole_s = time.perf_counter() - began
    roots = {clusters.root(row["cluster"])["_id"] for row in reports.reports().find({}, {"cluster": 1})}
    cluster = believing.weigh(next(iter(roots)), now=utc_now())
    believed = reports.reports().count_documents({"believed_at": {"$exists": True}})
    worth = reports.reports().count_documents({"look_at": {"$exists": True}})
    bare = _bare(url)
    p95 = percentile(times, 0.95)
    return [
        Figure("watch burst, reports", REPORTS, "reports", "", COMMAND),
        Figure("watch burst, clusters of one blast", len(roots), "clusters", "= 1", COMMAND),
        Figure("watch burst, reports in it", cluster["reports"], "reports", f"= {REPORTS}", COMMAND),
        Figure("watch burst, reports believed in the place of all", believed, "reports", "= 1", COMMAND),
        Figure("watch burst, reports about which cameras might be asked", worth, "reports", "", COMMAND),
        Figure("watch burst, looks at four cameras", cameras.looks().count_documents({}), "looks", "≤ 4", COMMAND),
        Figure("watch burst, reports taken and weighed", REPORTS / whole_s, "reports/s", "≥ 11.1", COMMAND),
        Figure("watch burst, time to cluster", statistics.median(times), "ms", "", COMMAND),
        Figure("watch burst, time to cluster p95", p95, "ms", "", COMMAND),
        Figure("watch burst, bare insert p95", bare, "ms", "", COMMAND),
        Figure("watch burst, time to cluster p95 / bare insert p95", p95 / bare, "ratio", "", COMMAND),
    ]


def _once(index: int, now: datetime) -> float:
    """One report, and its voice as the worker hears it; milliseconds until it was stored with its cluster."""
    draw = random.Random(index)
    lat, lon = geo.destination(*PLACE, draw.uniform(0, 360), draw.uniform(0, 900))
    place = {"lat": lat, "lon": lon, "accuracy_m": 20.0}
    at = now - timedelta(seconds=draw.uniform(0, 170))
    seen = Seen("explosion", place, at, draw.choice(_NOTES), Anonymity.NOBODY)
    began = time.perf_counter()
    doc, _ = service.add(
        f"rpt_blast{index}", f"per_blast{abs(index) % PHONES}", seen,
        session="", fingerprint="f", secret=SECRET, now=utc_now(),
    )  # fmt: skip
    took = (time.perf_counter() - began) * 1000
    believing.heard(doc, now=utc_now())
    if doc.get("look_at"):
        looking.ask(doc["_id"], secret=SECRET, now=utc_now())
    return took


def _camera(index: int, now: datetime) -> None:
    """A camera that has the place in view."""
    lat, lon = geo.destination(*PLACE, 360.0 * index / CAMERAS, 20.0)
    facts = {
        "name": f"Camera {index}", "position": {"lat": lat, "lon": lon}, "bearing_deg": 0.0, "fov_deg": 360.0,
        "range_m": 400.0, "source": {"kind": "file", "path": "var/footage/street.mp4"},
    }  # fmt: skip
    registry.add(f"cam_blast{index}", facts, cities.current(CITY), secret=SECRET, now=now)


def _reset() -> None:
    for collection in (reports.reports(), clusters.clusters(), reports.voices(), cameras.looks()):
        collection.delete_many({})


def _bare(url: str) -> float:
    """p95 of an insert of such documents, with as many threads and nothing else, in ms."""
    rows = list(reports.reports().find({}))
    client: MongoClient[dict[str, Any]] = MongoClient(url, w="majority")
    collection = client.get_database("baselines")["reports"]
    times: list[float] = []
    lock = threading.Lock()

    def insert(row: dict[str, Any]) -> None:
        began = time.perf_counter()
        collection.insert_one(row)
        with lock:
            times.append((time.perf_counter() - began) * 1000)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(insert, rows))
    client.close()
    return percentile(times, 0.95)


def _groups() -> list[Figure]:
    """2,000 groups with 50 members each, of which 200 cover the place: what one report and one alert ask of them."""
    now, draw = utc_now(), random.Random(7)
    rows, belong = [], []
    for index in range(GROUPS):
        middle = geo.destination(*PLACE, draw.uniform(0, 360), draw.uniform(0, 12_000.0))
        corners = [geo.destination(*middle, bearing, 500.0) for bearing in (45.0, 135.0, 225.0, 315.0, 45.0)]
        rows.append(
            {
                "_id": f"grp_{index}", "city": CITY, "name": f"Group {index}", "status": "active", "moderation": "post",
                "area": {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in corners]]},
                "cells": sorted({geo.cells(*corner).r7 for corner in (*corners, middle)}), "coordinator": "per_0",
                "rules_version": 1, "version": 1, "changed_at": now,
            }
        )  # fmt: skip
        for number in range(MEMBERS // GROUPS):
            person = f"per_{index * (MEMBERS // GROUPS) + number}"
            belong.append(
                {
                    "_id": watch.member_id(f"grp_{index}", person), "city": CITY, "group": f"grp_{index}",
                    "person": person, "role": "member", "standing": "member", "since": now, "changed_at": now,
                }
            )  # fmt: skip
    watch.groups().insert_many(rows)
    for start in range(0, len(belong), 5_000):
        watch.members().insert_many(belong[start : start + 5_000])
    points = [geo.destination(*PLACE, 9.0 * index, 30.0 * index) for index in range(RUNS)]
    what = f"{MEMBERS:,} members in {GROUPS:,} groups"
    return [
        Figure(f"watch, groups at a place, {what}", _ms(lambda i: watch.at(CITY, *points[i])), "ms", "", COMMAND),
        Figure(f"watch, groups of a person, {what}", _ms(lambda i: watch.joined(f"per_{i * 911}")), "ms", "", COMMAND),
        Figure(
            f"watch, a group's members, {what}",
            _ms(lambda i: watch.members_of(f"grp_{i * 37}", Standing.MEMBER, after="", limit=500)),
            "ms", "", COMMAND,
        ),
    ]  # fmt: skip


def _ms(run: Callable[[int], Any]) -> float:
    times = []
    for index in range(RUNS):
        began = time.perf_counter()
        run(index)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[5:])


def _feeds() -> list[Figure]:
    """Feed by place, feed by city and sync after a week offline, with 1×, 10× and 100× the reports at constant density."""
    figures, times = [], {}
    for size in SIZES:
        reports.reports().delete_many({})
        now = utc_now()
        _fill(size, now)
        week, day = now - timedelta(days=7), now - timedelta(days=1)
        asked: dict[str, Callable[[int], Any]] = {
            "feed by place": lambda i, now=now, day=day: reports.near(  # type: ignore[misc]
                CITY, *PLACE, 2_000.0, since=day, after=None, limit=15, now=now
            ),
            "feed by city": lambda i, now=now, day=day: reports.public(  # type: ignore[misc]
                CITY, since=day, after=None, limit=15, now=now
            ),
            "sync after a week": lambda i, now=now, week=week: _sync(f"per_{i * 911}", week, now),  # type: ignore[misc]
        }
        for name, run in asked.items():
            times[name, size] = _ms(run)
            figures.append(Figure(f"{name}, {size:,} reports", times[name, size], "ms", "", COMMAND))
    for name in ("feed by place", "feed by city", "sync after a week"):
        growth = times[name, SIZES[-1]] / times[name, SIZES[0]]
        figures.append(Figure(f"{name}, growth 1× to 100×", growth, "ratio", "≤ 3", COMMAND))
    return figures


def _sync(person: str, since: datetime, now: datetime) -> None:
    reach = sync.reach(watch.of_person(person), since, sync.Cursor(since), now=now)
    sync.watch_reports(person, reach, "ur")


def _fill(size: int, now: datetime) -> None:
    """So many reports over a week and the city; a hundred times as many come from a time a hundred times as long."""
    draw, rows = random.Random(size), []
    for index in range(size):
        lat, lon = geo.destination(*PLACE, draw.uniform(0, 360), 12_000.0 * draw.random() ** 0.5)
        at = now - timedelta(hours=168 * size / SIZES[0] * draw.random())
        public, cells = geo.fuzz(lat, lon), geo.cells(lat, lon)
        found = {"r5": cells.r5, "r7": cells.r7, "r9": cells.r9}
        rows.append(
            {
                "_id": f"rpt_{size}_{index}", "city": CITY, "groups": [f"grp_{draw.randrange(GROUPS)}"], "author": "per_x",
                "category": draw.choice(_KINDS), "note": draw.choice(_NOTES), "anonymous": "nobody",
                "position": {"lat": lat, "lon": lon}, "public": {"lat": public[0], "lon": public[1]}, "cells": found,
                "shown": found, "at": at, "created_at": at, "changed_at": at, "expires_at": at + timedelta(days=7),
                "status": "published", "score": 0.4, "voices": 1, "parts": {}, "confirmed": 0, "denied": 0, "version": 1,
                "history": [],
            }
        )  # fmt: skip
    for start in range(0, size, 2_000):
        reports.reports().insert_many(rows[start : start + 2_000])


if __name__ == "__main__":
    main()
