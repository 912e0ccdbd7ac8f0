"""How an alert stands, and CAP's words for what it says (OASIS CAP 1.2, §3.2). Pure.

Severity, urgency and certainty are the city's (`domain/cities/config.py`): the same words, one list.
"""

from enum import StrEnum


class AlertStatus(StrEnum):
    """Where an alert is in its life. That it has expired is told by its time, not by its status."""

    DRAFT = "draft"
    """Written, and seen by staff alone."""
    ISSUED = "issued"
    """Published and sent; in force until it expires."""
    SUPERSEDED = "superseded"
    """A later alert of its chain was issued in its place."""
    CANCELLED = "cancelled"
    """Withdrawn before it expired."""
    DISCARDED = "discarded"
    """A draft that nobody will issue."""


class MsgType(StrEnum):
    """CAP's msgType: what an alert is to those before it."""

    ALERT = "Alert"
    """The first of its chain."""
    UPDATE = "Update"
    """Takes the place of the alerts that it refers to."""
    CANCEL = "Cancel"
    """The alerts that it refers to hold no longer."""


class CapCategory(StrEnum):
    """CAP's category of the danger."""

    GEO = "Geo"
    """Earthquake, landslide."""
    MET = "Met"
    """Weather, flood."""
    SAFETY = "Safety"
    """General emergency and public safety."""
    SECURITY = "Security"
    """Police, military, private security."""
    RESCUE = "Rescue"
    """Rescue and recovery; a child that is missing."""
    FIRE = "Fire"
    """Fire and its suppression."""
    HEALTH = "Health"
    """Medical and public health."""
    ENV = "Env"
    """Pollution and environment."""
    TRANSPORT = "Transport"
    """Public and private transport."""
    INFRA = "Infra"
    """Utilities, telecommunications, buildings."""
    CBRNE = "CBRNE"
    """Chemical, biological, radiological, nuclear or explosive threat."""
    OTHER = "Other"
    """None of these."""


class Response(StrEnum):
    """CAP's responseType: what people should do."""

    SHELTER = "Shelter"
    """Take shelter in place."""
    EVACUATE = "Evacuate"
    """Leave, as the instruction says."""
    PREPARE = "Prepare"
    """Get ready, as the instruction says."""
    EXECUTE = "Execute"
    """Carry out what was planned."""
    AVOID = "Avoid"
    """Keep away."""
    MONITOR = "Monitor"
    """Listen for more."""
    ASSESS = "Assess"
    """Judge by what the alert says; not for the public."""
    ALL_CLEAR = "AllClear"
    """The danger is over."""
    NONE = "None"
    """Nothing need be done."""


class BatchState(StrEnum):
    """How far one batch of an alert's recipients is."""

    WAITING = "waiting"
    """Not all of its people were tried yet."""
    TOLD = "told"
    """Everybody was tried once; what failed or brought no receipt may be tried again."""


class Taken(StrEnum):
    """What became of an alert from another system's feed."""

    TAKEN = "taken"
    """It is an alert of ours now, or a change of one."""
    IGNORED = "ignored"
    """Sound, and not for the public of this city now: a test, another place, over."""
    REFUSED = "refused"
    """It cannot be believed or read; the reason says why."""


IN_FORCE = AlertStatus.ISSUED
EDITABLE = AlertStatus.DRAFT
