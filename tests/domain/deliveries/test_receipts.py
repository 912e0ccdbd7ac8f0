"""Receipts come in any order, also before the carrier's answer has been written down: the best that is known stays."""

import itertools
import uuid
from datetime import timedelta
from typing import Any

import pytest

from domain.deliveries import service as store
from domain.deliveries.service import Recipient, Telling
from domain.deliveries.states import AttemptState, DeliveryStatus
from domain.errors import NotFound
from tests.factories.incidents import NOON, SECRET

pytestmark = pytest.mark.usefixtures("documents")

LATER = NOON + timedelta(seconds=1)
DUE = NOON + timedelta(seconds=5)


def telling(**fields: Any) -> Telling:
    return Telling(
        key=uuid.uuid4().hex,
        city="lahore",
        purpose="assignment_offered",
        subject="inc_1",
        recipient=Recipient("person", "per_1"),
        plan=("fcm", "sms"),
        valid_for=timedelta(minutes=10),
        **fields,
    )


@pytest.mark.parametrize("token", ["", "x" * 26, "\ud800", "\u06f1"])
def test_a_receipt_with_another_token_is_of_no_delivery(token: str) -> None:
    """Whatever a client may write in JSON, and in constant time: the right token is not to be felt out."""
    made, _ = store.write_down(telling(), now=NOON)
    right = store.receipt_token(SECRET, made["_id"])
    for wrong in (token, right[:-1] + token, right + token or "x"):
        if wrong != right:
            with pytest.raises(NotFound):
                store.receive(made["_id"], wrong, DeliveryStatus.RECEIVED, secret=SECRET, now=LATER)
    assert store.get(made["_id"])["status"] == DeliveryStatus.QUEUED
    assert store.receive(made["_id"], right, DeliveryStatus.RECEIVED, secret=SECRET, now=LATER)["received_at"] == LATER


def begun(channel: str = "sms") -> dict[str, Any]:
    """A delivery whose first attempt is under way."""
    made, _ = store.write_down(telling(), now=NOON)
    found = store.begin(made, channel, device=None, now=NOON)
    assert found is not None
    return found


def report(row: dict[str, Any], state: AttemptState) -> None:
    store.reported(row["_id"], 1, state, code="", vendor_code="", now=LATER)


def answered(row: dict[str, Any], state: AttemptState = AttemptState.SENT) -> None:
    outcome = {"state": str(state), "vendor_id": "SM1", "segments": 1, "done_at": NOON}
    store.finish(row, 1, outcome, next_at=DUE)


def test_the_same_telling_is_one_delivery() -> None:
    told = telling()
    first, made = store.write_down(told, now=NOON)
    again, made_again = store.write_down(told, now=LATER)
    assert (made, made_again) == (True, False)
    assert first["_id"] == again["_id"]


def test_of_two_that_begin_at_once_one_sends() -> None:
    made, _ = store.write_down(telling(), now=NOON)
    assert store.begin(made, "sms", device=None, now=NOON) is not None
    assert store.begin(made, "sms", device=None, now=NOON) is None


@pytest.mark.parametrize(
    ("receipt", "state", "status"),
    [
        (AttemptState.SENT, "sent", "sent"),
        (AttemptState.DELIVERED, "delivered", "delivered"),
        (AttemptState.TEMPORARY, "temporary", "sent"),
        (AttemptState.PERMANENT, "permanent", "sent"),
    ],
)
def test_a_receipt_that_overtakes_the_answer_stays(receipt: AttemptState, state: str, status: str) -> None:
    row = begun()
    report(row, receipt)
    answered(row)
    found = store.get(row["_id"])
    assert found["attempts"]["1"]["state"] == state
    assert found["attempts"]["1"]["vendor_id"] == "SM1"
    assert found["status"] == status
    if receipt in {AttemptState.TEMPORARY, AttemptState.PERMANENT}:
        assert found["next_at"] == LATER, "another way must be tried at once"


def test_an_answer_that_never_came_takes_no_receipt_back() -> None:
    row = begun()
    report(row, AttemptState.DELIVERED)
    answered(row, AttemptState.UNKNOWN)
    assert store.get(row["_id"])["attempts"]["1"]["state"] == "delivered"


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["answer", "sent", "delivered", "seen"])), ids=lambda order: "-".join(order)
)
def test_in_any_order_the_best_is_known_in_the_end(order: tuple[str, ...]) -> None:
    row = begun("fcm")
    token = store.receipt_token(SECRET, row["_id"])
    for each in order:
        if each == "answer":
            answered(row)
        elif each == "seen":
            store.receive(row["_id"], token, DeliveryStatus.SEEN, secret=SECRET, now=LATER)
        else:
            report(row, AttemptState(each))
    found = store.get(row["_id"])
    assert found["status"] == "seen"
    assert found["attempts"]["1"]["state"] == "delivered"
    assert found["attempts"]["1"]["vendor_id"] == "SM1"
    assert "next_at" not in found, "nothing more is sent"


def test_a_receipt_for_what_was_never_sent_is_not_found() -> None:
    made, _ = store.write_down(telling(), now=NOON)
    with pytest.raises(NotFound):
        report(made, AttemptState.DELIVERED)
    with pytest.raises(NotFound):
        store.receive(made["_id"], "x" * 12, DeliveryStatus.SEEN, secret=SECRET, now=LATER)
    assert store.get(made["_id"])["status"] == "queued"
