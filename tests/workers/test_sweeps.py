"""The sweeper finds what was lost, asks the queue once, does it itself when nothing comes of that, and starves nobody."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from cli.indexes import create as create_indexes
from domain import outbox
from domain.clock import utc_now
from domain.incidents import service as incidents
from domain.incidents.service import SosFacts
from domain.outbox import Event
from runtime import mongo, queues
from runtime.positions import RedisPositions
from tests.factories.stores import settings_for
from workers import drain, subscriptions, sweeps
from workers.context import Context
from workers.sweeps import Sweep

SECRET = "for tests only: forty characters of key.."


@dataclass
class World:
    """A context whose clock and queue are moved by hand, and a record of what was reacted to."""

    now: datetime = field(default_factory=utc_now)
    queue: str = "works"  # or "silent": takes jobs that nobody does; "away": takes none
    asked: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    reacted: list[tuple[str, str]] = field(default_factory=list)
    fails: Callable[[Event], bool] = lambda event: False
    context: Any = None
    pool: Any = None

    def clock(self) -> datetime:
        return self.now

    def enqueue(self, job: str, *args: Any) -> bool:
        if self.queue == "away":
            return False
        if job == "explain":
            self.explained.append(str(args[1]))
        if job == "drain":
            self.asked.append(str(args[1]))
            if self.queue == "works":
                drain.drain_with(self.context, *args)
        return True

    def react(self, event: Event, context: Context) -> None:
        if self.fails(event):
            raise RuntimeError("a fault of ours")
        self.reacted.append((event["subject"], event["type"]))

    def sos(self, number: int = 0) -> str:
        """An SOS whose jobs were lost."""
        facts = SosFacts("lahore", "threat", ("police",), "Severe", "Immediate", "Likely", owner="test", key=f"{number}")
        made = incidents.raise_sos(facts, now=self.now, secret=SECRET, link_ttl=timedelta(hours=1))
        return str(made.incident["_id"])

    def after(self, seconds: float) -> int:
        """Let time pass and look once; returns how many documents were overdue."""
        self.now += timedelta(seconds=seconds)
        found = sweeps.overdue_events(self.context, self.pool)
        end = time.monotonic() + 20
        while sweeps._in_hand._doing and time.monotonic() < end:
            time.sleep(0.01)
        return found


@pytest.fixture
def world(
    mongodb_url: str, redis_url: str, mongo_client: MongoClient[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """An empty city."""
    settings = settings_for(mongodb_url, redis_url=redis_url)
    mongo.connect(settings)
    create_indexes()
    made = World()
    monkeypatch.setattr(drain, "react", made.react)
    monkeypatch.setattr(sweeps, "_in_hand", sweeps._InHand())
    redis = queues.connect(redis_url)
    with ThreadPoolExecutor(8) as pool, redis:
        made.pool = pool
        made.context = Context(settings, made.clock, made.enqueue, RedisPositions(redis), {})
        yield made
    name = mongo.database().name
    mongo.disconnect()
    mongo_client.drop_database(name)


def test_what_the_queue_lost_is_asked_for_once_it_is_due(world: World) -> None:
    incident = world.sos()
    assert world.after(1.9) == 0
    assert world.after(0.2) == 1
    assert world.asked == [incident]
    assert {kind for _, kind in world.reacted} == {"incident.raised", "incident.surroundings"}
    assert world.after(60) == 0


def test_while_the_queue_is_away_it_is_done_here(world: World) -> None:
    world.queue = "away"
    world.sos()
    world.after(2.1)
    assert len(world.reacted) == 2


def test_a_queue_without_workers_is_asked_once_and_then_passed_over(world: World) -> None:
    """Its workers are dead, or it is too deep: the same job again and again would make it deeper."""
    world.queue = "silent"
    incident = world.sos()
    world.after(2.1)
    for _ in range(4):
        world.after(0.3)
    assert world.asked == [incident]
    assert world.reacted == []
    world.after(0.4)
    assert world.asked == [incident]
    assert len(world.reacted) == 2  # 3.7 s after the tap
    assert world.after(60) == 0


def test_what_explains_is_left_to_its_queue_and_done_here_when_nobody_does_it(world: World) -> None:
    incident = world.sos()
    assert drain.drain_with(world.context, "incidents", incident, explain=False) == 1
    assert world.reacted == [(incident, "incident.raised")]
    assert world.explained == [incident]
    assert world.after(9) == 0
    for times in range(2, 6):  # 10, 20, 30 and 40 s after the tap
        assert world.after(1 if times == 2 else 10) == 1
        assert world.explained == [incident] * times
    assert len(world.reacted) == 1
    world.after(10)
    assert world.reacted[1:] == [(incident, "incident.surroundings")]
    assert world.after(60) == 0


def test_what_explains_stands_before_nobody_while_no_thread_is_free(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "BATCH", 2)
    monkeypatch.setattr(sweeps, "POOL_THREADS", 0)
    for number in range(3):
        drain.drain_with(world.context, "incidents", world.sos(number), explain=False)
    world.now += sweeps.EXPLAIN_HERE_AFTER
    world.queue = "silent"
    lost = world.sos(9)
    world.after(2.1)
    world.after(0.5)
    assert world.asked == [lost]


def test_what_fails_is_not_tried_at_once_because_something_is_left(world: World) -> None:
    world.fails = lambda event: event["type"] == "incident.raised"
    incident = world.sos()
    drain.drain_with(world.context, "incidents", incident, explain=False)
    assert world.explained == [incident]
    assert world.after(3.9) == 0
    assert world.after(0.2) == 1
    drain.drain_with(world.context, "incidents", incident)  # what the job `explain` does
    assert (incident, "incident.surroundings") in world.reacted


def test_poison_waits_longer_each_time_and_stands_before_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many poisonous documents as a sweep takes: those behind them have their turn, and are not tried for nothing."""
    monkeypatch.setattr(sweeps, "BATCH", 3)
    poison = {world.sos(number) for number in range(3)}
    world.now += timedelta(seconds=0.1)
    healthy = {world.sos(number) for number in range(10, 15)}
    tried: list[str] = []

    def fails(event: Event) -> bool:
        bad = event["subject"] in poison and event["type"] == "incident.surroundings"
        if bad:
            tried.append(event["subject"])
        return bad

    world.fails = fails
    world.after(2.1)
    for _ in range(6):
        world.after(0.5)
    assert {subject for subject, _ in world.reacted} == poison | healthy  # help was sent to the poisonous ones too
    assert len(tried) <= 2 * len(poison)
    for _ in range(60):
        world.after(4)
    assert len(tried) <= 9 * len(poison), "in four minutes: 4, 8, 16, 32, 60, 60, 60 s apart"
    assert set(outbox.stubborn("incidents")) == poison
    world.fails = lambda event: False
    world.after(61)
    assert outbox.stubborn("incidents") == []
    assert world.after(60) == 0


def test_one_reaction_that_fails_keeps_no_other_from_running(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    def bad(event: Event, context: Context) -> None:
        ran.append("bad")
        raise RuntimeError("a fault of ours")

    def good(event: Event, context: Context) -> None:
        ran.append("good")

    monkeypatch.setattr(subscriptions, "SUBSCRIPTIONS", {"incident.raised": (bad, good, bad)})
    event = outbox.event("incident.raised", "inc_1", version=1, now=utc_now(), city="lahore")
    nothing: Any = None
    with pytest.raises(RuntimeError):
        subscriptions.react(event, nothing)
    assert ran == ["bad", "good", "bad"]


def test_a_ladder_whose_step_fails_stands_before_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "BATCH", 1)
    bad = world.sos(1)
    incidents.incidents().update_one({"_id": bad}, {"$set": {"city": "atlantis"}})
    world.now += timedelta(seconds=0.1)
    good = world.sos(2)
    world.now += timedelta(seconds=4)
    for _ in range(2):
        sweeps.due_ladders(world.context, world.pool)
    assert incidents.get(good)["slots"]["police"]["rung"] >= 0
    kept = incidents.get(bad)
    assert kept["slots"]["police"]["rung"] == -1
    assert kept["ladder_due"] > world.now
    world.now += sweeps.LADDER_AGAIN + timedelta(seconds=1)
    incidents.incidents().update_one({"_id": bad}, {"$set": {"city": "lahore"}})
    sweeps.due_ladders(world.context, world.pool)
    assert incidents.get(bad)["slots"]["police"]["rung"] >= 0


def test_a_sweep_that_hangs_or_breaks_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    free, over, rounds = threading.Event(), threading.Event(), []

    def hang(context: Context, pool: ThreadPoolExecutor) -> int:
        free.wait(20)
        return 0

    def broken(context: Context, pool: ThreadPoolExecutor) -> int:
        raise RuntimeError("a fault of ours")

    def works(context: Context, pool: ThreadPoolExecutor) -> int:
        rounds.append(time.monotonic())
        return 0

    table = (Sweep("hangs", hang, 0.01), Sweep("breaks", broken, 0.01), Sweep("works", works, 0.01))
    monkeypatch.setattr(sweeps, "SWEEPS", table)
    running = threading.Thread(target=sweeps.run, args=(world.context,), kwargs={"stop": over.is_set})
    running.start()
    end = time.monotonic() + 20
    while len(rounds) < 5 and time.monotonic() < end:
        time.sleep(0.01)
    over.set()
    free.set()
    running.join(20)
    assert len(rounds) >= 5
    assert not running.is_alive()


def test_two_sweepers_and_two_workers_do_each_thing_once(world: World) -> None:
    """All at the same documents at once: each event is reacted to once, and nothing is left."""
    subjects = [world.sos(number) for number in range(20)]
    world.now += timedelta(seconds=3)
    world.queue = "away"
    gate = threading.Barrier(4)

    def work(number: int) -> None:
        gate.wait(20)
        for subject in subjects if number % 2 else reversed(subjects):
            drain.drain_with(world.context, "incidents", subject, sweep=number < 2)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert sorted(world.reacted) == sorted(
        (subject, kind) for subject in subjects for kind in ("incident.raised", "incident.surroundings")
    )
    assert outbox.overdue("incidents", now=world.now + timedelta(hours=1), limit=99) == {}
