"""What a unit can say of itself."""

from enum import StrEnum


class UnitStatus(StrEnum):
    """Whether a unit can be asked. Whether it is taken is its lease, not this."""

    AVAILABLE = "available"
    """On duty and can be asked."""
    BUSY = "busy"
    """On duty with something that Amaan does not know of; asked only by the ladder's last rung."""
    OFF_DUTY = "off_duty"
    """Not asked."""


class Who(StrEnum):
    """Whom a rung of the ladder asks."""

    UNITS = "units"
    """The nearest available units of the service."""
    WIDER = "wider"
    """The nearest available units in a wider ring."""
    SUPERVISORS = "supervisors"
    """The supervisors of the service's agencies, by voice."""
    ALL_ON_DUTY = "all_on_duty"
    """Everybody of the service who is on duty in the city, busy or not."""
    OPERATOR_CALLBACK = "operator_callback"
    """An operator calls the citizen back first; only where trust is low, and for at most 60 s."""
