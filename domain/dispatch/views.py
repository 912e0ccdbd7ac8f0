"""What a responder sees of an assignment: enough to decide while it is offered, all that is needed once it is theirs."""

from collections.abc import Mapping
from typing import Any

from domain.cities import queries as cities
from domain.dispatch import rules
from domain.incidents.states import HOLDING

SHOWN_FLAGS = ("silent", "duress", "late", "unverified", "unanswered")
NOTE_CHARS = 500


def assignment_view(doc: Mapping[str, Any], assignment_id: str, language: str) -> dict[str, Any]:
    """An assignment with its incident, times as times. The exact place, the note and a number to call only to whoever
    has it; no number where nothing may ring (`silent`).
    """
    assignment = rules.assignment_of(doc, assignment_id)
    holds = assignment["status"] in HOLDING
    position = doc.get("position")
    citizen = doc.get("citizen") or {}
    silent = "silent" in doc["flags"]
    config = cities.current(doc["city"])
    return {
        "id": assignment_id,
        "incident_id": doc["_id"],
        "unit_id": assignment["unit"],
        "service": assignment["service"],
        "status": assignment["status"],
        "stalled": bool(assignment.get("stalled")),
        "mayday": bool(assignment.get("mayday")),
        "offered_at": assignment["offered_at"],
        "expires_at": assignment.get("expires_at"),
        "accepted_at": assignment.get("accepted_at"),
        "distance_m": assignment.get("distance_m"),
        "category": doc["category"],
        "category_name": config.category(doc["category"]).names.in_language(language),
        "severity": doc["severity"],
        "flags": [flag for flag in SHOWN_FLAGS if flag in doc["flags"]],
        "area": cities.area_name(doc["city"], position["lat"], position["lon"], language) if position else None,
        "incident_status": doc["status"],
        "raised_at": doc["raised_at"],
        "position": _place(position) if holds and position else None,
        "note": (citizen.get("note") or "")[:NOTE_CHARS] or None if holds else None,
        "phone": citizen.get("phone") if holds and not silent else None,
        "version": doc["version"],
    }


def _place(position: Mapping[str, Any]) -> dict[str, Any]:
    return {name: position.get(name) for name in ("lat", "lon", "accuracy_m", "captured_at")}
