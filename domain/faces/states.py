"""What a face may be searched for, and how far a search is. Pure."""

from enum import StrEnum


class Purpose(StrEnum):
    """The only two things for which faces are compared."""

    MISSING_PERSON = "missing_person"
    """Somebody is missing, and a report of it has a number."""
    WARRANT = "warrant"
    """A court's warrant names whom to look for, in this case."""


class SearchState(StrEnum):
    """How far a search is."""

    DRAFT = "draft"
    """No picture of whom to look for came yet; nobody was asked."""
    ASKED = "asked"
    """Two others must say yes."""
    REFUSED = "refused"
    """Somebody said no, or nobody answered in time; the picture is gone."""
    ALLOWED = "allowed"
    """Two said yes: the incident's footage may be searched until it expires."""
    OVER = "over"
    """It expired or was ended: picture and leads are gone, and what was done stays told."""
