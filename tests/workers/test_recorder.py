"""The rolling recorder with real streams, real processes and real files: what was before the tap is there, whole, masked,
for as long as was said and no longer.
"""

import os
import signal
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import mongoengine
import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from domain.cameras import health, health_rules, queries, registry, rules
from domain.cameras.health_rules import Sample
from domain.cameras.states import HealthState
from domain.cities import queries as cities
from domain.cities.config import CameraSource
from domain.clock import utc_now
from domain.incidents import service as incidents
from domain.notices import queries as notices
from runtime import mongo, recording
from runtime.settings import Settings
from sandbox.footage import MjpegServer, draw_clip
from tests.factories.cameras import SECRET, camera, hold_city, sos
from tests.fakes.hls_camera import HlsCamera
from tests.workers.vision.cameras import Camera, endless
from workers import recorder, recordings, sight
from workers.blind_cameras import blind_cameras
from workers.context import Context
from workers.recorder import Recorder
from workers.vision.child import Looker
from workers.vision.jobs import look_with
from workers.vision.segments import SegmentWriter

SIZE = (320, 180)


@pytest.fixture
def context(
    mongodb_url: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Context]:
    """A worker's context: a database and a `var` of the test's own, in a city that allows the loopback."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    settings = Settings(
        secret=SecretStr(SECRET),
        mongodb_url=f"{mongodb_url.rstrip('/')}/{name}",
        redis_url="redis://127.0.0.1:9/0",
        media_url=f"file://{tmp_path / 'media'}",
        var_dir=tmp_path / "var",
    )
    mongo.connect(settings)
    for document in mongoengine.Document.__subclasses__():
        if document.__module__.startswith("domain."):
            document.ensure_indexes()
    hold_city(monkeypatch, CameraSource("http", "127.0.0.1", "/"))
    positions: Any = None
    yield Context(settings, utc_now, lambda job, *args: True, positions, {})
    mongo.disconnect()
    mongo_client.drop_database(name)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_clip(tmp_path_factory.mktemp("clips") / "walk.mp4", "walk", 2.0, SIZE, 12, 11)


@pytest.fixture(scope="module")
def street(clip: Path) -> Iterator[MjpegServer]:
    with MjpegServer({"walk": clip}) as server:
        yield server


@pytest.fixture
def running(context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.setattr(recorder, "LOOK_AROUND_S", 0.2)
    made = Recorder(context)
    yield made
    made.close()


def until(running: Recorder, seen: Callable[[], Any], seconds: float = 20.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := seen()):
        assert time.monotonic() < end, "not within the time"
        running.step(0.1)
    return found


def folder(context: Context, name: str) -> Path:
    return recording.folder_of(context.settings.var_dir, name)


def test_a_stream_is_kept_masked_and_survives_the_death_of_its_recorder(
    context: Context, running: Recorder, street: MjpegServer
) -> None:
    left_half = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]
    cam = camera("gate", source={"kind": "mjpeg", "url": street.url("walk")}, record_minutes=1.0, masks=[left_half])
    here = folder(context, cam["_id"])
    first = until(running, lambda: recording.listed(here))[0]
    assert stat.S_IMODE(here.stat().st_mode) == 0o700
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    capture = cv2.VideoCapture(str(first.path))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) > 10
    assert first.seconds is not None
    assert 1.9 < first.seconds < 3.0
    good, picture = capture.read()
    assert good
    assert picture[:, : SIZE[0] // 2 - 8].max() < 16, "what must not be seen is on disk"
    assert picture[:, SIZE[0] // 2 + 8 :].mean() > 40
    assert abs((first.start - datetime.now(UTC)).total_seconds()) < 15

    process = running.children[cam["_id"]].process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    before = {each.path for each in recording.listed(here)}
    until(running, lambda: {each.path for each in recording.listed(here)} - before)
    assert all(cv2.VideoCapture(str(each.path)).read()[0] for each in recording.listed(here)), "a segment is not whole"
    record = until(running, lambda: (found := queries.health(cam["_id"])).get("kept_until") and found)
    assert (record["state"], record["by"]) == ("ok", "recorder")
    assert 8 < record["fps"] < 16
    assert queries.camera(cam["_id"])["health"]["state"] == "ok"

    registry.retire(cam["_id"], now=context.clock())
    until(running, lambda: not here.exists())


def test_a_playlist_is_kept_at_its_own_times_and_tells_how_far_the_cameras_clock_is_off(
    context: Context, running: Recorder, tmp_path: Path
) -> None:
    with HlsCamera(tmp_path, ahead=90.0) as street:
        cam = camera("hls", source={"kind": "hls", "url": street.url}, record_minutes=1.0)
        here = folder(context, cam["_id"])
        until(running, lambda: len(recording.listed(here)) >= 2)
        record = until(running, lambda: (found := queries.health(cam["_id"])).get("kept_until") and found)
    first, second = recording.listed(here)[:2]
    assert first.seconds is not None
    assert 1.9 <= first.seconds <= 2.1
    assert abs((second.start - first.start).total_seconds() - first.seconds) < 0.1, "a hole between two files"
    lag = (datetime.now(UTC) - first.start).total_seconds()
    assert 4 < lag < 25, "three segments behind the camera, and as long as this machine took"
    capture = cv2.VideoCapture(str(first.path))
    assert abs(capture.get(cv2.CAP_PROP_FRAME_COUNT) - 24) <= 2
    assert capture.read()[1].mean() > 40
    assert 8 < record["fps"] < 16
    assert 86 < record["clock_offset_s"] <= 90.1, "but for what it takes to publish a segment"
    found = recordings.recorded(queries.camera(cam["_id"]), first.start, 4.0, context)
    assert found.camera_offset_s == record["clock_offset_s"]


def test_a_camera_that_goes_away_is_down_and_comes_back(
    context: Context, running: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_rules, "FRAME_WITHIN", timedelta(seconds=0.5))
    monkeypatch.setattr(health_rules, "HOLDS", {state: health_rules.Hold(0.0, 1) for state in HealthState})
    with Camera("http", endless) as street:
        port = int(street.address.rpartition(":")[2])
        cam = camera("corner", source={"kind": "mjpeg", "url": f"{street.address}/live"}, record_minutes=1.0)
        until(running, lambda: queries.health(cam["_id"]).get("fps"))
    until(running, lambda: queries.health(cam["_id"])["state"] == "down")
    assert queries.health(cam["_id"])["reasons"] in (["stream_ended"], ["no_answer"])
    with Camera("http", endless, port):
        until(running, lambda: queries.health(cam["_id"])["state"] != "down")


def test_what_is_not_to_be_kept_is_not_kept(context: Context, street: MjpegServer) -> None:
    source = {"kind": "mjpeg", "url": street.url("walk")}
    off = camera("off", source=source, record_minutes=0.0)
    usual = camera("usual", source=source)
    with_city = hold_city_minutes(7)
    assert recorder.minutes_of(off, with_city) == 0.0
    assert recorder.minutes_of(usual, with_city) == 7.0
    here = folder(context, off["_id"])
    here.mkdir(parents=True)
    (here / recording.name_of(context.clock(), 2.0)).write_bytes(b"x")
    assert recorder.tidy(context.settings.var_dir, context.clock() + timedelta(seconds=5), frozenset()) == 1
    assert not here.exists()


def hold_city_minutes(minutes: int) -> Any:
    return replace(cities.current("lahore"), recording_minutes=minutes)


def test_what_somebody_lent_takes_no_room_from_the_citys_own(
    context: Context, street: MjpegServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = {"kind": "mjpeg", "url": street.url("walk")}
    lent = [camera(f"lent {n}", source=source, owner="per_a", record_minutes=1440.0) for n in range(3)]
    own = [camera(f"own {n}", source=source, record_minutes=60.0) for n in range(3)]
    config = replace(cities.current("lahore"), recording_minutes=5)
    assert [recorder.minutes_of(each, config) for each in (lent[0], own[0])] == [5.0, 60.0]
    assert recorder.minutes_of({**lent[0], "record_minutes": 2.0}, config) == 2.0
    monkeypatch.setattr(recorder, "AT_MOST", 4)
    found = Recorder(context)
    for camera_id, (cam, task) in found._wanted().items():
        found.children[camera_id] = recorder.Child(cam, task)
    assert {each["_id"] for each in own} < found.children.keys()
    found.children = {each["_id"]: recorder.Child(each, {}) for each in lent}  # recorded before the city had its own
    assert {each["_id"] for each in own} < found._wanted().keys()


def test_a_look_takes_what_was_before_the_tap_from_the_recording(context: Context, tmp_path: Path) -> None:
    """Somebody falls before the tap; when the camera is asked, the street before it is empty again."""
    tap = datetime.now(UTC) - timedelta(seconds=40)
    start = rules.span({"kind": "segments"}, tap, tap).start
    cam = camera("live", source={"kind": "mjpeg", "url": "http://127.0.0.1:1/nobody-listens"}, record_minutes=5.0)
    record(folder(context, cam["_id"]), tmp_path, start - timedelta(seconds=1), ("fall", 8.0), ("empty", 10.0))
    health.note(
        cam,
        Sample(context.clock(), HealthState.OK, fps=12.0),
        by="recorder",
        kept_from=start - timedelta(seconds=1),
        kept_until=context.clock(),
    )
    incident = sos("tap", at=tap, category="medical")
    sight.ask_cameras({"subject": incident}, context)
    [held] = incidents.get(incident)["cameras"].values()
    assert held["look"]["recorded"]
    [look] = queries.looks().find({})
    with Looker() as looker:
        look_with(context, look["_id"], looker)
    seen = queries.observations().find_one({}) or {}
    assert (seen["view"], seen["seen"]["status"]) == ("seen", "ok")
    assert {"lying", "fall"} & {each["kind"] for each in seen["findings"]}


def record(folder: Path, tmp_path: Path, start: datetime, *scenes: tuple[str, float]) -> None:
    """What the recorder would have written of these scenes, one after another."""
    folder.mkdir(parents=True)
    at = start
    with SegmentWriter(folder, 2.0) as writer:
        for scene, seconds in scenes:
            capture = cv2.VideoCapture(str(draw_clip(tmp_path / f"{scene}.mp4", scene, seconds, (640, 360), 8, 11)))
            while True:
                good, picture = capture.read()
                if not good:
                    break
                writer.add(cv2.imencode(".jpg", picture)[1].tobytes(), (640, 360), at)
                at += timedelta(seconds=1 / 8)


def test_a_camera_that_is_known_to_be_down_is_not_opened(context: Context) -> None:
    cam = camera("down", source={"kind": "mjpeg", "url": "http://127.0.0.1:1/x"})
    now = context.clock()
    for seconds in (3, 2, 1):
        health.note(cam, Sample(now - timedelta(seconds=seconds), HealthState.DOWN, ("no_answer",)), by="recorder")
    incident = sos("down", at=now)
    sight.ask_cameras({"subject": incident}, context)
    [held] = incidents.get(incident)["cameras"].values()
    assert held["state"] == "down"
    assert queries.looks().count_documents({}) == 0


def test_whoever_looks_after_cameras_hears_of_one_that_stays_blind(context: Context) -> None:
    """Told once, cleared when it sees again; a camera that is taken out of service is no trouble."""
    pool: Any = None
    now = context.clock()
    blind = camera("blind", source={"kind": "mjpeg", "url": "http://127.0.0.1:1/x"})
    off = camera("off", source={"kind": "mjpeg", "url": "http://127.0.0.1:1/y"})
    for cam in (blind, off):
        for seconds in (70, 66):
            health.note(cam, Sample(now - timedelta(seconds=seconds), HealthState.DOWN, ("no_answer",)), by="recorder")
    registry.retire(off["_id"], now=now)
    assert blind_cameras(context, pool) == blind_cameras(context, pool) == 1
    [notice] = notices.standing()
    assert (notice["kind"], notice["cause"], notice["city"]) == ("camera_blind", blind["_id"], "lahore")
    assert (notice["times"], len(notice["pending_events"])) == (1, 1)
    assert queries.health(off["_id"]) == {}
    for seconds in (12, 8, 4, 0):
        health.note(blind, Sample(now - timedelta(seconds=seconds), HealthState.OK, fps=12.0), by="recorder")
    assert blind_cameras(context, pool) == 0
    assert notices.standing() == []
    later = replace(context, clock=lambda: now + timedelta(minutes=6))
    assert blind_cameras(later, pool) == 1
    [away] = notices.standing()
    assert (away["kind"], away["figures"]) == ("cameras_unwatched", {"cameras": 1})
