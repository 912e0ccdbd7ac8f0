"""A watched carrier: what became of each message is counted, with how long it took and what it cost, whoever sends."""

import dataclasses
import os
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.cities import queries as cities
from domain.cities.config import Price
from domain.insights import carriers
from domain.insights.carriers import Whose
from notifications.channel import FailureCode, Permanent, Temporary, Unknown
from notifications.messages import Address, AddressKind, Message, Sent
from notifications.observed import Observed, Tally

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Carrier:
    """Answers as it is told."""

    kind = AddressKind.SMS
    name = "twilio_sms"

    def __init__(self, *answers: Sent | Exception) -> None:
        self.answers = list(answers)

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        return Sent("found")


def message(city: str = "lahore", number: str = "+923000000001") -> Message:
    return Message(key="dlv_1-1", to=Address(AddressKind.SMS, number), text="hello", city=city)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Whose, dict[str, float]]]:
    """What reaches the store."""
    found: list[tuple[Whose, dict[str, float]]] = []
    monkeypatch.setattr(carriers, "add", lambda whose, counters, *, at: found.append((whose, dict(counters))))
    return found


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A city that pays by segment, less at home."""
    prices = (Price("twilio_sms", "", "USD", 0.5), Price("twilio_sms", "+92", "PKR", 12.5))
    config = dataclasses.replace(cities.current("lahore"), prices=prices)
    monkeypatch.setattr(cities, "current", lambda city: config)


def test_each_outcome_is_counted_with_its_time_and_cost(
    counted: list[tuple[Whose, dict[str, float]]], priced: None
) -> None:
    tally = Tally()
    failures: list[Exception] = [
        Temporary(FailureCode.CARRIER_DOWN),
        Permanent(FailureCode.INVALID_ADDRESS, retire=True),
        Unknown(FailureCode.NO_ANSWER),
    ]
    channel = Observed(Carrier(Sent("SM1", 2), *failures, Sent("SM2")), clock=lambda: NOW, counts=tally)
    assert (channel.kind, channel.name) == (AddressKind.SMS, "twilio_sms")
    assert channel.send(message(), timeout_s=1) == Sent("SM1", 2)
    for failure in failures:
        with pytest.raises(type(failure)):
            channel.send(message(), timeout_s=1)
    channel.send(message(number="+14155550100"), timeout_s=1)
    assert channel.reconcile(message(), since=NOW) == Sent("found")  # sends nothing, counts nothing
    tally.flush()
    assert {whose for whose, _ in counted} == {Whose("twilio_sms", "sms", "lahore")}
    counters: Counter[str] = sum((Counter(each) for _, each in counted), Counter())  # its own thread may have written
    assert (counters["n.taken"], counters["n.temporary"], counters["n.permanent"], counters["n.unknown"]) == (
        2,
        1,
        1,
        1,
    )
    assert counters["sums.segments"] == 3
    assert counters["cost.PKR"] == 25.0
    assert counters["cost.USD"] == 0.5
    assert (counters["now.n"], counters["now.faults"]) == (5, 2)  # a wrong number is not the carrier's fault
    assert sum(value for name, value in counters.items() if name.startswith("ms.")) == 5


def test_what_the_store_does_not_take_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    tally, taken = Tally(), []
    channel = Observed(Carrier(*[Sent("SM")] * 3), clock=lambda: NOW, counts=tally)

    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(carriers, "add", away)
    for _ in range(2):
        channel.send(message(""), timeout_s=1)
        tally.flush()
    monkeypatch.setattr(carriers, "add", lambda whose, counters, *, at: taken.append(counters["n.taken"]))
    channel.send(message(""), timeout_s=1)
    tally.flush()
    assert sum(taken) == 3


def test_a_child_does_not_count_its_parents_messages_again(counted: list[tuple[Whose, dict[str, float]]]) -> None:
    tally = Tally()
    Observed(Carrier(Sent("SM")), clock=lambda: NOW, counts=tally).send(message(), timeout_s=1)
    child = os.fork()
    if child == 0:  # pragma: no cover
        tally.flush()
        os._exit(len(counted))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize(("number", "expected"), [("+923001234567", "PKR"), ("+14155550100", "USD"), ("", "USD")])
def test_the_longest_prefix_has_the_price(priced: None, number: str, expected: str) -> None:
    price = cities.current("lahore").price("twilio_sms", number)
    assert price is not None
    assert price.currency == expected
    assert cities.current("lahore").price("fcm", number) is None
