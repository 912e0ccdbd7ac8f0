"""The carriers' memory: messages, calls, pushes, phones and devices, indexed by phone and kept by the journal.

One lock guards it; it is held for microseconds and never while anything is sent.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sandbox.carriers.journal import Journal
from sandbox.carriers.records import Call, Device, Phone, Push, Sms

Record = Sms | Call | Push
KINDS: dict[str, type[Any]] = {"sms": Sms, "call": Call, "push": Push, "device": Device, "phone": Phone}
NAMES = {kind: name for name, kind in KINDS.items()}
KEYS = {"sms": "sid", "call": "sid", "push": "name", "device": "token", "phone": "number"}


class State:
    """Everything that the carriers know. Records are changed through `change` alone, so that the journal sees it."""

    def __init__(self, journal: Journal) -> None:
        self.lock = threading.RLock()
        self.journal = journal
        self._clear()
        for entry in journal.read():
            self._replay(entry)

    def _clear(self) -> None:
        self.seq = 0
        self.all: list[Record] = []
        self.by_id: dict[str, dict[str, Any]] = {name: {} for name in KINDS}
        self.sms_of: defaultdict[str, list[Sms]] = defaultdict(list)
        self.calls_of: defaultdict[str, list[Call]] = defaultdict(list)
        self.pushes_of: defaultdict[str, list[Push]] = defaultdict(list)
        self.tokens_of: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.opted_out: set[tuple[str, str]] = set()

    def _replay(self, entry: dict[str, Any]) -> None:
        kind = entry["k"]
        if kind == "opt":
            self._opt(entry["from"], entry["to"], entry["out"])
        elif kind == "gone":
            self._remove(entry["id"])
        elif "set" in entry:
            record = self.by_id[kind].get(entry["id"])
            for name, value in entry["set"].items() if record else ():
                setattr(record, name, value)
        else:
            self._index(kind, KINDS[kind](**entry["new"]))

    def _index(self, kind: str, record: Any) -> None:
        if isinstance(record, Device):
            self.tokens_of[self.device(record.token).number].pop(record.token, None)
            self.tokens_of[record.number][record.token] = None
        self.by_id[kind][getattr(record, KEYS[kind])] = record
        if not isinstance(record, (Sms, Call, Push)):
            return
        self.seq += 1
        record.seq = self.seq
        self.all.append(record)
        if isinstance(record, Sms):
            self.sms_of[record.phone].append(record)
        elif isinstance(record, Call):
            self.calls_of[record.phone].append(record)
        else:
            self.pushes_of[record.token].append(record)

    def _opt(self, sender: str, recipient: str, out: bool) -> None:
        (self.opted_out.add if out else self.opted_out.discard)((sender, recipient))

    def add(self, record: Sms | Call | Push | Device | Phone) -> None:
        """Keep a new record, or replace a device or phone of the same name."""
        kind = NAMES[type(record)]
        with self.lock:
            self._index(kind, record)
            self.journal.append({"k": kind, "new": record})

    def change(self, record: Sms | Call | Push, **values: Any) -> None:
        """Set fields of a kept record."""
        kind = NAMES[type(record)]
        with self.lock:
            for name, value in values.items():
                setattr(record, name, value)
            self.journal.append({"k": kind, "id": getattr(record, KEYS[kind]), "set": values})

    def opt(self, sender: str, recipient: str, *, out: bool) -> None:
        """Remember that `recipient` wants no (or again) messages of `sender`."""
        with self.lock:
            self._opt(sender, recipient, out)
            self.journal.append({"k": "opt", "from": sender, "to": recipient, "out": out})

    def _remove(self, sid: str) -> None:
        sms: Sms | None = self.by_id["sms"].pop(sid, None)
        if sms is not None:
            self.sms_of[sms.phone].remove(sms)
        call: Call | None = self.by_id["call"].pop(sid, None)
        if call is not None:
            self.calls_of[call.phone].remove(call)

    def remove(self, record: Sms | Call) -> None:
        """Take a message or call out of the carrier's list and off the phone."""
        with self.lock:
            self._remove(record.sid)
            self.journal.append({"k": "gone", "id": record.sid})

    def reset(self) -> None:
        """Forget everything, devices and phones included."""
        with self.lock:
            self._clear()
            self.journal.clear()

    def sms(self, sid: str) -> Sms | None:
        """The message, or None."""
        found: Sms | None = self.by_id["sms"].get(sid)
        return found

    def call(self, sid: str) -> Call | None:
        """The call, or None."""
        found: Call | None = self.by_id["call"].get(sid)
        return found

    def push(self, name: str) -> Push | None:
        """The push, or None."""
        found: Push | None = self.by_id["push"].get(name)
        return found

    def device(self, token: str) -> Device:
        """The device with this token; one that was never registered has no number and answers nothing."""
        found: Device | None = self.by_id["device"].get(token)
        return found or Device(token)

    def phone(self, number: str) -> Phone:
        """The phone with this number; one that nobody set up is in somebody's hand."""
        found: Phone | None = self.by_id["phone"].get(number)
        return found or Phone(number)

    def devices_of(self, number: str) -> list[Device]:
        """The devices registered for a number."""
        with self.lock:
            return [self.device(token) for token in self.tokens_of.get(number, ())] if number else []

    def numbers(self) -> list[str]:
        """Every phone that has anything, the one that something reached last first."""
        with self.lock:
            known = {*self.sms_of, *self.calls_of, *self.by_id["phone"], *self.tokens_of} - {""}
            return sorted(known, key=lambda number: (-self._latest(number), number))

    def _latest(self, number: str) -> int:
        """The place in the order of arrival of the newest thing on a phone."""
        lists: list[Sequence[Record]] = [self.sms_of.get(number, ()), self.calls_of.get(number, ())]
        lists += [self.pushes_of.get(token, ()) for token in self.tokens_of.get(number, ())]
        return max((records[-1].seq for records in lists if records), default=0)

    def since(self, seq: int) -> list[Record]:
        """What was added after the `seq`-th record."""
        with self.lock:
            return self.all[seq:]
