"""A whole city of processes for tests that kill them, phones that do not give up, and what is looked for afterwards.

What is asked is asked from outside where that is possible (the API's answers, the carriers' inboxes), and of the store
where a promise is about the store (no lease left, no timer lost).
"""

import contextlib
import os
import re
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from pymongo import MongoClient

from cli.stack import Stack
from domain.clock import utc_now
from domain.dispatch.rules import link_for
from domain.incidents.states import HOLDING
from runtime import mongo, queues
from runtime.positions import RedisPositions
from runtime.settings import Settings
from sandbox import townspeople
from sandbox.townspeople import PLACE, Cast
from tests.fakes import push_contract

Doc = dict[str, Any]
NOT_NEEDED = frozenset({"vision", "bulk", "streams", "recorder", "footage"})
PATIENT_S = 60.0
LINK = re.compile(r"https?://\S+/a/[0-9a-z]{12}")


def until(what: str, found: Callable[[], Any], seconds: float = PATIENT_S, every_s: float = 0.2) -> Any:
    """The first true answer; fails the test after `seconds` with what was looked for."""
    end = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(every_s)
    return answer


@dataclass(frozen=True)
class Taken:
    """What a phone was told about one SOS: when it tapped (Unix time), its id, how many tries, seconds of the last."""

    key: str
    tapped: float
    id: str
    tries: int
    seconds: float


@dataclass
class City:
    """The processes of a city and what a test does to them."""

    stack: Stack
    cast: Cast
    client: "MongoClient[Doc]"
    http: threading.local = field(default_factory=threading.local)

    # what a phone does

    def post_sos(self, key: str, *, timeout: float = 10.0) -> requests.Response:
        """One try of one SOS, by a phone without an account near the middle of the city."""
        nudge = (int(uuid.UUID(key)) % 1000) * 1e-6
        body = {
            "position": {"lat": PLACE[0] + nudge, "lon": PLACE[1], "accuracy_m": 10},
            "category": "threat",
            "device_id": f"dev-{key}",
        }
        return requests.post(
            f"{self.stack.address('api')}/v1/sos", json=body, headers={"Idempotency-Key": key}, timeout=timeout
        )

    def tap(self, key: str = "", *, give_up_s: float = PATIENT_S) -> Taken:
        """One SOS as the app sends it: the same key again and again until somebody says that it is stored."""
        key, tapped, tries = key or str(uuid.uuid4()), time.time(), 0
        while True:
            tries += 1
            began = time.monotonic()
            with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                answer = self.post_sos(key)
                if answer.status_code in (200, 201):
                    return Taken(key, tapped, answer.json()["id"], tries, time.monotonic() - began)
                assert answer.status_code == 503, f"an SOS was answered {answer.status_code}: {answer.text[:300]}"
            assert time.time() < tapped + give_up_s, "nobody took the SOS"
            time.sleep(0.2)

    # what a test does to processes

    def kill(self, name: str, sig: signal.Signals = signal.SIGKILL) -> int:
        """Signal a supervised process, without a word to the supervisor. Returns its process id."""
        pid = int(self.stack.pids()[name])
        os.kill(pid, sig)
        return pid

    def back(self, name: str, dead: int) -> None:
        """Wait until the supervisor has started it again."""
        until(f"{name} is started again", lambda: self.stack.pids().get(name, dead) != dead)

    def web_workers(self) -> list[int]:
        """The process ids of gunicorn's workers."""
        master = int(self.stack.pids()["api"])
        return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]

    # what is looked for

    @property
    def store(self) -> Any:
        """The city's own database."""
        return self.client["amaan"]

    def answers(self) -> bool:
        """Whether the API says that it can take an SOS."""
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.stack.address('api')}/readyz", timeout=5).status_code == 200
        return False

    def get(self, path: str) -> Any:
        """JSON from the carriers' people's side."""
        if not hasattr(self.http, "session"):
            self.http.session = requests.Session()
        answer = self.http.session.get(self.stack.address("carriers") + path, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def switch(self, channel: str, address: str = "", **values: Any) -> None:
        """Let a carrier misbehave, towards all or towards one number or token."""
        where = f"/switches/{channel}" + (f"/{quote(address, safe='')}" if address else "")
        requests.put(self.stack.address("carriers") + where, json=values, timeout=20).raise_for_status()

    def all_well(self) -> None:
        """Every switch off; what hangs is let go."""
        requests.delete(self.stack.address("carriers") + "/switches", timeout=20).raise_for_status()

    def link(self, assignment: str) -> str:
        """The address of an assignment's one-tap page."""
        return f"{self.stack.address('api')}/a/{link_for(self.stack.env['AMAAN_SECRET'], assignment)}"

    def inboxes(self) -> "Inboxes":
        """Everything that has reached a phone by now."""
        sms, pushes = [], []
        for number in self.get("/phones.json")["numbers"]:
            inbox = self.get(f"/phones/{quote(number)}.json")
            sms += [each for each in inbox["sms"] if each["direction"] != "inbound"]
            pushes += inbox["pushes"]
        return Inboxes(sms, pushes)

    def offers(self, incident: str) -> list[Doc]:
        """The deliveries that offered an incident's assignments."""
        return list(self.store.deliveries.find({"subject": incident, "purpose": "assignment_offered"}))

    def at_rest(self) -> bool:
        """No event waits, anywhere."""
        return not any(
            self.store[name].find_one({"outbox_due": {"$exists": True}}) for name in ("incidents", "people", "observations")
        )


class Inboxes:
    """What reached phones: SMS (`to`, `body`, `at`) and pushes (`token`, `data`, `at`)."""

    def __init__(self, sms: list[Doc], pushes: list[Doc]) -> None:
        self.pushes = pushes
        self._first: dict[str, float] = {}
        self._links: Counter[tuple[str, str]] = Counter()
        for each in pushes:
            self._seen(each["data"].get("delivery_id", ""), each["at"])
        for each in sms:
            for link in LINK.findall(each["body"]):
                self._seen(link, each["at"])
                self._links[(each["to"], link)] += 1

    def _seen(self, what: str, at: str) -> None:
        self._first[what] = min(unix(at), self._first.get(what, float("inf")))

    def told_at(self, city: City, delivery: Doc) -> float | None:
        """When the first message of a delivery reached a phone (Unix time)."""
        keys = (delivery["_id"], city.link(delivery["refs"]["assignment"]))
        return min((self._first[key] for key in keys if key in self._first), default=None)

    def twice(self) -> list[tuple[str, str]]:
        """(number, link) of what was texted more than once."""
        return [found for found, count in self._links.items() if count > 1]


def unix(moment: str) -> float:
    """An RFC 3339 time as seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def populate(stack: Stack, *, with_app: int = 0) -> Cast:
    """Put the invented people into the store; the first `with_app` responders have the app, which sends receipts."""
    settings = Settings.model_validate(
        {
            "mongodb_url": stack.env["MONGODB_URL"],
            "redis_url": stack.env["REDIS_URL"],
            "secret": stack.env["AMAAN_SECRET"],
        }
    )
    client = mongo.connect(settings)
    try:
        positions = RedisPositions(queues.connect(settings.redis_url))
        cast = townspeople.populate("lahore", positions=positions, now=utc_now())
        for number in cast.responder_phones[:with_app]:
            token, device = f"push-{number[1:]}", f"dev-{number[1:]}"
            held = {"id": device, "token": token, "platform": "android", "session_id": "ses_1", "seen_at": utc_now()}
            client["amaan"].people.update_one(
                {"phone": number}, {"$set": {f"devices.{device}": held, "device_tokens": [token]}}
            )
            register = {"number": number, "auto_receipt": True, "api_url": stack.address("api")}
            requests.put(f"{stack.address('carriers')}/devices/{token}", json=register, timeout=20).raise_for_status()
    finally:
        mongo.disconnect()
    return cast


def lost(city: City, taken: list[Taken]) -> None:
    """Look for everything that must be there after whatever happened. Fails with what is missing."""
    ids = [each.id for each in taken]
    assert len(set(ids)) == len(taken), "two keys have one SOS"
    stored = [doc["_id"] for doc in city.store.incidents.find({}, {"_id": 1})]
    assert Counter(stored) == Counter(ids), "each acknowledged SOS is there once, and nothing else is"

    until("units were told of every SOS", lambda: first_told(city).keys() >= set(ids), every_s=0.5)
    asked_until = datetime.now(UTC)  # ladders climb on, and ask more units, for as long as nobody answers
    until("every unit that was asked was told", lambda: not _untold(city, asked_until), every_s=0.5)
    until("no event waits any more", city.at_rest)
    inboxes = city.inboxes()
    assert inboxes.twice() == [], "an SMS came twice"
    assert push_contract.faults(inboxes.pushes) == []
    of_device = Counter((each["token"], each["data"].get("delivery_id")) for each in inboxes.pushes)
    offered = {each["_id"] for each in city.store.deliveries.find({"purpose": "assignment_offered"}, {"_id": 1})}
    offers = {found for found in of_device if found[1] in offered}
    assert len(offers) == len({delivery for _, delivery in offers}), "an offer went to two devices"

    now = datetime.now(UTC)
    for doc in city.store.incidents.find({}):
        for slot in doc["slots"].values():
            held = doc["assignments"].get(slot["assignment"] or "", {}).get("status") in HOLDING
            timer = slot.get("due_at") is not None and doc.get("ladder_due") is not None
            fresh = timer and doc["ladder_due"].replace(tzinfo=UTC) > now - timedelta(seconds=8)
            assert held or fresh, f"a ladder is stuck: {doc['_id']} {slot} due {doc.get('ladder_due')}"
    until("no lease is left on a unit whose assignment does not hold", lambda: not _stray_leases(city), 20)


def first_told(city: City) -> dict[str, float]:
    """When the first phone heard of each SOS, as the carriers noted it (Unix time)."""
    inboxes = city.inboxes()
    first: dict[str, float] = {}
    for each in city.store.deliveries.find({"purpose": "assignment_offered"}, {"subject": 1, "refs": 1}):
        if at := inboxes.told_at(city, each):
            first[each["subject"]] = min(at, first.get(each["subject"], at))
    return first


def _untold(city: City, asked_until: datetime) -> list[str]:
    """Offers that have reached no phone, and were not overtaken by somebody's answer."""
    inboxes = city.inboxes()
    asked = {"purpose": "assignment_offered", "created_at": {"$lte": asked_until}}
    return [
        each["_id"]
        for each in city.store.deliveries.find(asked, {"refs": 1, "status": 1})
        if each["status"] != "suppressed" and inboxes.told_at(city, each) is None
    ]


def _stray_leases(city: City) -> list[str]:
    found = []
    for unit in city.store.units.find({"lease": {"$ne": None}}):
        doc = city.store.incidents.find_one({"_id": unit["lease"]["incident"]}) or {"assignments": {}}
        if doc["assignments"].get(unit["lease"]["assignment"], {}).get("status") not in HOLDING:
            found.append(unit["_id"])
    return found
