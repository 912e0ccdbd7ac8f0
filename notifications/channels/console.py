"""The channel without a carrier: prints each message as one line of JSON, for a first start and as the vendors' twin.

A line carries the text but of the address only its end, since terminals end up in logs.
"""

import json
from collections import OrderedDict
from datetime import UTC, datetime
from threading import Lock
from typing import TextIO

from notifications.channel import FailureCode, Permanent, Temporary, Unknown
from notifications.channels.bounded import within
from notifications.messages import AddressKind, Message, Sent
from notifications.render.segments import count

_REMEMBERED = 1000


class ConsoleChannel:
    """Prints to `out`. Success: the line was written and flushed."""

    kind = AddressKind.CONSOLE
    name = "console"

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._turn = Lock()
        self._printed: OrderedDict[str, tuple[datetime, Sent]] = OrderedDict()

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        """Print the message. A pipe that nobody reads is a carrier that hangs: Unknown after `timeout_s`."""
        if not message.to.value:
            raise Permanent(FailureCode.INVALID_ADDRESS, retire=True)
        sent = Sent(vendor_id=f"console-{message.key}", segments=count(message.text).segments if message.text else 1)
        outcome = within(timeout_s, lambda: self._print(message, sent))
        if outcome.overdue:
            raise Unknown(FailureCode.NO_ANSWER)
        if isinstance(outcome.error, OSError | ValueError):  # ValueError: the stream is closed
            raise Temporary(FailureCode.CARRIER_DOWN, vendor_code=type(outcome.error).__name__)
        if outcome.error is not None:
            raise outcome.error
        return sent

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        """What this process printed since then under the message's key; an earlier process's lines are not known."""
        printed_at, sent = self._printed.get(message.key, (None, None))
        return sent if printed_at is not None and printed_at >= since else None

    def _print(self, message: Message, sent: Sent) -> None:
        line = json.dumps(
            {
                "id": sent.vendor_id,
                "to": f"…{message.to.value[-3:]}",
                "title": message.title,
                "text": message.text or message.body,
                "data": sorted(message.data),
                "urgent": message.urgent,
            },
            ensure_ascii=False,
        )
        with self._turn:
            self._out.write(line + "\n")
            self._out.flush()
            self._printed[message.key] = (datetime.now(UTC), sent)
            while len(self._printed) > _REMEMBERED:
                self._printed.popitem(last=False)
