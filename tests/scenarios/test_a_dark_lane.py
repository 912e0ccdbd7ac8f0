"""Women who pass a lane rate it, each from her own phone; the city's planners see it once enough have, and never who."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import requests

from domain import geo
from domain.cities import queries as cities
from domain.people.sign_in import Lifetimes, tokens_for
from domain.place_audits.states import Aspect
from tests.factories.people import SECRET, Signed, signed_in, staff
from tests.fakes.small_city import PLACE, SmallCity

LANE = geo.destination(*PLACE, 200.0, 900.0)
OTHER = geo.destination(*PLACE, 20.0, 2500.0)


def rates(
    city: SmallCity, who: Signed, stars: int, *, at: datetime, lane: tuple[float, float] = LANE
) -> requests.Response:
    seen = at.isoformat()
    headers = {"Idempotency-Key": str(uuid.uuid4()), "Sent-At": city.now().isoformat(), **who.headers}
    body = {
        "position": {"lat": lane[0], "lon": lane[1], "captured_at": seen},
        "ratings": dict.fromkeys(map(str, Aspect), stars),
    }
    answer = requests.post(f"{city.url}/v1/place-audits", json=body, headers=headers, timeout=10)
    assert answer.status_code == 201, answer.text
    city.settle()
    return answer


def layer(city: SmallCity, planner: Signed, hour: int) -> list[dict[str, Any]]:
    token = tokens_for(SECRET, planner.person_id, planner.session_id, Lifetimes(), now=city.now()).access_token
    answer = requests.get(
        f"{city.url}/v1/insights/place-audits",
        params={"city": "lahore", "hour": str(hour)},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["features"]
    return found


def test_enough_who_passed_it_are_heard_and_fewer_are_not(small_city: SmallCity) -> None:
    city, planner = small_city, staff(small_city.now(), "analyst")
    k = cities.current("lahore").place_audits_k
    at = city.now()  # one hour for all, whenever this runs
    first = rates(city, signed_in(at), 0, at=at)
    hour = first.json()["hour"]
    for _ in range(k - 2):
        rates(city, signed_in(at), 1, at=at)
    assert layer(city, planner, hour) == []
    city.idle = True  # the queue loses the last one: the sweeper finds it
    try:
        rates(city, signed_in(at), 1, at=at)
        assert layer(city, planner, hour) == []
        for _ in range(3):
            city.skip(3)
        (cell,) = city.wait_for(lambda: layer(city, planner, hour))
    finally:
        city.idle = False
    assert cell["id"] == geo.cells(*LANE).r9
    assert cell["properties"]["n"] == k
    assert cell["properties"]["ratings"]["lighting"] == round((k - 1) / k, 1)


def test_one_from_a_phone_that_was_offline_counts_for_the_hour_at_which_it_was_made(small_city: SmallCity) -> None:
    city = small_city
    at = city.now()
    now_hour = rates(city, signed_in(at), 2, at=at, lane=OTHER).json()["hour"]
    earlier = rates(city, signed_in(at), 2, at=at - timedelta(hours=3), lane=OTHER).json()["hour"]
    assert (now_hour - earlier) % 24 == 3
