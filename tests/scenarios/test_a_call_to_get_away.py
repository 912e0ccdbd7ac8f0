"""Her phone rings when she asked for it, and only then: by the app, or by a call that sounds like any other."""

import uuid
from typing import Any

import requests

from domain.people import devices
from domain.people.devices import DeviceFacts
from tests.factories.people import Signed, signed_in
from tests.fakes.small_city import SmallCity


def call(city: SmallCity, who: Signed, method: str, path: str, **body: Any) -> requests.Response:
    headers = {"Idempotency-Key": str(uuid.uuid4()), **who.headers}
    sent = body if method == "POST" else None
    return requests.request(method, f"{city.url}{path}", json=sent, headers=headers, timeout=10)


def with_app(city: SmallCity) -> Signed:
    who = signed_in(city.now(), language="en")
    devices.bind(who.person_id, who.session_id, DeviceFacts("dev1", token=f"tok-{who.person_id}"), now=city.now())
    return who


def deliveries(city: SmallCity, who: Signed) -> list[dict[str, Any]]:
    return [
        row
        for row in city.store["deliveries"].find({"purpose": "call_due"})
        if row["recipient"]["id"] == who.person_id
    ]


def test_the_app_rings_after_a_while_once(small_city: SmallCity) -> None:
    city, who = small_city, with_app(small_city)
    asked = call(city, who, "POST", "/v1/fake-calls", in_s=60, label="Abbu").json()
    city.skip(30)
    assert deliveries(city, who) == []
    for _ in range(3):
        city.skip(31)
    (delivery,) = deliveries(city, who)
    assert [each["channel"] for each in delivery["attempts"].values()] == ["fcm"]
    assert "Abbu" not in str(delivery), "the name that she chose stands in no delivery"
    assert call(city, who, "GET", f"/v1/fake-calls/{asked['id']}").json()["label"] == "Abbu"
    assert call(city, signed_in(city.now()), "GET", f"/v1/fake-calls/{asked['id']}").status_code == 404


def test_a_call_of_ours_sounds_like_any_other(small_city: SmallCity) -> None:
    city, who = small_city, with_app(small_city)
    call(city, who, "POST", "/v1/fake-calls", by="voice")
    city.skip(1)
    found = city.wait_for(lambda: city.carriers.inbox(who.phone)["calls"])
    assert len(found) == 1


def test_what_is_taken_back_does_not_ring(small_city: SmallCity) -> None:
    city, who = small_city, with_app(small_city)
    asked = call(city, who, "POST", "/v1/fake-calls", in_s=60).json()
    assert call(city, who, "DELETE", f"/v1/fake-calls/{asked['id']}").status_code == 204
    city.skip(120)
    assert deliveries(city, who) == []
    assert call(city, who, "POST", "/v1/fake-calls", in_s=-1).status_code == 422
    assert call(city, who, "POST", "/v1/fake-calls", in_s=90_000).status_code == 422
