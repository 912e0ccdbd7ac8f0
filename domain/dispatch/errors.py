"""What can be wrong with units and assignments, beyond the kinds."""

from domain.errors import Conflict, NotFound


class UnitNotFound(NotFound):
    """No such unit, or not one that the caller may know of."""

    code = "unit_not_found"


class AssignmentNotFound(NotFound):
    """No such assignment, or not one of the caller's unit."""

    code = "assignment_not_found"


class SlotTaken(Conflict):
    """Another unit was first. Thank you all the same."""

    code = "already_handled"


class UnitTaken(Conflict):
    """The unit has another assignment."""

    code = "unit_taken"


class NotAResponder(Conflict):
    """Only a responder of the unit's city can be on it."""

    code = "not_a_responder"


class NothingToBridge(Conflict):
    """No unit holds the incident now, so there is nobody whom the caller could be put through to."""

    code = "nothing_to_bridge"


class MayNotRing(Conflict):
    """The caller's phone may not ring: the SOS is silent, it is over for its phone, or no number is known."""

    code = "may_not_ring"
