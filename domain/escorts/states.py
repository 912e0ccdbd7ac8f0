"""Where an escort stands before and after units are asked. Pure."""

from enum import StrEnum


class EscortStatus(StrEnum):
    """Where a request for an escort stands. Once units are asked, its incident (`sos_id`) says how far they are."""

    PLANNED = "planned"
    """For later: nobody has been asked yet."""
    ASKED = "asked"
    """Units that give escorts are being asked, or one has it."""
    CANCELLED = "cancelled"
    """The person took it back."""
