"""Four neighbours say the same: of four homes it is believed, of one it is not; and no address is kept of any."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from runtime import mongo
from tests.api.conftest import Hand
from tests.factories.people import Signed, signed_in

HERE = {"lat": 31.5102, "lon": 74.3441, "accuracy_m": 10.0}


@pytest.mark.parametrize(
    ("addresses", "voices", "believed"),
    [
        (["2400:adc1:1:1::1", "2400:adc1:1:2::1", "2400:adc1:1:3::1", "2400:adc1:1:4::1"], 4, True),
        (["2400:adc1:1:1::1", "2400:adc1:1:1::2", "2400:adc1:1:1::3", "2400:adc1:1:1::4"], 1, False),
        (["39.32.1.1", "39.33.1.1", "39.34.1.1", "39.35.1.1"], 4, True),
        (["39.32.1.1", "39.32.1.2", "39.32.1.3", "39.32.1.4"], 4, False),
        (["39.32.1.1", "39.32.1.2", "39.33.1.3", "39.33.1.4", "39.34.1.5"], 5, True),
        (["127.0.0.1"] * 4, 4, True),
        (["100.64.3.3"] * 4, 4, True),
    ],
    ids=[
        "homes",
        "one home",
        "networks",
        "one carrier's gateway",
        "five of three gateways",
        "a laptop",
        "inside of a carrier",
    ],
)
def test_what_one_network_is_worth(
    api: FlaskClient, clock: Hand, addresses: list[str], voices: int, believed: bool
) -> None:
    clock.forward(days=1)
    people = [signed_in(clock(), created_at=clock() - timedelta(days=60 + number)) for number in range(len(addresses))]
    where = {"position": {**HERE, "captured_at": clock().isoformat().replace("+00:00", "Z")}}

    def sends(who: Signed, path: str, address: str, **body: object) -> dict[str, object]:
        headers = {**who.headers, "Idempotency-Key": who.person_id}
        answer = api.post(
            f"/v1/watch/reports{path}", json={**where, **body}, headers=headers,
            environ_overrides={"REMOTE_ADDR": address},
        )  # fmt: skip
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, object] = answer.json or {}
        return found

    made = sends(people[0], "", addresses[0], category="fire", note="Smoke.")
    for who, address in zip(people[1:], addresses[1:], strict=True):
        after = sends(who, f"/{made['id']}/confirmations", address, stand="confirm")
    assert (after["voices"], after["believed"]) == (voices, believed)
    kept = [*mongo.database().watch_reports.find(), *mongo.database().watch_voices.find()]
    assert not any(address in repr(row) for row in kept for address in addresses)
    tells = not addresses[0].startswith(("127.", "100.64."))
    assert [bool(row.get("author_address")) for row in kept if row["_id"] == made["id"]] == [tells]
