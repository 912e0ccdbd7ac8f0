"""What happens to people, as it is kept in the outbox: ids only."""

from datetime import datetime
from typing import Any

from domain.outbox import Event, event
from domain.people.states import Duty


def otp_requested(challenge_id: str, *, city: str, now: datetime) -> Event:
    """Somebody asked for a one-time code: send it, urgently."""
    return event("otp.requested", challenge_id, version=1, now=now, city=city)


def guardian_invited(person: Any, guardian_id: str, generation: int, *, now: datetime) -> Event:
    """A guardian was named and has to be asked by link."""
    return event(
        "guardian.invited",
        person.id,
        version=(person.version or 0) + 1,
        now=now,
        city=person.city or "",
        guardian=guardian_id,
        generation=generation,
    )


def session_ended(row: dict[str, Any], session_id: str, *, unit_id: str, now: datetime) -> Event:
    """A session is over. `unit` is set when it was a responder's last one, `duty` as it was: the unit's offers may end."""
    return event(
        "session.ended",
        row["_id"],
        version=(row.get("version") or 0) + 1,
        now=now,
        city=row.get("city") or "",
        session=session_id,
        unit=unit_id,
        duty=row.get("duty") or Duty.OFF_DUTY,
    )


def opted_out(row: dict[str, Any], kind: str, *, now: datetime) -> Event:
    """Somebody wants no more messages by `kind`: of a responder, their supervisors must know."""
    version = (row.get("version") or 0) + 1
    return event("person.opted_out", row["_id"], version=version, now=now, city=row.get("city") or "", channel=kind)


def person_erased(person: Any, *, now: datetime) -> Event:
    """A person asked to be forgotten: what other concepts keep of them goes, but for what the law wants kept."""
    return event("person.erased", person.id, version=(person.version or 0) + 1, now=now, city=person.city or "")
