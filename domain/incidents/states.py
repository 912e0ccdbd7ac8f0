"""The states of an incident, its slots and its assignments, and the one table of allowed transitions. Pure.

A service asked for (police, medical, fire) has one slot; a unit asked for a slot has one assignment. The incident's own
status is that of its most advanced slot.
"""

from collections.abc import Iterable
from enum import StrEnum

from domain.errors import Conflict


class IncidentStatus(StrEnum):
    """Where the incident stands for its citizen and for the control room."""

    OPEN = "open"
    """Nobody has it: just raised, or the last assignment stalled, declined or was withdrawn, or reopened."""
    ACKNOWLEDGED = "acknowledged"
    """A responder accepted and has not set off."""
    EN_ROUTE = "en_route"
    """A responder is on the way."""
    ON_SCENE = "on_scene"
    """A responder is with the citizen."""
    CLOSED = "closed"
    """It is over; `resolution` says why."""


class Resolution(StrEnum):
    """Why an incident was closed."""

    HELPED = "helped"
    """A responder cleared it after being there, or an operator recorded that help was given."""
    FALSE_ALARM = "false_alarm"
    """Raised by accident or as a joke, as judged by whoever came or called back."""
    CANCELLED_BY_CITIZEN = "cancelled_by_citizen"
    """The citizen entered the safe PIN."""
    DUPLICATE = "duplicate"
    """Merged into another incident of the same happening."""
    UNFOUNDED = "unfounded"
    """Somebody came and found nothing."""
    REFERRED = "referred"
    """Handed over to another agency that took it."""
    UNREACHABLE = "unreachable"
    """Neither the citizen nor the place could be found."""


class SlotStatus(StrEnum):
    """Where one service stands in an incident."""

    OPEN = "open"
    """The ladder is asking units, or is about to."""
    ACKNOWLEDGED = "acknowledged"
    """One unit's acceptance won the slot."""
    EN_ROUTE = "en_route"
    """That unit is on the way."""
    ON_SCENE = "on_scene"
    """That unit is there."""
    CLEARED = "cleared"
    """That unit is done, or the incident was closed before anybody came."""


class AssignmentStatus(StrEnum):
    """Where one unit stands that was asked for one slot."""

    OFFERED = "offered"
    """The unit was asked and has not answered."""
    ACCEPTED = "accepted"
    """The unit said yes first, and holds the slot."""
    EN_ROUTE = "en_route"
    """The unit said that it is moving."""
    ON_SCENE = "on_scene"
    """The unit said that it is there."""
    CLEARED = "cleared"
    """The unit finished and is free again."""
    DECLINED = "declined"
    """The unit said no, or gave up after saying yes."""
    EXPIRED = "expired"
    """The unit did not answer in time; a late yes is taken while the slot is free."""
    WITHDRAWN = "withdrawn"
    """Another unit has it, an operator took it back, the unit stalled or went off duty, or the incident closed."""


GOING_ON = frozenset(IncidentStatus) - {IncidentStatus.CLOSED}
"""Somebody may still come."""

S, A = SlotStatus, AssignmentStatus

# A late yes to an expired offer is still a yes: a responder who can come is never told no for being slow.
ASSIGNMENT_TRANSITIONS: dict[AssignmentStatus, frozenset[AssignmentStatus]] = {
    A.OFFERED: frozenset({A.ACCEPTED, A.DECLINED, A.EXPIRED, A.WITHDRAWN}),
    A.EXPIRED: frozenset({A.ACCEPTED, A.DECLINED, A.WITHDRAWN}),
    A.ACCEPTED: frozenset({A.EN_ROUTE, A.ON_SCENE, A.CLEARED, A.DECLINED, A.WITHDRAWN}),
    A.EN_ROUTE: frozenset({A.ON_SCENE, A.CLEARED, A.DECLINED, A.WITHDRAWN}),
    A.ON_SCENE: frozenset({A.CLEARED, A.DECLINED, A.WITHDRAWN}),
    A.CLEARED: frozenset(),
    A.DECLINED: frozenset(),
    A.WITHDRAWN: frozenset(),
}

ASKED = frozenset({A.OFFERED, A.EXPIRED})
"""May still say yes."""
HOLDING = frozenset({A.ACCEPTED, A.EN_ROUTE, A.ON_SCENE})
"""Holds its slot, and its unit's lease."""

SLOT_OF_ASSIGNMENT: dict[AssignmentStatus, SlotStatus] = {
    A.ACCEPTED: S.ACKNOWLEDGED,
    A.EN_ROUTE: S.EN_ROUTE,
    A.ON_SCENE: S.ON_SCENE,
    A.CLEARED: S.CLEARED,
}

_PROGRESS = (S.ON_SCENE, S.EN_ROUTE, S.ACKNOWLEDGED)


def check_assignment(current: AssignmentStatus, wanted: AssignmentStatus) -> None:
    """Raise Conflict `wrong_transition` with the current state unless the table allows the step."""
    if wanted not in ASSIGNMENT_TRANSITIONS[current]:
        raise Conflict(
            f"an assignment that is {current} cannot become {wanted}",
            code="wrong_transition",
            current=str(current),
            wanted=str(wanted),
        )


def incident_status(slots: Iterable[SlotStatus]) -> IncidentStatus:
    """The status of the most advanced slot; `open` when none has advanced. Closing is a decision, not a sum."""
    present = set(slots)
    for status in _PROGRESS:
        if status in present:
            return IncidentStatus(status.value)
    return IncidentStatus.OPEN
