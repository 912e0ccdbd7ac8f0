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
