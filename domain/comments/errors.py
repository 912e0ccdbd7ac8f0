"""What can go wrong with comments."""

from domain.errors import Conflict, LimitReached, NotFound


class CommentNotFound(NotFound):
    """There is no such comment, or it is not to be seen by the caller."""

    code = "comment_not_found"


class CommentOver(Conflict):
    """The report or the comment does not stand where this is possible."""

    code = "comment_over"


class OwnComment(Conflict):
    """Nobody flags or decides of their own comment."""

    code = "own_comment"


class TooManyComments(LimitReached):
    """A report has as many comments as one can read."""

    code = "too_many_comments"
