"""Whoever must hear first has a thread first, and the sweeper looks at them first, however many others wait."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import mongoengine
import pytest

from cli.indexes import create as create_indexes
from domain.deliveries import queries, service
from domain.deliveries.service import Recipient, Telling
from domain.deliveries.states import Priority
from notifications import fanout, purposes
from notifications.deliveries import Post

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], threading.Event]]:
    """A pool of one thread, which takes deliveries in hand only after the event; what it took, in order."""
    taken: list[str] = []
    go = threading.Event()

    def advance(delivery_id: str, post: Post, **_: Any) -> None:
        go.wait(10)
        taken.append(delivery_id)

    pool = ThreadPoolExecutor(1)
    monkeypatch.setattr(fanout, "_pool", lambda: pool)
    monkeypatch.setattr(fanout, "advance", advance)
    yield taken, go
    go.set()
    pool.shutdown()


def test_an_offer_that_comes_last_has_the_next_thread(one_thread: tuple[list[str], threading.Event]) -> None:
    taken, go = one_thread
    post: Any = None
    fanout.advance_all({"running": Priority.BULK}, post, patience_s=1)  # begun: it is not called back
    news = {f"news {n}": int(Priority.NEWS) for n in range(20)}
    fanout.advance_all(news, post, patience_s=0)
    fanout.advance_all({"bulk": Priority.BULK}, post, patience_s=0)
    fanout.advance_all(["a receipt that did not come"], post, patience_s=0)
    fanout.advance_all({"code": Priority.WAITED_FOR, "offer": Priority.FIRST}, post, patience_s=0)
    go.set()
    fanout.settle()
    assert taken == ["running", "offer", "a receipt that did not come", "code", *news, "bulk"]


@pytest.fixture
def store(mongodb_url: str) -> Iterator[Any]:
    """A database of the test's own, with the product's indexes."""
    mongoengine.disconnect()
    client: Any = mongoengine.connect(
        db=f"t_{uuid.uuid4().hex[:12]}", host=mongodb_url, tz_aware=True, uuidRepresentation="standard"
    )
    create_indexes()
    yield service.deliveries()
    client.drop_database(service.deliveries().database.name)
    mongoengine.disconnect()


def written(purpose: str, number: int, *, life_critical: bool = False) -> str:
    telling = Telling(
        f"{purpose}-{number}", "lahore", purpose, "inc_1", Recipient("person", f"per_{number}"), ("sms",),
        timedelta(hours=1), life_critical=life_critical,
    )  # fmt: skip
    priority = purposes.priority(purpose, life_critical=life_critical)
    made, _ = service.write_down(telling, now=NOON + timedelta(seconds=number), priority=priority)
    return str(made["_id"])


def test_the_sweeper_finds_an_offer_behind_ever_so_many_updates(store: Any) -> None:
    for number in range(30):
        written("incident_updated", number)
    code = written("otp", 100)
    offer = written("assignment_offered", 200, life_critical=True)
    found = queries.due(now=NOON + timedelta(minutes=10), limit=3)
    assert list(found)[:2] == [offer, code]
    assert found[offer] == Priority.FIRST


def test_what_was_tried_before_is_behind_what_nobody_was_told_yet(store: Any) -> None:
    tried = written("assignment_offered", 1, life_critical=True)
    begun = service.begin(service.get(tried), "fcm", device=None, now=NOON)
    assert begun is not None
    assert begun["priority"] == Priority.AGAIN
    fresh = written("assignment_offered", 2, life_critical=True)
    assert list(queries.due(now=NOON + timedelta(minutes=10), limit=10)) == [fresh, tried]


def test_a_delivery_of_an_earlier_version_is_found_too(store: Any) -> None:
    old = written("incident_updated", 1)
    store.update_one({"_id": old}, {"$unset": {"priority": ""}})
    assert list(queries.due(now=NOON + timedelta(minutes=10), limit=10)) == [old]


def test_what_has_ended_is_not_due(store: Any) -> None:
    done = written("incident_updated", 1)
    store.update_one({"_id": done}, {"$unset": {"next_at": ""}})
    assert queries.due(now=NOON + timedelta(minutes=10), limit=10) == {}
