"""A photograph of which no copy can be made ends no worker for ever, and a full disk is not its fault."""

from datetime import timedelta
from typing import Any

import pytest

from domain.place_audits import photos
from domain.place_audits.queries import audits
from tests.fakes.recorder_world import World
from workers import originals
from workers import photos as job

POOL: Any = None


@pytest.fixture
def audit(world: World) -> str:
    """A place that somebody photographed."""
    name = world.media.put(b"a picture that nobody can open")
    doc = {"_id": "pla_1", "city": "lahore", "photo": {"sha256": name, "size": 3}, "photo_due": world.now}
    audits().insert_one(doc)
    return "pla_1"


def standing(audit: str) -> dict[str, Any]:
    return dict(audits().find_one({"_id": audit}) or {})


def asked(world: World) -> int:
    """How often a worker is asked while hours pass."""
    world.jobs.clear()
    for _ in range(12):
        job.due_photos(world.context, POOL)
        world.now += timedelta(minutes=11)
    return len(world.jobs)


def test_one_that_ends_its_workers_is_unreadable_after_some_of_them(world: World, audit: str) -> None:
    assert asked(world) == job.MOST_TRIES
    assert standing(audit)["photo_unreadable"] == "ended_its_workers"
    assert photos.wanting(audit) is None


def test_a_full_disk_is_waited_for(world: World, audit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "FREE_BYTES", 1 << 60)
    for _ in range(2 * job.MOST_TRIES):
        job.due_photos(world.context, POOL)
        job.redact_with(world.context, audit)
        world.now += timedelta(minutes=11)
    assert "photo_unreadable" not in standing(audit)
    assert photos.due(now=world.now, limit=1)


def test_one_whose_bytes_are_gone_or_changed_is_unreadable_at_once(world: World, audit: str) -> None:
    world.media.delete(standing(audit)["photo"]["sha256"])
    job.redact_with(world.context, audit)
    assert standing(audit)["photo_unreadable"] == "damaged"
    assert asked(world) == 0
