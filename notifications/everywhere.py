"""One push to all phones of somebody, side by side: nobody knows which one is in their hand.

It is one delivery and one attempt: each phone gets the same delivery id, and a receipt of any of them ends it. It counts
as sent when one phone's was; it failed only when all did, and then by what leaves most hope.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import lru_cache

from notifications.channel import Channel, ChannelError, FailureCode, Permanent, Temporary, Unknown
from notifications.messages import Address, Message, Sent

OTHERS = 64
"""Threads for the second and third phones: as many as deliveries have for the first."""
_A_MOMENT_S = 0.1
"""For what ended just in time to say so: all of it stays within the lease of the attempt."""
_HOPE = (Unknown, Temporary, Permanent)
"""Failures, the least certain first."""


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(OTHERS, thread_name_prefix="push")


def send(
    channel: Channel, message: Message, also: Sequence[Address], *, timeout_s: float, dead: Callable[[Address], None]
) -> Sent:
    """Hand the message to the carrier for its own address and for `also`; returns or raises as `Channel.send` does.

    `dead` hears of each push address that will never work again.
    """

    def one(to: Address) -> Sent | ChannelError:
        try:
            return channel.send(message if to is message.to else replace(message, to=to), timeout_s=timeout_s)
        except ChannelError as error:
            if isinstance(error, Permanent) and error.retire and channel.kind == "fcm":
                dead(to)
            return error

    if not also:  # nearly everybody has one phone, and a broadcast has many people
        only = one(message.to)
        if isinstance(only, Sent):
            return only
        raise only
    until = time.monotonic() + timeout_s
    others = [_pool().submit(one, to) for to in also]
    outcomes = [one(message.to)]
    done, late = wait(others, timeout=max(0.0, until - time.monotonic()) + _A_MOMENT_S)
    for each in late:
        each.cancel()
    outcomes += [each.result() for each in others if each in done]
    outcomes += [Unknown(FailureCode.NO_ANSWER)] * len(late)
    failures = []
    for outcome in outcomes:
        if isinstance(outcome, Sent):
            return outcome
        failures.append(outcome)
    raise min(failures, key=lambda error: _HOPE.index(type(error)))
