"""What can go wrong with alerts, beyond the kinds."""

from domain.errors import Conflict, Invalid, NotFound


class AlertNotFound(NotFound):
    """No such alert, or a draft that the caller may not see."""

    code = "alert_not_found"


class AlertInvalid(Invalid):
    """The alert cannot go out as it is written; `errors` says what is wrong by field."""

    code = "alert_invalid"


class UnknownGroup(Invalid):
    """A watch group that does not exist here."""

    code = "unknown_group"


class AlertChanged(Conflict):
    """Somebody else changed the alert, or the same key came with another one."""

    code = "alert_changed"


class AlertOver(Conflict):
    """The alert is not in a state for this: `current` says in which it is."""

    code = "alert_over"


class CapRefused(Invalid):
    """A CAP document that cannot be read or believed; `reason` is one of a few words, `detail` says more."""

    code = "cap_refused"
