"""Cameras and observations as they are shown."""

from collections.abc import Mapping
from typing import Any, Final

from domain.cameras import queries, rules
from domain.cameras.states import HealthState

SHOWN_DETECTIONS: Final = 500


def camera_view(row: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A camera; `more` is what only this answer has."""
    source = {name: value for name, value in (row.get("source") or {}).items() if name != "sealed"}
    health = row.get("health") or {}
    view = {
        name: row.get(name)
        for name in (
            "city", "name", "agency", "owner", "position", "bearing_deg", "fov_deg", "range_m", "version", "created_at",
            "updated_at", "record_minutes",
        )
    }  # fmt: skip
    return view | {
        "id": row["_id"],
        "source": source | {"with_password": "sealed" in (row.get("source") or {})},
        "zones": [{"name": name, "corners": corners} for name, corners in (row.get("zones") or {}).items()],
        "masks": row.get("masks") or [],
        "enabled": bool(row.get("enabled", True)),
        "gateway": bool(row.get("gateway_key")),
        "health": {
            "state": health.get("state") or str(HealthState.UNKNOWN),
            "reasons": list(health.get("reasons") or []),
            "at": health.get("at"),
            "since": health.get("since"),
        },
        **more,
    }


def health_view(record: Mapping[str, Any]) -> dict[str, Any]:
    """A camera's health record, without what it looks at."""
    names = ("at", "since", "last_frame_at", "fps", "luma", "kept_from", "kept_until", "clock_offset_s")
    return {
        "state": record.get("state") or str(HealthState.UNKNOWN),
        "reasons": list(record.get("reasons") or []),
        "by": record.get("by"),
        **{name: record.get(name) for name in names},
    }


def observation_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """An observation in a list."""
    seen = row.get("seen") or {}
    return {
        "id": row["_id"],
        "camera": row["camera"],
        "city": row["city"],
        "at": row["at"],
        "received_at": row["created_at"],
        "seconds": seen.get("seconds") or 0.0,
        "by": row["by"],
        "view": row["view"],
        "people": (seen.get("summary") or {}).get("people_max") or 0,
        "findings": row["findings"],
        "checked": {finding: each["said"] for finding, each in (row.get("checked") or {}).items()},
        "health": rules.health_of(seen, None, row["at"])
        or {"state": str(HealthState.UNKNOWN), "reasons": [str(seen["health"].get("reason") or "")], "at": row["at"]},
        "stills": stills_of(row["_id"], len(row.get("stills") or [])),
    }


def whole_observation(row: Mapping[str, Any], correlations: list[dict[str, Any]]) -> dict[str, Any]:
    """An observation with its detections."""
    seen = row.get("seen") or {}
    return observation_view(row) | {
        "status": seen.get("status"),
        "detections": list(seen.get("detections") or [])[:SHOWN_DETECTIONS],
        "still_details": list(seen.get("still_details") or []),
        "detectors": list(seen.get("detectors") or []),
        "correlations": correlations,
    }


def stills_of(observation_id: str, count: int) -> list[str]:
    """Where the pictures of an observation are."""
    return [f"/v1/observations/{observation_id}/stills/{number}" for number in range(count)]


def asked_cameras(doc: Mapping[str, Any], *, with_stills: bool) -> list[dict[str, Any]]:
    """The cameras that an incident asked, those in view first, then by distance, each with what it said.

    `{camera, name, state, covering, distance_m, asked_at, answered_at, seen_at, findings: [kind…], confidence: {kind: 0–1},
    observation, stills: [address…]}`; the pictures only for whoever may see them.
    """
    held: Mapping[str, Mapping[str, Any]] = doc.get("cameras") or {}
    named = queries.names(held) if held else {}
    order = sorted(held, key=lambda each: (not held[each].get("covering"), held[each].get("distance_m") or 0, each))
    return [_asked(each, named.get(each, ""), held[each], with_stills) for each in order]


def _asked(camera_id: str, name: str, held: Mapping[str, Any], with_stills: bool) -> dict[str, Any]:
    findings = list(held.get("findings") or [])
    observation = held.get("observation")
    return {
        "camera": camera_id,
        "name": name,
        **{key: held.get(key) for key in ("state", "covering", "distance_m", "asked_at", "answered_at", "seen_at")},
        "findings": [each["kind"] for each in findings],
        "checked": dict(held.get("checked") or {}),
        "confidence": {each["kind"]: each["confidence"] for each in findings},
        "observation": observation if with_stills else None,
        "stills": stills_of(observation, int(held.get("stills") or 0)) if observation and with_stills else [],
    }
