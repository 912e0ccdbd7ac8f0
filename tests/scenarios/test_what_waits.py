"""What can wait, waits, and becomes one message; what a life depends on goes out at any hour, to any number.

The API, the jobs, the sweeper and the carriers' process are real; only the hours pass quickly.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from domain.cities import queries as cities
from domain.deliveries.service import Recipient, Telling
from notifications import fanout
from tests.factories.people import Signed
from tests.fakes.small_city import SmallCity
from tests.scenarios.test_carrier_trouble import arrived, sos, with_app

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def city(small_city: SmallCity) -> Iterator[SmallCity]:
    """The city, and the hour as it was afterwards."""
    small_city.store.deliveries.delete_many({})
    before = small_city.ahead
    yield small_city
    small_city.settle()
    small_city.ahead = before


def until_clock(city: SmallCity, hour: int, minute: int = 0) -> None:
    """Let time pass until it is this hour in Lahore."""
    local = city.now().astimezone(cities.current("lahore").zone)
    wanted = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    city.ahead += (wanted if wanted > local else wanted + timedelta(days=1)) - local


def news(city: SmallCity, to: Signed, incident: str, number: int, *, valid: timedelta = timedelta(days=1)) -> str:
    """A status update by SMS that can wait until morning; its delivery's id."""
    telling = Telling(
        key=f"news-{incident}-{number}", city="lahore", purpose="incident_updated", subject=incident,
        recipient=Recipient("person", to.person_id), plan=("sms",), valid_for=valid, refs={"status": "closed"},
    )  # fmt: skip
    (delivery,) = fanout.tell([telling], city.context.post)
    fanout.settle()
    return delivery


def kept(city: SmallCity, delivery: str) -> dict[str, Any]:
    """A delivery as it is stored."""
    return dict(city.store.deliveries.find_one({"_id": delivery}))


def updates(city: SmallCity, to: Signed) -> list[str]:
    """The status updates on a phone."""
    return [text for text in city.texts(to.phone) if "/t/" in text]


def test_quiet_hours_hold_a_status_update_but_not_an_offer(city: SmallCity) -> None:
    until_clock(city, 23)
    responder = city.responder()
    incident = sos(city)
    arrived(city, responder)  # whoever can come is asked at any hour
    update = news(city, responder, incident, 1)
    assert kept(city, update)["held"]["reason"] == "quiet_hours"
    city.skip(3600)
    assert updates(city, responder) == []
    until_clock(city, 7, 1)
    city.skip(0)
    city.carriers.wait_for(lambda: len(updates(city, responder)) == 1)


def test_an_update_that_no_longer_matters_in_the_morning_is_not_sent(city: SmallCity) -> None:
    until_clock(city, 23)
    responder = city.responder()
    update = news(city, responder, sos(city), 1, valid=timedelta(hours=2))
    city.skip(2 * 3600 + 1)
    assert (kept(city, update)["status"], kept(city, update)["reason"]) == ("suppressed", "expired")
    until_clock(city, 8)
    city.skip(0)
    assert updates(city, responder) == []


def test_ten_updates_of_a_night_become_one_with_the_latest_state(city: SmallCity) -> None:
    until_clock(city, 23)
    responder = city.responder()
    incident = sos(city)
    held = []
    for number in range(10):
        city.ahead += timedelta(seconds=10)
        held.append(news(city, responder, incident, number))
    assert updates(city, responder) == []
    until_clock(city, 7, 1)
    city.skip(0)
    city.carriers.wait_for(lambda: updates(city, responder))
    city.skip(700)
    assert len(updates(city, responder)) == 1
    reasons = [(kept(city, each)["status"], kept(city, each).get("reason")) for each in held]
    assert reasons[:-1] == [("suppressed", "bundled")] * 9
    assert reasons[-1][0] in {"sent", "delivered"}


def test_a_number_that_had_enough_gets_one_more_and_an_alarm_at_once(city: SmallCity) -> None:
    """Ten updates by day: five arrive, the rest become one at the end of the window. An offer counts for nothing."""
    until_clock(city, 12, 0)
    city.ahead += timedelta(seconds=600 - city.now().timestamp() % 600)  # a window begins
    responder = city.responder()
    incident = sos(city)
    for number in range(10):
        city.ahead += timedelta(seconds=1)
        news(city, responder, incident, number)
    city.carriers.wait_for(lambda: len(updates(city, responder)) == 5)
    for _ in range(2):
        sos(city)
    arrived(city, responder, 3)
    city.skip(600)
    city.carriers.wait_for(lambda: len(updates(city, responder)) == 6)
    city.skip(600)
    assert len(updates(city, responder)) == 6


def test_a_push_at_night_makes_no_sound_and_the_newest_takes_the_place_of_the_last(city: SmallCity) -> None:
    until_clock(city, 23)
    responder, token = with_app(city)
    incident = sos(city)
    for number, status in enumerate(("en_route", "closed")):
        telling = Telling(
            key=f"pushed-{number}", city="lahore", purpose="incident_updated", subject=incident,
            recipient=Recipient("person", responder.person_id), plan=("fcm",), valid_for=timedelta(hours=1),
            refs={"status": status},
        )  # fmt: skip
        fanout.tell([telling], city.context.post)
        fanout.settle()
    pushes = [each["message"] for each in city.carriers.device(token)["pushes"]]
    offer, awake, asleep = pushes
    assert [each["android"]["notification"]["channel_id"] for each in pushes] == ["urgent", "normal", "quiet"]
    assert "collapse_key" not in offer["android"]
    assert awake["android"]["collapse_key"] == asleep["android"]["collapse_key"] == incident
