"""Who goes first, what waits and what is bundled, as tables."""

from typing import Any

import pytest

from domain.deliveries.states import Priority
from notifications import purposes
from notifications.content import CONTENT


@pytest.mark.parametrize(
    ("purpose", "life_critical", "expected"),
    [
        ("assignment_offered", True, Priority.FIRST),
        ("guardian_alerted", True, Priority.FIRST),
        ("notice", True, Priority.FIRST),
        ("otp", False, Priority.WAITED_FOR),
        ("assignment_withdrawn", False, Priority.WAITED_FOR),
        ("incident_updated", False, Priority.NEWS),
        ("incident_updated", True, Priority.AGAIN),
        ("alert_issued", True, Priority.BULK),
        ("something of next year", False, Priority.NEWS),
    ],
)
def test_life_goes_first(purpose: str, life_critical: bool, expected: Priority) -> None:
    assert purposes.priority(purpose, life_critical=life_critical) == expected


def test_every_alarm_is_before_all_that_is_news() -> None:
    alarms = [name for name, content in CONTENT.items() if content.urgent]
    found = {name: purposes.priority(name, life_critical=True) for name in alarms}
    assert {name for name, priority in found.items() if priority == Priority.NEWS} == set()


@pytest.mark.parametrize(
    ("purpose", "channel", "fields", "expected"),
    [
        ("incident_updated", "sms", {"refs": {"status": "closed"}}, True),
        ("incident_updated", "voice", {"refs": {"status": "closed"}}, True),
        ("incident_updated", "fcm", {"refs": {"status": "closed"}}, False),  # shown without a sound instead
        ("incident_updated", "sms", {"refs": {"status": "acknowledged"}}, False),  # she is awake and waits for it
        ("incident_updated", "sms", {"refs": {"status": "closed"}, "life_critical": True}, False),
        ("assignment_offered", "sms", {"life_critical": True}, False),
        ("assignment_withdrawn", "sms", {}, False),
        ("otp", "sms", {}, False),
        ("something of next year", "sms", {}, True),
    ],
)
def test_quiet_hours_hold_what_rings_and_can_wait(
    purpose: str, channel: str, fields: dict[str, Any], expected: bool
) -> None:
    assert purposes.sleeps({"purpose": purpose, **fields}, channel) is expected


@pytest.mark.parametrize(
    ("purpose", "channel", "life_critical", "expected"),
    [
        ("incident_updated", "sms", False, True),
        ("incident_updated", "sms", True, False),
        ("incident_updated", "fcm", False, False),
        ("assignment_offered", "voice", True, False),
        ("otp", "sms", False, False),
        ("alert_issued", "sms", False, False),  # as `bulk.py` does: bounded by whoever issues it
        ("something of next year", "voice", False, True),
    ],
)
def test_a_throttle_never_holds_what_a_life_depends_on(
    purpose: str, channel: str, life_critical: bool, expected: bool
) -> None:
    assert purposes.throttled({"purpose": purpose, "life_critical": life_critical}, channel) is expected


def test_every_purpose_says_how_it_behaves() -> None:
    silent = sorted(set(CONTENT) - set(purposes.MANNERS))
    assert not silent, f"{silent}: give each a line in notifications/purposes.py: MANNERS"
