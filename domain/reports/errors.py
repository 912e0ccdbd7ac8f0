"""What can go wrong with reports."""

from domain.errors import Conflict, Invalid, NotAllowed, NotFound, Unavailable


class ReportNotFound(NotFound):
    """There is no such report, or it is not to be seen by the caller."""

    code = "report_not_found"


class ReportInvalid(Invalid):
    """A place, a time or a category that cannot be."""

    code = "report_invalid"


class ReportOver(Conflict):
    """The report does not stand where this is possible."""

    code = "report_over"


class OwnReport(Conflict):
    """Nobody confirms, denies or flags their own report."""

    code = "own_report"


class NotIndependent(NotAllowed):
    """Its author and whoever says that it is so speak from one phone or household, or made their accounts together."""

    code = "not_independent"


class PhotoInvalid(Invalid):
    """What came is no picture that can be shown."""

    code = "photo_invalid"


class PhotoNotFound(NotFound):
    """The report has no picture, or it is not for the caller."""

    code = "photo_not_found"


class NoEmergency(Conflict):
    """Nobody is sent to this kind of report: it is handed to an office instead."""

    code = "no_emergency"


class MediaInvalid(Invalid):
    """What came is no picture, film or voice."""

    code = "media_invalid"


class MediaNotFound(NotFound):
    """The report has no such file, or it is not for the caller."""

    code = "media_not_found"


class MediaNotReady(Unavailable):
    """Faces in it are being blurred; ask again."""

    code = "media_not_ready"
