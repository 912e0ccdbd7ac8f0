"""A street with cameras, and incidents on it, made the way the product makes them."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from domain import geo
from domain.cameras import registry
from domain.cities import queries as cities
from domain.cities.config import CameraSource, CityConfig
from domain.ids import derived_id
from domain.incidents import service as incidents
from domain.incidents.service import SosFacts

NOON: Final = datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC)
SECRET: Final = "for tests only: forty characters of key.."
PLACE: Final = (31.5102, 74.3441)
FILE: Final = {"kind": "file", "path": "var/footage/street.mp4"}


def hold_city(monkeypatch: pytest.MonkeyPatch, *allowed: CameraSource) -> CityConfig:
    """Lahore with these on its list of camera addresses beside its own, for this test."""
    config = cities.current("lahore")
    config = replace(config, camera_sources=(*config.camera_sources, *allowed))
    monkeypatch.setitem(cities._held, "lahore", (math.inf, config))
    return config


def camera(
    name: str, *, bearing: float = 0.0, metres: float = 60.0, config: CityConfig | None = None, **facts: Any
) -> Any:
    """A camera so far from PLACE, looking at it unless `bearing_deg` says otherwise."""
    lat, lon = geo.destination(*PLACE, bearing, metres)
    found = {
        "name": name,
        "position": {"lat": lat, "lon": lon},
        "bearing_deg": (bearing + 180.0) % 360.0,
        "fov_deg": 70.0,
        "range_m": 150.0,
        "source": FILE,
        **facts,
    }
    camera_id = derived_id("cam", "test", name)
    return registry.add(camera_id, found, config or cities.current("lahore"), secret=SECRET, now=NOON)[0]


def sos(
    key: str, *, at: datetime = NOON, bearing: float = 0.0, metres: float = 0.0, category: str = "robbery", **facts: Any
) -> str:
    """The id of an SOS so far from PLACE."""
    lat, lon = geo.destination(*PLACE, bearing, metres)
    made = SosFacts(
        city="lahore",
        category=category,
        services=("police",),
        severity="Severe",
        urgency="Immediate",
        certainty="Likely",
        owner=f"dev-{key}",
        key=key,
        **{"position": {"lat": lat, "lon": lon, "accuracy_m": 10.0}, **facts},
    )
    return str(incidents.raise_sos(made, now=at, secret=SECRET, link_ttl=timedelta(hours=1)).incident["_id"])


def seen(
    verdict: str = "seen", *findings: tuple[str, float], people: int = 1, reason: str = "", **flags: bool
) -> dict[str, Any]:
    """What a look answers, as far as the domain reads it."""
    return {
        "status": "ok",
        "verdict": verdict,
        "summary": {
            "people_max": people,
            "findings": [{"kind": kind, "confidence": sure, "t": 2.0, "seconds": 3.0} for kind, sure in findings],
        },
        "health": {"reason": reason, **flags},
        "detections": [],
        "still_details": [],
    }
