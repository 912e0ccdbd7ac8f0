"""Which cameras are asked about a place, for which window, and what their answer means. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain import geo
from domain.cameras.states import View
from domain.ids import derived_id

AT_MOST = 8
SEARCH_M = 400.0
"""Farther than this no city camera tells a person from a post."""
WINDOW_S = 10.0
BEFORE = timedelta(seconds=5)
TRUSTED_ACCURACY_M = 50.0
"""A position that is known worse than this would bring every camera into view."""
SHED_AFTER = timedelta(seconds=45)
"""A look that waited longer than this comes too late to help whoever is on the way."""


@dataclass(frozen=True)
class Chosen:
    """A camera to ask. `covering`: the place lies within its field of view and range."""

    camera: Mapping[str, Any]
    distance_m: float
    covering: bool


def choose(
    cameras: Iterable[Mapping[str, Any]], lat: float, lon: float, *, accuracy_m: float = 0.0, at_most: int = AT_MOST
) -> list[Chosen]:
    """Those that may see the place first, then the nearest; at most `at_most`."""
    found = []
    for camera in cameras:
        here = camera["position"]
        metres = geo.distance_m(here["lat"], here["lon"], lat, lon)
        if metres > SEARCH_M:
            continue
        covering = geo.in_view(
            here["lat"],
            here["lon"],
            camera["bearing_deg"],
            camera["fov_deg"],
            camera["range_m"],
            lat,
            lon,
            accuracy_m=min(accuracy_m, TRUSTED_ACCURACY_M),
        )
        found.append(Chosen(camera, metres, covering))
    found.sort(key=lambda each: (not each.covering, each.distance_m, each.camera["_id"]))
    return found[:at_most]


def window_start(at: datetime) -> datetime:
    """The start of the shared window of a moment: its minute, so that many SOS of one place and minute share one look."""
    return at.astimezone(UTC).replace(second=0, microsecond=0) - BEFORE


def look_id(camera: str, start: datetime) -> str:
    """One look per camera and window."""
    return derived_id("lok", camera, start.isoformat())


def observation_id(camera: str, start: datetime) -> str:
    """One observation per camera and window, however often a job runs."""
    return derived_id("obs", camera, start.isoformat())


def view_of(verdict: str, *, covering: bool) -> View:
    """What an incident shows: a camera that sees nobody where the place is out of its view says nothing about it."""
    view = View(verdict)
    if not covering and view in {View.CLEAR, View.CANNOT_TELL}:
        return View.NOT_COVERING
    return view


def findings_of(observation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The kinds with their best confidence, for the incident: [{kind, confidence, at_s}]."""
    best: dict[str, dict[str, Any]] = {}
    for finding in (observation.get("summary") or {}).get("findings") or []:
        known = best.get(finding["kind"])
        if known is None or finding["confidence"] > known["confidence"]:
            best[finding["kind"]] = {
                "kind": finding["kind"],
                "confidence": finding["confidence"],
                "at_s": finding["t"],
            }
    return sorted(best.values(), key=lambda each: -each["confidence"])
