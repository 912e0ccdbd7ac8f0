"""An incident as the control room sees it: everything, the newest 20 of each list, and where the rest is."""

from collections.abc import Mapping
from typing import Any

from api.cameras.views import asked_cameras
from api.deliveries.views import told
from domain.cities import queries as cities
from domain.incidents.states import HOLDING, SlotStatus

SHOWN = 20


def row_view(doc: Mapping[str, Any], language: str, *, unit: str = "") -> dict[str, Any]:
    """An incident in a list. With `unit` it is for that unit's responder: the place only while the unit holds it, and
    nothing of how the caller is judged.
    """
    position = doc.get("position")
    theirs = not unit or holds(doc, unit)
    slots = doc.get("slots") or {}
    return {
        "id": doc["_id"],
        "city": doc["city"],
        "status": doc["status"],
        "resolution": doc.get("resolution"),
        "version": doc["version"],
        "channel": doc["channel"],
        "category": doc["category"],
        "severity": doc["severity"],
        "urgency": doc["urgency"],
        "certainty": doc["certainty"],
        "flags": list(doc["flags"]),
        "rank": None if unit else doc.get("rank"),
        "trust": None if unit else doc.get("trust"),
        "raised_at": doc["raised_at"],
        "received_at": doc["received_at"],
        "updated_at": doc["updated_at"],
        "closed_at": doc.get("closed_at"),
        "position": position if theirs else None,
        "area": cities.area_name(doc["city"], position["lat"], position["lon"], language) if position else None,
        "unfilled": [
            name for name, slot in slots.items() if slot["status"] == SlotStatus.OPEN and doc["status"] != "closed"
        ],
        "merged_into": doc.get("merged_into"),
    }


def full_view(
    doc: Mapping[str, Any], language: str, *, unit: str = "", deliveries: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The whole incident. With `unit` it is for that unit's responder: caller and place only while the unit holds it."""
    assignments = doc.get("assignments") or {}
    here = f"/v1/incidents/{doc['_id']}"
    view = row_view(doc, language, unit=unit) | {
        "slots": [_slot(service, slot) for service, slot in (doc.get("slots") or {}).items()],
        "assignments": _newest(
            [_assignment(each_id, each) for each_id, each in assignments.items() if not unit or each["unit"] == unit],
            "offered_at",
        ),
        "timeline": [entry_view(entry) for entry in (doc.get("timeline") or [])[-SHOWN:]],
        "milestones": doc.get("milestones") or {},
        "cameras": asked_cameras(doc, with_stills=not unit)[:SHOWN],
        "correlations": list(doc.get("correlations") or [])[:SHOWN],
        "handovers": list(doc.get("handovers") or []),
        "links": {"timeline": f"{here}/timeline", "track": f"{here}/track"},
    }
    if unit:
        return view | {"correlations": [], "citizen": _citizen(doc) if holds(doc, unit) else None}
    return view | {
        "citizen": _citizen(doc, everything=True),
        "about": dict(doc.get("about") or {}),
        "unreadable": list(doc.get("unreadable") or []),
        "notes": list(doc.get("notes") or [])[-SHOWN:],
        "deliveries": [_delivery(each) for each in (deliveries or [])[-SHOWN:]],
    }


def _newest(rows: list[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row[by], row["id"]), reverse=True)[:SHOWN]


def _slot(service: str, slot: Mapping[str, Any]) -> dict[str, Any]:
    names = ("status", "assignment", "rung", "round", "paused", "paused_until", "due_at")
    return {"service": service, **{name: slot.get(name) for name in names}}


def _assignment(assignment_id: str, each: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "unit", "agency", "service", "status", "distance_m", "offered_at", "expires_at", "accepted_at", "en_route_at",
        "on_scene_at", "cleared_at", "ended_at", "via",
    )  # fmt: skip
    flags = {"stalled": bool(each.get("stalled")), "mayday": bool(each.get("mayday"))}
    return {"id": assignment_id, **{name: each.get(name) for name in names}, **flags}


def holds(doc: Mapping[str, Any], unit: str) -> bool:
    """Whether a unit has one of the incident's slots now."""
    return any(each["unit"] == unit and each["status"] in HOLDING for each in (doc.get("assignments") or {}).values())


def entry_view(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the timeline."""
    known = {name: entry.get(name) for name in ("seq", "at", "kind", "by")}
    return known | {"about": {name: value for name, value in entry.items() if name not in known}}


def _citizen(doc: Mapping[str, Any], *, everything: bool = False) -> dict[str, Any]:
    """A silent SOS shows no number to a responder: nothing may ring her phone."""
    citizen = doc.get("citizen") or {}
    may_ring = "silent" not in doc["flags"]
    found: dict[str, Any] = {name: citizen.get(name) for name in ("language", "battery_pct", "note")}
    found |= {"may_ring": may_ring, "phone": citizen.get("phone") if may_ring or everything else None}
    if everything:
        cancel = citizen.get("cancel") or {}
        found |= {"person": citizen.get("person"), "device": citizen.get("device")}
        found |= {"cancelled_at": cancel.get("at"), "cancel_reason": citizen.get("cancel_reason")}
        found |= {"wrong_pins": (citizen.get("wrong_pins") or {}).get("count", 0)}
        found["messages"] = list(citizen.get("messages") or [])[-SHOWN:]
    return found


def _delivery(each: Mapping[str, Any]) -> dict[str, Any]:
    attempts = [each["attempts"][number] for number in sorted(each.get("attempts") or {}, key=int)]
    return {
        "id": each["_id"],
        "purpose": each["purpose"],
        "recipient": told(each),
        "status": each["status"],
        "reason": each.get("reason"),
        "attempts": [
            {name: attempt.get(name) for name in ("channel", "state", "at", "code", "segments")} for attempt in attempts
        ],
        "created_at": each["created_at"],
        **{name: each.get(name) for name in ("sent_at", "delivered_at", "received_at", "seen_at")},
    }
