"""The rolling recorder and the sampler: what each camera of the machine's cities showed in the last minutes, and whether it
can see at all.

`python -m workers recorder` is one process that looks after others: a child for each live camera that is recorded
(`workers/vision/record.py`), begun again with growing pauses when it dies, and a few children that sample the cameras
which nobody records. Whether and for how long a camera is recorded is its own word, else its city's. What is too old goes
on time, also where a camera is gone or this process was away.
"""

import json
import math
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

from domain.cameras import health, health_rules, queries, registry, sources
from domain.cameras.queries import Camera
from domain.cities import queries as cities
from domain.cities.config import CityConfig
from runtime import logging, recording
from runtime.mongo import STORE_DOWN
from workers import sampler
from workers.context import Context

AT_MOST: Final = 32
"""Cameras that one machine records: about 90 MB of memory each. The others are sampled, and looked at live."""
LOOK_AROUND_S: Final = 5.0
"""How often the register is read: a camera that is added, changed or retired is so within this."""
SILENT: Final = timedelta(seconds=60)
"""A child that has said nothing for so long hangs: it is ended and begun again."""
PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Between two beginnings of a child that dies."""

log = logging.get(__name__)


@dataclass
class Child:
    """One camera's recording process. `task` is what it was told; another task is another process."""

    camera: Camera
    task: dict[str, Any]
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    begin_at: float = 0.0
    heard_at: float = 0.0
    last_frame_at: datetime | None = None
    lost: str = ""
    """Why it has no connection, as long as it has none."""
    said: bytes = b""


@dataclass
class Recorder:
    """All the children of this machine. `step` does what is due; `close` ends them."""

    context: Context
    children: dict[str, Child] = field(default_factory=dict)
    _looked_around: float = float("-inf")

    def step(self, wait_s: float = 0.5) -> None:
        """Read the register when it is time, start what should run, end what should not, take what the children say."""
        now = time.monotonic()
        if now - self._looked_around >= LOOK_AROUND_S:
            self._looked_around = now
            self._look_around()
        for child in self.children.values():
            self._revive(child)
        self._listen(wait_s)

    def _look_around(self) -> None:
        wanted = self._wanted()
        for camera_id in [each for each, child in self.children.items() if wanted.get(each, ({}, {}))[1] != child.task]:
            self._end(self.children.pop(camera_id))
        for camera_id, (camera, task) in wanted.items():
            if camera_id not in self.children:
                self.children[camera_id] = Child(camera, task)
        for child in self.children.values():
            if child.lost:  # it says so only when it tries again, ever more seldom
                self._take(child, {"lost": child.lost})
        tidy(self.context.settings.var_dir, self.context.clock(), frozenset(self.children))

    def _wanted(self) -> dict[str, tuple[Camera, dict[str, Any]]]:
        """Camera id → (camera, task) of those that are to be recorded here, the same ones each time: the city's own first."""
        found: dict[str, tuple[Camera, dict[str, Any]]] = {}
        for city in cities.known():
            config = cities.current(city)
            for camera in queries.in_service(city):
                if minutes_of(camera, config) > 0 and sources.allowed_now(camera["source"], config):
                    found[camera["_id"]] = (camera, task_of(camera, config, self.context))
        lent = {each for each, (camera, _) in found.items() if camera.get("owner")}
        kept = sorted(found, key=lambda each: (each in lent, each not in self.children, each))[:AT_MOST]
        if len(found) > len(kept):
            log.warning("recorder_full", cameras=len(found), recorded=len(kept))
        return {each: found[each] for each in kept}

    def _revive(self, child: Child) -> None:
        now = time.monotonic()
        process = child.process
        if process is not None and process.poll() is None:
            if now - child.heard_at <= SILENT.total_seconds():
                return
            log.warning("recording_hangs", camera=child.camera["_id"])
            process.kill()
        if process is not None:
            code = process.wait()
            _closed(process)
            child.process = None
            pause = PAUSES_S[min(child.deaths, len(PAUSES_S) - 1)]
            child.deaths += 1
            child.begin_at = now + pause
            log.warning("recording_ended", camera=child.camera["_id"], status=code, again_in_s=pause)
            self._take(child, {"lost": "recorder_died"})
        if now >= child.begin_at:
            child.process, child.heard_at, child.said = _begun(child.task), now, b""

    def _listen(self, wait_s: float) -> None:
        pipes: dict[IO[bytes], Child] = {
            child.process.stdout: child
            for child in self.children.values()
            if child.process is not None and child.process.stdout is not None
        }
        if not pipes:
            time.sleep(wait_s)
            return
        ready, _, _ = select.select(list(pipes), [], [], wait_s)
        for pipe in ready:
            child = pipes[pipe]
            data = os.read(pipe.fileno(), 1 << 16)
            if not data:
                time.sleep(0.05)  # it is ending: the next step sees it
                continue
            *lines, child.said = (child.said + data).split(b"\n")
            child.heard_at = time.monotonic()
            for line in lines:
                report = json.loads(line)
                if "fps" in report:
                    child.deaths = 0
                self._take(child, report)

    def _take(self, child: Child, report: Mapping[str, Any]) -> None:
        """Keep what a child said. A store that is away costs this report and no more."""
        now = self.context.clock()
        until = _moment(report.get("kept_until"))
        child.lost = str(report.get("lost") or "")
        if "fps" in report:
            child.last_frame_at = now
        sample = health_rules.of_report(report, child.last_frame_at, now)
        try:
            if sample is None:
                health.kept(child.camera["_id"], until)
                return
            facts: dict[str, Any] = {
                name: moment for name in ("kept_from", "kept_until") if (moment := _moment(report.get(name)))
            }
            if "clock_offset_s" in report:
                facts["clock_offset_s"] = report["clock_offset_s"]
            health.note(child.camera, sample, by="recorder", **facts)
        except STORE_DOWN:
            log.warning("store_away")

    def _end(self, child: Child) -> None:
        if child.process is None:
            return
        child.process.terminate()
        try:
            child.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        _closed(child.process)
        child.process = None

    def close(self) -> None:
        """End every child."""
        for child in self.children.values():
            if child.process is not None:
                child.process.terminate()
        for child in self.children.values():
            self._end(child)
        self.children.clear()


def _closed(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # a task that nobody read
                pipe.close()


def minutes_of(camera: Camera, config: CityConfig) -> float:
    """How much of a camera is kept; 0 for what is no live stream: a folder of segments has its own recorder. Whoever lent
    one may have less of it kept than the city keeps, and no more: the disk is the city's.
    """
    if camera["source"].get("kind") not in sources.STREAMS:
        return 0.0
    own = camera.get("record_minutes")
    most = config.recording_minutes if camera.get("owner") else math.inf
    return float(config.recording_minutes if own is None else min(own, most))


def task_of(camera: Camera, config: CityConfig, context: Context) -> dict[str, Any]:
    """What the child is told (`workers/vision/record.py: Task`), the password of its address among it."""
    source = registry.source_of(camera, secret=context.settings.signing_key)
    return {
        "camera": camera["_id"],
        "source": source,
        "folder": str(recording.folder_of(context.settings.var_dir, camera["_id"])),
        "config": {
            "allowed_addresses": [sources.place_of(str(source.get("url") or ""))],
            "allowed_networks": sources.networks_of(str(source.get("url") or ""), config),
            "masks": camera.get("masks") or [],
        },
        "minutes": minutes_of(camera, config),
    }


def _begun(task: Mapping[str, Any]) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.vision.record"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parent.parent,
    )
    told: IO[bytes] | None = process.stdin
    if told is not None:
        try:
            told.write(json.dumps(task).encode() + b"\n")
            told.flush()
        except OSError:
            log.warning("recording_did_not_begin", camera=task["camera"])
    return process


def tidy(var: Path, now: datetime, recorded: frozenset[str]) -> int:
    """Remove what is too old in every camera's folder, whoever wrote it; folders of cameras that are gone go whole."""
    gone = 0
    root = recording.recordings(var)
    for folder in root.iterdir() if root.is_dir() else ():
        minutes = _kept_minutes(folder.name)
        most = int(max(minutes, 1.0) * recording.MOST_BYTES_A_MINUTE)
        gone += recording.prune(folder, before=now - timedelta(minutes=minutes), most_bytes=most)
        if folder.name not in recorded and minutes == 0:
            recording.remove(folder)
    return gone


def _kept_minutes(camera_id: str) -> float:
    """How much of it may be on disk; 0 for a camera that is unknown or retired. One that is out of service ages out."""
    found = queries.cameras().find_one(
        {"_id": camera_id}, {"source": 1, "city": 1, "owner": 1, "record_minutes": 1, "retired_at": 1}
    )
    if found is None or found.get("retired_at"):
        return 0.0
    return minutes_of(found, cities.current(found["city"]))


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def run(context: Context, *, stop: Callable[[], bool]) -> None:
    """Record and sample until `stop` says so. Nothing that goes wrong ends it."""
    recorder, over = Recorder(context), threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="sampler") as pool:
        sampling = pool.submit(sampler.run, context, over, lambda: frozenset(recorder.children))
        try:
            while not stop():
                try:
                    recorder.step()
                except STORE_DOWN:
                    log.warning("store_away")
                    time.sleep(1.0)
                except Exception:
                    log.exception("recorder_step_failed")
                    time.sleep(1.0)
        finally:
            over.set()
            recorder.close()
            sampling.result()
