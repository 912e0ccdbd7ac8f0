"""Footage that is taken, told and ended, whoever dies or comes first. No picture is decoded here."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.cities import queries as cities
from domain.evidence import custody, footage, taking
from domain.evidence.errors import EvidenceNotFound
from domain.evidence.rules import Recording
from domain.evidence.service import evidence
from domain.evidence.states import Act, EvidenceState, Found
from domain.incidents import retention as incident_retention
from domain.vault.errors import Destroyed
from runtime.media import Media
from runtime.sealed import Damaged, SealedFiles
from runtime.vault import vault
from tests.factories.cameras import NOON
from tests.fakes.recorder_world import World
from workers import footage as job
from workers import originals, redaction
from workers.originals import throw_away

COPY = {"sha256": "", "size": 1, "type": "video/mp4", "first": 0.0, "frames": 1, "seconds": 1.0, "regions": 3,
        "stills": [], "detectors": [{"name": "faces", "version": "1", "parameters": "x"}], "broken": []}  # fmt: skip


def test_a_request_whose_worker_died_is_answered_by_another_and_nothing_is_taken_twice(world: World) -> None:
    world.recorded(0, 10, 20)
    request = world.ask()
    dead = footage.begin(request["_id"], now=world.now)
    assert dead
    assert footage.begin(request["_id"], now=world.now) is None  # it holds the lease
    (camera_id,) = request["cameras"]
    doc = taking.begin(dead, {"_id": camera_id, "source": {"kind": "segments"}}, Recording(), now=world.now)
    half = world.store.seal(
        doc["_id"],
        "lahore",
        "half",
        io.BytesIO(b"x" * 50),
        note=lambda name: taking.note(doc["_id"], [name]),
        now=world.now,
    )  # and died here

    world.now += timedelta(seconds=61)
    assert [row["_id"] for row in footage.overdue(now=world.now)] == [request["_id"]]
    job.take_with(world.context, request["_id"])
    job.take_with(world.context, request["_id"])  # a hint that came twice
    said = footage.get(request["_id"])["cameras"][camera_id]
    assert (said["found"], said["evidence"]) == (Found.WHOLE, doc["_id"])
    taken = taking.get(doc["_id"])
    assert [part["name"][-11:] for part in taken["parts"]] == ["120003Z.mp4", "120013Z.mp4", "120023Z.mp4"]
    assert [each["act"] for each in custody.entries(doc["_id"])] == ["taken", "sealed"]
    assert footage.overdue(now=world.now + timedelta(days=1)) == []

    # What the dead one had stored is not forgotten either.
    world.now += timedelta(days=1)
    assert world.expire() == 1
    with pytest.raises(FileNotFoundError):
        world.media.get(half["pieces"][0]["sha256"])
    assert world.objects() == 0


def test_what_a_worker_sealed_before_it_died_is_the_answer_though_the_recorder_has_gone_on(world: World) -> None:
    world.recorded(0, 10, 20)
    taken = world.taken()
    (camera_id,) = footage.get(taken["request"])["cameras"]
    before_it_said_so = {"state": "open", "due": world.now, f"cameras.{camera_id}.found": str(Found.ASKED)}
    footage.requests().update_one({"_id": taken["request"]}, {"$set": before_it_said_so})
    for file in world.folder.iterdir():
        file.unlink()
    world.recorded(60)
    job.take_with(world.context, taken["request"])
    said = footage.get(taken["request"])["cameras"][camera_id]
    assert (said["found"], said["evidence"], said["missing"]) == (Found.WHOLE, taken["_id"], [])
    assert [each["act"] for each in custody.entries(taken["_id"])] == ["taken", "sealed"]


def test_a_request_that_ends_every_worker_is_given_up(world: World) -> None:
    world.recorded(0)
    request = world.ask()
    for _ in range(footage.MOST_TRIES):
        assert footage.begin(request["_id"], now=world.now)
        world.now += timedelta(seconds=61)
    job.take_with(world.context, request["_id"])
    (said,) = footage.get(request["_id"])["cameras"].values()
    assert (said["found"], said["missing"][0]["why"]) == ("failed", "unreadable")


def test_what_ends_while_its_copy_is_made_leaves_nothing_behind(world: World) -> None:
    world.recorded(0)
    doc = world.taken()
    working = taking.begin_copy(doc["_id"], now=world.now)
    assert working
    name = world.media.name_of(b"the copy")
    taking.note(doc["_id"], [name])
    assert world.expire() == 1  # a city shortened its days
    world.media.put(b"the copy")  # the worker had not heard
    assert taking.renew(working, now=world.now) is False
    assert taking.copied(working, {**COPY, "sha256": name}, now=world.now) is False
    with pytest.raises(EvidenceNotFound):
        taking.note(doc["_id"], ["another"])
    throw_away(world.context, doc["_id"], [name])
    assert world.objects() == 0
    assert [each["act"] for each in custody.entries(doc["_id"])][-1] == "deleted"
    with pytest.raises(Destroyed):
        next(world.store.open(doc["_id"], doc["parts"][0]))


def test_a_hold_that_comes_while_the_sweep_runs_keeps_it(world: World) -> None:
    world.recorded(0)
    doc = world.taken()
    incident_retention.hold(world.incident, by="system:cli", reason="Order 88", now=world.now)
    assert world.expire(keep=frozenset()) == 0  # the sweep had read who is held before
    kept = taking.get(doc["_id"])
    assert b"".join(world.store.open(kept["_id"], kept["parts"][0])).startswith(b"footage of 0")
    later = world.taken("2")  # taken under the hold: its chain says so from the beginning
    assert [each["act"] for each in custody.entries(later["_id"])] == ["taken", "sealed", "held"]
    incident_retention.lift(world.incident, by="system:cli", reason="Order 89", now=world.now)
    assert world.expire() == 2


def test_only_one_worker_makes_the_copy_and_three_deaths_are_enough(world: World) -> None:
    world.recorded(0)
    doc = world.taken()
    assert world.jobs[-1] == ("redact", doc["_id"])
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda _: taking.begin_copy(doc["_id"], now=world.now), range(4)))
    (first,) = [each for each in got if each]
    world.now += timedelta(seconds=61)
    second = taking.begin_copy(doc["_id"], now=world.now)
    assert second
    assert taking.copied(first, {**COPY, "sha256": "a"}, now=world.now) is False  # it woke up too late
    assert taking.copied(second, {**COPY, "sha256": "b"}, now=world.now) is True
    assert taking.get(doc["_id"])["copy"]["sha256"] == "b"

    other = world.taken("2")
    for _ in range(taking.MOST_TRIES):
        assert taking.begin_copy(other["_id"], now=world.now)
        world.now += timedelta(seconds=61)
    redaction.redact_with(world.context, other["_id"])
    given_up = taking.get(other["_id"])
    assert (given_up["state"], given_up["reason"]) == (EvidenceState.UNREADABLE, "ended_its_workers")
    assert taking.overdue(now=world.now + timedelta(days=9)) == []


def test_a_hundred_copies_that_wait_do_not_fill_the_queue_and_each_gets_its_turn(world: World) -> None:
    world.recorded(0)
    like = evidence().find_one({"_id": world.taken()["_id"]}) or {}
    evidence().delete_one({"_id": like["_id"]})
    for number in range(20):
        due = world.now - timedelta(seconds=number)
        evidence().insert_one({**like, "_id": f"evd_{number:02}", "noted": [], "due": due})
    had: list[str] = []
    no_pool: Any = None
    while len(had) < 20:
        world.jobs.clear()
        job.waiting_footage(world.context, no_pool)
        asked = [str(subject) for name, subject in world.jobs if name == "redact"]
        assert 0 < len(asked) <= job.COPIES_AT_ONCE
        had += [each for each in asked if taking.begin_copy(each, now=world.now)]
    assert had == [f"evd_{number:02}" for number in reversed(range(20))]


def test_many_at_once_make_one_chain_and_a_key_counts_once(world: World) -> None:
    doc = {"_id": "evd_1", "city": "lahore", "incident": "inc_1"}

    def add(number: int) -> None:
        custody.append(doc, Act.VIEWED, f"per_{number}", now=world.now)
        custody.append(doc, Act.HELD, "system:cli", now=world.now, key="the-same")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(12)))
    told = custody.entries("evd_1")
    assert [each["seq"] for each in told] == list(range(1, 14))
    assert sum(each["act"] == "held" for each in told) == 1
    assert custody.verify("lahore", "evd_1") == custody.Verdict("evd_1", 13, told[-1]["hash"])


def test_a_sealed_file_holds_in_a_bucket_and_shows_what_was_done_to_it(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("runtime.sealed.PIECE_BYTES", 100)
    store = SealedFiles(vault(world.context.settings), Media(f"memory://{world.incident}"))
    data, noted = bytes(range(250)), list[str]()
    part = store.seal("evd_b", "lahore", "a.mp4", io.BytesIO(data), note=noted.append, now=world.now)
    assert b"".join(store.open("evd_b", part)) == data
    assert noted == [piece["sha256"] for piece in part["pieces"]]
    assert all(data[:50] not in store._media.get(name) for name in noted)
    swapped = {**part, "pieces": [part["pieces"][1], part["pieces"][0], part["pieces"][2]]}
    shorter = {**part, "pieces": part["pieces"][:2]}
    for wrong in (swapped, shorter, {**part, "name": "b.mp4"}):
        with pytest.raises(Damaged):
            list(store.open("evd_b", wrong))
    store.destroy("evd_b", now=world.now)
    with pytest.raises(Destroyed):
        list(store.open("evd_b", part))


def test_the_citys_list_and_folders_hold(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the list does not have now is not read, and no link leads out of a folder."""
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"not yours")
    (world.folder / f"cam-{NOON:%Y%m%dT%H%M%SZ}.mp4").symlink_to(secret)
    request = world.ask()
    job.take_with(world.context, request["_id"])
    (said,) = footage.get(request["_id"])["cameras"].values()
    assert (said["found"], said["missing"][0]["why"]) == ("nothing", "not_recorded")
    world.recorded(0)
    monkeypatch.delitem(cities._held, "lahore")
    request = world.ask("2")
    job.take_with(world.context, request["_id"])
    (said,) = footage.get(request["_id"])["cameras"].values()
    assert (said["found"], said["missing"][0]["why"]) == ("nothing", "not_allowed")
    assert evidence().find_one({"incident": world.incident}) is None


def test_the_times_of_files_are_theirs(world: World) -> None:
    world.recorded(-5, 5, 25)
    doc = world.taken()
    assert [(part["start"] - NOON).total_seconds() for part in doc["parts"]] == [-5, 5, 25]
    assert isinstance(doc["start"], datetime)
    assert doc["clock"] == {"by": "recorder", "offset_s": 0.0, "camera_offset_s": "unknown"}


def test_what_a_killed_worker_left_in_the_clear_goes_and_what_another_works_in_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "YOUNG_S", -1.0)
    with originals.own_folder(world.context) as used:
        (used / "part-0000").write_bytes(b"in use")
        left = used.parent / f"{os.getpid()}-left"  # its number is in use again, as in a container that was begun anew
        left.mkdir()
        (left / "part-0000").write_bytes(b"in the clear")
        with originals.own_folder(world.context):
            assert not left.exists()
            assert (used / "part-0000").exists()
    assert not list(used.parent.iterdir())
