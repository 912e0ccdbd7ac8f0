"""SOS intake, in one run beside a constant answer, a bare insert, and the least a framework and one save can do.

python -m bench.intake [--seconds 6] [--rounds 3]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench.baselines import document
from bench.city import bodies, stack, taps
from bench.figures import Figure, keep
from bench.load import Connection, Load, closed_loop, get
from cli.stack import API_THREADS, API_WORKERS, ROOT, Stack, free_port
from domain.incidents.documents import IncidentDoc

CONNECTIONS = 8
SETTLE_S = 6.0
"""For the workers to be done with what came before, so that both measures meet an idle machine."""
COMMAND = "python -m bench.intake"
PUNJAB_A_DAY = 318.0
"""SOS/s if a year of Punjab's 15-calls came in one day (27.5 M / 86,400 s)."""


def main(arguments: list[str] | None = None) -> list[Figure]:
    """Measure and keep the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    figures: list[Figure] = []
    for workers in (False, True):
        with tempfile.TemporaryDirectory() as var, stack(Path(var) / "var", workers=workers) as made:
            runs = _rounds(made, options.seconds, options.rounds, baselines=not workers)
            figures += _figures(runs, workers)
            if workers:
                figures += _open_incidents(made)
    keep(figures)
    for figure in figures:
        print(f"{figure.name:58} {figure.value:10.2f} {figure.unit:10} {figure.aim}")
    return figures


def _rounds(made: Stack, seconds: float, rounds: int, *, baselines: bool) -> dict[str, list[Load]]:
    """Every contender once a round, so that a slow minute of the machine meets all of them."""
    api = made.address("api")
    contenders: dict[str, Callable[[int], Load]] = {
        "intake": lambda index: closed_loop(
            api, taps(made, int(900 * seconds), seed=index), connections=CONNECTIONS, seconds=seconds
        )
    }
    least: subprocess.Popen[bytes] | None = None
    if baselines:
        least, address = _baselines(made)
        contenders |= {
            "constant": lambda index: closed_loop(
                address,
                taps(made, int(6000 * seconds), seed=index, path="/constant"),
                connections=CONNECTIONS,
                seconds=seconds,
            ),
            "least": lambda index: closed_loop(
                address,
                taps(made, int(1500 * seconds), seed=index, path="/least"),
                connections=CONNECTIONS,
                seconds=seconds,
            ),
            "insert": lambda index: _inserts(made, seconds),
        }
    runs: dict[str, list[Load]] = {name: [] for name in contenders}
    try:
        for index in range(rounds):
            for name, run in contenders.items():
                runs[name].append(run(index))
                bad = {status: n for status, n in runs[name][-1].statuses.items() if status not in (200, 201)}
                if bad:
                    raise SystemExit(f"{name}: answers {bad}")
    finally:
        if least is not None:
            least.terminate()
            least.wait(20)
    return runs


def _baselines(made: Stack) -> "tuple[subprocess.Popen[bytes], str]":
    port = free_port(set())
    url = made.env["MONGODB_URL"].rpartition("/")[0] + "/baselines"
    env = {**made.env, "MONGODB_URL": url}
    subprocess.run(
        [sys.executable, "-m", "cli", "prepare"], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL, timeout=120
    )
    gunicorn = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "error", "-k", "gthread"]
    process = subprocess.Popen(
        [*gunicorn, f"-w{API_WORKERS}", f"--threads={API_THREADS}", f"-b127.0.0.1:{port}", "bench.baselines:serve()"],
        cwd=ROOT,
        env=env,
    )
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 60
    while not _is_up(address) and time.monotonic() < end:
        time.sleep(0.2)
    return process, address


def _is_up(address: str) -> bool:
    try:
        connection = Connection(address)
        connection.send(get("/"))
        connection.close()
    except (OSError, EOFError):
        return False
    return True


def _inserts(made: Stack, seconds: float) -> Load:
    """A bare pymongo insert of the same document with as many threads."""
    client: MongoClient[dict[str, Any]] = MongoClient(made.env["MONGODB_URL"], w="majority")
    collection = client.get_database("baselines")["incidents"]
    latencies: list[float] = []
    lock, end = threading.Lock(), time.perf_counter() + seconds
    body = json.loads(b'{"position": {"lat": 31.51, "lon": 74.34, "accuracy_m": 15}, "category": "robbery"}')

    def insert() -> None:
        mine = []
        while time.perf_counter() < end:
            made_now = document(body)
            made_now["_id"] = made_now.pop("id")
            began = time.perf_counter()
            collection.insert_one(made_now)
            mine.append(time.perf_counter() - began)
        with lock:
            latencies.extend(mine)

    threads = [threading.Thread(target=insert) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    return Load(tuple(latencies), {201: len(latencies)}, time.perf_counter() - began)


def _figures(runs: dict[str, list[Load]], workers: bool) -> list[Figure]:
    suffix = " with workers" if workers else ""
    rate = {name: statistics.median(run.rate for run in each) for name, each in runs.items()}
    found = [
        Figure(f"intake{suffix}", rate["intake"], "SOS/s", f"≥ {PUNJAB_A_DAY:.0f}" if not workers else "", COMMAND)
    ]
    for share in (0.5, 0.95, 0.99):
        value = statistics.median(run.ms(share) for run in runs["intake"])
        found.append(Figure(f"intake p{share * 100:.0f}{suffix}", value, "ms", "", COMMAND))
    for name in ("constant", "insert", "least"):
        if name in rate:
            found.append(Figure(f"{name} baseline", rate[name], "requests/s", "", COMMAND))
            aim = "≥ 0.6" if name == "least" else ""
            found.append(Figure(f"intake / {name}", rate["intake"] / rate[name], "ratio", aim, COMMAND))
    return found


def _open_incidents(made: Stack) -> list[Figure]:
    """The next SOS after 10,000 open ones against the first: p50 of 200, one client."""
    collection = IncidentDoc._get_collection()
    time.sleep(SETTLE_S)
    collection.delete_many({})
    api = made.address("api")
    first = closed_loop(api, taps(made, 200, seed=1), connections=1, seconds=30).ms(0.5)
    time.sleep(SETTLE_S)
    around = bodies(10_000, seed=3, spread_m=15_000.0)
    while collection.estimated_document_count() < 10_000:
        rows = []
        for _ in range(500):
            row = document(json.loads(next(around)))
            row["_id"] = row.pop("id")
            for timer in ("outbox_due", "pending_events", "ladder_due"):
                row.pop(timer)
            rows.append(row)
        collection.insert_many(rows)
    time.sleep(SETTLE_S)
    later = closed_loop(api, taps(made, 200, seed=2), connections=1, seconds=30).ms(0.5)
    return [
        Figure("intake p50, nothing open", first, "ms", "", COMMAND),
        Figure("intake p50, 10,000 open", later, "ms", "", COMMAND),
        Figure("intake, 10,000 open / nothing open", later / first, "ratio", "≤ 1.5", COMMAND),
    ]


if __name__ == "__main__":
    main()
