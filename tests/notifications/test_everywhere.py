"""One push to several phones: sent when one was, failed by what leaves most hope, and over in the time of one."""

import time
from collections.abc import Mapping
from datetime import datetime

import pytest

from notifications.channel import ChannelError, FailureCode, Permanent, Temporary, Unknown
from notifications.everywhere import send
from notifications.messages import Address, AddressKind, Message, Sent

GONE = Permanent(FailureCode.UNREGISTERED, retire=True)
BUSY = Temporary(FailureCode.RATE_LIMITED, retry_after=7)
LOST = Unknown(FailureCode.NO_ANSWER)


class Phones:
    """A channel whose addresses say what becomes of a push to them; a number is how many seconds it takes."""

    kind = AddressKind.FCM
    name = "phones"

    def __init__(self, fates: Mapping[str, ChannelError | float]) -> None:
        self.fates = fates

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        fate = self.fates[message.to.value]
        if isinstance(fate, ChannelError):
            raise fate
        time.sleep(min(fate, timeout_s))
        if fate > timeout_s:
            raise LOST
        return Sent(vendor_id=message.to.value)

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        return None


def told(fates: Mapping[str, ChannelError | float], *, timeout_s: float = 1.0) -> tuple[str, list[str]]:
    """(who answered for it, whose address died)."""
    dead: list[str] = []
    message = Message(key="dlv_1-1", to=Address(AddressKind.FCM, "a"))
    others = [Address(AddressKind.FCM, each) for each in fates if each != "a"]
    sent = send(Phones(fates), message, others, timeout_s=timeout_s, dead=lambda to: dead.append(to.value))
    return sent.vendor_id, sorted(dead)


@pytest.mark.parametrize(
    ("fates", "by", "dead"),
    [
        ({"a": 0.0, "b": 0.0, "c": 0.0}, "a", []),
        ({"a": GONE, "b": 0.0, "c": GONE}, "b", ["a", "c"]),
        ({"a": LOST, "b": BUSY, "c": 0.0}, "c", []),
    ],
)
def test_it_was_sent_when_one_was(fates: dict[str, ChannelError | float], by: str, dead: list[str]) -> None:
    assert told(fates) == (by, dead)


@pytest.mark.parametrize(
    ("one", "other", "raised"),
    [(GONE, BUSY, BUSY), (BUSY, LOST, LOST), (LOST, GONE, LOST), (GONE, GONE, GONE)],
)
def test_it_failed_by_what_leaves_most_hope(one: ChannelError, other: ChannelError, raised: ChannelError) -> None:
    with pytest.raises(type(raised)) as error:
        told({"a": one, "b": other})
    assert error.value.code == raised.code


def test_three_that_hang_take_the_time_of_one() -> None:
    began = time.monotonic()
    with pytest.raises(Unknown):
        told({"a": 9.0, "b": 9.0, "c": 9.0}, timeout_s=0.3)
    assert time.monotonic() - began < 0.6
