"""A broadcast whose SMS go through a second gateway: what that gateway reports is heard, and nobody is left in the middle."""

import itertools
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from domain.alerts import service as alerts
from domain.cities import queries as cities
from domain.ids import derived_id
from notifications import reports
from notifications.bulk import deliver as bulk
from notifications.bulk.deliver import Ended
from notifications.bulk.go import Batch
from notifications.gateways import Gateways, Trait
from tests.fakes.small_city import PLACE, TWO_GATEWAYS, SmallCity

pytestmark = pytest.mark.timeout(60)
_numbers = itertools.count(int.from_bytes(uuid.uuid4().bytes[:2]))


@pytest.fixture
def city(small_city: SmallCity) -> Iterator[SmallCity]:
    """The city with healthy carriers, of which nothing bad is known."""
    small_city.by_day()
    small_city.carriers.clear_switches()
    yield small_city
    small_city.carriers.clear_switches()
    small_city.settle()
    gateways = _sms(small_city)
    for name in gateways.names:
        gateways.told(name, None, small_city.now())


def _sms(city: SmallCity) -> Gateways:
    found = city.context.channels["sms"]
    assert isinstance(found, Gateways)
    return found


def batch(city: SmallCity) -> Batch:
    """A severe alert for one person, whose number both gateways serve."""
    person = city.responder(phone=f"{TWO_GATEWAYS}{next(_numbers) % 10_000_000:07d}")
    lat, lon = PLACE
    square = [[lon, lat], [lon + 0.01, lat], [lon + 0.01, lat + 0.01], [lon, lat + 0.01], [lon, lat]]
    facts = {
        "category": "Met", "severity": "Severe", "urgency": "Immediate", "certainty": "Observed",
        "texts": {each: {"event": "Flood", "headline": "Flood"} for each in ("en", "ur")},
        "area": {"geometry": {"type": "Polygon", "coordinates": [square]}},
    }  # fmt: skip
    alert_id, now, config = derived_id("alt", uuid.uuid4().hex), city.now(), cities.current("lahore")
    alerts.draft(alert_id, facts, config, by="test", now=now)
    alerts.issue(alert_id, config, sender="amaan@test.example", by="test", now=now, broadcast=False)
    return Batch(
        id=derived_id("bat", alert_id), city="lahore", purpose="alert_issued", subject=alert_id,
        people=[person.person_id], life_critical=True, receipt_wait_s=20, valid_until=now + timedelta(hours=1),
    )  # fmt: skip


def deliver(city: SmallCity, told: Batch) -> Ended:
    return bulk.deliver(told, city.context.post, keep=lambda: True)


def ways(city: SmallCity, told: Batch) -> list[tuple[str, str]]:
    """(gateway, state) of each attempt at the one person."""
    attempts = city.store.deliveries.find_one({"batch": told.id})["attempts"]
    return [(attempts[number]["gateway"], attempts[number]["state"]) for number in sorted(attempts, key=int)]


def test_the_second_gateway_reports_where_it_was_told_to(city: SmallCity) -> None:
    city.carriers.set_switch("sms", status=503)
    told = batch(city)
    assert deliver(city, told).told
    city.wait_for(lambda: ways(city, told) == [("twilio_sms", "temporary"), ("local_http", "delivered")])


def test_one_that_reports_by_its_own_id_finds_its_message(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    traits: dict[str, Any] = {"local_http": Trait(reports="by_id")}
    monkeypatch.setattr(_sms(city), "_traits", traits)
    city.carriers.set_switch("sms", status=503)
    told = batch(city)
    deliver(city, told)
    row = city.store.deliveries.find_one({"batch": told.id})
    assert row["vendor_ids"] == [f"local_http:{row['attempts']['2']['vendor_id']}"]


def test_what_several_goes_did_not_finish_is_due_again(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROUNDS", 1)
    city.carriers.set_switch("sms", status=503)
    told = batch(city)
    ended = deliver(city, told)
    assert ended.due is not None
    assert ways(city, told) == [("twilio_sms", "temporary")]
    deliver(city, told)
    city.wait_for(lambda: ways(city, told)[1:] == [("local_http", "delivered")])


def test_a_report_that_overtakes_the_answer_comes_again(city: SmallCity) -> None:
    """A gateway is told that we do not know its message, and tells us later; of an attempt that is gone it is not asked."""
    secret = city.settings.signing_key
    early = {"id": f"GW{uuid.uuid4().hex}", "status": "FAILED", "error": "E30"}
    by_id = reports.standing_address(city.url, secret, "local_http")
    assert requests.post(by_id, json=early, timeout=10).status_code == 404
    gone = reports.address(city.url, secret, "local_http", "dlv_gone", 1)
    assert requests.post(gone, json=early, timeout=10).status_code == 204
