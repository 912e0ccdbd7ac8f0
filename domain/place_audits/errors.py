"""What can be wrong with a place audit, beyond the kinds."""

from domain.errors import Invalid, NotFound


class PlaceAuditNotFound(NotFound):
    """No such audit, or not one's own."""

    code = "place_audit_not_found"


class PhotoNotShown(NotFound):
    """There is no such picture, or nothing may be told of its cell and hour."""

    code = "photo_not_shown"


class NotAPicture(Invalid):
    """What came is no picture that can be decoded and shown."""

    code = "not_a_picture"


class OutsideEveryCity(Invalid):
    """The place lies in no city that Amaan knows: its figures would belong to nobody."""

    code = "outside_every_city"
