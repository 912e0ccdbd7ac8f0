"""How a comment stands, and what a reaction says. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class CommentStatus(StrEnum):
    """Where a comment is. One that its author deletes is gone, and stands nowhere."""

    PUBLISHED = "published"
    """Whoever may read the report may read it."""
    HELD = "held"
    """A rule, neighbours' flags or a group that reads first keep it back until a human has read it."""
    REMOVED = "removed"
    """A human took it out, with a reason that its author reads."""


class Reaction(StrEnum):
    """What a neighbour says of a report without words; one of each, and none of them weighs on how far it is believed."""

    THANKS = "thanks"
    """Good to know."""
    WORRIED = "worried"
    """It frightens them."""
    HELPING = "helping"
    """They look after it, or after somebody."""
    SOLVED = "solved"
    """As they see it, it is over."""


STEPS: Final[Mapping[CommentStatus, frozenset[CommentStatus]]] = {
    CommentStatus.PUBLISHED: frozenset({CommentStatus.HELD, CommentStatus.REMOVED}),
    CommentStatus.HELD: frozenset({CommentStatus.PUBLISHED, CommentStatus.REMOVED}),
    CommentStatus.REMOVED: frozenset({CommentStatus.PUBLISHED}),
}
"""From where to where; nothing else is possible."""
