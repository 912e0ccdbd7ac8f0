"""What can go wrong with watch groups."""

from domain.errors import Conflict, Invalid, LimitReached, NotAllowed, NotFound


class GroupNotFound(NotFound):
    """There is no such group, or it is closed and was never the caller's."""

    code = "group_not_found"


class GroupInvalid(Invalid):
    """The area or the facts of a group cannot be."""

    code = "group_invalid"


class GroupClosed(Conflict):
    """The group was closed."""

    code = "group_closed"


class RulesNotAccepted(Invalid):
    """Nobody joins without accepting the group's rules as they stand now."""

    code = "rules_not_accepted"


class MemberNotFound(NotFound):
    """They neither belong to the group nor asked to."""

    code = "member_not_found"


class RemovedFromGroup(NotAllowed):
    """The coordinator took them out of this group: only the coordinator lets them in again."""

    code = "removed_from_group"


class LeadsTheGroup(Conflict):
    """The coordinator hands the group over, or closes it, before leaving."""

    code = "leads_the_group"


class TooManyGroups(LimitReached):
    """More groups than one person can be meant to found."""

    code = "too_many_groups"


class GroupFull(LimitReached):
    """A group has as many members as one can have."""

    code = "group_full"


class Suspended(NotAllowed):
    """A moderator keeps them out of this group until `until`; they may appeal."""

    code = "suspended"


class Muted(NotAllowed):
    """A moderator took their voice for a time (`until`); they may appeal."""

    code = "muted"


class NotSettled(NotAllowed):
    """The group, or the account of whoever leads it, is too new (`until`) or has too few neighbours to decide for others."""

    code = "not_settled"


class DoorCodeWrong(Invalid):
    """It is not the code that was put into their letter box."""

    code = "door_code_wrong"


class SuccessionOver(Conflict):
    """Nobody asks them to lead the group, or its coordinator is back."""

    code = "succession_over"


class SanctionNotFound(NotFound):
    """There is no such sanction, or it is not for the caller."""

    code = "sanction_not_found"


class SanctionOver(Conflict):
    """The sanction has ended, was lifted, or its appeal was heard."""

    code = "sanction_over"


class SanctionInvalid(Invalid):
    """Whom or for how long: it cannot be."""

    code = "sanction_invalid"
