"""An invented street with four live cameras, for the demo: one sees a car and a person who falls, one an empty corner, one
goes dark and one goes away when the story says so. All of it is drawn here, and sent as MJPEG on the loopback.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from domain import geo
from domain.cameras import registry
from domain.cities import agencies, service
from domain.cities import queries as cities
from domain.ids import derived_id
from sandbox.footage import MjpegServer, draw_clip
from sandbox.townspeople import PLACE

CORNER = geo.destination(*PLACE, 90.0, 1500.0)
"""Where the chapter's SOS is raised, away from the cameras of the others."""
SIZE, SECONDS, FPS = (960, 540), 10.0, 8
_ALLOWED = {"scheme": "http", "host": "127.0.0.1", "path": "/"}


@dataclass(frozen=True)
class _Camera:
    """Its name in the stream's address and for people, where it stands from the corner, and what it shows at first."""

    key: str
    name: str
    bearing: float
    metres: float
    scene: str


CAMERAS = (
    _Camera("bank", "Hafeez Centre, bank", 20.0, 45.0, "street"),
    _Camera("lamp", "Gulberg lane, lamp post", 140.0, 70.0, "walk"),
    _Camera("gate", "School gate", 220.0, 60.0, "empty"),
    _Camera("parking", "Parking plaza", 300.0, 80.0, "walk"),
)


class LiveStreet:
    """`with` it: the cameras send, are in the register, and the rolling recorder may connect to them."""

    def __init__(self, city: str, folder: Path, *, now: datetime) -> None:
        self._city, self._folder, self._now = city, folder, now
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._server = MjpegServer({each.key: self._clip(each.scene) for each in CAMERAS})
        self.ids: dict[str, str] = {}

    def _clip(self, scene: str) -> Path:
        clip = self._folder / f"live-{scene}.mp4"
        if not clip.exists():
            part = clip.with_suffix(".part.mp4")
            draw_clip(part, scene, SECONDS, SIZE, FPS, 11)
            part.rename(clip)
        return clip

    def goes_dark(self, key: str) -> None:
        """The lamps go out."""
        self._server.show(key, self._clip("dark"))

    def goes_away(self, key: str) -> None:
        """Its power fails."""
        self._server.show(key, None)

    def __enter__(self) -> LiveStreet:
        self._clip("dark")  # drawn before it is needed
        self._server.start()
        body, version = agencies.standing(self._city)
        if _ALLOWED not in body["camera_sources"]:
            body = {**body, "camera_sources": [*body["camera_sources"], _ALLOWED]}
            service.change(body, expected_version=version, now=self._now, by="demo", reason="drawn cameras")
        config = cities.current(self._city)
        for each in CAMERAS:
            self.ids[each.key] = derived_id("cam", self._city, "live", each.key)
            registry.put(self.ids[each.key], self._facts(each), config, secret="", now=self._now)
        return self

    def _facts(self, camera: _Camera) -> dict[str, Any]:
        lat, lon = geo.destination(*CORNER, camera.bearing, camera.metres)
        return {
            "name": camera.name,
            "agency": "demo",
            "position": {"lat": lat, "lon": lon},
            "bearing_deg": (camera.bearing + 180.0) % 360.0,
            "fov_deg": 70.0,
            "range_m": 150.0,
            "source": {"kind": "mjpeg", "url": self._server.url(camera.key)},
            "enabled": True,
        }

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
