"""Events wait inside the document that changed: claimed by one at a time, never lost, cleared exactly."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.database import Database

from domain import outbox

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATE = NOON + timedelta(seconds=30)


class _Doc:
    """Stands for a document class: the outbox asks it for its collection alone."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def _get_collection(self) -> Collection[dict[str, Any]]:
        return self._collection


@pytest.fixture
def box(store: Database[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a registered outbox over an empty collection with the index that the product declares."""
    name = f"box_{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr(outbox, "_outboxes", {})
    store.things.create_index([("outbox_due", 1)], sparse=True)
    outbox.register(name, _Doc(store.things))
    return name


def event(number: int, subject: str = "inc_1") -> outbox.Event:
    return outbox.event("incident.raised", subject, version=number, now=NOON, city="lahore")


def put(box: str, *numbers: int, subject: str = "inc_1") -> None:
    events = [event(number, subject) for number in numbers]
    outbox.collection(box).insert_one({"_id": subject, "version": 1, **outbox.fields(events, NOON)})


def push(box: str, number: int, *, subject: str = "inc_1", now: datetime = NOON) -> None:
    """Another change of the document, with an event of its own."""
    update = outbox.merge({"$inc": {"version": 1}}, outbox.pending([event(number, subject)], now))
    outbox.collection(box).update_one({"_id": subject}, update)


def waiting(box: str, subject: str = "inc_1") -> list[int]:
    return [each["v"] for each in (outbox.collection(box).find_one({"_id": subject}) or {}).get("pending_events") or []]


def stored(box: str) -> dict[str, Any]:
    found = outbox.collection(box).find_one({"_id": "inc_1"})
    assert found is not None
    return found


def race(count: int, step: Callable[[int], Any]) -> list[Any]:
    """What each of `count` threads got that began the same step at the same moment."""
    gate = threading.Barrier(count)

    def run(number: int) -> Any:
        gate.wait()
        return step(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_what_was_claimed_and_cleared_leaves_nothing_behind(box: str) -> None:
    put(box, 1, 2)
    claimed = outbox.claim(box, "inc_1", now=NOON, owner="a")
    assert [each["v"] for each in claimed] == [1, 2]
    assert outbox.clear(box, "inc_1", handled=[each["id"] for each in claimed], owner="a", now=NOON)
    assert set(stored(box)) == {"_id", "version", "pending_events"}
    assert stored(box)["pending_events"] == []
    assert outbox.claim(box, "inc_1", now=LATE, owner="a") == []
    assert outbox.overdue(box, now=LATE, limit=9) == {}


def _claim(box: str, subject: str, thread: int) -> list[outbox.Event]:
    return outbox.claim(box, subject, now=NOON, owner=f"w{thread}")


def test_of_many_that_claim_at_once_one_gets_it(box: str) -> None:
    for number in range(12):
        subject = f"inc_{number}"
        put(box, 1, subject=subject)
        got = race(8, partial(_claim, box, subject))
        assert sorted(len(events) for events in got) == [0] * 7 + [1]


@pytest.mark.parametrize("sweep", [True, False])
def test_a_claim_holds_until_its_lease_is_over_and_then_anybody_may_take_it(box: str, sweep: bool) -> None:
    put(box, 1)
    start = NOON + outbox.DUE_AFTER
    assert outbox.claim(box, "inc_1", now=start, owner="a", sweep=sweep)
    before_end, end = start + outbox.LEASE - timedelta(milliseconds=1), start + outbox.LEASE
    assert outbox.claim(box, "inc_1", now=before_end, owner="b", sweep=sweep) == []
    assert outbox.overdue(box, now=before_end, limit=9) == {}
    assert outbox.overdue(box, now=end, limit=9).keys() == {"inc_1"}
    assert outbox.claim(box, "inc_1", now=end, owner="b", sweep=sweep)


def test_the_sweeper_leaves_the_request_its_two_seconds(box: str) -> None:
    put(box, 1)
    assert outbox.claim(box, "inc_1", now=NOON, owner="sweeper", sweep=True) == []
    assert outbox.claim(box, "inc_1", now=NOON, owner="drain")


def test_an_event_that_came_during_a_claim_is_kept_and_due_at_once(box: str) -> None:
    put(box, 1)
    claimed = outbox.claim(box, "inc_1", now=NOON, owner="a")
    push(box, 2)
    assert not outbox.clear(box, "inc_1", handled=[claimed[0]["id"]], owner="a", now=NOON)
    assert waiting(box) == [2]
    assert outbox.overdue(box, now=NOON, limit=9).keys() == {"inc_1"}
    assert [each["v"] for each in outbox.claim(box, "inc_1", now=NOON, owner="a")] == [2]


def test_whoever_lost_its_lease_clears_nothing(box: str) -> None:
    put(box, 1)
    slow = outbox.claim(box, "inc_1", now=NOON, owner="slow")
    taken = outbox.claim(box, "inc_1", now=NOON + outbox.LEASE, owner="quick")
    assert slow == taken
    assert not outbox.clear(box, "inc_1", handled=[slow[0]["id"]], owner="slow", now=NOON + outbox.LEASE)
    done = [slow[0]["id"]]
    assert outbox.put_off(box, "inc_1", handled=done, failed=[], owner="slow", now=NOON + outbox.LEASE) == 0
    assert outbox.renew(box, "inc_1", owner="slow", now=NOON + outbox.LEASE) is None
    assert waiting(box) == [1]
    assert stored(box)["outbox_lease"]["owner"] == "quick"
    assert outbox.clear(box, "inc_1", handled=[taken[0]["id"]], owner="quick", now=LATE)


def test_what_failed_is_due_again_after_a_pause_that_grows(box: str) -> None:
    put(box, 1, 2)
    now = NOON
    for tries, pause in enumerate((4, 8, 16, 32, 60, 60), start=1):
        done, *failed = outbox.claim(box, "inc_1", now=now, owner="a", sweep=tries > 1)
        handled, failing = ([done["id"]], [failed[0]["id"]]) if tries == 1 else ([], [done["id"]])
        assert outbox.put_off(box, "inc_1", handled=handled, failed=failing, owner="a", now=now) == tries
        assert waiting(box) == [2]
        assert bool(outbox.stubborn(box)) == (tries >= outbox.STUBBORN_TRIES)
        now += timedelta(seconds=pause)
        assert outbox.overdue(box, now=now - timedelta(seconds=1), limit=9) == {}
        assert outbox.overdue(box, now=now, limit=9).keys() == {"inc_1"}
    claimed = outbox.claim(box, "inc_1", now=now, owner="a")
    assert outbox.clear(box, "inc_1", handled=[claimed[0]["id"]], owner="a", now=now)
    assert set(stored(box)) == {"_id", "version", "pending_events"}
    assert outbox.stubborn(box) == []


def test_what_comes_while_something_fails_does_not_wait_for_it(box: str) -> None:
    put(box, 1)
    failed = outbox.claim(box, "inc_1", now=NOON, owner="a")
    push(box, 2)
    outbox.put_off(box, "inc_1", handled=[], failed=[failed[0]["id"]], owner="a", now=NOON)
    assert outbox.overdue(box, now=NOON, limit=9).keys() == {"inc_1"}
    assert [each["v"] for each in outbox.claim(box, "inc_1", now=NOON, owner="b")] == [1, 2]


def test_a_claim_that_is_renewed_is_nobody_elses(box: str) -> None:
    """Reactions may take longer than a lease: while they go on, nobody begins them a second time."""
    put(box, 1)
    outbox.claim(box, "inc_1", now=NOON, owner="a")
    push(box, 2)
    almost = NOON + outbox.LEASE - timedelta(seconds=1)
    assert [each["v"] for each in outbox.renew(box, "inc_1", owner="a", now=almost) or []] == [1, 2]
    assert outbox.claim(box, "inc_1", now=NOON + outbox.LEASE, owner="b") == []
    assert outbox.overdue(box, now=NOON + outbox.LEASE, limit=9) == {}
    assert outbox.claim(box, "inc_1", now=almost + outbox.LEASE, owner="b")
    assert outbox.renew(box, "inc_1", owner="a", now=almost + outbox.LEASE) is None


def test_a_document_that_is_due_with_nothing_pending_comes_to_rest(box: str) -> None:
    outbox.collection(box).insert_one({"_id": "inc_1", "pending_events": [], "outbox_due": NOON})
    assert outbox.claim(box, "inc_1", now=LATE, owner="a", sweep=True) == []
    assert set(stored(box)) == {"_id", "pending_events"}


@pytest.mark.parametrize("lease", [None, {}])
def test_a_lease_that_is_empty_is_none(box: str, lease: dict[str, Any] | None) -> None:
    put(box, 1)
    outbox.collection(box).update_one({"_id": "inc_1"}, {"$set": {"outbox_lease": lease}})
    assert outbox.claim(box, "inc_1", now=NOON, owner="a")


def test_events_that_come_while_others_are_handled_are_each_handled_once(box: str) -> None:
    """Writers add events while workers claim and clear: every event is handled, none twice under a live lease."""
    outbox.collection(box).insert_one({"_id": "inc_1", "version": 1, "pending_events": []})
    writers, each_writes, workers = 3, 25, 4
    handled: list[int] = []
    written = threading.Event()

    def write(thread: int) -> None:
        for number in range(each_writes):
            push(box, thread * each_writes + number + 1)

    def work(thread: int) -> None:
        while not written.is_set() or waiting(box):
            owner = uuid.uuid4().hex
            if events := outbox.claim(box, "inc_1", now=NOON, owner=owner):
                handled.extend(each["v"] for each in events)
                outbox.clear(box, "inc_1", handled=[each["id"] for each in events], owner=owner, now=NOON)

    with ThreadPoolExecutor(writers + workers) as pool:
        working = [pool.submit(work, thread) for thread in range(workers)]
        for done in [pool.submit(write, thread) for thread in range(writers)]:
            done.result()
        written.set()
        for done in working:
            done.result()
    assert sorted(handled) == list(range(1, writers * each_writes + 1))
    assert "outbox_due" not in stored(box)
    assert stored(box)["version"] == writers * each_writes + 1


def test_the_overdue_come_oldest_first_and_no_more_than_asked(box: str) -> None:
    for number in (3, 1, 2):
        subject = f"inc_{number}"
        put(box, 1, subject=subject)
        due = NOON + timedelta(seconds=number)
        outbox.collection(box).update_one({"_id": subject}, {"$set": {"outbox_due": due}})
    assert list(outbox.overdue(box, now=NOON + timedelta(seconds=2), limit=9)) == ["inc_1", "inc_2"]
    assert outbox.overdue(box, now=LATE, limit=1).keys() == {"inc_1"}


def test_updates_join_operator_by_operator() -> None:
    joined = outbox.merge(
        {"$set": {"a": 1}, "$push": {"timeline": {"$each": [1], "$slice": -2}}},
        {"$set": {"b": 2}, "$push": {"timeline": {"$each": [2]}, "pending_events": {"$each": [3]}}},
    )
    assert joined == {
        "$set": {"a": 1, "b": 2},
        "$push": {"timeline": {"$each": [1, 2], "$slice": -2}, "pending_events": {"$each": [3]}},
    }


def test_an_event_is_ids_only_and_named_after_what_happened() -> None:
    made = outbox.event("assignment.offered", "inc_1", version=4, now=NOON, city="lahore", assignments=["asg_1"])
    assert (made["type"], made["v"], made["at"], made["city"]) == ("assignment.offered", 4, NOON, "lahore")
    again = outbox.event("assignment.offered", "inc_1", version=4, now=LATE, city="lahore", assignments=["asg_1"])
    other = outbox.event("assignment.offered", "inc_1", version=4, now=NOON, city="lahore", assignments=["asg_2"])
    assert made["id"] == again["id"] != other["id"]
