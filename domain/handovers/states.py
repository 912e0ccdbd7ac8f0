"""How a handover stands: the two words of Open311 GeoReport v2. Pure."""

from enum import StrEnum


class HandoverStatus(StrEnum):
    """Whether the agency still has to do with it."""

    OPEN = "open"
    """The agency has it, and has not said that it is done."""
    CLOSED = "closed"
    """The agency says that it is done, or will not be; its note says which."""
