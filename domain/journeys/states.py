"""Where a journey stands, what may worry whoever looks on, and the one table of allowed transitions. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from domain.errors import Conflict


class JourneyStatus(StrEnum):
    """Where a journey stands for its traveller."""

    UNDER_WAY = "under_way"
    """On the way; nothing is due."""
    ASKED = "asked"
    """A check-in or the arrival is due: the traveller was asked, and nobody else knows."""
    MISSED = "missed"
    """There was no answer in time: the guardians were asked to reach the traveller."""
    RAISED = "raised"
    """It became an SOS, with the track so far; from here on the SOS says how it stands."""
    ARRIVED = "arrived"
    """The traveller said that they are there."""
    CANCELLED = "cancelled"
    """The traveller took it back."""


class Concern(StrEnum):
    """What the guardians of a journey are told beside a missed check-in. Told once, and again only after it was over."""

    BATTERY_LOW = "battery_low"
    """The phone may soon fall silent."""
    STOPPED = "stopped"
    """There was movement, and now there has been none for minutes, away from the destination."""
    OFF_ROUTE = "off_route"
    """Away from the route that was sent along, for more than a moment."""
    NOT_HEARD = "not_heard"
    """The phone sent its positions, and now has sent nothing for minutes."""


class Reason(StrEnum):
    """Why a journey became an SOS."""

    NO_ANSWER = "no_answer"
    """A check-in or the arrival was missed, and no guardian could reach the traveller."""
    GUARDIAN = "guardian"
    """A guardian asked for it on the live page."""
    DURESS = "duress"
    """The duress PIN was entered; the phone shows what the safe one would have shown."""


class FakeCallBy(StrEnum):
    """How a call that somebody asked for comes."""

    PUSH = "push"
    """The app rings by itself and shows the name that was chosen; it needs no carrier's call."""
    VOICE = "voice"
    """The city's number calls, and a voice speaks: for a phone that somebody else hears ring."""


S = JourneyStatus

TRANSITIONS: Final[Mapping[JourneyStatus, frozenset[JourneyStatus]]] = {
    S.UNDER_WAY: frozenset({S.ASKED, S.RAISED, S.ARRIVED, S.CANCELLED}),
    S.ASKED: frozenset({S.UNDER_WAY, S.MISSED, S.RAISED, S.ARRIVED, S.CANCELLED}),
    S.MISSED: frozenset({S.UNDER_WAY, S.RAISED, S.ARRIVED, S.CANCELLED}),
    S.RAISED: frozenset(),
    S.ARRIVED: frozenset(),
    S.CANCELLED: frozenset(),
}

GOING_ON: Final = frozenset({S.UNDER_WAY, S.ASKED, S.MISSED})
"""Somebody is still waited for."""


def check(current: str, wanted: JourneyStatus) -> None:
    """Raise Conflict `wrong_transition` with the current state unless the table allows the step."""
    if wanted not in TRANSITIONS[S(current)]:
        raise Conflict(
            f"a journey that is {current} cannot become {wanted}",
            code="wrong_transition",
            current=str(current),
            wanted=str(wanted),
        )
