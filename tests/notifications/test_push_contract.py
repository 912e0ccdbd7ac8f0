"""The check that every test's pushes go through: it would notice."""

from typing import Any

import pytest

from tests.fakes.carriers_process import CarriersProcess
from tests.fakes.push_contract import faults
from tests.notifications.twins import fcm, twin_of


def push(**changed: Any) -> dict[str, Any]:
    """A right push as a phone got it, with something changed."""
    data = {
        "type": "incident.updated", "v": "1", "delivery_id": "dlv_1", "receipt_token": "0123456789ab",
        "incident_id": "inc_1",
    }  # fmt: skip
    right = {"data": data, "notification": {"title": "Amaan", "body": "There is news for you."}}
    return {**right, **changed}


def test_a_right_one_passes() -> None:
    assert faults([push(), push(notification={"title": "امان", "body": "آپ کے لیے نئی اطلاع ہے۔"})]) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"data": push()["data"] | {"name": "Sara"}}, "name"),
        ({"data": {**push()["data"], "incident_id": ""}}, "does not match"),
        ({"data": {**push()["data"], "type": "sos.raised"}}, "no schema"),
        ({"notification": None}, "not shown"),
        ({"notification": {"title": "Amaan", "body": "Sara raised an SOS"}}, "not the catalogue's"),
        ({"notification": {"title": "Sara", "body": "There is news for you."}}, "not the catalogue's"),
    ],
)
def test_a_wrong_one_is_named(changed: dict[str, Any], expected: str) -> None:
    (found,) = faults([push(**changed)])
    assert expected in found


def test_what_arrived_on_local_phones_is_looked_at(carriers: CarriersProcess) -> None:
    twin = twin_of("fcm", carriers)
    message = twin.message()
    wrong = message.__class__(**{**message.__dict__, "data": {"type": "incident.updated", "v": "1"}})
    fcm(carriers, carriers.url).send(wrong, timeout_s=5)
    with pytest.raises(AssertionError, match=r"incident\.updated"):
        carriers.reset()
    assert not carriers.broken_pushes(), "and it is gone"
