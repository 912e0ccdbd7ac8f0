"""What a traveller's phone, and whoever has a live page, sees of a journey: pure, and it does not know of duress.

Body, ETag, export and pages are all made from it; `hidden` is never read here.
"""

from collections.abc import Mapping
from typing import Any

from domain.journeys.states import GOING_ON, JourneyStatus

View = dict[str, Any]


def traveller_view(doc: Mapping[str, Any]) -> View:
    """The journey, times as times. `version` is its ETag. `sos_id` only of one that openly became an SOS."""
    status = JourneyStatus(doc["status"])
    going = status in GOING_ON
    return {
        "id": doc["_id"],
        "status": str(status),
        "version": doc["version"],
        "city": doc["city"],
        "destination": dict(doc["destination"]),
        "expected_arrival": doc["expected_arrival"],
        "check_in_every_s": doc.get("check_in_every_s"),
        "check_ins": list(doc.get("check_ins") or []),
        "grace_s": doc["grace_s"],
        "next_check_in": doc.get("next_due") if status == JourneyStatus.UNDER_WAY else None,
        "answer_by": doc.get("answer_by") if status == JourneyStatus.ASKED else None,
        "sos_at": doc.get("raise_at") if status == JourneyStatus.MISSED else None,
        "guardians": list(doc.get("guardians") or []),
        "sharing": bool(doc.get("sharing")),
        "silent": bool(doc.get("silent")),
        "note": doc.get("note"),
        "battery_pct": doc.get("battery_pct"),
        "concerns": sorted(doc.get("concerns") or {}) if going else [],
        "position": _position(doc.get("position")),
        "heard_at": doc["heard_at"],
        "started_at": doc["started_at"],
        "updated_at": doc["updated_at"],
        "ended_at": doc.get("ended_at"),
        "sos_id": (doc.get("sos") or {}).get("incident") if status == JourneyStatus.RAISED else None,
    }


def _position(position: Mapping[str, Any] | None) -> View | None:
    if not position:
        return None
    return {
        "lat": position["lat"],
        "lon": position["lon"],
        "accuracy_m": position.get("accuracy_m"),
        "captured_at": position.get("captured_at"),
        "received_at": position["at"],
    }
