"""Incidents for pure tests: documents as the store keeps them, and a clock's fixed hour."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.dispatch import rules as dispatch
from domain.dispatch.rules import Asked
from domain.incidents import rules
from domain.incidents.draft import Draft

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "for tests only: forty characters of key.."


def incident(*services: str, now: datetime = NOON, **fields: Any) -> dict[str, Any]:
    """An open incident with a fresh slot for each service (police alone when none is named)."""
    return {
        "_id": "inc_1",
        "city": "lahore",
        "category": "threat",
        "severity": "Severe",
        "urgency": "Immediate",
        "certainty": "Likely",
        "status": "open",
        "version": 1,
        "raised_at": now,
        "received_at": now,
        "updated_at": now,
        "flags": [],
        "citizen": {},
        "slots": {service: rules.new_slot(service, now) for service in services or ("police",)},
        "assignments": {},
        "asked_units": [],
        "timeline": [{"at": now, "kind": "raised", "seq": 1}],
        "timeline_seq": 1,
        **fields,
    }


def apply(doc: dict[str, Any], rule: Any, *, at: datetime = NOON) -> dict[str, Any]:
    """The incident after a rule and its one write, without a store: what `service.change` would have kept."""
    draft = Draft(doc, at)
    rule(draft)
    update = draft.operators()
    after = dict(draft.doc)
    after["version"] = doc["version"] + 1
    after["timeline"] = [*doc["timeline"], *update.get("$push", {}).get("timeline", {}).get("$each", [])]
    after["timeline_seq"] = doc["timeline_seq"] + update["$inc"]["timeline_seq"]
    after["pending_events"] = [
        *doc.get("pending_events", []),
        *update.get("$push", {}).get("pending_events", {}).get("$each", []),
    ]
    return after


def offered(doc: dict[str, Any], *units: str, service: str = "police", at: datetime = NOON) -> dict[str, Any]:
    """The incident after these units were asked for a slot."""
    asked = [Asked(unit, "agency", 100.0) for unit in units]
    return apply(
        doc,
        lambda draft: dispatch.offer(
            draft, service, asked, channels=("fcm", "sms"), ttl=timedelta(minutes=1), by="ladder", secret=SECRET
        ),
        at=at,
    )


def assignment_of_unit(doc: dict[str, Any], unit: str, *, service: str = "police") -> str:
    """The newest assignment of a unit for a slot."""
    return dispatch.assignment_id(doc["_id"], service, unit, doc["slots"][service]["round"])


def accepted(doc: dict[str, Any], unit: str, *, service: str = "police", at: datetime = NOON) -> dict[str, Any]:
    """The incident after a unit said yes."""
    found = assignment_of_unit(doc, unit, service=service)
    stall_after = timedelta(minutes=3)
    return apply(doc, lambda draft: dispatch.accept(draft, found, by="res", via="app", stall_after=stall_after), at=at)


def events(doc: dict[str, Any]) -> list[str]:
    """The types of the events that the incident has pending, in order."""
    return [event["type"] for event in doc.get("pending_events", [])]
