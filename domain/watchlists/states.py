"""Why a plate is on the watchlist, where an entry stands, and what became of a hit."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ListReason(StrEnum):
    """Why a vehicle is looked for. Nothing else puts a plate on the list."""

    STOLEN_VEHICLE = "stolen_vehicle"
    """Its keeper reported it stolen, or its plates."""
    HIT_AND_RUN = "hit_and_run"
    """It left the place where somebody was hurt."""
    KIDNAPPING = "kidnapping"
    """Somebody was taken away in it."""
    MISSING_PERSON = "missing_person"
    """Somebody who is missing was last seen in it."""
    COURT_ORDER = "court_order"
    """A court ordered that it be looked for."""


CATEGORY: Final[Mapping[ListReason, str]] = {
    ListReason.STOLEN_VEHICLE: "listed_vehicle",
    ListReason.HIT_AND_RUN: "listed_vehicle",
    ListReason.KIDNAPPING: "kidnapping",
    ListReason.MISSING_PERSON: "missing_person",
    ListReason.COURT_ORDER: "listed_vehicle",
}
"""The category of the incident that a confirmed hit becomes (cities/shared/pakistan.toml)."""


class EntryStatus(StrEnum):
    """Where an entry of the watchlist stands."""

    ACTIVE = "active"
    """Cameras are asked about it until it expires."""
    ENDED = "ended"
    """Somebody took it off: found, listed by mistake, or the order was lifted."""


class HitStatus(StrEnum):
    """What became of a plate that was read like a listed one. Nobody is sent before a human said yes."""

    ASKED = "asked"
    """A human looks at the crop, or is about to."""
    CONFIRMED = "confirmed"
    """A human said yes: somebody is sent."""
    REFUSED = "refused"
    """A human said no: nothing follows."""
    CANNOT_TELL = "cannot_tell"
    """A human could not read it: nothing follows."""
    UNANSWERED = "unanswered"
    """Nobody answered before the deadline: nobody is sent, and whoever owns the entry hears of it."""
    WITHDRAWN = "withdrawn"
    """Nobody looks for the plate any more (`closed` says why): nothing follows."""


class Closed(StrEnum):
    """Why nothing follows from a hit, whatever a human says."""

    ENTRY_ENDED = "entry_ended"
    """The plate was taken off the list meanwhile: found, listed by mistake, or the order was lifted."""
    ENTRY_EXPIRED = "entry_expired"
    """Its time on the list was over before anybody was sent."""
    ENTRY_GONE = "entry_gone"
    """Its entry is no longer kept."""
