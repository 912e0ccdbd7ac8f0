"""What can be wrong with uploads, evidence and requests for footage, beyond the kinds."""

from domain.errors import Conflict, Gone, NotAllowed, NotFound, TooLarge, Unavailable


class UploadNotFound(NotFound):
    """No such upload of this SOS."""

    code = "upload_not_found"


class UploadGone(Gone):
    """It was ended, refused, or not finished in time."""

    code = "upload_gone"


class WrongOffset(Conflict):
    """Bytes came for another place than where the upload stands; `data["offset"]` says where that is."""

    code = "wrong_offset"


class HashMismatch(Conflict):
    """The whole is not what its sender declared."""

    code = "hash_mismatch"


class UploadTooLarge(TooLarge):
    """More than one file, or all files of one SOS, may have."""

    code = "upload_too_large"


class RequestNotFound(NotFound):
    """No such footage request of this incident."""

    code = "footage_request_not_found"


class EvidenceNotFound(NotFound):
    """No such evidence, or not evidence that the caller may know of, or its time was over."""

    code = "evidence_not_found"


class NotReady(Conflict):
    """The redacted copy is not made yet, or none can be made; `data["current"]` says how far it is."""

    code = "evidence_not_ready"


class OpeningNeeded(NotAllowed):
    """The original is opened for whoever asked with a reason, once somebody else said yes."""

    code = "opening_needed"


class ViewNotFound(NotFound):
    """No such view, not the caller's, or its time is over."""

    code = "view_not_found"


class EvidenceDamaged(NotFound):
    """The bytes are stored and are not what they were: they are not given out."""

    code = "evidence_damaged"


class TooManyViewers(Unavailable):
    """As many clips are being sent as this machine can encode at once; try again in a moment."""

    code = "viewers_busy"


class ClipsUnavailable(Unavailable):
    """This machine cannot encode clips: the camera libraries are not installed where the API runs."""

    code = "clips_unavailable"
