"""What can be wrong with a camera or what is said of it, beyond the kinds."""

from domain.errors import Conflict, Invalid, NotFound, Unauthenticated


class CameraNotFound(NotFound):
    """No such camera, or not one that the caller may know of."""

    code = "camera_not_found"


class CameraChanged(Conflict):
    """Somebody else changed the camera, or the same key came with another camera."""

    code = "camera_changed"


class SourceNotAllowed(Invalid):
    """The address is not on the city's list; nothing of ours will open it."""

    code = "camera_source_not_allowed"


class GatewayKeyUnknown(Unauthenticated):
    """The key is not the one of this camera, or it was revoked."""

    code = "gateway_key_unknown"


class ObservationNotFound(NotFound):
    """No such observation, or its time to be kept is over."""

    code = "observation_not_found"


class StillNotFound(NotFound):
    """The observation has no such picture."""

    code = "still_not_found"


class StillDamaged(NotFound):
    """The picture is stored, and is not what it was when its name was made: it is not given out."""

    code = "still_damaged"
