"""Whichever process dies, nothing that was accepted is lost: real processes, kill -9, and phones that try again.

Times that the product promises are taken from what the carriers noted, not from when this test looked.
"""

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests
from pymongo import MongoClient

from cli.stack import Stack
from tests.scenarios.nothing_lost import NOT_NEEDED, City, Doc, Taken, first_told, lost, populate, until

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("whole_city")]

PER_SECOND = 4.0


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The city, started once; every test leaves it whole."""
    stack = Stack(tmp_path_factory.mktemp("city"), leave_out=NOT_NEEDED)
    with stack, MongoClient[Doc](stack.env["MONGODB_URL"], serverSelectionTimeoutMS=20_000) as client:
        yield City(stack, populate(stack, with_app=2), client)


@pytest.fixture(autouse=True)
def _a_quiet_start(city: City) -> None:
    """All is up, and what the test before raised is over."""
    until("the API answers", city.answers)
    city.all_well()
    until("what was before is done", city.at_rest)
    for name in ("incidents", "deliveries"):
        city.store[name].delete_many({})
    city.store.units.update_many({}, {"$unset": {"lease": ""}})
    requests.delete(f"{city.stack.address('carriers')}/messages", timeout=20).raise_for_status()
    populate(city.stack, with_app=2)


class Crowd:
    """Phones that raise one SOS after another until told to stop, each in a thread of its own."""

    def __init__(self, city: City) -> None:
        self._city, self._stop = city, threading.Event()
        self._pool = ThreadPoolExecutor(64)
        self._sent: list[Future[Taken]] = []

    def __enter__(self) -> "Crowd":
        self._taps = threading.Thread(target=self._tap, daemon=True)
        self._taps.start()
        return self

    def _tap(self) -> None:
        while not self._stop.wait(1 / PER_SECOND):
            self._sent.append(self._pool.submit(self._city.tap))

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._taps.join()
        self._pool.shutdown(wait=True)

    @property
    def taken(self) -> list[Taken]:
        """What each phone was told; raises what went wrong with one."""
        return [each.result() for each in self._sent]


def test_kill_everything_once_in_the_middle_of_a_stream(city: City) -> None:
    """Web workers and their master, each urgent worker, the sweeper, Redis with all its data, the document server."""
    accepting = threading.Event()
    answering = threading.Thread(target=_some_accept, args=(city, accepting), daemon=True)
    with Crowd(city) as crowd:
        answering.start()
        time.sleep(1.5)
        for pid in city.web_workers():
            os.kill(pid, signal.SIGKILL)
        time.sleep(1.0)
        city.back("urgent_0", city.kill("urgent_0"))
        city.back("urgent_1", city.kill("urgent_1"))
        time.sleep(1.0)
        city.back("sweeper", city.kill("sweeper"))
        master = city.kill("api")
        time.sleep(1.0)
        _empty_redis(city)
        time.sleep(1.0)
        city.back("docstore", city.kill("docstore"))
        city.back("api", master)
        until("the API answers", city.answers)
        for name in ("urgent_0", "urgent_1", "default"):  # all at once, and Redis knows nothing of what they had
            city.kill(name)
        time.sleep(1.5)
    accepting.set()
    answering.join(30)
    assert len(crowd.taken) > 20
    assert max(each.tries for each in crowd.taken) > 1, "no phone noticed anything: the test killed nothing"
    lost(city, crowd.taken)
    assert city.store.units.count_documents({"lease": {"$ne": None}}) > 0, "nobody accepted"


def _empty_redis(city: City) -> None:
    """Kill Redis, and let it come back knowing nothing."""
    dead = city.kill("redis")
    folder = city.stack.var / "redis"
    for file in folder.rglob("*"):
        if file.is_file():
            file.unlink(missing_ok=True)
    city.back("redis", dead)


def _some_accept(city: City, stop: threading.Event) -> None:
    """Two of the nearest units say yes to whatever they are offered, by the signed link."""
    units = set(city.cast.units[1:3])
    while not stop.wait(0.3):
        try:
            for doc in city.store.incidents.find({}, {"assignments": 1}):
                for found, assignment in doc["assignments"].items():
                    if assignment["unit"] in units and assignment["status"] == "offered":
                        requests.post(city.link(found), data={"do": "accept"}, timeout=5)
        except Exception:  # the API or the store is away just now: they try again
            continue


def test_redis_refuses_and_units_are_told_by_the_sweeper(city: City) -> None:
    """It stays away: an SOS is answered 201 all the same, and its units are told within 5 s."""
    city.stack.rpc.stopProcess("redis")
    try:
        city.tap()  # whoever finds out
        taken = [city.tap() for _ in range(6)]
        assert all(each.tries == 1 for each in taken)
        ids = [each.id for each in taken]
        until("all units are told", lambda: _all_heard(city, ids), 40)
        late = _lateness(city, taken)
        assert max(late) < 5.0, f"told after {late} s"
    finally:
        city.stack.rpc.startProcess("redis")


def _all_heard(city: City, ids: list[str]) -> bool:
    return first_told(city).keys() >= set(ids)


def _lateness(city: City, taken: list[Taken]) -> list[float]:
    """Seconds from each tap to the first phone."""
    first = first_told(city)
    return [round(first[each.id] - each.tapped, 2) for each in taken]


def test_redis_hangs_and_only_the_first_request_notices(city: City) -> None:
    """Each web worker finds out once, for half a second; nobody waits after that. Units are told all the same."""
    usual = sorted(city.tap().seconds for _ in range(12))[6]
    redis = city.kill("redis", signal.SIGSTOP)
    try:
        taken = [city.tap() for _ in range(16)]
        slow = [each.seconds for each in taken if each.seconds > usual + 0.35]
        assert len(slow) <= 2, f"usually {usual:.3f} s, now {[round(each.seconds, 3) for each in taken]}"
        assert max(each.seconds for each in taken) < usual + 1.2
        assert sorted(each.seconds for each in taken)[8] < usual + 0.2
        until("units are told", lambda: _all_heard(city, [each.id for each in taken]), 40)
        late = _lateness(city, taken)
        assert max(late) < 8.0, f"told after {late} s"
    finally:
        os.kill(redis, signal.SIGCONT)
    until("the queue is used again", lambda: _queue_is_used(city))


def _queue_is_used(city: City) -> bool:
    answer = requests.get(f"{city.stack.address('api')}/readyz", timeout=5).json()
    return bool(answer["queue"] == "ok")


def test_the_document_server_is_down_and_everybody_is_told_at_once(city: City) -> None:
    """503 with Retry-After, also for 16 who ask at once; the same key works when it is back, and makes one SOS."""
    keys = [str(uuid.uuid4()) for _ in range(16)]
    known = city.tap(keys[0])
    city.stack.rpc.stopProcess("docstore")
    try:
        for at_once_s in (2.5, 1.0):  # those who find out, and those after them
            with ThreadPoolExecutor(16) as pool:
                began = time.monotonic()
                answers = list(pool.map(city.post_sos, keys))
                seconds = time.monotonic() - began
            assert [each.status_code for each in answers] == [503] * 16
            assert {each.headers["Content-Type"] for each in answers} == {"application/problem+json"}
            assert all(int(each.headers["Retry-After"]) >= 1 for each in answers)
            assert {each.json()["code"] for each in answers} == {"store_unavailable"}
            assert seconds < at_once_s, f"16 answers took {seconds:.2f} s"
    finally:
        city.stack.rpc.startProcess("docstore")
    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(city.tap, keys))
    assert taken[0].id == known.id
    lost(city, taken)


def test_workers_that_die_in_mid_job_delay_nobody_by_a_minute(city: City) -> None:
    """RQ gives a killed worker's job back after 71 s. Nobody waits for RQ: what is due stands in the store."""
    city.switch("sms", slow_s=2.0)  # the workers have messages in hand when they die
    taken = [city.tap() for _ in range(8)]
    until("an attempt is under way", lambda: city.store.deliveries.find_one({"attempts.1.state": "sending"}), 20, 0.01)
    killed = {name: city.kill(name) for name in ("urgent_0", "urgent_1")}
    city.all_well()
    taken += [city.tap() for _ in range(4)]
    for name, dead in killed.items():
        city.back(name, dead)
    lost(city, taken)
    late = _lateness(city, taken)
    assert max(late) < 20.0, f"told after {late} s"
