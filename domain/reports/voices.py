"""Somebody's voice, with what it is weighed by."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.people import queries as people
from domain.reports.rules import Voice
from domain.reports.states import Stand


def voice_of(person: str, session: str, stand: Stand, metres: float, *, address: str = "") -> Voice:
    """Somebody's voice with what it is weighed by: account, phone and record; `address` as `origin.hashed` keeps it."""
    fields = {"created_at": 1, "trust": 1} | ({f"sessions.{session}.device_id": 1} if session else {})
    row = people.collection().find_one({"_id": person}, fields) or {}
    trust = row.get("trust") or {}
    return Voice(
        person=person,
        stand=stand,
        metres=metres,
        made=row.get("created_at"),
        device=((row.get("sessions") or {}).get(session) or {}).get("device_id") or "",
        helped=trust.get("helped") or 0,
        false_alarms=trust.get("false_alarm") or 0,
        address=address,
    )


def author_of(report: Mapping[str, Any], metres: float = 0.0) -> Voice:
    """The voice of a report's author, from the phone and the network from which it came."""
    voice = voice_of(report["author"], "", Stand.CONFIRM, metres, address=report.get("author_address") or "")
    return replace(voice, device=report.get("author_device") or "")
