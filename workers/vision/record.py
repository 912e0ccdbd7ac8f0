"""Recording one camera, for as long as it lives: pictures into short files, and every few seconds a word on its health.

    python -m workers.vision.record        # one JSON line on stdin says what to record (``Task``); reports on stdout

A process of its own, so that footage which kills a decoder kills the recording of one camera, which is begun again; its
memory is bounded, it ends when its parent does, and two never write into one folder. What is lost is connected to again
after 1 s, then 2, up to 30. Masks are painted over before a picture is written: what must not be seen is nowhere on disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import resource
import shutil
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runtime import recording
from workers.vision import quality, scene
from workers.vision.admit import Unseen
from workers.vision.config import VisionConfig, Window
from workers.vision.cv import Image, cv2, narrowed
from workers.vision.motion import looked_at
from workers.vision.segments import SegmentWriter
from workers.vision.source import Footage, opened

MEMORY_MB = 1536
KEPT_HZ = 12.0  # pictures a second at most; cameras that send more are thinned
JPEG_QUALITY = 85
SAMPLE_S = 1.0  # a picture so often is measured for the camera's health
SAMPLES = 8  # judged together
REPORT_S = 4.0
SILENT_S = 20.0  # pictures stay away so long before a camera counts as down
LONGEST_PAUSE_S = 30.0
FREE_BYTES = 1_000_000_000  # left on the disk whatever happens: the incidents' store may be on it
_ALREADY = 3  # exit code: another process records this camera


@dataclass(frozen=True)
class Task:
    """What to record. ``config`` as for a look (``config.VisionConfig``); ``most_bytes`` of this camera on disk."""

    camera: str
    source: Mapping[str, Any]
    folder: Path
    config: VisionConfig
    minutes: float
    most_bytes: int
    segment_s: float = recording.SEGMENT_S
    free_bytes: int = FREE_BYTES

    @staticmethod
    def from_dict(given: Mapping[str, Any]) -> Task:
        """From JSON. Raises ``ValueError`` or ``KeyError`` for what is no task."""
        minutes = float(given["minutes"])
        return Task(
            camera=str(given["camera"]),
            source=given["source"],
            folder=Path(given["folder"]),
            config=VisionConfig.from_dict(given["config"]),
            minutes=minutes,
            most_bytes=int(given.get("most_bytes") or minutes * recording.MOST_BYTES_A_MINUTE),
            segment_s=float(given.get("segment_s") or recording.SEGMENT_S),
            free_bytes=int(given.get("free_bytes", FREE_BYTES)),
        )


Say = Callable[[dict[str, Any]], None]


@dataclass
class Health:
    """What the last pictures said of the camera. ``see`` one a second, ``report`` now and then."""

    measured: deque[quality.Quality] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    before: Image | None = None
    pictures: int = 0
    broken: int = 0
    since: float = field(default_factory=time.monotonic)

    def see(self, image: Image | None) -> None:
        """A picture, HxWx3 BGR; None when it could not be decoded."""
        if image is None:
            self.broken += 1
            return
        grey: Image = cv2.cvtColor(narrowed(image, 320), cv2.COLOR_BGR2GRAY)
        self.measured.append(quality.measure(grey, self.before))
        self.before = grey

    def report(self, now: float | None = None) -> dict[str, Any]:
        """{fps, luma, flags: [dark, …], scene: 192 numbers or None}; pictures are counted anew from here."""
        now = time.monotonic() if now is None else now
        verdicts = quality.judge(list(self.measured), SAMPLE_S)
        flags = [name for name in ("dark", "covered", "blurred", "frozen") if getattr(verdicts, name)]
        if self.broken and self.broken >= len(self.measured):
            flags.append("broken")
        fps = self.pictures / max(1e-3, now - self.since)
        self.pictures, self.broken, self.since = 0, 0, now
        last = quality.judge(list(self.measured)[-1:], SAMPLE_S)  # it may have become dark just now
        useless = {"dark", "covered", "broken"} & set(flags) or self.before is None or last.dark or last.covered
        return {
            "fps": round(fps, 2),
            "luma": round(verdicts.luma, 1),
            "flags": flags,
            "scene": None if useless or self.before is None else scene.signature(self.before),
        }


class Recording:
    """One camera's recording; ``run`` until ``over`` is set. ``say`` takes a report, a JSON-able dict."""

    def __init__(self, task: Task, say: Say, over: threading.Event) -> None:
        self._task, self._say, self._over = task, say, over
        self._masks = bool(task.config.masks)
        self._looked: dict[tuple[int, int], Image] = {}
        self._full = False
        self._kept_from: datetime | None = None
        self._kept_until: datetime | None = None
        self._pause = 1.0

    def run(self) -> None:
        """Connect, record, connect again. Only ``over`` ends it."""
        recording.drop_parts(self._task.folder)
        while not self._over.is_set():
            began = time.monotonic()
            try:
                reason = self._once()
            except Unseen as unseen:
                reason = unseen.reason
            except (cv2.error, MemoryError, OSError, ValueError) as error:
                reason = "disk_trouble" if isinstance(error, OSError) else "not_decodable"
            if self._over.is_set():
                return
            if time.monotonic() - began > 2 * LONGEST_PAUSE_S:
                self._pause = 1.0  # it was well for a while
            self._say({"lost": reason} | self._kept())
            self._prune()
            self._over.wait(self._pause * random.uniform(0.8, 1.2))
            self._pause = min(LONGEST_PAUSE_S, self._pause * 2)

    def _once(self) -> str:
        """Record one connection. Returns why it ended, in one word."""
        health, sampled, reported, due = Health(), 0.0, time.monotonic() - REPORT_S + 1.0, 0.0
        window = Window(seconds=86_400.0)
        task = self._task
        with (
            opened(task.source, window, task.config) as footage,
            SegmentWriter(task.folder, task.segment_s, note=task.camera) as writer,
        ):
            lag, opened_at, began = getattr(footage, "lag_s", None), datetime.now(UTC), time.monotonic()
            while not self._over.is_set():
                t = footage.grab()
                if t is None:
                    return "stream_ended"
                at, now = datetime.now(UTC), time.monotonic()
                if lag is not None:  # its pictures come in handfuls: their own times are the even ones
                    at, now = opened_at + timedelta(seconds=t - lag), began + t
                health.pictures += 1
                if now < due:
                    continue
                due = max(due, now - 1 / KEPT_HZ) + 1 / KEPT_HZ
                sampling = now - sampled >= SAMPLE_S
                jpeg, image = self._picture(footage, decode=sampling)
                if sampling:
                    sampled = now
                    health.see(image)
                if jpeg is not None and not self._full and (done := writer.add(*jpeg, at)) is not None:
                    self._whole(done)
                if now - reported >= REPORT_S:
                    reported = now
                    self._pause = 1.0
                    if self._full:
                        self._prune()  # somebody may have made room
                    offset = {"clock_offset_s": getattr(footage, "clock_offset_s", None)}
                    self._say(health.report(now) | self._kept() | offset | {"full": self._full})
        return "over"

    def _picture(self, footage: Footage, *, decode: bool) -> tuple[tuple[bytes, tuple[int, int]] | None, Image | None]:
        """(the JPEG to keep with its size, the picture where it was decoded). With masks nothing is kept undecoded."""
        as_it_came = getattr(footage, "jpeg", None)
        if as_it_came is not None and not self._masks:
            return as_it_came(), footage.retrieve() if decode else None
        image = footage.retrieve()
        if image is None:
            return None, None
        size = (image.shape[1], image.shape[0])
        if self._masks:
            image = self._masked(image, size)
        good, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return ((jpeg.tobytes(), size) if good else None), image

    def _masked(self, image: Image, size: tuple[int, int]) -> Image:
        if size not in self._looked:
            self._looked = {size: looked_at(size, self._task.config.masks)}
        masked: Image = cv2.bitwise_and(image, image, mask=self._looked[size])
        return masked

    def _whole(self, path: Path) -> None:
        found = recording.parsed(path)
        self._kept_until = found.end if found else self._kept_until
        self._prune()

    def _kept(self) -> dict[str, str | None]:
        return {"kept_from": _iso(self._kept_from), "kept_until": _iso(self._kept_until)}

    def _prune(self) -> None:
        task = self._task
        before = datetime.now(UTC) - timedelta(minutes=task.minutes)
        recording.prune(task.folder, before=before, most_bytes=task.most_bytes)
        held = recording.listed(task.folder)
        self._kept_from = held[0].start if held else None
        self._full = shutil.disk_usage(task.folder).free < task.free_bytes


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None


def only_one(folder: Path) -> int | None:
    """A lock on the camera's folder, held until this process ends however it ends; None when another holds it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def follow_parent() -> threading.Event:
    """End this process soon after its parent; the event is set before, so that what is being written can be ended."""
    parent, over = os.getppid(), threading.Event()

    def follow() -> None:
        while os.getppid() == parent and not over.is_set():
            time.sleep(0.5)
        over.set()
        time.sleep(5.0)  # whatever hangs does not hold this process
        os._exit(0)

    threading.Thread(target=follow, daemon=True).start()
    return over


def main() -> int:
    """Record until the parent is gone."""
    over = follow_parent()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the parent too, which ends us
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 20, MEMORY_MB << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    task = Task.from_dict(json.loads(sys.stdin.buffer.readline()))
    lock = only_one(task.folder)
    if lock is None:
        return _ALREADY
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # native libraries print to stdout when they like; the reports' pipe is not theirs

    def say(report: dict[str, Any]) -> None:
        try:
            answers.write(json.dumps(report) + "\n")
            answers.flush()
        except OSError:
            over.set()  # nobody listens any more

    Recording(task, say, over).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
