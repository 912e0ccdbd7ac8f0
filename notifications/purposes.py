"""How each purpose behaves where not everything can be said at once: who goes first, what waits, what is bundled. Pure.

One table, purpose → Manner. A delivery that is marked life-critical never waits, whatever its purpose says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from domain.deliveries.states import Priority


@dataclass(frozen=True)
class Manner:
    """How a purpose behaves."""

    priority: Priority = Priority.NEWS
    sleeps: bool = True
    """Quiet hours hold what of it would ring: an SMS, a call. A push is shown without a sound."""
    throttled: bool = True
    """It counts against what a number gets in a while, and waits where that is used up."""
    bundles: bool = False
    """Several about one thing to one person become one, with the latest state, where they had to wait."""
    awake: frozenset[str] = frozenset()
    """Values of `refs.status` for which the person is awake and waits: these are not held."""


_ALARM: Final = Manner(Priority.FIRST, sleeps=False, throttled=False)
_ASKED_FOR: Final = Manner(Priority.WAITED_FOR, sleeps=False, throttled=False)

MANNERS: Final[Mapping[str, Manner]] = {
    "assignment_offered": _ALARM,
    "supervisor_called": _ALARM,
    "notice": _ALARM,
    "guardian_alerted": _ALARM,
    "guardian_alerted_unconfirmed": _ALARM,
    # Whoever is on the way must hear that they need not come, at any hour.
    "assignment_withdrawn": _ASKED_FOR,
    "assignment_doubted": _ASKED_FOR,
    # Somebody waits on the line.
    "bridge_caller": _ALARM,
    "bridge_joined": _ALARM,
    # Limited where it is asked for; whoever asked holds the phone in their hand.
    "otp": _ASKED_FOR,
    "guardian_invited": _ASKED_FOR,
    # She is awake and waits for an answer; counsellors are on shift.
    "helpline_message": _ASKED_FOR,
    "helpline_expire": _ASKED_FOR,
    "helpline_desk": _ALARM,
    "helpline_text": _ASKED_FOR,
    "helpline_call": _ASKED_FOR,
    "helpline_call_desk": _ASKED_FOR,
    # Somebody is on the way, by night as well: who looks on is awake, and who is missed does not wait for the morning.
    "journey_due": _ALARM,
    "journey_missed": _ALARM,
    "call_due": _ASKED_FOR,
    "journey_shared": _ASKED_FOR,
    "journey_concern": _ASKED_FOR,
    "journey_over": _ASKED_FOR,
    "incident_updated": Manner(Priority.NEWS, bundles=True, awake=frozenset({"acknowledged", "en_route", "on_scene"})),
    # Neighbours of what is believed: shown at once, without a sound by night; news of one report is one.
    "watch_alert": Manner(Priority.NEWS, bundles=True),
    # They hold the phone whose number was given, or wait for an answer; shown without a sound by night.
    "group_invited": Manner(Priority.NEWS),
    "watch_group": Manner(Priority.NEWS),
    "watch_moderation": Manner(Priority.NEWS),
    # A broadcast is bounded where it is issued: by staff who may, once to each person, and what came in its place ends it
    # (`overtaken`). One more alert is not to be lost among a number's news, and each number asked would slow all others.
    "alert_issued": Manner(Priority.BULK, throttled=False),
    # As a public alert, to the members of a group: bounded by whoever issues it.
    "group_alert": Manner(Priority.BULK, throttled=False),
    # Whoever signed up wants to know; by night it is shown without a sound.
    "roster_reminder": Manner(Priority.NEWS),
    "gathering_reminder": Manner(Priority.NEWS),
    # Somebody may be alone out there: whoever leads the group hears it, by night as well.
    "patrol_missed": _ASKED_FOR,
    # Whoever keeps Amaan running is on duty, and what is broken now may cost a life next.
    "notice_opened": Manner(Priority.WAITED_FOR, sleeps=False, throttled=False),
    # An offer may reach that responder too late from now on.
    "responder_opted_out": _ASKED_FOR,
    "drill_ping": Manner(Priority.BULK),
}
USUAL: Final = Manner()
"""Of a purpose that says nothing of itself."""

LIMITS: Final[Mapping[str, tuple[int, timedelta]]] = {
    "sms": (5, timedelta(minutes=10)),
    "voice": (2, timedelta(minutes=10)),
}
"""How many throttled messages one number gets in a window. A push is not counted: it can be replaced and silenced."""


def manner(purpose: str) -> Manner:
    """How a purpose behaves."""
    return MANNERS.get(purpose, USUAL)


def priority(purpose: str, *, life_critical: bool) -> Priority:
    """Who goes first. What a life depends on is never behind news, whatever its purpose; a broadcast is behind both."""
    own = manner(purpose).priority
    return min(own, Priority.AGAIN) if life_critical and own != Priority.BULK else own


def sleeps(delivery: Mapping[str, Any], channel: str) -> bool:
    """Whether quiet hours hold this delivery on this channel."""
    if delivery.get("life_critical") or channel not in LIMITS:
        return False
    how = manner(delivery["purpose"])
    return how.sleeps and (delivery.get("refs") or {}).get("status") not in how.awake


def throttled(delivery: Mapping[str, Any], channel: str) -> bool:
    """Whether this delivery counts against what its number gets."""
    return not delivery.get("life_critical") and channel in LIMITS and manner(delivery["purpose"]).throttled
