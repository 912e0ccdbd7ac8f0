"""The map of what is blind: every camera's field of view, how it is, and whether a sound one sees the same place. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from domain import geo
from domain.cameras import health_rules
from domain.cameras.states import HealthState

_SHOWN: Final = ("state", "reasons", "since", "at", "last_frame_at", "fps", "kept_from", "kept_until")
_REACH_M: Final = 400.0
"""A camera farther from a place than this is no witness of it (`rules.SEARCH_M`)."""


def collection(
    cameras: Iterable[Mapping[str, Any]], records: Iterable[Mapping[str, Any]], now: datetime, *, blind_only: bool
) -> dict[str, Any]:
    """A GeoJSON FeatureCollection (RFC 7946): a polygon for each camera's view, with its health as properties.

    `also_seen_by` counts the sound cameras that have the middle of the view in theirs: 0 where nobody sees it now.
    """
    health = {row["_id"]: health_rules.as_known(row, now) for row in records}
    every = list(cameras)
    sound = _by_cell(each for each in every if health.get(each["_id"], {}).get("state") == HealthState.OK)
    features = []
    for camera in every:
        known = health.get(camera["_id"], {})
        if blind_only and known.get("state") == HealthState.OK:
            continue
        features.append(_feature(camera, known, sound))
    return {"type": "FeatureCollection", "features": features}


def _feature(
    camera: Mapping[str, Any], known: Mapping[str, Any], sound: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    here, metres = camera["position"], camera["range_m"]
    view = (camera["bearing_deg"], camera["fov_deg"])
    middle = geo.destination(here["lat"], here["lon"], view[0], metres / 2)
    properties: dict[str, Any] = {"state": str(HealthState.UNKNOWN), "reasons": []}
    properties |= {name: known[name] for name in _SHOWN if known.get(name) is not None}
    return {
        "type": "Feature",
        "id": camera["_id"],
        "geometry": {"type": "Polygon", "coordinates": [geo.sector(here["lat"], here["lon"], *view, metres)]},
        "properties": properties
        | {"camera": camera["_id"], "name": camera.get("name") or "", "also_seen_by": _others(camera, middle, sound)},
    }


def _by_cell(cameras: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for camera in cameras:
        found.setdefault(camera["cells"]["r9"], []).append(camera)
    return found


def _others(
    camera: Mapping[str, Any], middle: tuple[float, float], sound: Mapping[str, Sequence[Mapping[str, Any]]]
) -> int:
    count = 0
    for cell in geo.disk(*middle, _REACH_M).cells if sound else ():
        for other in sound.get(cell, ()):
            here = other["position"]
            view = (other["bearing_deg"], other["fov_deg"], other["range_m"])
            count += other["_id"] != camera["_id"] and geo.in_view(here["lat"], here["lon"], *view, *middle)
    return count
