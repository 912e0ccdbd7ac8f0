"""What recorders have of a camera's time: ours (`runtime/recording.py`), a city's own folder of segments, or one file.

Nothing is opened that the city's list does not have now, and no link leads out of its folders. Who only wants to know what
there is reads names and sizes; files themselves are read where their bytes cannot harm.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from domain.cameras import looks, queries, sources
from domain.cameras.queries import Camera
from domain.cameras.states import HealthState, SourceKind, View
from domain.cities import queries as cities
from domain.cities.config import CityConfig
from domain.evidence import rules
from domain.evidence.rules import Recording, Segment
from domain.evidence.states import Why
from runtime import recording as ours
from workers.context import Context
from workers.vision import admit
from workers.vision.admit import Unseen
from workers.vision.bounded import TaskFailed, run

AROUND: Final = timedelta(seconds=60)
"""An observation that a camera was down says so of the time around it."""
PROBE_MB, PROBE_S = 1024, 20.0


def recorded(camera: Camera, start: datetime, seconds: float, context: Context) -> Recording:
    """What there is of this camera's time, and when it is known to have been down."""
    city = cities.current(camera["city"])
    source, end = camera["source"], start + timedelta(seconds=seconds)
    down = tuple(_down(camera, start, end, now=context.clock()))
    kind = source.get("kind")
    if kind in (SourceKind.FILE, SourceKind.SEGMENTS) and not sources.allowed_now(source, city):
        return Recording(why=Why.NOT_ALLOWED)
    if kind == SourceKind.SEGMENTS:
        found = _folder(source, city)
    elif kind == SourceKind.FILE:
        found = _file(source, city)
    elif kind == SourceKind.GATEWAY:
        return Recording(why=Why.NOT_RECORDED)
    else:
        found = _ours(ours.folder_of(context.settings.var_dir, camera["_id"]))
    if found.why is None:
        offset = queries.health(camera["_id"]).get("clock_offset_s") if found.by == "amaan" else None
        return replace(found, down=down, camera_offset_s=offset)
    covered = rules.joined(down)
    if covered and not rules.without((start, end), covered):
        return Recording(why=Why.DOWN)
    if looks.is_out_of_service(camera):
        return Recording(why=Why.OUT_OF_SERVICE)
    return found


def _down(camera: Camera, start: datetime, end: datetime, *, now: datetime) -> list[tuple[datetime, datetime]]:
    """Spans in which the camera is known to have been down: by its health as it stands, and by what looks met."""
    spans = []
    health: dict[str, Any] = dict(camera.get("health") or {})
    if health.get("state") == HealthState.DOWN and health.get("since"):
        spans.append((health["since"], now))
    seen, _ = queries.of_camera(camera["_id"], since=start - AROUND, until=end + AROUND, limit=50)
    spans += [(row["at"] - AROUND, row["at"] + AROUND) for row in seen if row["view"] == View.DOWN]
    return spans


def _ours(folder: Path) -> Recording:
    listed = ours.listed(folder)
    if not listed:
        return Recording(why=Why.NOT_RECORDED)
    held = tuple(Segment(each.path, each.start, each.seconds or ours.SEGMENT_S) for each in listed)
    return Recording(held, held[0].start, by="amaan")


def _folder(source: dict[str, Any], city: CityConfig) -> Recording:
    try:
        folder = admit.admit_path(source["path"], _roots(city))
        listed = [each._replace(path=real) for each in ours.listed(folder) if (real := _inside(each.path, city))]
    except Unseen as unseen:
        return Recording(why=Why.NOT_ALLOWED if unseen.not_allowed else Why.UNKNOWN)
    usual = float(source.get("segment_s") or sources.SEGMENT_S)
    held = _lengths(listed, usual)
    return Recording(held, held[0].start if held else None, by="recorder", why=None if held else Why.NOT_RECORDED)


def _lengths(listed: Sequence[ours.Segment], usual: float) -> tuple[Segment, ...]:
    """A recorder that names no lengths: a file lasts until the next one begins, but no longer than the recorder's do."""
    held = []
    for index, each in enumerate(listed):
        until = (listed[index + 1].start - each.start).total_seconds() if index + 1 < len(listed) else usual
        held.append(Segment(each.path, each.start, each.seconds or min(until, usual)))
    return tuple(held)


def _file(source: dict[str, Any], city: CityConfig) -> Recording:
    if not source.get("recorded_at"):
        return Recording(why=Why.NOT_RECORDED)  # it stands for what the camera shows now
    try:
        path = admit.admit_path(source["path"], _roots(city))
        length = run("length", {"path": str(path)}, memory_mb=PROBE_MB, wall_s=PROBE_S)["seconds"]
    except Unseen as unseen:
        return Recording(why=Why.NOT_ALLOWED if unseen.not_allowed else Why.UNKNOWN)
    except TaskFailed:
        return Recording(why=Why.UNREADABLE)
    if not length:
        return Recording(why=Why.UNREADABLE)
    began = datetime.fromisoformat(source["recorded_at"])
    return Recording((Segment(path, began, float(length)),), began, by="recorder")


def _roots(city: CityConfig) -> list[str]:
    return [source.path for source in city.camera_sources if source.scheme == "file"]


def _inside(path: Path, city: CityConfig) -> Path | None:
    """Where a file really lies, if that is in a folder of the city's list."""
    try:
        return admit.admit_path(str(path), _roots(city))
    except Unseen:
        return None
