"""The states that a person's parts can be in, and how they move."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Duty(StrEnum):
    """Whether a responder can be sent."""

    AVAILABLE = "available"
    """On duty and free."""
    BUSY = "busy"
    """On duty and taken."""
    OFF_DUTY = "off_duty"
    """Not to be asked."""


class GuardianStatus(StrEnum):
    """What a trusted contact said to being one."""

    INVITED = "invited"
    """Asked by link and has not answered; told of an SOS all the same, with how to say no."""
    CONFIRMED = "confirmed"
    """Said yes: told of every SOS."""
    DECLINED = "declined"
    """Said no: never told anything again, until they say yes themselves."""


GUARDIAN_MOVES: Final[Mapping[GuardianStatus, frozenset[GuardianStatus]]] = {
    GuardianStatus.INVITED: frozenset({GuardianStatus.CONFIRMED, GuardianStatus.DECLINED}),
    GuardianStatus.CONFIRMED: frozenset({GuardianStatus.DECLINED}),
    GuardianStatus.DECLINED: frozenset({GuardianStatus.CONFIRMED}),
}


class PinMatch(StrEnum):
    """What an entered PIN turned out to be."""

    SAFE = "safe"
    """The person is free to say so."""
    DURESS = "duress"
    """The person is being forced."""
    WRONG = "wrong"
    """Neither."""


class Gender(StrEnum):
    """As the person says; decides which responder is asked first where the person wishes it."""

    FEMALE = "female"
    """A woman or girl."""
    MALE = "male"
    """A man or boy."""
    OTHER = "other"
    """Neither, or both: the third gender of Pakistan's Transgender Persons Act 2018 among them."""
    UNSAID = ""
    """Not told."""


BLOOD_GROUPS: Final = ("", "A+", "A-", "B+", "B-", "AB+", "AB-", "O+", "O-")
