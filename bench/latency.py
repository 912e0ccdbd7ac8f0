"""From the tap to the first push and the first SMS, at 1, 20 and 50 SOS/s with cameras being looked at; and 30 at once.

    python -m bench.latency [--seconds 12]

Seen from outside: the tap is when the request leaves, the arrival is the carrier's own time of the message. The store
is read afterwards only to tell which message belongs to which SOS. Memory of each process is read at the end.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import requests

from bench.city import CITY, settings_of, stack, taps
from bench.figures import Figure, keep, percentile
from bench.load import open_loop
from cli.stack import ROOT, Stack
from domain.clock import utc_now
from domain.deliveries.documents import DeliveryDoc
from domain.deliveries.service import deliveries
from domain.incidents.documents import IncidentDoc
from domain.people.documents import PersonDoc
from runtime import queues
from runtime.positions import RedisPositions
from sandbox import street_cameras, townspeople

RATES = (1, 20, 50)
COMMAND = "python -m bench.latency"
SETTLE_S = 14.0
PATIENT_S = 150.0
"""How long a run waits for the last of its SOS to reach somebody: nobody may be left out, however late they are."""


def main(arguments: list[str] | None = None) -> list[Figure]:
    """Measure and keep the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=12.0)
    options = parser.parse_args(arguments)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as var, stack(Path(var) / "var", workers=True) as made:
        _populate(made)
        for rate in RATES:
            figures += _at_rate(made, rate, max(8, int(rate * options.seconds)))
        figures += _thirty_at_once(made)
        figures += _memory(made)
    keep(figures)
    for figure in figures:
        print(f"{figure.name:58} {figure.value:10.3f} {figure.unit:10} {figure.aim}")
    return figures


def _populate(made: Stack) -> None:
    """60 police units; every second responder has the app on a phone that answers with receipts."""
    positions = RedisPositions(queues.connect(settings_of(made).redis_url))
    now = utc_now()
    cast = townspeople.populate(CITY, positions=positions, now=now, units=60)
    street_cameras.install(CITY, ROOT / "var" / "footage", now=now)
    people = PersonDoc._get_collection()
    for person, phone in townspeople.phones_with_app(cast):
        token = f"push-bench-{person}"
        device = {"id": "dev", "token": token, "platform": "android", "session_id": "ses_bench", "seen_at": now}
        people.update_one({"_id": person}, {"$set": {"devices": {"dev": device}, "device_tokens": [token]}})
        body = {"number": phone, "auto_receipt": True, "api_url": made.address("api")}
        requests.put(f"{made.address('carriers')}/devices/{token}", json=body, timeout=10).raise_for_status()


def _clear(made: Stack) -> None:
    """Nothing of the run before goes on: its ladders would climb into the next figures."""
    for document in (IncidentDoc, DeliveryDoc):
        document._get_collection().delete_many({})
    requests.delete(f"{made.address('carriers')}/messages", timeout=30)


def _run(made: Stack, count: int, rate: float, seed: int) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """(taps by incident, the carriers' messages) once somebody was told of each SOS, or patience ends."""
    answers = open_loop(made.address("api"), taps(made, count, seed=seed, spread_m=4000), rate=rate)
    bad = [status for _, status, _ in answers if status != 201]
    if bad:
        raise SystemExit(f"{len(bad)} of {count} SOS were not taken: {sorted(set(bad))}")
    tapped = {json.loads(body)["id"]: at for at, _, body in answers}
    end = time.monotonic() + PATIENT_S
    while True:
        time.sleep(SETTLE_S)
        messages = requests.get(f"{made.address('carriers')}/messages.json", timeout=60).json()["items"]
        told = {each.incident for each in _told(*_arrivals(messages))}
        if told >= tapped.keys() or time.monotonic() > end:
            return tapped, messages


def _arrivals(messages: list[dict[str, Any]]) -> tuple[dict[str, float], dict[str, float]]:
    """When each push (by its delivery) and each SMS (by its vendor id) arrived: Unix times, the earliest of each."""
    pushes: dict[str, float] = {}
    texts: dict[str, float] = {}
    for message in messages:
        at = datetime.fromisoformat(message["at"]).timestamp() if message.get("at") else 0.0
        data = message.get("data") or {}
        if data.get("type") == "assignment.offered":
            pushes[data["delivery_id"]] = min(at, pushes.get(data["delivery_id"], at))
        elif str(message.get("sid", "")).startswith("SM"):
            texts[message["sid"]] = at
    return pushes, texts


@dataclass(frozen=True)
class _Told:
    """One person who was told of one SOS: how first, when that was due, when it arrived; `first_rung` of its ladder."""

    incident: str
    channel: str
    due: float
    arrived: float
    first_rung: bool
    first_try: bool


def _told(pushes: dict[str, float], texts: dict[str, float]) -> list[_Told]:
    """Every offer that arrived. The store is read to tell which message is whose, and when an SMS became due."""
    first = {
        doc["_id"]: {
            name
            for name, assignment in (doc.get("assignments") or {}).items()
            if assignment["offered_at"] == (doc.get("milestones") or {}).get("offered_at")
        }
        for doc in IncidentDoc._get_collection().find({}, {"assignments": 1, "milestones": 1})
    }
    rows = []
    for delivery in deliveries().find({"purpose": "assignment_offered"}):
        in_first = delivery["refs"]["assignment"] in first.get(delivery["subject"], set())
        attempts = [delivery["attempts"][key] for key in sorted(delivery["attempts"], key=int)]
        due = delivery["created_at"].timestamp()
        for index, attempt in enumerate(attempts):
            at = pushes.get(delivery["_id"]) if attempt["channel"] == "fcm" else texts.get(attempt.get("vendor_id", ""))
            if at is not None:
                rows.append(_Told(delivery["subject"], attempt["channel"], due, at, in_first, index == 0))
            if attempt["channel"] == "fcm":
                due = attempt["at"].timestamp() + delivery["receipt_wait_s"]
    return rows


def _first(told: list[_Told], channel: str, tapped: dict[str, float]) -> list[float]:
    """Seconds from each tap to its first message on a channel, of those whom the first rung reaches so at once."""
    found: dict[str, float] = {}
    for each in told:
        if each.channel == channel and each.first_rung and each.first_try and each.incident in tapped:
            seconds = each.arrived - tapped[each.incident]
            found[each.incident] = min(seconds, found.get(each.incident, seconds))
    return list(found.values())


def _at_rate(made: Stack, rate: int, count: int) -> list[Figure]:
    _clear(made)
    tapped, messages = _run(made, count, rate, seed=rate)
    told = _told(*_arrivals(messages))
    to_push, to_sms = _first(told, "fcm", tapped), _first(told, "sms", tapped)
    reached = {each.incident for each in told} & tapped.keys()
    figures = [Figure(f"SOS told of at {rate}/s", len(reached) / count, "share", "≥ 1", COMMAND)]
    for name, values in (("first push", to_push), ("first SMS", to_sms)):
        if values:
            aim = "< 1" if name == "first push" and rate == 20 else ""
            figures.append(Figure(f"tap to {name} p50 at {rate} SOS/s", percentile(values, 0.5), "s", "", COMMAND))
            figures.append(Figure(f"tap to {name} p95 at {rate} SOS/s", percentile(values, 0.95), "s", aim, COMMAND))
    return figures


def _thirty_at_once(made: Stack) -> list[Figure]:
    """30 SOS in the same moment: how long after it was due each SMS arrived."""
    _clear(made)
    tapped, messages = _run(made, 30, 1000.0, seed=99)
    told = _told(*_arrivals(messages))
    late = [each.arrived - each.due for each in told if each.channel == "sms" and each.incident in tapped]
    return [
        Figure("30 SOS at once: SMS sent", len(late), "messages", "≥ 30", COMMAND),
        Figure("30 SOS at once: slowest SMS after it was due", max(late) if late else 999.0, "s", "< 3", COMMAND),
    ]


def _memory(made: Stack) -> list[Figure]:
    found = []
    for name, pid in sorted(made.pids().items()):
        process = psutil.Process(pid)
        every = [process, *process.children(recursive=True)]
        total = sum(each.memory_info().rss for each in every if each.is_running())
        found.append(Figure(f"memory of {name}", total / 2**20, "MiB", "", COMMAND))
    return found


if __name__ == "__main__":
    main()
