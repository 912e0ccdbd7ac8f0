"""Sessions: opened at sign-in, listed, ended. When one ends, the push address that it bound goes in the same write."""

from datetime import datetime, timedelta
from typing import Any

from domain import outbox
from domain.errors import NotFound
from domain.people import devices, events, queries, rules


def open_session(
    person_id: str,
    session_id: str,
    device: devices.DeviceFacts,
    *,
    otp_at: datetime | None,
    life_days: int,
    now: datetime,
) -> None:
    """Add a session; a repeat with the same id changes nothing. What is over, or beyond the cap, goes."""
    row = queries.collection().find_one({"_id": person_id}, {"sessions": 1}) or {}
    held = row.get("sessions") or {}
    if session_id in held:
        return
    session = {
        "id": session_id,
        "device_id": device.id,
        "label": device.label,
        "created_at": now,
        "seen_at": now,
        "expires_at": now + timedelta(days=life_days),
        "generation": 0,
        "otp_at": otp_at,
        "ended_at": None,
    }
    queries.collection().update_one(
        {"_id": person_id, f"sessions.{session_id}": {"$exists": False}},
        {
            "$set": {f"sessions.{session_id}": session, "changed_at": now},
            "$inc": {"version": 1},
            **(
                {"$unset": {f"sessions.{old}": "" for old in drop}}
                if (drop := rules.sessions_to_drop(held, now))
                else {}
            ),
        },
    )


def end(person_id: str, session_id: str, *, now: datetime) -> None:
    """End a session and unbind its device. Raises NotFound for one that the person does not have; twice is no error."""
    row = queries.collection().find_one(
        {"_id": person_id}, {"sessions": 1, "devices": 1, "unit_id": 1, "duty": 1, "city": 1, "version": 1}
    )
    held = (row or {}).get("sessions") or {}
    if row is None or session_id not in held:
        raise NotFound("no such session")
    if held[session_id].get("ended_at"):
        return
    others = [other for other in rules.live_sessions(held, now) if other != session_id]
    unit_id = "" if others else row.get("unit_id") or ""
    bound = [device for device in (row.get("devices") or {}).values() if device.get("session_id") == session_id]
    update = outbox.merge(
        {
            "$set": {f"sessions.{session_id}.ended_at": now, "changed_at": now},
            "$inc": {"version": 1},
        },
        outbox.pending([events.session_ended(row, session_id, unit_id=unit_id, now=now)], now),
        *(devices.unbinding(device) for device in bound),
    )
    queries.collection().update_one(
        {"_id": person_id, f"sessions.{session_id}.ended_at": None}, devices.with_pulls(update, bound)
    )


def end_all(person_id: str, *, now: datetime, but: str = "") -> int:
    """End every live session of a person but one; how many ended."""
    row = queries.collection().find_one({"_id": person_id}, {"sessions": 1}) or {}
    live = [found for found in rules.live_sessions(row.get("sessions") or {}, now) if found != but]
    for session_id in live:
        end(person_id, session_id, now=now)
    return len(live)


def listed(person_id: str, *, now: datetime) -> list[dict[str, Any]]:
    """The live sessions of a person, newest use first."""
    row = queries.collection().find_one({"_id": person_id}, {"sessions": 1}) or {}
    held = row.get("sessions") or {}
    return [held[session_id] for session_id in rules.live_sessions(held, now)]
