"""How far an upload is. Pure."""

from enum import StrEnum


class UploadStatus(StrEnum):
    """Where an upload stands."""

    OPEN = "open"
    """Bytes are missing, or all are here and are being looked at."""
    COMPLETE = "complete"
    """It has become evidence."""
    REFUSED = "refused"
    """It was not what its sender declared (SHA-256)."""
    ENDED = "ended"
    """Its sender gave it up, or it was not finished in time."""
