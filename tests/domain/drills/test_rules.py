"""When a city drills, and what a delivery says of its person: tables."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.cities.config import ChannelName, DrillPlan
from domain.drills import rules
from domain.drills.rules import Result
from domain.drills.states import ReachedBy, Unreached

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DEADLINE = NOW + timedelta(minutes=60)
KARACHI = ZoneInfo("Asia/Karachi")


def plan(*days: int, at: str = "11:00") -> DrillPlan:
    return DrillPlan(days, time.fromisoformat(at), ("responder",), (ChannelName.SMS,), timedelta(minutes=60))


@pytest.mark.parametrize(
    ("days", "now", "expected"),
    [
        ((5,), "2026-11-05T05:59:00", "2026-11-05T06:00:00"),  # 11:00 in Karachi is 06:00 UTC
        ((5,), "2026-11-05T06:00:00", "2026-12-05T06:00:00"),
        ((5, 20), "2026-11-06T00:00:00", "2026-11-20T06:00:00"),
        ((20, 5), "2026-11-21T00:00:00", "2026-12-05T06:00:00"),
        ((28,), "2026-12-29T00:00:00", "2027-01-28T06:00:00"),
        ((1,), "2026-12-31T23:00:00", "2027-01-01T06:00:00"),
    ],
)
def test_the_next_time_is_by_the_citys_own_calendar(days: tuple[int, ...], now: str, expected: str) -> None:
    found = rules.next_time(plan(*days), KARACHI, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def delivery(channel: str, status: str, *attempts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    numbered = {str(number): each for number, each in enumerate(attempts, 1)}
    return {"plan": [channel], "status": status, "attempts": numbered, **fields}


SENT = {"state": "sent"}
EARLY, LATE = NOW + timedelta(minutes=5), DEADLINE + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("found", "at", "expected"),
    [
        (delivery("fcm", "received", SENT, received_at=EARLY), NOW, Result("fcm", by=ReachedBy.DEVICE)),
        (delivery("fcm", "seen", SENT, seen_at=EARLY), NOW, Result("fcm", by=ReachedBy.DEVICE)),
        (delivery("sms", "seen", SENT, seen_at=EARLY), NOW, Result("sms", by=ReachedBy.LINK)),
        (delivery("voice", "seen", SENT, seen_at=EARLY), NOW, Result("voice", by=ReachedBy.KEY)),
        (delivery("sms", "delivered", SENT, delivered_at=EARLY), NOW, Result("sms", by=ReachedBy.NETWORK)),
        (delivery("voice", "delivered", SENT, delivered_at=EARLY), NOW, Result("voice")),  # a key may still come
        (delivery("voice", "delivered", SENT, delivered_at=EARLY), LATE, Result("voice", why=Unreached.NO_KEY)),
        # What comes too late does not count; what came in time stays counted, however late somebody looks.
        (delivery("sms", "seen", SENT, seen_at=LATE), LATE, Result("sms", why=Unreached.NO_RECEIPT)),
        (
            delivery("sms", "seen", SENT, delivered_at=EARLY, seen_at=LATE),
            LATE,
            Result("sms", by=ReachedBy.NETWORK),
        ),
        (delivery("fcm", "seen", SENT, received_at=EARLY, seen_at=LATE), LATE, Result("fcm", by=ReachedBy.DEVICE)),
        (delivery("fcm", "sent", SENT), NOW, Result("fcm")),
        (delivery("fcm", "sent", SENT), LATE, Result("fcm", why=Unreached.NO_RECEIPT)),
        (delivery("sms", "queued"), LATE, Result("sms", why=Unreached.NOT_TRIED)),
        (delivery("sms", "suppressed", reason="busy"), NOW, Result("sms", left_out=True)),
        (
            delivery("voice", "suppressed", {"state": "temporary", "code": "not_answered"}, reason="rang_enough"),
            NOW,
            Result("voice", why=Unreached.NOT_ANSWERED),
        ),
        (delivery("sms", "failed_permanent", reason="no_address"), NOW, Result("sms", why=Unreached.NO_ADDRESS)),
        (
            delivery("fcm", "failed_permanent", {"state": "permanent", "code": "unregistered"}, reason="unregistered"),
            NOW,
            Result("fcm", why=Unreached.ADDRESS_DEAD),
        ),
        (
            delivery("sms", "failed_permanent", {"state": "permanent", "code": "opted_out"}, reason="opted_out"),
            NOW,
            Result("sms", why=Unreached.OPTED_OUT),
        ),
        (
            delivery("sms", "failed_temporary", {"state": "temporary", "code": "carrier_down"}),
            LATE,
            Result("sms", why=Unreached.CARRIER_FAILED),
        ),
        (delivery("sms", "failed_temporary", {"state": "temporary", "code": "carrier_down"}), NOW, Result("sms")),
        (delivery("sms", "queued", {"state": "sending"}), LATE, Result("sms", why=Unreached.CARRIER_FAILED)),
        (delivery("sms", "queued", {"state": "unknown"}), LATE, Result("sms", why=Unreached.NO_RECEIPT)),
    ],
)
def test_what_a_delivery_says(found: dict[str, Any], at: datetime, expected: Result) -> None:
    assert rules.result(found, DEADLINE, at) == expected


@pytest.mark.parametrize(
    ("person", "channel", "expected"),
    [
        ({}, "sms", None),
        ({"devices": {"a": {"retired_at": NOW}}}, "fcm", Unreached.RETIRED),
        ({"devices": {"a": {}}}, "fcm", None),
        ({"retired": {"sms": {"reason": "invalid_address"}}}, "sms", Unreached.RETIRED),
        ({"retired": {"sms": {"reason": "opted_out"}}}, "sms", Unreached.OPTED_OUT),
        ({"retired": {"sms": {"reason": "opted_out"}}}, "voice", None),
    ],
)
def test_an_address_that_was_found_dead_earlier(
    person: dict[str, Any], channel: str, expected: Unreached | None
) -> None:
    assert rules.known_dead(person, channel) == expected


def test_every_result_is_counted_once() -> None:
    results = [
        Result("sms", by=ReachedBy.LINK),
        Result("sms", why=Unreached.PHONE_OFF),
        Result("sms"),
        Result("sms", left_out=True),
        Result("fcm", why=Unreached.PHONE_OFF),
    ]
    found = rules.counts(results, ["sms", "fcm", "voice"])
    assert found["sms"] == {
        "asked": 4, "reached": 1, "waiting": 1, "left_out": 1, "by": {"link": 1}, "why": {"phone_off": 1},
    }  # fmt: skip
    assert found["voice"]["asked"] == 0
