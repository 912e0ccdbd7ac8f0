"""What can go wrong with gatherings."""

from domain.errors import Conflict, Invalid, LimitReached, NotFound


class GatheringNotFound(NotFound):
    """There is no such gathering, or it is of a group that is not the caller's."""

    code = "gathering_not_found"


class GatheringInvalid(Invalid):
    """A time or a place that cannot be."""

    code = "gathering_invalid"


class GatheringFull(Conflict):
    """Every place is taken."""

    code = "gathering_full"


class GatheringOver(Conflict):
    """It was cancelled, or has passed."""

    code = "gathering_over"


class TooManyGatherings(LimitReached):
    """More are planned than a group can hold."""

    code = "too_many_gatherings"


class CalendarNotFound(NotFound):
    """The address opens no calendar, or none any more."""

    code = "calendar_not_found"
