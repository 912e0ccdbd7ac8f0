"""What can be wrong with a camera, beyond the kinds."""

from domain.errors import Invalid, NotFound


class CameraNotFound(NotFound):
    """No such camera, or not one that the caller may know of."""

    code = "camera_not_found"


class SourceNotAllowed(Invalid):
    """The address is not on the city's list; nothing of ours will open it."""

    code = "camera_source_not_allowed"
