"""How fast the embedded document server is: `python -m sandbox.docstore.bench [--documents 100000]`.

Shaped like the product's hot queries. Beside the times that a client sees (milliseconds) stands the server's own
processor time for each operation, which other work on the machine disturbs less. Ends with kill -9 and a start.
"""

import argparse
import datetime as dt
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from sandbox import docstore

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
CELLS = 5_000
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Server:
    """One server process and what it has used."""

    def __init__(self, file: Path) -> None:
        start = time.perf_counter()
        command = docstore.command(0, file)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        self.started_s = time.perf_counter() - start
        self.client: MongoClient[dict[str, Any]] = MongoClient("127.0.0.1", port, tz_aware=True)
        self.incidents = self.client.bench.incidents

    def cpu_s(self) -> float:
        """Processor time so far, user and system (proc(5): fields 14 and 15 of stat)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    def memory_mb(self) -> int:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024

    def end(self, how: signal.Signals) -> None:
        """Stop it and wait."""
        self.client.close()
        self.process.send_signal(how)
        self.process.wait()


def document(number: int, rng: random.Random) -> dict[str, Any]:
    """Something like an incident, about 700 bytes; every tenth is due."""
    made: dict[str, Any] = {
        "_id": f"inc_{number:010d}", "city": "lahore", "status": rng.choice(["open", "taken", "stalled", "closed"]),
        "at": NOW - dt.timedelta(seconds=number), "cell": f"89{rng.randrange(CELLS):06d}", "token": f"tok{number}",
        "version": 0, "text": "x" * 300, "slots": {"police": {"status": "open", "unit": None}},
        "timeline": [{"at": NOW, "type": "raised", "by": "per_1"}] * 3,
    }  # fmt: skip
    if number % 10 == 0:
        made["due"] = NOW + dt.timedelta(seconds=number)
    return made


def timed(server: Server, name: str, run: Callable[[], Any], times: int = 300) -> None:
    """Print what one caller waits, and what the server spends."""
    for _ in range(20):
        run()
    waits = []
    cpu = server.cpu_s()
    for _ in range(times):
        start = time.perf_counter()
        run()
        waits.append((time.perf_counter() - start) * 1000)
    cpu = (server.cpu_s() - cpu) / times * 1000
    waits.sort()
    print(f"{name:44} p50 {waits[times // 2]:7.2f} ms  p95 {waits[times * 95 // 100]:7.2f} ms  server {cpu:6.2f} ms")


def insert_rate(server: Server, threads: int, seconds: float, numbers: "itertools.count[int]") -> None:
    """Print how many single inserts so many client threads get acknowledged in a second."""
    done = [0] * threads
    until = time.perf_counter() + seconds

    def work(thread: int) -> None:
        rng = random.Random(thread)
        while time.perf_counter() < until:
            server.incidents.insert_one(document(next(numbers), rng))
            done[thread] += 1

    cpu = server.cpu_s()
    workers = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    spent = (server.cpu_s() - cpu) / sum(done) * 1000
    print(f"{f'insert_one, {threads} client threads':44} {sum(done) / seconds:7.0f} /s{'':22}server {spent:6.2f} ms")


def measure(server: Server, count: int, rng: random.Random) -> None:
    """Fill and query."""
    incidents = server.incidents
    incidents.create_index([("city", 1), ("status", 1), ("at", -1)])
    incidents.create_index([("due", 1)], sparse=True)
    incidents.create_index([("city", 1), ("cell", 1), ("at", 1)])
    incidents.create_index([("token", 1)], unique=True, sparse=True)
    start = time.perf_counter()
    for first in range(0, count, 500):
        incidents.insert_many([document(number, rng) for number in range(first, first + 500)])
    print(f"{count} documents by insert_many: {time.perf_counter() - start:.1f} s, {server.memory_mb()} MB")

    def one() -> dict[str, Any]:
        return {"_id": f"inc_{rng.randrange(count):010d}"}

    def cells() -> dict[str, Any]:
        return {"city": "lahore", "cell": {"$in": [f"89{rng.randrange(CELLS):06d}" for _ in range(19)]}}

    change = {"$inc": {"version": 1}, "$set": {"seen": NOW}}
    due = {"due": {"$lte": NOW + dt.timedelta(seconds=count // 2)}}
    timed(server, "ping", lambda: server.client.admin.command("ping"))
    timed(server, "by id", lambda: incidents.find_one(one()))
    timed(server, "conditional modify by {_id, city}", lambda: incidents.find_one_and_update(
        one() | {"city": "lahore"}, change))  # fmt: skip
    timed(server, "conditional modify that is refused", lambda: incidents.find_one_and_update(
        one() | {"city": "nowhere"}, change))  # fmt: skip
    timed(server, "due-time range, sorted, 20 of many", lambda: list(incidents.find(due).sort("due", 1).limit(20)))
    timed(server, "$in over 19 cells, sorted, first 20", lambda: list(incidents.find(cells()).sort("at", 1).limit(20)))
    timed(server, "$in over 19 cells, sorted, all (~380)", lambda: list(incidents.find(cells()).sort("at", 1)), 60)
    timed(server, "open in a city, newest 20", lambda: list(
        incidents.find({"city": "lahore", "status": "open"}).sort("at", -1).limit(20)))  # fmt: skip
    timed(server, "by unique token", lambda: incidents.find_one({"token": f"tok{rng.randrange(count)}"}))
    numbers = itertools.count(count)
    timed(server, "insert_one", lambda: incidents.insert_one(document(next(numbers), rng)))
    for threads in (1, 4, 16):
        insert_rate(server, threads, 4, numbers)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    options = parser.parse_args()
    docstore.build()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.db"
        server = Server(file)
        try:
            print(f"start, empty: {server.started_s:.2f} s, {server.memory_mb()} MB")
            measure(server, options.documents, random.Random(1))
            count = server.incidents.count_documents({})
            print(f"{count} documents: {server.memory_mb()} MB, file {file.stat().st_size >> 20} MB")
            server.end(signal.SIGKILL)
            server = Server(file)
            print(f"start after kill -9: {server.started_s:.1f} s ({server.cpu_s():.1f} s of processor)")
            if server.incidents.count_documents({}) != count:
                sys.exit("documents are missing")
            print(f"all {count} documents are there, {server.memory_mb()} MB")
        finally:
            server.end(signal.SIGTERM)


if __name__ == "__main__":
    main()
