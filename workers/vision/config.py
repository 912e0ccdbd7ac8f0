"""What a look may do and how hard it tries, as one frozen value built from JSON.

The job that calls the look passes a plain dict (the city's data); everything has a default but what is allowed: with no
root and no address, no source is admitted at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class VisionConfig:
    """Limits, rates and places. Every key is optional in the dict; an unknown key is a ``ValueError``."""

    allowed_roots: tuple[str, ...] = ()  # folders whose files may be read
    allowed_addresses: tuple[str, ...] = ()  # "scheme://host:port", e.g. "rtsp://10.1.2.3:554"; nothing else is opened
    allowed_networks: tuple[str, ...] = ()  # addresses and networks into which a listed name may resolve (``resolve``)
    zones: Mapping[str, Polygon] = field(default_factory=dict)  # name → corners as fractions of the picture
    masks: tuple[Polygon, ...] = ()  # areas that are never looked at (a neighbour's window)

    max_bytes: int = 200_000_000
    max_side: int = 4096  # pixels
    max_seconds: float = 120.0
    open_timeout_s: float = 4.0
    read_timeout_s: float = 4.0
    budget_s: float = 20.0  # a look stops here and answers with what it has (partial)
    wall_s: float = 30.0  # and here the child is killed (timeout)
    memory_mb: int = 2560  # address space of the child, RLIMIT_AS

    width: int = 640  # pictures are judged at most this wide
    sample_hz: float = 6.0
    people_hz: float = 2.0
    faces_hz: float = 1.0
    poses_per_look: int = 6  # people whose joints are followed at once
    stills_max: int = 6
    still_width: int = 1280
    models: tuple[str, ...] = ()  # the city's own ONNX models: paths of `model.toml` (``own_models``)
    plates: bool = False  # whether number plates are read
    country: str = ""  # whose formats they have: ISO 3166, small letters
    detectors: tuple[str, ...] = ()  # extra detectors by entry point name, with `detector_options`
    detector_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    detector_s: float = 8.0  # that one of them may take for one picture (and for loading LOAD_S): longer, and it hangs
    left_alone: tuple[str, ...] = ()  # of `detectors` and `models`, those that hang: not to be asked (``left_alone``)

    @staticmethod
    def from_dict(given: Mapping[str, Any]) -> VisionConfig:
        """Build from JSON. Raises ``ValueError`` for an unknown key or an impossible figure."""
        known = {entry.name for entry in fields(VisionConfig)}
        unknown = set(given) - known
        if unknown:
            raise ValueError(f"unknown vision setting: {', '.join(sorted(unknown))}")
        values = dict(given)
        for name in ("allowed_roots", "allowed_addresses", "allowed_networks", "detectors", "models", "left_alone"):
            if name in values:
                values[name] = tuple(str(item) for item in values[name])
        if "zones" in values:
            values["zones"] = {str(name): _polygon(corners) for name, corners in values["zones"].items()}
        if "masks" in values:
            values["masks"] = tuple(_polygon(corners) for corners in values["masks"])
        config = VisionConfig(**values)
        for name in ("max_bytes", "max_side", "max_seconds", "sample_hz", "people_hz", "width", "budget_s", "wall_s"):
            if not getattr(config, name) > 0:
                raise ValueError(f"{name} must be above 0")
        return config

    @property
    def added(self) -> tuple[str, ...]:
        """What the city adds to our detectors, by name or path, in the order in which they are asked."""
        return (*self.detectors, *self.models)


@dataclass(frozen=True)
class Window:
    """The time that is asked about.

    ``start`` and ``end`` (aware) choose segments, and the part of a file whose spec says when it was recorded.
    ``seconds`` bounds what is read, and is how long a live stream is watched, which begins now whatever the window.
    """

    seconds: float = 10.0
    start: datetime | None = None
    end: datetime | None = None

    @staticmethod
    def from_dict(given: Mapping[str, Any]) -> Window:
        """``{"seconds": 10, "start": ISO 8601, "end": ISO 8601}``, all optional. Raises ``ValueError``."""
        unknown = set(given) - {"seconds", "start", "end"}
        if unknown:
            raise ValueError(f"unknown key of a window: {', '.join(sorted(unknown))}")
        start, end = (_moment(given.get(name)) for name in ("start", "end"))
        seconds = given.get("seconds")
        if seconds is None:
            seconds = (end - start).total_seconds() if start and end else 10.0
        if not float(seconds) > 0:
            raise ValueError("a window is longer than 0 s")
        return Window(float(seconds), start, end)


def _moment(value: Any) -> datetime | None:
    moment = value if value is None or isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if moment is not None and moment.tzinfo is None:
        raise ValueError("a window's times need a time zone")
    return moment


def _polygon(corners: Any) -> Polygon:
    polygon = tuple((float(x), float(y)) for x, y in corners)
    if len(polygon) < 3:
        raise ValueError("a zone or mask needs three corners")
    return polygon
