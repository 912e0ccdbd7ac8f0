"""Two minutes before the tap exist the next day, though nobody asked while the recorder still had them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.cities import queries as cities
from domain.evidence import custody, footage, keeping, retention, taking
from domain.evidence.errors import EvidenceNotFound
from domain.evidence.rules import Recording
from domain.evidence.service import evidence
from domain.evidence.states import Act, EvidenceState, Kind, Why
from domain.incidents import operating
from domain.incidents import retention as incident_retention
from domain.incidents.states import Resolution
from domain.limits import service as limits
from tests.factories.cameras import NOON, sos
from tests.fakes.recorder_world import World
from workers import footage as job
from workers import originals, redaction
from workers.subscriptions import SUBSCRIPTIONS

POOL: Any = None


def raised(world: World, incident: str) -> None:
    """What follows from an SOS, of which only the rule is looked at here; twice, as events may come."""
    assert job.keep in SUBSCRIPTIONS["incident.surroundings"]
    for _ in range(2):
        job.keep({"subject": incident}, world.context)


def swept(world: World) -> list[Any]:
    """The sweeper looks, and a worker does what it found: the jobs."""
    world.jobs.clear()
    job.waiting_footage(world.context, POOL)
    for name, subject in list(world.jobs):
        if name == "footage":
            job.take_with(world.context, subject)
    return world.jobs


def said(incident: str) -> dict[str, Any]:
    """What the one camera had to say to the rule."""
    (answer,) = footage.get(keeping.request_id(incident))["cameras"].values()
    return dict(answer)


def kept(world: World, incident: str) -> dict[str, Any]:
    """The rule is done for an incident: its evidence."""
    world.now = NOON + timedelta(minutes=2, seconds=30)
    raised(world, incident)
    swept(world)
    return taking.get(said(incident)["evidence"])


def test_an_investigator_asks_the_next_day(world: World) -> None:
    world.recorded(*range(-120, 120, 10))
    world.now = NOON + timedelta(seconds=1)
    raised(world, world.incident)
    assert swept(world) == []  # the minute after the tap has not come yet
    world.now = NOON + timedelta(minutes=2, seconds=30)
    assert swept(world) == [("footage", keeping.request_id(world.incident))]
    assert swept(world) == []
    doc = taking.get(said(world.incident)["evidence"])
    assert (doc["state"], doc.get("due"), doc["kept"]) == (EvidenceState.SEALED, None, True)
    assert min(part["start"] for part in doc["parts"]) <= NOON - timedelta(minutes=1, seconds=50)
    for file in world.folder.iterdir():
        file.unlink()  # the recorder goes on over all of it

    # Custody says who took it, and why.
    first, second = custody.entries(doc["_id"])
    assert (first["act"], first["actor"], second["act"]) == ("taken", keeping.ACTOR, "sealed")
    assert "rule" in first["reason"]
    assert custody.verify("lahore", doc["_id"]).holds

    world.now += timedelta(days=1)
    request = world.ask()
    job.take_with(world.context, request["_id"])
    (answer,) = footage.get(request["_id"])["cameras"].values()
    assert (answer["found"], answer["evidence"]) == ("whole", doc["_id"])
    assert world.jobs[-1] == ("redact", doc["_id"])  # now somebody wants to see it
    assert taking.begin_copy(doc["_id"], now=world.now)
    assert b"".join(world.store.open(doc["_id"], doc["parts"][0])).startswith(b"footage of")


def test_sixteen_at_one_place_take_once_and_each_of_them_keeps_it(world: World) -> None:
    world.recorded(0, 10)
    others = [sos(f"storm-{number}", at=NOON + timedelta(seconds=number)) for number in range(15)]
    for incident in (world.incident, *others):
        raised(world, incident)
    world.now = NOON + timedelta(minutes=2, seconds=30)
    requests = [keeping.request_id(each) for each in (world.incident, *others)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: job.take_with(world.context, each), requests))
    for _ in range(3):
        world.now += timedelta(seconds=21)
        swept(world)
    (doc,) = evidence().find({})
    assert {said(each)["evidence"] for each in (world.incident, *others)} == {doc["_id"]}
    assert set(taking.incidents_of(doc)) == {world.incident, *others}
    assert len(doc["noted"]) == 2
    acts = [each["act"] for each in custody.entries(doc["_id"])]
    assert sorted(acts) == ["joined"] * 15 + ["sealed", "taken"]

    # It goes when the last of them goes, and a hold on any of them keeps it.
    for incident in [doc["incident"], *doc["also"][:13]]:
        retention.forget(incident, ends=world.ends, now=world.now)
    left = taking.get(doc["_id"])
    assert taking.incidents_of(left) == doc["also"][13:]
    incident_retention.hold(doc["also"][-1], by="system:cli", reason="Order 88", now=world.now)
    assert world.expire(keep=frozenset()) == 0
    assert world.expire(keep=frozenset({doc["also"][-1]})) == 0
    incident_retention.lift(doc["also"][-1], by="system:cli", reason="Order 89", now=world.now)
    for incident in doc["also"][13:]:
        retention.forget(incident, ends=world.ends, now=world.now)
    assert world.objects() == 0
    assert custody.entries(doc["_id"])[-1]["act"] == "deleted"


@pytest.mark.parametrize("wanted", [False, True], ids=["nobody asks", "somebody asks"])
def test_what_nobody_asks_for_goes_early(world: World, wanted: bool) -> None:
    world.recorded(0)
    doc = kept(world, world.incident)
    if wanted:
        assert taking.wanted(doc, now=world.now)["due"] == world.now

    def expired() -> int:
        return retention.expire(
            "lahore", Kind.FOOTAGE, world.now, keep=(), ends=world.ends, now=world.now, limit=9, unasked=True
        )

    assert expired() == (0 if wanted else 1)
    assert bool(world.objects()) is wanted


def test_what_somebody_asks_for_while_the_sweep_goes_through_others_stays(world: World) -> None:
    world.recorded(-110, 0)
    first = kept(world, world.incident)
    other = kept(world, sos("earlier", at=NOON - timedelta(minutes=2)))
    assert first["_id"] != other["_id"]
    waiting = {each["_id"]: each for each in (first, other)}

    def asked_meanwhile(name: str) -> None:
        world.media.delete(name)
        for each in evidence().find({"ends_at": None}, {"_id": 1}):
            taking.wanted(waiting[each["_id"]], now=world.now)

    ends = retention.Bytes(asked_meanwhile, world.ends.vault)
    gone = retention.expire("lahore", Kind.FOOTAGE, world.now, keep=(), ends=ends, now=world.now, limit=9, unasked=True)
    assert gone == 1
    (left,) = evidence().find({})
    assert b"".join(world.store.open(left["_id"], left["parts"][0])).startswith(b"footage of")


@pytest.mark.parametrize("case", ["another kind", "practice", "city without a table", "false alarm", "no place"])
def test_what_the_rule_does_not_take(world: World, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world.recorded(0)
    world.now, incident = NOON, world.incident
    if case == "another kind":
        incident = sos("stroke", category="heart_or_breathing")
    if case == "practice":
        incident = sos("practice", flags=("practice",))
    if case == "no place":
        incident = sos("nowhere", position=None)
    if case == "city without a table":
        until, config = cities._held["lahore"]
        monkeypatch.setitem(cities._held, "lahore", (until, replace(config, keep_footage=frozenset())))
    raised(world, incident)
    if case == "false alarm":
        operating.resolve(incident, Resolution.FALSE_ALARM, by="per_1", reason="a child played", now=NOON)
    world.now = NOON + timedelta(minutes=3)
    swept(world)
    assert evidence().find_one({}) is None
    if case == "false alarm":
        assert said(incident)["missing"][0]["why"] == Why.NOT_KEPT
    else:
        assert footage.of_incident(incident) == []


def test_a_storm_of_hours_is_not_kept_whole(world: World) -> None:
    world.recorded(0)
    (camera_id,) = world.ask()["cameras"]
    secret = world.context.settings.signing_key
    most, now = keeping.MOST_AN_HOUR, NOON + timedelta(minutes=2, seconds=30)
    for _ in range(most):
        assert limits.admit(secret, "footage_kept", camera_id, limit=most, window_s=3600, now=now) is None
    world.now = now
    raised(world, world.incident)
    swept(world)
    assert (said(world.incident)["found"], said(world.incident)["missing"][0]["why"]) == ("failed", Why.TOO_MUCH)


def test_of_too_much_the_tap_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.recorded(*range(-60, 60, 10))
    size = next(world.folder.iterdir()).stat().st_size + 200
    monkeypatch.setattr("domain.evidence.rules.MOST_BYTES", 3 * size)
    doc = kept(world, world.incident)
    assert [(part["start"] - NOON).total_seconds() for part in doc["parts"]] == [-10.0, 0.0, 10.0]
    assert {each["why"] for each in said(world.incident)["missing"]} == {"too_much"}


def test_a_worker_that_dies_over_it_is_followed_by_another(world: World) -> None:
    world.recorded(0)
    world.now = NOON + timedelta(minutes=2, seconds=30)
    raised(world, world.incident)
    request = footage.begin(keeping.request_id(world.incident), now=world.now)
    assert request
    (camera_id,) = request["cameras"]
    camera = {"_id": camera_id, "source": {"kind": "segments"}}
    doc = taking.begin(request, camera, Recording(), now=world.now)  # and died here
    with pytest.raises(taking.InOtherHands):
        taking.begin(request, camera, Recording(), now=world.now + timedelta(seconds=5))
    world.now += timedelta(seconds=61)
    swept(world)
    assert said(world.incident)["evidence"] == doc["_id"]
    assert [each["act"] for each in custody.entries(doc["_id"])] == [Act.TAKEN, Act.SEALED]


def test_evidence_of_which_nothing_came_is_ended(world: World) -> None:
    world.recorded(0)
    request = world.ask()
    begun = footage.begin(request["_id"], now=world.now)
    assert begun
    (camera_id,) = request["cameras"]
    doc = taking.begin(begun, {"_id": camera_id, "source": {"kind": "segments"}}, Recording(), now=world.now)
    name = world.media.put(b"half a piece")
    taking.note(doc["_id"], [name])  # and its workers die, one after the other, until the request is given up
    world.now += taking.TAKING
    job.waiting_footage(world.context, POOL)
    assert taking.get(doc["_id"])["state"] == EvidenceState.TAKING, "somebody may still go on with it"
    footage.done(request["_id"])
    world.now += taking.TAKING
    job.waiting_footage(world.context, POOL)
    with pytest.raises(EvidenceNotFound):
        taking.get(doc["_id"])
    assert world.objects() == 0


def test_a_disk_that_stays_full_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.recorded(0)
    request = world.ask()
    monkeypatch.setattr(originals, "FREE_BYTES", 1 << 60)
    for _ in range(footage.MOST_TRIES + 1):
        job.take_with(world.context, request["_id"])
        world.now += timedelta(seconds=61)
    (answer,) = footage.get(request["_id"])["cameras"].values()
    assert (answer["found"], [each["why"] for each in answer["missing"]]) == ("failed", [Why.NO_ROOM])
    assert (evidence().find_one({}), world.objects()) == (None, 0)


def test_a_full_disk_is_not_the_footages_fault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.recorded(0)
    doc = world.taken()
    free = originals.FREE_BYTES
    monkeypatch.setattr(originals, "FREE_BYTES", 1 << 60)
    for _ in range(5):
        redaction.redact_with(world.context, doc["_id"])
        assert taking.get(doc["_id"])["state"] == EvidenceState.SEALED
        world.now += timedelta(minutes=6)
        assert [row["_id"] for row in taking.overdue(now=world.now)] == [doc["_id"]]
    monkeypatch.setattr(originals, "FREE_BYTES", free)
    working = taking.begin_copy(doc["_id"], now=world.now)
    assert working
    assert not taking.is_given_up(working)
