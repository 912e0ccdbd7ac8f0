"""What can go wrong with handovers."""

from domain.errors import Conflict, Invalid, NotAllowed, NotFound


class HandoverNotFound(NotFound):
    """There is no such handover, or it is not to be seen by the caller."""

    code = "handover_not_found"


class ServiceNotFound(NotFound):
    """There is no such kind of request here."""

    code = "service_not_found"


class JurisdictionNotFound(NotFound):
    """No such city is served here."""

    code = "jurisdiction_not_found"


class HandoverInvalid(Invalid):
    """What an agency sent cannot be."""

    code = "handover_invalid"


class NobodyTakesIt(Conflict):
    """No agency of this city takes this kind of report from us."""

    code = "nobody_takes_it"


class NotHandedOver(Conflict):
    """Units are sent to it: it is no matter for an office; or it is not published."""

    code = "not_handed_over"


class WrongKey(NotAllowed):
    """The agency's key is missing, or opens nothing here."""

    code = "wrong_api_key"
