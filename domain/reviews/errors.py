"""What can go wrong with reviews."""

from domain.errors import Conflict, Gone, Invalid, NotAllowed, NotFound


class ReviewNotFound(NotFound):
    """There is no such review, or it is not for the caller."""

    code = "review_not_found"


class OwnQuestion(NotAllowed):
    """Nobody answers what they asked themselves."""

    code = "own_question"


class ReviewOver(Conflict):
    """It is decided, or its deadline has passed."""

    code = "review_over"


class AnsweredAlready(Conflict):
    """The same person answered it otherwise before."""

    code = "review_answered"


class NotForAPicture(Invalid):
    """`cannot_tell` is an answer to a picture; whoever approves something says yes or no."""

    code = "yes_or_no"


class SubjectGone(Gone):
    """What it asked about is no longer kept."""

    code = "review_subject_gone"
