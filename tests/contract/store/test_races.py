"""Many clients at once: one winner for each claim, no lost update, no two of what must be unique."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

Doc = dict[str, Any]
THREADS = 12


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Results of one call per thread, all let go together."""
    ready = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        ready.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_each_claim_has_one_winner(store: Database[Doc]) -> None:
    """Find-and-modify on id and expected status: what accepts an assignment, takes a lease, claims an outbox."""
    store.slots.insert_many([{"_id": i, "status": "open"} for i in range(100)])

    def claim_all(number: int) -> list[tuple[int, Doc]]:
        won = []
        for slot in range(100):
            found = store.slots.find_one_and_update(
                {"_id": slot, "status": "open"}, {"$set": {"status": "taken", "by": number}}, return_document=True
            )
            if found is not None:
                won.append((slot, found))
        return won

    results = at_once(claim_all)

    winners = [slot for won in results for slot, _ in won]
    assert sorted(winners) == list(range(100))
    for number, won in enumerate(results):
        assert all(found["by"] == number for _, found in won)  # what the winner was shown is its own
        for slot, _ in won:
            assert (store.slots.find_one({"_id": slot}) or {})["by"] == number


def test_a_due_claim_by_index_has_one_winner(store: Database[Doc]) -> None:
    """The sweep's claim: the first that is due by index, its due time moved by the same write."""
    store.jobs.create_index([("due", 1)], sparse=True)
    store.jobs.insert_many([{"_id": i, "due": i} for i in range(200)])

    def claim(_: int) -> list[int]:
        won = []
        while job := store.jobs.find_one_and_update({"due": {"$lt": 1000}}, {"$set": {"due": 2000}}, sort=[("due", 1)]):
            won.append(int(job["_id"]))
        return won

    assert sorted(job for won in at_once(claim) for job in won) == list(range(200))


def test_a_lease_by_or_has_one_winner(store: Database[Doc]) -> None:
    store.leases.insert_many([{"_id": i, **({"until": 5} if i % 2 else {})} for i in range(50)])

    def take(number: int) -> int:
        free: list[Doc] = [{"until": {"$exists": False}}, {"until": {"$lt": 10}}]
        return sum(
            store.leases.update_one({"_id": i, "$or": free}, {"$set": {"until": 100, "by": number}}).modified_count
            for i in range(50)
        )

    assert sum(at_once(take)) == 50


def test_no_increment_is_lost(store: Database[Doc]) -> None:
    store.counters.insert_one({"_id": 1, "n": 0, "log": []})

    def count(number: int) -> None:
        for i in range(50):
            store.counters.update_one({"_id": 1}, {"$inc": {"n": 1}, "$push": {"log": [number, i]}})

    at_once(count)

    found = store.counters.find_one({"_id": 1}) or {}
    assert found["n"] == THREADS * 50
    assert sorted(found["log"]) == [[number, i] for number in range(THREADS) for i in range(50)]


def test_an_upsert_makes_one(store: Database[Doc]) -> None:
    store.people.create_index([("phone", 1)], unique=True)

    def meet(_: int) -> int:
        for phone in range(40):
            store.people.update_one({"phone": phone}, {"$inc": {"seen": 1}}, upsert=True)
        return 0

    # MongoDB says that two upserts may race so: the client tries again.
    with contextlib.suppress(DuplicateKeyError):
        at_once(meet)
    assert store.people.count_documents({}) == len(store.people.distinct("phone"))


def test_unique_keys_and_ids_stay_unique(store: Database[Doc]) -> None:
    store.people.create_index([("phone", 1)], unique=True)

    def add(number: int) -> int:
        made = 0
        for i in range(60):
            try:
                store.people.insert_one({"_id": f"{number}-{i}" if i % 2 else i, "phone": i})
                made += 1
            except DuplicateKeyError:
                pass
        return made

    assert sum(at_once(add)) == 60
    assert store.people.count_documents({}) == 60


def test_an_index_made_during_writes_misses_none(store: Database[Doc]) -> None:
    store.things.insert_one({"_id": "first", "n": -1})

    def work(number: int) -> None:
        if number == 0:
            store.things.create_index([("n", 1)])
        else:
            for i in range(60):
                store.things.insert_one({"_id": f"{number}-{i}", "n": number})

    at_once(work)

    assert [store.things.count_documents({"n": number}) for number in range(1, THREADS)] == [60] * (THREADS - 1)


def test_readers_see_whole_documents(store: Database[Doc]) -> None:
    """Every write keeps a, b and all of the list equal; a reader must never see them differ, nor miss the document."""
    store.things.create_index([("group", 1), ("a", 1)])
    store.things.insert_many([{"_id": i, "group": 1, "a": 0, "b": 0, "list": [0] * 20} for i in range(20)])
    stop = threading.Event()

    def work(number: int) -> int:
        seen = 0
        if number < 4:
            try:
                for n in range(1, 12):
                    for i in range(20):
                        new = n * 10 + number
                        store.things.update_one({"_id": i}, {"$set": {"a": new, "b": new, "list": [new] * 20}})
            finally:
                stop.set()
        else:
            while not stop.is_set():
                found = list(store.things.find({"group": 1, "a": {"$gte": 0}}).sort("a", 1))
                assert sorted(thing["_id"] for thing in found) == list(range(20))
                for thing in found:
                    assert {thing["a"], thing["b"], *thing["list"]} == {thing["a"]}
                seen += 1
        return seen

    assert sum(at_once(work)) > 0


def test_the_matched_element_while_others_read(store: Database[Doc]) -> None:
    """The positional `$` is found by the writer's own match, whatever others are matching."""
    units = [{"id": i, "n": 0} for i in range(10)]
    store.things.insert_one({"_id": 1, "units": units})

    def work(number: int) -> None:
        for _ in range(80):
            if number % 2:
                store.things.find_one({"units.id": number % 3})
            else:
                store.things.update_one({"_id": 1, "units.id": number % 10}, {"$inc": {"units.$.n": 1}})

    at_once(work)

    found = store.things.find_one({"_id": 1}) or {}
    writers = [number % 10 for number in range(0, THREADS, 2)]
    assert [unit["n"] for unit in found["units"]] == [80 * writers.count(i) for i in range(10)]
