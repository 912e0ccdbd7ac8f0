"""A warning to 10,000 phones with the app and 2,000 without, through the vendors' own clients to the local carriers:
beside a bare loop over the same clients, its memory, and with a tenth of the carriers' answers refused.

python -m bench.fanout
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import requests

from bench.city import CITY, stack
from bench.figures import Figure, keep
from cli.stack import ROOT, Stack
from domain.alerts import queries, service
from domain.alerts.following import city_key
from domain.cities import queries as cities
from domain.clock import utc_now
from domain.deliveries.service import deliveries
from domain.ids import new_id
from domain.people import queries as people
from notifications.render.text import render, render_sms

COMMAND: Final = "python -m bench.fanout"
SIZES: Final[tuple[int, ...]] = (100, 1_000, 10_000)
"""Phones with the app; a fifth as many have none and get an SMS."""
RUNS: Final = {100: 3, 1_000: 3, 10_000: 2}
TEXTS: Final = {
    language: {
        "event": "Flood",
        "headline": "Flood water is rising along the canal",
        "instruction": "Go to higher ground.",
    }
    for language in ("en", "ur")
}


def main() -> list[Figure]:
    """Measure and keep the figures."""
    figures: list[Figure] = []
    rates: dict[int, float] = {}
    peaks: dict[int, float] = {}
    if len(sys.argv) > 1 and sys.argv[1].isdecimal():  # a quick look: one size alone, nothing kept
        return look(int(sys.argv[1]))
    with tempfile.TemporaryDirectory() as var, stack(Path(var) / "var", workers=False) as made:
        carriers = Carriers(made)
        ahead = _until_noon(utc_now())
        for size in SIZES:
            people_in(size)
            bare, ours = [], []
            for _ in range(RUNS[size]):
                bare.append(child(made, "bench.bare", str(size), str(size // 5), *words()))
                carriers.expect(size, size // 5)
                carriers.empty()
                ours.append(broadcast(made, ahead))
                carriers.expect(size, size // 5)
                carriers.empty()
            least, most = min(each["seconds"] for each in bare), min(each["seconds"] for each in ours)
            work = min(each["cpu_s"] for each in ours) / min(each["cpu_s"] for each in bare)
            rates[size] = (size + size // 5) / most
            peaks[size] = max(each["peak_mb"] for each in ours)
            aim = "≤ 1.5" if size == SIZES[-1] else ""
            figures += [
                Figure(f"fan-out, {size:,} pushes and {size // 5:,} SMS", most, "s", "", COMMAND),
                Figure(f"fan-out, bare loop, {size:,} and {size // 5:,}", least, "s", "", COMMAND),
                Figure(f"fan-out over the bare loop, {size:,}", most / least, "ratio", aim, COMMAND),
                Figure(f"fan-out, CPU of its process over the bare loop's, {size:,}", work, "ratio", "", COMMAND),
                Figure(f"fan-out, memory at its most, {size:,}", peaks[size], "MB", "", COMMAND),
            ]
        figures += [
            Figure(
                "fan-out, rate at 10,000 over the rate at 1,000", rates[10_000] / rates[1_000], "ratio", "", COMMAND
            ),
            Figure("fan-out, memory at 10,000 over 1,000", peaks[10_000] / peaks[1_000], "ratio", "≤ 1.2", COMMAND),
        ]
        figures += refused(made, carriers, ahead, SIZES[-1])
    keep(figures)
    for figure in figures:
        print(f"{figure.name:62} {figure.value:10.3f} {figure.unit:8} {figure.aim}")
    return figures


def look(size: int) -> list[Figure]:
    """One size, once, and what each process said of itself."""
    with tempfile.TemporaryDirectory() as var, stack(Path(var) / "var", workers=False) as made:
        carriers, ahead = Carriers(made), _until_noon(utc_now())
        people_in(size)
        bare = child(made, "bench.bare", str(size), str(size // 5), *words())
        carriers.empty()
        ours = broadcast(made, ahead)
        carriers.expect(size, size // 5)
        print(json.dumps({"bare": bare, "ours": ours, "ratio": ours["seconds"] / bare["seconds"]}, indent=1))
        print([(each.name, each.value) for each in refused(made, carriers, ahead, size)])
    return []


def refused(made: Stack, carriers: "Carriers", ahead: timedelta, size: int) -> list[Figure]:
    """A tenth of the answers are 429 or 500: who was missed, and who was told twice, counted from the inboxes."""
    carriers.refuse(
        seed=7, fcm={"status": 500, "fraction": 0.1}, sms={"status": 429, "fraction": 0.1, "retry_after": 1}
    )
    carriers.empty()
    ended = broadcast(made, ahead)
    pushes, texts = carriers.arrived()
    refusals = carriers.fired()
    carriers.refuse(fcm={}, sms={})
    everybody = {f"bench-push-{index}" for index in range(size)}
    numbers = {number(index) for index in range(size, size + size // 5)}
    missed = len(everybody - set(pushes)) + len(numbers - set(texts))
    twice = sum(count > 1 for count in (*pushes.values(), *texts.values()))
    named = f"fan-out, {size:,} and {size // 5:,} with a tenth refused"
    return [
        Figure(f"{named}: answers 429 and 500", float(refusals), "answers", "", COMMAND),
        Figure(f"{named}: missed", float(missed), "people", "= 0", COMMAND),
        Figure(f"{named}: told twice", float(twice), "people", "= 0", COMMAND),
        Figure(f"{named}: until nothing was left to try", ended["whole_s"], "s", "", COMMAND),
    ]


def _until_noon(now: datetime) -> timedelta:
    """How far the city's clock is put ahead, so that nobody sleeps in it."""
    local = now.astimezone(cities.current(CITY).zone)
    noon = local.replace(hour=12, minute=0, second=0, microsecond=0)
    return (noon if noon > local else noon + timedelta(days=1)) - local


def number(index: int) -> str:
    """A number of the range that no carrier assigns."""
    return f"+92300{index:07d}"


def people_in(size: int) -> None:
    """So many who follow the whole city: the first with the app, a fifth as many more without."""
    people.collection().delete_many({"_id": {"$regex": "^per_bench"}})
    now, rows = utc_now(), []
    for index in range(size + size // 5):
        row: dict[str, Any] = {
            "_id": f"per_bench{index:07d}", "phone": number(index), "language": "en", "city": CITY, "roles": [],
            "alert_cells": [city_key(CITY)], "version": 1, "created_at": now,
        }  # fmt: skip
        if index < size:
            token = f"bench-push-{index}"
            device = {"id": "dev", "token": token, "platform": "android", "session_id": "ses_bench", "seen_at": now}
            row |= {"devices": {"dev": device}, "device_tokens": [token]}
        rows.append(row)
    for start in range(0, len(rows), 1000):
        people.collection().insert_many(rows[start : start + 1000])


def words() -> tuple[str, str, str]:
    """What the bare loop says: as much as the product does."""
    params = {"headline": TEXTS["en"]["headline"], "instruction": TEXTS["en"]["instruction"], "area": "Lahore"}
    title = render("alert_issued", "push_title", "en", params)
    body = render("alert_issued", "push_body", "en", params)
    return title, body, render_sms("alert_issued", "en", {**params, "nonce": "bcdfgh"}).text


def broadcast(made: Stack, ahead: timedelta) -> dict[str, Any]:
    """Issue an alert to the whole city and let a worker's process tell everybody."""
    now = utc_now() + ahead
    for collection in (queries.alerts(), queries.batches(), deliveries()):
        collection.delete_many({})
    config = cities.current(CITY)
    facts = {
        "category": "Met", "urgency": "Expected", "severity": "Moderate", "certainty": "Likely",
        "expires": now + timedelta(hours=6), "texts": TEXTS, "area": {"whole_city": True},
    }  # fmt: skip
    alert_id = new_id("alt", now)
    service.draft(alert_id, facts, config, by="system:bench", now=now)
    service.issue(alert_id, config, sender="bench@amaan.example", by="system:bench", now=now)
    return child(made, "bench.broadcast", alert_id, str(ahead.total_seconds()))


def child(made: Stack, module: str, *arguments: str) -> dict[str, Any]:
    """A process of its own, so that neither's memory or imports count for the other. Returns what it prints."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=made.env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{module} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


class Carriers:
    """The people's side of the local carriers. While times are taken their receipts are off: what is measured is telling."""

    def __init__(self, made: Stack) -> None:
        self._url = made.address("carriers")
        self._http = requests.Session()
        self.refuse(fcm={}, sms={})
        self.empty()

    def refuse(self, *, seed: int = 0, **channels: dict[str, Any]) -> None:
        """Switch failures of these channels; one without any keeps its receipts back."""
        body = {name: values or {"no_receipt": True} for name, values in channels.items()}
        self._http.delete(f"{self._url}/switches", timeout=10).raise_for_status()
        self._http.put(f"{self._url}/switches", json={"seed": seed, **body}, timeout=10).raise_for_status()

    def fired(self) -> int:
        """How many answers were refusals."""
        found = self._http.get(f"{self._url}/switches", timeout=10).json()["fired"]
        return int(found.get("fcm.500", 0)) + int(found.get("sms.429", 0))

    def arrived(self) -> tuple[Counter[str], Counter[str]]:
        """(pushes by token, SMS by number): how many each phone has."""
        items = self._http.get(f"{self._url}/messages.json", timeout=120).json()["items"]
        pushes = Counter(each["token"] for each in items if each["kind"] == "push")
        texts = Counter(each["to"] for each in items if each["kind"] == "sms")
        return pushes, texts

    def expect(self, pushes: int, texts: int) -> None:
        """Stop the bench where not everybody has exactly one message: it would measure something else."""
        pushed, written = self.arrived()
        found = (len(pushed), sum(pushed.values()), len(written), sum(written.values()))
        if found != (pushes, pushes, texts, texts):
            raise SystemExit(f"{pushes} pushes and {texts} SMS were to arrive, and there are {found}")

    def empty(self) -> None:
        """Empty every inbox."""
        self._http.delete(f"{self._url}/messages", timeout=60).raise_for_status()


if __name__ == "__main__":
    main()
