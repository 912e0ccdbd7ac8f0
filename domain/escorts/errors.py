"""What can be wrong with a request for an escort, beyond the kinds."""

from domain.errors import Conflict, LimitReached, NotFound


class EscortNotFound(NotFound):
    """No such escort, or not one's own."""

    code = "escort_not_found"


class NoEscorts(Conflict):
    """Nobody gives escorts in this city."""

    code = "no_escorts"


class TooManyEscorts(LimitReached):
    """So many are open for this person that another cannot be meant."""

    code = "too_many_escorts"
