"""What can go wrong with a notice."""

from domain.errors import Conflict, NotFound


class NoticeNotFound(NotFound):
    """There is no such notice, or it is another city's."""

    code = "notice_not_found"


class NoticeOver(Conflict):
    """Its cause is gone: there is nothing left to see to."""

    code = "notice_over"
