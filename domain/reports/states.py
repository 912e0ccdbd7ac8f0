"""How a report stands, and which steps lead where. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ReportStatus(StrEnum):
    """Where a report is."""

    SUBMITTED = "submitted"
    """Sent; its group has not read it yet, and shows reports once it has."""
    PUBLISHED = "published"
    """Everybody may read it."""
    HELD = "held"
    """A rule, or neighbours' flags, keep it back until a human has read it."""
    REMOVED = "removed"
    """A human took it out, with a reason that its author reads."""
    WITHDRAWN = "withdrawn"
    """Its author took it back."""


class Anonymity(StrEnum):
    """From whom the author's name is kept. Nobody but staff ever sees more than a name."""

    NOBODY = "nobody"
    """Members of the author's groups read the name."""
    MEMBERS = "members"
    """The group's coordinator and deputies read the name; members do not."""
    ALL = "all"
    """Nobody in the groups reads it."""


class Nudge(StrEnum):
    """What the author of a report is asked to say otherwise, or as well. The report is taken all the same."""

    BEHAVIOUR_FIRST = "behaviour_first"
    """It says how somebody looks, and not what they do: say that first. Until then others do not read the looks."""
    MORE_DESCRIPTORS = "more_descriptors"
    """Too few different descriptors: they fit half the street. Until there are more, others do not read them."""
    LOOKS_NOT_SHOWN = "looks_not_shown"
    """Of this kind of report, only those who respond read how somebody looks."""
    LOOKS_APART = "looks_apart"
    """The text says how somebody looks: that belongs into `looks`, part by part."""
    ORIGIN_IS_NO_DESCRIPTION = "origin_is_no_description"
    """Where somebody comes from, or what they believe, describes nobody."""


class Part(StrEnum):
    """What of somebody's looks is described."""

    CLOTHES = "clothes"
    """What they wear."""
    SHOES = "shoes"
    """What is on their feet."""
    HAIR = "hair"
    """Hair, beard, or what covers them."""
    BUILD = "build"
    """Height and build."""
    AGE = "age"
    """How old they seem."""
    CARRIES = "carries"
    """What they have with them."""
    MARK = "mark"
    """A scar, a limp, a tattoo."""
    VEHICLE = "vehicle"
    """Kind and colour, never its plate."""


class Stand(StrEnum):
    """What a neighbour says of somebody else's report."""

    CONFIRM = "confirm"
    """They see it too."""
    DENY = "deny"
    """They are there, and it is not so."""


class Flag(StrEnum):
    """Why a neighbour asks for a human to read a report."""

    HATE = "hate"
    """Against people for what they are."""
    DOXXING = "doxxing"
    """It tells who somebody is, or where they live."""
    FALSE = "false"
    """It is made up."""
    PRIVATE = "private"
    """It is nobody's business."""
    OTHER = "other"
    """Something else."""


STEPS: Final[Mapping[ReportStatus, frozenset[ReportStatus]]] = {
    ReportStatus.SUBMITTED: frozenset(
        {ReportStatus.PUBLISHED, ReportStatus.HELD, ReportStatus.REMOVED, ReportStatus.WITHDRAWN}
    ),
    ReportStatus.PUBLISHED: frozenset(
        {ReportStatus.SUBMITTED, ReportStatus.HELD, ReportStatus.REMOVED, ReportStatus.WITHDRAWN}
    ),
    ReportStatus.HELD: frozenset({ReportStatus.PUBLISHED, ReportStatus.REMOVED, ReportStatus.WITHDRAWN}),
    ReportStatus.REMOVED: frozenset({ReportStatus.PUBLISHED}),  # an appeal was heard
    ReportStatus.WITHDRAWN: frozenset(),
}
"""From where to where; nothing else is possible."""
