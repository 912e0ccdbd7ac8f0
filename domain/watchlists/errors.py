"""What can go wrong with the watchlist."""

from domain.errors import Conflict, Invalid, NotFound


class EntryNotFound(NotFound):
    """No such entry, or not in the caller's reach."""

    code = "watchlist_entry_not_found"


class HitNotFound(NotFound):
    """No such hit, or not in the caller's reach."""

    code = "hit_not_found"


class EntryOver(Conflict):
    """It was taken off the list, or has expired."""

    code = "watchlist_entry_over"


class EntryChanged(Conflict):
    """Somebody else changed it at the same moment, or the key was used for another entry."""

    code = "watchlist_entry_changed"


class NoPlate(Invalid):
    """What was written cannot be a plate."""

    code = "no_plate"


class CropNotFound(NotFound):
    """The hit has no picture, or it is no longer kept."""

    code = "crop_not_found"
