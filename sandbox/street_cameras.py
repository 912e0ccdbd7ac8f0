"""Invented cameras around the demo's place, with footage that is drawn here: one sees a person fall, one is dark, one is
down, one looks the other way.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domain import geo
from domain.cameras import registry
from domain.cities import queries as cities
from domain.ids import derived_id
from sandbox.footage import draw_clip
from sandbox.townspeople import PLACE

SIZE, SECONDS, FPS = (960, 540), 8.0, 12


@dataclass(frozen=True)
class _Camera:
    """Where it stands from the demo's place (bearing, metres), where it looks (None: at the place), what it shows."""

    name: str
    bearing: float
    metres: float
    scene: str
    looks: float | None = None


CAMERAS = (
    _Camera("Liberty roundabout", 40.0, 60.0, "fall"),
    _Camera("Main Boulevard north", 130.0, 95.0, "walk"),
    _Camera("Noor Jehan Road", 220.0, 120.0, "dark"),
    _Camera("Parking east", 300.0, 80.0, "missing"),
    _Camera("Bank corner", 75.0, 70.0, "empty", looks=75.0),
)


def install(city: str, folder: Path, *, now: datetime) -> list[str]:
    """Draw what is missing and register the cameras; returns their ids. Again is harmless."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    config, ids = cities.current(city), []
    for camera in CAMERAS:
        clip = folder / f"demo-{camera.scene}.mp4"
        if camera.scene != "missing" and not clip.exists():
            part = clip.with_suffix(".part.mp4")
            draw_clip(part, camera.scene, SECONDS, SIZE, FPS, 11)
            part.rename(clip)
        lat, lon = geo.destination(*PLACE, camera.bearing, camera.metres)
        camera_id = derived_id("cam", city, camera.name)
        facts = {
            "name": camera.name,
            "agency": "demo",
            "position": {"lat": lat, "lon": lon},
            "bearing_deg": (camera.bearing + 180.0) % 360.0 if camera.looks is None else camera.looks,
            "fov_deg": 70.0,
            "range_m": 150.0,
            "source": {"kind": "file", "path": f"var/footage/{clip.name}"},
            "enabled": True,
        }
        registry.put(camera_id, facts, config, secret="", now=now)  # files have no password to seal
        ids.append(camera_id)
    return ids
