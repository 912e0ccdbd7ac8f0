"""What can go wrong with alerts of watch groups."""

from domain.errors import Conflict, Invalid, NotFound


class WatchAlertNotFound(NotFound):
    """There is no such alert, or it is for groups that are not the caller's."""

    code = "watch_alert_not_found"


class WatchAlertInvalid(Invalid):
    """It cannot go out as it is written; `errors` says what is wrong by field."""

    code = "watch_alert_invalid"


class WatchAlertOver(Conflict):
    """It was withdrawn, or has passed."""

    code = "watch_alert_over"
