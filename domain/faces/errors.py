"""What can be wrong with a search for a face, beyond the kinds."""

from domain.errors import Conflict, Invalid, NotAllowed, NotFound


class SearchOff(NotAllowed):
    """The city compares no faces. It is a setting of the city's, off unless it was switched on."""

    code = "face_search_off"


class SearchNotFound(NotFound):
    """No such search, or not one that the caller may know of."""

    code = "face_search_not_found"


class LeadNotFound(NotFound):
    """The search has no such lead, or it is over and its leads are gone."""

    code = "lead_not_found"


class SearchOver(Conflict):
    """It was refused, is over, or was not allowed yet; `data["current"]` says which."""

    code = "face_search_over"


class NotAFace(Invalid):
    """Not a picture that can be decoded."""

    code = "face_photo_invalid"
