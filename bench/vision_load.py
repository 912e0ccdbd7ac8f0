"""What camera analytics costs and bears: beside decoding alone and bare inference, in memory, eight cameras at once, and many
reports at one place. Part of ``python -m bench.vision``; speeds are told by an idle machine only.

Raw inference is what the models themselves take while looking: mediapipe's graphs, HOG, the KNN background. The pipeline's own
work is all the rest of a look, what is measured of movement and light included, but decoding and the kept stills, whose own
search for faces
counts on neither side.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from workers.vision.child import Looker

SECRET = "of a bench alone: forty characters of key"
CAMERAS = 8
MORE = 16  # reports at the same place and minute
CLIP = "people/intel_one-by-one-person-detection.mp4"


@contextmanager
def inference() -> Iterator[dict[str, float]]:
    """While it is open, seconds of processor time by model: how long each was itself at work."""
    from workers.vision import graphs, motion, people, stills

    spent: dict[str, float] = {}
    undo: list[tuple[Any, str, Any]] = []
    keeping: list[bool] = []
    add = stills.Gallery.add

    def kept(*given: Any) -> None:
        keeping.append(True)
        try:
            add(*given)
        finally:
            keeping.pop()

    undo.append((stills.Gallery, "add", add))
    setattr(stills.Gallery, "add", kept)  # noqa: B010

    def timed(owner: Any, name: str, label: str) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        def measured(*given: Any, **named: Any) -> Any:
            if keeping:  # faces that are looked for again in a kept still are part of the stills, not of looking
                return inner(*given, **named)
            began = time.process_time()
            try:
                return inner(*given, **named)
            finally:
                spent[label] = spent.get(label, 0.0) + time.process_time() - began

        undo.append((owner, name, inner))
        setattr(owner, name, measured)

    timed(graphs.BodyFinder, "find", "bodies")
    timed(graphs.JointReader, "read", "joints")
    timed(graphs.FaceFinder, "find", "faces")
    timed(people.PersonDetector, "_scan", "hog")
    timed(motion.MotionGate, "_apply", "background")
    try:
        yield spent
    finally:
        for owner, name, inner in undo:
            setattr(owner, name, inner)


def overhead(spent: float, decode: float, stills: float, raw: float) -> float:
    """The pipeline's own work as a share of bare inference."""
    return max(0.0, spent - decode - stills - raw) / raw if raw > 0 else 0.0


def _looked(looker: Looker, clip: Path) -> float:
    began = time.monotonic()
    answer = looker.look(
        {"kind": "file", "path": str(clip)},
        {"seconds": 10},
        {"allowed_roots": [str(clip.parent)], "wall_s": 120.0, "budget_s": 100.0},
    )
    if answer["status"] not in ("ok", "partial"):
        raise RuntimeError(f"a look of the bench ended {answer['status']}: {answer['health']['reason']}")
    return time.monotonic() - began


def eight_at_once(root: Path) -> tuple[float, float, float]:
    """(one, eight, peak MiB): seconds of a warm look alone, of eight that two warm workers share, and a child's memory."""
    clip = root / CLIP
    with Looker() as first, Looker() as second:
        for looker in (first, second):
            if not looker.warm():
                raise RuntimeError("analytics does not start")
            _looked(looker, clip)
        one = min(_looked(first, clip) for _ in range(2))
        waiting: SimpleQueue[int] = SimpleQueue()
        for camera in range(CAMERAS):
            waiting.put(camera)

        def work(looker: Looker) -> None:
            while True:
                try:
                    waiting.get_nowait()
                except Empty:
                    return
                _looked(looker, clip)

        began = time.monotonic()
        threads = [threading.Thread(target=work, args=(looker,)) for looker in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eight = time.monotonic() - began
        children = [looker._child.pid for looker in (first, second) if looker._child is not None]
        most = max(peak(str(child)) for child in children)
    return one, eight, most


def models_memory() -> float:
    """Peak MiB of a process that has the models and has looked at nothing yet."""
    code = (
        "from workers.vision.models import loaded; from bench.vision_load import peak; loaded(); "
        "print('MEMORY', peak('self'))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return float(said.rsplit("MEMORY", 1)[1])


def peak(process: str) -> float:
    """The most MiB of memory that a process has had since it was started (getrusage counts what it was forked from)."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def shared_looks() -> dict[str, float]:
    """Reports at one place and minute: how many looks the first costs, how many sixteen more, and who is shed as busy."""
    from bench.city import stack

    with tempfile.TemporaryDirectory() as var, stack(Path(var) / "var", workers=False):
        return _asked()


def _asked() -> dict[str, float]:
    from domain import geo
    from domain.cameras import looks, queries, registry, rules
    from domain.cities import queries as cities
    from domain.clock import utc_now
    from domain.ids import new_id
    from domain.incidents import service as incidents
    from domain.incidents.service import SosFacts

    lat, lon, now = 31.5102, 74.3441, utc_now().replace(second=3, microsecond=0)
    config = cities.current("lahore")

    def put_camera(bearing: float) -> None:
        at = geo.destination(lat, lon, bearing, 60.0)
        facts = {
            "name": f"camera {bearing:.0f}",
            "position": {"lat": at[0], "lon": at[1]},
            "bearing_deg": (bearing + 180) % 360,
            "fov_deg": 70.0,
            "range_m": 150.0,
            "source": {"kind": "segments", "path": "var/footage/street/"},
        }
        registry.add(new_id("cam", now), facts, config, secret=SECRET, now=now)

    def raised() -> str:
        key = uuid.uuid4().hex
        made = SosFacts(
            city="lahore",
            category="robbery",
            services=("police",),
            severity="Severe",
            urgency="Immediate",
            certainty="Likely",
            owner=f"dev-{key}",
            key=key,
            position={"lat": lat, "lon": lon, "accuracy_m": 5.0},
        )
        return str(incidents.raise_sos(made, now=now, secret=SECRET, link_ttl=timedelta(hours=1)).incident["_id"])

    for camera in range(CAMERAS):
        put_camera(camera * 45.0)
    first = raised()
    looks.ask(first, now=now)
    alone = queries.looks().count_documents({})
    for _ in range(MORE):
        looks.ask(raised(), now=now)
    with_more = queries.looks().count_documents({})
    late = now + rules.SHED_AFTER + timedelta(minutes=1)
    for look in list(queries.looks().find({})):
        begun = looks.begin(look["_id"], now=late)
        if begun is not None and rules.is_too_late(begun, late):
            looks.shed(begun, now=late)
    shown = [held["state"] for held in (incidents.get(first).get("cameras") or {}).values()]
    return {"first": alone, "more": with_more - alone, "busy": shown.count("busy"), "asked": len(shown)}
