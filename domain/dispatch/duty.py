"""Whether a unit can be asked follows from the people on it: one who is available makes it available, and its offers end
when the last who is on duty leaves. A unit that was put on duty by hand stays while somebody on it is signed in.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from domain.dispatch import service as dispatch
from domain.dispatch.service import Desk
from domain.dispatch.states import UnitStatus
from domain.people import queries as people
from domain.people import service, sessions
from domain.people.states import Duty


def unit_status(duties: Iterable[str]) -> UnitStatus:
    """Available when somebody on it is, else busy when somebody is, else off duty. Pure."""
    present = set(duties)
    for duty, status in ((Duty.AVAILABLE, UnitStatus.AVAILABLE), (Duty.BUSY, UnitStatus.BUSY)):
        if duty in present:
            return status
    return UnitStatus.OFF_DUTY


def change(person_id: str, unit_id: str, duty: Duty, desk: Desk, *, now: datetime) -> dict[str, Any]:
    """A responder's word on their duty, and what it makes of their unit. The unit as it then is."""
    service.set_duty(person_id, duty, now=now)
    duties = [str(duty) if each.id == person_id else each.duty for each in people.responders_of([unit_id])]
    return dispatch.set_duty(unit_id, unit_status(duties), desk, by=person_id, now=now)


def leave(person_id: str, unit: dict[str, Any], was: Duty, desk: Desk, *, now: datetime) -> None:
    """A responder is signed in nowhere any more; `was` is their duty until then. Their unit's offers end when they were
    the last on duty; of a unit that was put on duty by hand, when nobody on it is signed in. Runs twice without harm.
    """
    others = [each for each in people.responders_of([unit["_id"]]) if each.id != person_id]
    status = unit_status(each.duty for each in others)
    by_hand = status == UnitStatus.OFF_DUTY and was == Duty.OFF_DUTY
    stays = by_hand and any(sessions.listed(each.id, now=now) for each in others)
    if status != unit["status"] and not stays:
        dispatch.set_duty(unit["_id"], status, desk, by=person_id, now=now)
    if was != Duty.OFF_DUTY:
        service.set_duty(person_id, Duty.OFF_DUTY, now=now)
