"""A canal leaves its banks: an operator warns a district, everybody who lives there hears it once on each phone, the operator
sees how far it is, updates it, and says when it is over.

The API, the jobs, the sweeper, the vendors' own clients and the carriers' process are real.
"""

import itertools
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from sandbox import crowd
from sandbox.crowd import Neighbour
from tests.factories.people import Signed, staff
from tests.fakes.small_city import PLACE, SmallCity

pytestmark = pytest.mark.timeout(60)

GULBERG = {
    "type": "Polygon",
    "coordinates": [[[74.32, 31.49], [74.37, 31.49], [74.37, 31.53], [74.32, 31.53], [74.32, 31.49]]],
}
TEXTS = {
    "en": {
        "event": "Flood",
        "headline": "Flood in Gulberg: the canal has left its banks",
        "instruction": "Go to higher ground now. Do not drive.",
    },
    "ur": {
        "event": "سیلاب",
        "headline": "گلبرگ میں سیلاب: نہر کناروں سے باہر",
        "instruction": "فوراً اونچی جگہ جائیں۔ گاڑی نہ چلائیں۔",
    },
}
SEVERE = {"category": "Met", "severity": "Severe", "urgency": "Immediate", "certainty": "Observed"}


_crowds = itertools.count()


@pytest.fixture
def city(small_city: SmallCity) -> Iterator[SmallCity]:
    """The city with healthy carriers, nobody who follows alerts, and no alert."""
    for collection in ("deliveries", "alerts", "alert_batches", "people"):
        small_city.store[collection].delete_many({})
    small_city.carriers.clear_switches()
    small_city.ahead = timedelta(0)
    yield small_city
    small_city.carriers.clear_switches()
    small_city.settle()


@pytest.fixture
def operator(city: SmallCity) -> Signed:
    return staff(city.now(), "operator")


def people(city: SmallCity, count: int, *, app_share: float = 0.8, **place: Any) -> list[Neighbour]:
    """Neighbours whose phones answer pushes."""
    seed = uuid.uuid4().hex[:8]
    first = 100_000 + 500 * next(_crowds)
    made = crowd.settle_in(
        "lahore", place.pop("at", PLACE), count, now=city.now(), app_share=app_share, seed=seed, first=first, **place
    )
    devices = [
        {"token": each.token, "number": each.number, "auto_receipt": True, "api_url": city.url}
        for each in made
        if each.token
    ]
    city.carriers.call("PUT", "/devices", {"devices": devices})
    return made


def write(city: SmallCity, operator: Signed, *, key: str = "", **fields: Any) -> requests.Response:
    body = {"city": "lahore", "texts": TEXTS, **SEVERE, "area": {"geometry": GULBERG}, "issue": True, **fields}
    headers = {**operator.headers, "Idempotency-Key": key or str(uuid.uuid4())}
    return requests.post(f"{city.url}/v1/alerts", json=body, headers=headers, timeout=20)


def shown(city: SmallCity, who: Signed, alert_id: str) -> dict[str, Any]:
    answer = requests.get(f"{city.url}/v1/alerts/{alert_id}", headers=who.headers, timeout=10)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def received(city: SmallCity, who: Signed, alert_id: str) -> int:
    """How many phones have said so, as the sweeper counts it."""
    city.skip(3)
    return int(shown(city, who, alert_id)["progress"]["received"])


def inboxes(city: SmallCity) -> tuple[Counter[str], Counter[str], list[dict[str, Any]]]:
    """(pushes by phone, each delivery once as an app shows it; SMS by number; every push as it came)."""
    items = city.carriers.call("GET", "/messages.json")["items"]
    pushes = [each for each in items if each["kind"] == "push" and each["data"]["type"] == "alert.issued"]
    once = {(each["token"], each["data"]["delivery_id"]) for each in pushes}
    texts = [each for each in items if each["kind"] == "sms"]
    return Counter(token for token, _ in once), Counter(each["to"] for each in texts), pushes


def test_everybody_in_the_district_is_told_once(city: SmallCity, operator: Signed) -> None:
    inside = people(city, 120)
    outside = people(city, 10, at=(31.40, 74.25), radius_m=500)
    far = people(city, 5, at=(31.5102, 74.41), radius_m=200)
    answer = write(city, operator)
    assert answer.status_code == 201
    alert = answer.json()
    city.settle()
    pushed, texted, _ = inboxes(city)
    assert pushed == {each.token: 1 for each in inside if each.token}
    assert texted == {each.number: 1 for each in inside if not each.token}
    assert not {each.number for each in [*outside, *far]} & texted.keys()
    city.wait_for(lambda: received(city, operator, alert["id"]) == len(pushed))
    progress = shown(city, operator, alert["id"])["progress"]
    assert progress["state"] == "told"
    assert (progress["people"], progress["sent"], progress["failed"], progress["unknown"]) == (120, 120, 0, 0)
