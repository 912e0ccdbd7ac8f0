"""What can be wrong with an incident, beyond the kinds."""

from domain.errors import Conflict, NotFound


class IncidentNotFound(NotFound):
    """No such incident, or not one that the caller may know of."""

    code = "incident_not_found"


class CategoryNotFound(NotFound):
    """The city has no such category."""

    code = "category_not_found"


class AgencyNotFound(NotFound):
    """The city has no such agency."""

    code = "agency_not_found"


class TooBusy(Conflict):
    """The document changed under every try; the caller may simply repeat."""

    code = "changed_meanwhile"
