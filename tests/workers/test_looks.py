"""A look from the asking to what an incident shows, with the real analytics on footage that is drawn here.

Whatever a camera sends, its incident gets an answer within the job's time limit, and the worker lives.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import add
from pathlib import Path
from typing import Any

import mongoengine
import pytest
from PIL import Image
from pydantic import SecretStr
from pymongo import MongoClient

from domain.cameras import looks, queries, registry, rules
from domain.cities import queries as cities
from domain.cities import service as cities_kept
from domain.cities.config import CameraSource
from domain.clock import utc_now
from domain.correlation.documents import LinkDoc
from domain.incidents import service as incidents
from domain.notices import queries as notices
from runtime import mongo, queues
from runtime.media import Media
from runtime.settings import Settings
from sandbox.footage import MjpegServer, draw_clip
from tests.factories.cameras import SECRET, camera, hold_city, sos
from tests.fakes.rtsp_camera import RtspCamera
from tests.local_servers import die_with_parent
from workers import sight, sweeps
from workers.context import Context
from workers.drain import drain_with
from workers.vision import jobs
from workers.vision.child import Looker, answered
from workers.vision.jobs import look_with
from workers.vision.observation import Observation, Status, Verdict, blind

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Queue:
    """What was enqueued, in memory; `away` while Redis is."""

    jobs: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    away: bool = False

    def __call__(self, job: str, *args: str | int | float | None) -> bool:
        if not self.away:
            self.jobs.append((job, args))
        return not self.away


@pytest.fixture(scope="module")
def looker() -> Iterator[Looker]:
    with Looker() as made:
        assert made.warm()
        yield made


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    scenes = {"fall": 6.0, "walk": 5.0, "empty": 4.0}
    return {
        scene: draw_clip(folder / f"{scene}.mp4", scene, seconds, (640, 360), 12, 11)
        for scene, seconds in scenes.items()
    }


@pytest.fixture
def context(
    mongodb_url: str,
    redis_url: str,
    mongo_client: MongoClient[dict[str, Any]],
    tmp_path: Path,
    clips: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Context]:
    """A worker's context: a database and media of the test's own, and a city that allows the loopback and two folders."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    settings = Settings(
        secret=SecretStr(SECRET),
        mongodb_url=f"{mongodb_url.rstrip('/')}/{name}",
        redis_url=redis_url.rsplit("/", 1)[0] + "/7",
        media_url=f"file://{tmp_path / 'media'}",
    )
    mongo.connect(settings)
    for document in mongoengine.Document.__subclasses__():
        if document.__module__.startswith("domain."):
            document.ensure_indexes()
    hold_city(
        monkeypatch,
        CameraSource("file", "", f"{tmp_path}/"),
        CameraSource("file", "", f"{clips['fall'].parent}/"),
        CameraSource("http", "127.0.0.1", "/"),
        CameraSource("rtsp", "127.0.0.1", "/"),
    )
    positions: Any = None
    yield Context(settings, utc_now, Queue(), positions, {})
    mongo.disconnect()
    mongo_client.drop_database(name)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Live streams are watched for 3 s, so that the tests are quick."""
    monkeypatch.setattr(rules, "LIVE_SLOT", timedelta(seconds=3))


def queue_of(context: Context) -> Queue:
    assert isinstance(context.enqueue, Queue)
    return context.enqueue


def raised(context: Context, **facts: Any) -> str:
    """An SOS of this moment whose cameras were asked."""
    incident = sos(uuid.uuid4().hex, at=context.clock(), **facts)
    sight.ask_cameras({"subject": incident}, context)
    return incident


def work(context: Context, looker: Looker) -> None:
    """Do all the jobs that wait, as workers would."""
    queue = queue_of(context)
    while queue.jobs:
        job, args = queue.jobs.pop(0)
        if job == "look":
            look_with(context, args[0], looker)
        else:
            assert job == "drain"
            drain_with(context, args[0], args[1])


def answer(incident: str) -> dict[str, Any]:
    """What the incident shows of its only camera."""
    [held] = incidents.get(incident)["cameras"].values()
    return dict(held)


def test_a_person_lying_is_found_kept_blurred_and_linked(
    context: Context, looker: Looker, clips: dict[str, Path]
) -> None:
    cam = camera("one", source={"kind": "file", "path": str(clips["fall"])})
    incident = raised(context, category="medical")
    assert answer(incident)["state"] == "asked"
    work(context, looker)
    shown = answer(incident)
    assert shown["state"] == "seen"
    assert "lying" in [each["kind"] for each in shown["findings"]]
    stored = queries.observation(shown["observation"])
    assert [each["sha256"] for each in stored["seen"]["still_details"]] == stored["stills"]
    assert shown["stills"] == len(stored["stills"]) > 0
    assert all(each["blurred"] > 0 for each in stored["seen"]["still_details"] if each["why"] != "sharpest")
    assert Media(context.settings.media_url).get(stored["stills"][0])[:2] == b"\xff\xd8"
    [link] = incidents.get(incident)["correlations"]
    assert link["other"] == {"kind": "observation", "id": shown["observation"]}
    assert "lying" in [reason.get("finding") for reason in link["reasons"]]
    assert LinkDoc._get_collection().count_documents({}) == 1
    health = queries.camera(cam["_id"])["health"]
    assert health["state"] == "ok"
    assert context.clock() - health["at"] < timedelta(minutes=1)


def test_a_recorders_folder_is_searched_for_the_moment_of_the_tap(
    context: Context, looker: Looker, clips: dict[str, Path], tmp_path: Path
) -> None:
    """Somebody falls in the file of the tap; nobody is in those before and after it."""
    tap = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
    start = rules.span({"kind": "segments"}, tap, tap).start
    for offset, scene in ((-30, "empty"), (-4, "empty"), (0, "fall"), (6, "empty"), (10, "empty"), (14, "empty")):
        name = f"cam-{start + timedelta(seconds=offset):%Y%m%dT%H%M%SZ}.mp4"
        (tmp_path / name).write_bytes(clips[scene].read_bytes())
    camera("recorder", source={"kind": "segments", "path": str(tmp_path), "segment_s": 6.0})
    incident = sos("tap", at=tap, category="assault")
    sight.ask_cameras({"subject": incident}, context)
    work(context, looker)
    shown = answer(incident)
    assert (shown["state"], shown["seen_at"]) == ("seen", start)
    assert {"lying", "fall"} & {each["kind"] for each in shown["findings"]}


@pytest.mark.usefixtures("short")
def test_mjpeg_from_end_to_end(context: Context, looker: Looker, clips: dict[str, Path]) -> None:
    with MjpegServer({"walk": clips["walk"]}) as server:
        camera("live", source={"kind": "mjpeg", "url": server.url("walk")})
        incident = raised(context)
        work(context, looker)
    shown = answer(incident)
    assert shown["state"] == "seen"
    assert queries.observation(shown["observation"])["seen"]["summary"]["people_max"] == 1


@pytest.mark.usefixtures("short")
def test_rtsp_from_end_to_end_with_a_password(context: Context, looker: Looker, clips: dict[str, Path]) -> None:
    with RtspCamera(clips["walk"], password="set") as rtsp:
        url = rtsp.url.replace("rtsp://", "rtsp://viewer:s3cret@")
        camera("live", source={"kind": "rtsp", "url": url}, config=cities.current("lahore"))
        incident = raised(context)
        work(context, looker)
    assert rtsp.packets > 20
    shown = answer(incident)
    assert shown["state"] == "seen"
    assert "s3cret" not in str(queries.cameras().find_one({}))


Make = Callable[[Path], dict[str, Any]]


def _bytes(name: str, data: bytes) -> Make:
    def make(folder: Path) -> dict[str, Any]:
        (folder / name).write_bytes(data)
        return {"kind": "file", "path": str(folder / name)}

    return make


def _cut(clip: str, share: float) -> Make:
    def make(folder: Path) -> dict[str, Any]:
        whole = (folder / clip).read_bytes()
        return _bytes("cut.mp4", whole[: int(len(whole) * share)])(folder)

    return make


def _noise(clip: str) -> Make:
    def make(folder: Path) -> dict[str, Any]:
        data = bytearray((folder / clip).read_bytes())
        for at in range(2000, len(data) - 4000, 97):
            data[at] ^= 0xFF
        return _bytes("noise.mp4", bytes(data))(folder)

    return make


def _pixels(side: int) -> Make:
    def make(folder: Path) -> dict[str, Any]:
        Image.new("L", (side, side)).save(folder / "huge.png")
        return {"kind": "file", "path": str(folder / "huge.png")}

    return make


@pytest.mark.parametrize(
    ("make", "views", "reasons"),
    [
        pytest.param(_cut("empty.mp4", 0.5), {"cannot_tell"}, {"not_decodable", "no_pictures", "incomplete"}, id="cut"),
        pytest.param(_noise("empty.mp4"), {"cannot_tell"}, None, id="bits flipped"),
        pytest.param(_bytes("none.mp4", b""), {"cannot_tell"}, {"empty_file"}, id="0 bytes"),
        pytest.param(_bytes("ftyp.mp4", b"\0\0\0\x18ftypisom" + b"\0" * 64), {"cannot_tell"}, None, id="0 frames"),
        pytest.param(_bytes("list.mp4", b"#EXTM3U\nfile:///etc/passwd"), {"cannot_tell"}, {"not_footage"}, id="playlist"),
        pytest.param(_pixels(10_000), {"cannot_tell"}, {"too_many_pixels"}, id="100 megapixels"),
        pytest.param(lambda folder: {"kind": "file", "path": f"{folder}/gone.mp4"}, {"down"}, {"no_recording"}, id="gone"),
        pytest.param(lambda folder: {"kind": "segments", "path": f"{folder}/"}, {"down"}, {"no_recording"}, id="no segments"),
    ],
)  # fmt: skip
def test_bad_footage_is_a_finding_of_health(
    context: Context,
    looker: Looker,
    clips: dict[str, Path],
    tmp_path: Path,
    make: Make,
    views: set[str],
    reasons: set[str] | None,
) -> None:
    (tmp_path / "empty.mp4").write_bytes(clips["empty"].read_bytes())
    source = make(tmp_path)
    cam = camera("one", source=source)
    incident = sos("old", at=context.clock() - timedelta(minutes=2))
    began = time.monotonic()
    sight.ask_cameras({"subject": incident}, context)
    work(context, looker)
    assert time.monotonic() - began < 15
    assert answer(incident)["state"] in views
    health = queries.camera(cam["_id"])["health"]
    assert health["state"] in {"impaired", "down"}
    if reasons is not None:
        assert set(health["reasons"]) & reasons


@contextmanager
def silent() -> Iterator[tuple[int, threading.Event]]:
    """(port, whether anybody came) of a server that takes connections and says nothing."""
    touched = threading.Event()
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            with suppress(OSError):
                while True:
                    held.append(server.accept()[0])
                    touched.set()

        threading.Thread(target=take, daemon=True).start()
        yield int(server.getsockname()[1]), touched
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
    for each in held:
        each.close()


@pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])
def test_a_stream_that_hangs_is_down_and_the_next_look_works(
    context: Context, looker: Looker, clips: dict[str, Path], kind: str
) -> None:
    with silent() as (port, _):
        scheme = "http" if kind == "mjpeg" else "rtsp"
        cam = camera("hangs", source={"kind": kind, "url": f"{scheme}://127.0.0.1:{port}/x"})
        incident = raised(context)
        began = time.monotonic()
        work(context, looker)
        assert time.monotonic() - began < 20
    assert answer(incident)["state"] == "down"
    assert queries.camera(cam["_id"])["health"]["state"] == "down"
    registry.retire(cam["_id"], now=context.clock())
    camera("good", source={"kind": "file", "path": str(clips["empty"])})
    after = raised(context)
    work(context, looker)
    assert answer(after)["state"] == "clear"


def test_an_address_that_left_the_citys_list_is_not_opened(
    context: Context, looker: Looker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent() as (port, touched):
        camera("one", source={"kind": "mjpeg", "url": f"http://127.0.0.1:{port}/x"})
        incident = raised(context)
        hold_city_without_loopback(monkeypatch)
        work(context, looker)
        assert not touched.is_set()
    assert answer(incident)["state"] == "cannot_tell"


def test_whose_plates_are_read_says_the_city() -> None:
    city = cities.current("lahore")
    for code in ("pk", "br", ""):
        told = jobs._config(replace(city, plates_country=code), {"source": {}})
        assert told["country"] == code
    assert city.plates_country == "pk"


def hold_city_without_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(cities._held, "lahore")
    hold_city(monkeypatch)


def test_while_the_queue_is_away_looks_wait_and_then_say_busy(context: Context, looker: Looker) -> None:
    camera("one")
    queue_of(context).away = True
    incident = raised(context)
    ahead = Context(context.settings, lambda: utc_now() + timedelta(seconds=10), context.enqueue, context.positions, {})
    pool: Any = None
    assert sweeps.waiting_looks(ahead, pool) == 1
    assert answer(incident)["state"] == "asked"
    late = Context(context.settings, lambda: utc_now() + timedelta(seconds=60), context.enqueue, context.positions, {})
    assert sweeps.waiting_looks(late, pool) == 0
    assert answer(incident)["state"] == "busy"
    queue_of(context).away = False
    work(context, looker)
    assert queries.observations().count_documents({}) == 0


def test_an_analytics_that_cannot_start_is_tried_again_and_no_camera_is_blamed(context: Context) -> None:
    class Broken:
        def look(self, *_: Any) -> dict[str, Any]:
            return answered(blind(Status.TIMEOUT, "analytics_unavailable"))

    cam = camera("one")
    incident = raised(context)
    [(_, (look_id,))] = queue_of(context).jobs
    look_with(context, str(look_id), Broken())
    row = queries.looks().find_one({"_id": look_id}) or {}
    assert (row["state"], row["tries"]) == ("waiting", 1)
    assert answer(incident)["state"] == "asked"
    assert queries.camera(cam["_id"])["health"]["state"] == "unknown"


def test_a_detector_that_is_left_alone_is_a_notice_until_it_works(context: Context) -> None:
    class Hanging:
        def __init__(self, **hangs: bool) -> None:
            self.hangs = hangs

        def look(self, *_: Any) -> dict[str, Any]:
            return answered(Observation(Status.PARTIAL, Verdict.CANNOT_TELL, frames_judged=9)) | {"hangs": self.hangs}

    standing = []
    camera("one")
    for at, looks_like in enumerate([Hanging(smoke=False), Hanging(smoke=True), Hanging(smoke=True), Hanging()]):
        later = replace(context, clock=partial(add, utc_now(), timedelta(minutes=10 * at)))
        raised(later)
        [(_, (look_id,))] = [job for job in queue_of(context).jobs if job[0] == "look"]
        queue_of(context).jobs.clear()
        look_with(later, str(look_id), looks_like)
        standing.append([(each["kind"], each["cause"], each["city"]) for each in notices.standing()])
    alone = ("detector_left_alone", "smoke", "lahore")
    assert standing == [[], [alone], [alone], []]


def test_what_was_kept_long_enough_goes_with_its_pictures(
    context: Context, looker: Looker, clips: dict[str, Path]
) -> None:
    camera("one", source={"kind": "file", "path": str(clips["walk"])})
    incident = raised(context)
    work(context, looker)
    stills = queries.observation(answer(incident)["observation"])["stills"]
    days = cities.current("lahore").retention_days["observations"]  # type: ignore[index]
    pool: Any = None
    then = utc_now() + timedelta(days=days, hours=1)
    later = Context(context.settings, lambda: then, context.enqueue, context.positions, {})
    assert sweeps.kept_long_enough(context, pool) == 0
    assert sweeps.kept_long_enough(later, pool) == 2  # the look and the observation
    assert queries.observations().count_documents({}) == 0
    assert LinkDoc._get_collection().count_documents({}) == 0
    with pytest.raises(FileNotFoundError):
        Media(context.settings.media_url).get(stills[0])


def test_a_vision_worker_killed_in_the_middle_of_a_look_is_replaced(
    context: Context, looker: Looker, clips: dict[str, Path], tmp_path: Path, redis_url: str
) -> None:
    """A real worker process takes the job from a real queue, and is killed while it looks at a stream that is slow."""
    settings = context.settings
    environment = {
        **os.environ,
        "AMAAN_SECRET": SECRET,
        "MONGODB_URL": settings.mongodb_url,
        "REDIS_URL": settings.redis_url,
        "AMAAN_MEDIA_URL": settings.media_url,
    }
    cities_kept.load_preset(_city_folder(tmp_path, clips["fall"].parent) / "lahore.toml", now=context.clock())
    real = queues.Queues(queues.connect(settings.redis_url))
    with silent() as (port, touched):
        cam = camera("one", source={"kind": "mjpeg", "url": f"http://127.0.0.1:{port}/x"})
        incident = sos("a", at=context.clock())
        [look] = looks.ask(incident, now=context.clock())
        assert real("look", look)
        log = (tmp_path / "worker.log").open("wb")
        with log, subprocess.Popen(
            [sys.executable, "-m", "workers", "vision"], cwd=ROOT, env=environment, stdout=log, stderr=log,
            preexec_fn=die_with_parent,
        ) as worker:  # fmt: skip
            _until(touched.is_set, 60, tmp_path / "worker.log")
            assert _state(look) == "looking"
            worker.send_signal(signal.SIGKILL)
            worker.wait()
    assert _state(look) == "looking"
    assert answer(incident)["state"] == "asked"
    mended = {"kind": "file", "path": str(clips["walk"])}
    queries.cameras().update_one({"_id": cam["_id"]}, {"$set": {"source": mended}})
    after = Context(settings, lambda: utc_now() + looks.LEASE, context.enqueue, context.positions, {})
    pool: Any = None
    assert sweeps.waiting_looks(after, pool) == 1
    work(context, looker)
    assert answer(incident)["state"] == "seen"
    assert _state(look) == "done"


def _state(look: str) -> str:
    return str((queries.looks().find_one({"_id": look}) or {}).get("state"))


def _until(so: Callable[[], bool], seconds: float, log: Path) -> None:
    until = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < until, log.read_text()[-2000:]
        time.sleep(0.02)


def _city_folder(tmp_path: Path, clips: Path) -> Path:
    """The cities' presets, with Lahore allowing the loopback and the clips."""
    folder = tmp_path / "cities"
    (folder / "shared").mkdir(parents=True)
    for path in (*(ROOT / "cities").glob("lahore.*"), ROOT / "cities" / "shared" / "pakistan.toml"):
        target = folder / path.relative_to(ROOT / "cities")
        text = path.read_text()
        if path.name == "lahore.toml":
            allowed = 'camera_sources = [{ scheme = "http", host = "127.0.0.1", path = "/" },'
            allowed += f'{{ scheme = "file", path = "{clips}/" }},'
            assert "camera_sources = [" in text
            text = text.replace("camera_sources = [", allowed)
        target.write_text(text)
    return folder
