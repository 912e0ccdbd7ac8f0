"""What can be wrong with an upload, beyond the kinds."""

from domain.errors import Conflict, Gone, NotFound, TooLarge


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
