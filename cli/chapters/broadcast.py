"""Chapter `broadcast`: a canal leaves its banks, and a district of two thousand phones is warned while one message in ten is
refused and the worker that sends them is killed half-way.

Whether everybody was told, and who twice, is counted in the phones' own inboxes.
"""

import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import requests
from lxml import etree
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.chapters.observed import NotObserved, Story, wait_for
from cli.chapters.phones import Phone, Town
from domain.clock import utc_now
from sandbox import crowd
from sandbox.crowd import Neighbour
from sandbox.townspeople import PLACE, Cast

PEOPLE = 2_000
FAILING = 0.10
KILL_AT = 0.45
"""The share that has been told when the worker is killed."""
PATIENCE_S = 90.0
AREA = {
    "type": "Polygon",
    "coordinates": [[[74.31, 31.48], [74.38, 31.48], [74.38, 31.54], [74.31, 31.54], [74.31, 31.48]]],
}
ALERT = {
    "city": "lahore",
    "category": "Met",
    "severity": "Severe",
    "urgency": "Immediate",
    "certainty": "Observed",
    "response": "Evacuate",
    "area": {"geometry": AREA, "name": {"en": "Gulberg", "ur": "گلبرگ"}},
    "texts": {
        "en": {
            "event": "Flood",
            "headline": "Flood in Gulberg: the canal has left its banks",
            "instruction": "Go to higher ground now. Do not drive.",
        },
        "ur": {
            "event": "سیلاب",
            "headline": "گلبرگ میں سیلاب: نہر کناروں سے باہر",
            "instruction": "فوراً اونچی جگہ جائیں۔ گاڑی نہ چلائیں۔",
        },
    },
    "issue": True,
}


def play(town: Town, cast: Cast, story: Story, *, operator_token: str) -> None:
    """Play it. Steps that are not seen in time are recorded as missed."""
    began = time.monotonic()
    people = crowd.settle_in("lahore", PLACE, PEOPLE, now=utc_now(), seed="demo")
    _install(town, people)
    with_app = sum(bool(each.token) for each in people)
    seeded = time.monotonic() - began
    story.say(f"{PEOPLE} neighbours of Liberty Market in {seeded:.1f} s: {with_app} with the app, the others by SMS.")
    refused = {"fcm": {"fraction": FAILING, "status": 503}, "sms": {"fraction": FAILING, "status": 429}}
    town.http.put(f"{town.carriers}/switches", json={"seed": 7, **refused}, timeout=10).raise_for_status()
    story.say(f"The carriers refuse one message in {1 / FAILING:.0f}.")
    since = town.http.get(f"{town.carriers}/healthz", timeout=10).json()["records"]
    operator = Phone(town, cast.operator_phone)
    operator.access = operator_token
    story.begin()
    try:
        alert = operator.call("POST", "/v1/alerts", ALERT, Idempotency_Key=str(uuid.uuid4()))
        alert.raise_for_status()
        _follow(town, story, operator, alert.json()["id"], since)
    except (NotObserved, requests.RequestException) as error:
        story.missed("told", "Everybody was tried", str(error))
    finally:
        fired = town.http.get(f"{town.carriers}/switches", timeout=10).json()["fired"]
        town.http.delete(f"{town.carriers}/switches", timeout=10)
    story.say(f"The carriers refused {sum(fired.values())} messages meanwhile.")
    _count(town, story, people, since)


def _install(town: Town, people: list[Neighbour]) -> None:
    """Put the app on their phones: it answers each push with a receipt."""
    devices = [
        {"token": each.token, "number": each.number, "auto_receipt": True, "api_url": town.api}
        for each in people
        if each.token
    ]
    town.http.put(f"{town.carriers}/devices", json={"devices": devices}, timeout=30).raise_for_status()


def _follow(town: Town, story: Story, operator: Phone, alert_id: str, since: int) -> None:
    """Watch the progress as an operator does, and kill the worker in between."""
    story.seen("issued", "An operator warns Gulberg of a flood", f"alert {alert_id}")

    def progress() -> dict[str, Any]:
        found: dict[str, Any] = operator.call("GET", f"/v1/alerts/{alert_id}").json()["progress"]
        return found

    bar = Progress(
        TextColumn("           told"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=story.console, transient=True, disable=story.quiet,
    )  # fmt: skip
    with bar:
        task = bar.add_task("told", total=PEOPLE)

        def told(enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
            found = progress()
            bar.update(task, completed=found["sent"])
            return found if enough(found) else None

        def arrived() -> int:
            """Messages that are on phones: in the midst of a batch, not at its end."""
            told(lambda _: False)
            there = int(town.http.get(f"{town.carriers}/healthz", timeout=10).json()["records"]) - since
            return there if there >= KILL_AT * PEOPLE else 0

        half = wait_for("half of them told", arrived, PATIENCE_S)
        victim = town.pids()["bulk"]
        os.kill(victim, signal.SIGKILL)
        story.seen("killed", "The worker that sends is killed (kill -9)", f"after {half} of {PEOPLE}")
        wait_for("a worker again", lambda: town.pids().get("bulk") not in (None, victim), 30)
        story.seen("back", "The supervisor has started another", f"process {town.pids()['bulk']}")
        over = wait_for(
            "everybody told",
            lambda: told(lambda now: now["state"] == "told" and now["sent"] + now["failed"] >= PEOPLE),
            PATIENCE_S,
            every_s=0.2,
        )
    words = ", ".join(f"{over[name]} {name}" for name in ("sent", "received", "failed", "unknown", "repeated"))
    story.seen("told", "Everybody was tried", words)
    feed = etree.fromstring(town.http.get(f"{town.api}/cap/feed.atom?city=lahore", timeout=10).content)
    links = [str(link.get("href")) for link in feed.iter("{*}link") if link.get("type") == "application/cap+xml"]
    if f"{town.api}/cap/{alert_id}.xml" in links:
        story.seen("cap", "Other systems read it as CAP 1.2", f"/cap/{alert_id}.xml")
    else:
        story.missed("cap", "Other systems read it as CAP 1.2", "not in the feed")


def _count(town: Town, story: Story, people: list[Neighbour], since: int) -> None:
    """What the phones themselves hold."""
    came = town.http.get(f"{town.carriers}/messages.json", params={"since": since}, timeout=60).json()["items"]
    pushes = [each for each in came if each["kind"] == "push" and each["data"].get("type") == "alert.issued"]
    shown = Counter(token for token, _ in {(each["token"], each["data"]["delivery_id"]) for each in pushes})
    texts = Counter(each["to"] for each in came if each["kind"] == "sms" and each["direction"] != "inbound")
    told = Counter({each.person: shown[each.token] + texts[each.number] for each in people})
    missed = sum(not number for number in told.values())
    where = f"{sum(shown.values())} shown by the app, {sum(texts.values())} SMS"
    if missed:
        story.missed("everybody", "Every phone was told", f"{missed} of {PEOPLE} were not; {where}")
    else:
        story.seen("everybody", "Every phone was told", where)
    twice = sum(number > 1 for number in told.values())
    again = len(pushes) - sum(shown.values())
    evidence = f"{twice} told twice; {again} pushes came again after the kill, each shown once by its delivery id"
    if max(shown.values(), default=0) > 1 or max(texts.values(), default=0) > 1:
        story.missed("once", "Nobody was told twice on a device", evidence)
    else:
        story.seen("once", "Nobody was told twice on a device", evidence)
