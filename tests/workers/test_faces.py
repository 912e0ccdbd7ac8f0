"""A search for a face goes through what it can, whatever one piece of footage does to those who open it."""

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.cities import queries as cities
from domain.faces import queries, service
from domain.reviews.states import ReviewStatus
from tests.fakes.recorder_world import World
from workers import faces as job
from workers.vision.bounded import TaskFailed

NOTHING = {"status": "ok", "leads": [], "model": {"name": "m", "sha256": "s", "threshold": 0.4}}


def test_footage_that_ends_every_worker_does_not_hide_what_comes_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.recorded(0)
    bad = world.taken("1")["_id"]
    world.recorded(10)
    good = [world.taken("2")["_id"]]
    config = replace(cities.current("lahore"), face_search=True)
    monkeypatch.setitem(cities._held, "lahore", (float("inf"), config))
    world.context = replace(world.context, settings=world.context.settings.model_copy(update={"face_model": "m.toml"}))
    wanted = {"purpose": "warrant", "legal_basis": "Court 7, 41/26", "hours": 24}
    incident = {"_id": world.incident, "city": "lahore"}
    made, _ = service.draft("fse_1", incident, wanted, config, by="per_sara", fingerprint="f", now=world.now)
    photo = world.store.seal(made["_id"], "lahore", "photo", io.BytesIO(b"x"), note=lambda name: None, now=world.now)
    service.ask(made["_id"], photo, now=world.now)
    service.decided(made["_id"], ReviewStatus.APPROVED, now=world.now)

    def look(asked: Mapping[str, Any]) -> dict[str, Any]:
        if len(asked["pieces"]) == 1:
            raise TaskFailed("died")
        return NOTHING

    for _ in range(service.MOST_TRIES):
        job.search_with(world.context, made["_id"], look)
        world.now += timedelta(seconds=11)
    good.append(world.taken("3")["_id"])
    job.search_with(world.context, made["_id"], look)
    found = queries.get(made["_id"])
    assert found["failed"] == {bad: "ended_its_workers"}
    assert sorted(found["searched"]) == sorted(good)
    assert "due" not in found
    service.again(made["_id"], now=world.now)
    job.search_with(world.context, made["_id"], lambda asked: NOTHING)  # the machine was at fault, and is mended
    assert sorted(queries.get(made["_id"])["searched"]) == sorted([bad, *good])
