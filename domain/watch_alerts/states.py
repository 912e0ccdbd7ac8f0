"""How an alert of a watch group stands. Pure."""

from enum import StrEnum


class WatchAlertStatus(StrEnum):
    """Where an alert of a watch group is. That it has expired is told by its time, not by its status."""

    ISSUED = "issued"
    """Members are told, or were; in force until it expires."""
    WITHDRAWN = "withdrawn"
    """Whoever issued it took it back: who was not told yet is not."""
