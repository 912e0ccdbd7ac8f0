"""The phone network's side of calls: rings a phone, picks up, hangs up; `script.py` plays what is said in between.

No call holds a thread: each wait is a timer, and a call's `turn` grows with everything that happens, so that a timer
which was set before a key was pressed finds that it is too late.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.carriers.call_events import ENDED, CallEvents
from sandbox.carriers.carriers import Carriers
from sandbox.carriers.outgoing import Unreachable
from sandbox.carriers.records import Call
from sandbox.carriers.switches import Switch
from sandbox.carriers.twiml import Verb

if TYPE_CHECKING:
    from sandbox.carriers.conferences import Room

RING_S = 60.0


class NotPossible(Exception):
    """What was asked does not fit the state of the call; the text says why."""


@dataclass
class Live:
    """The part of a call that ends with it: what is still to be said, and where that came from."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    turn: int = 0
    verbs: list[Verb] = field(default_factory=list)
    base: str = ""
    digits: str = ""
    played: int = 0
    legs: list[Call] = field(default_factory=list)
    dial: Verb | None = None
    room: Room | None = None


class Line:
    """All calls that are going on."""

    def __init__(self, carriers: Carriers) -> None:
        # Here, since the script and the other legs of a call are built on the line.
        from sandbox.carriers.conferences import Conferences
        from sandbox.carriers.legs import Legs
        from sandbox.carriers.script import Script

        self.carriers, self.events, self.state = carriers, CallEvents(carriers), carriers.state
        self._live: dict[str, Live] = {}
        self.legs = Legs(self)
        self.conferences = Conferences(self)
        self.script = Script(self)
        for record in list(self.state.all):
            # A call does not survive the exchange that carried it.
            if isinstance(record, Call) and record.status not in ENDED:
                self.finish(record, "failed" if record.answered is None else "completed")

    def live(self, call: Call) -> Live:
        """The running part of a call; an empty one when it is over."""
        return self._live.get(call.sid) or Live()

    def start(self, call: Call, switch: Switch) -> None:
        """Begin an outbound call that was added to the state with status `queued`."""
        self._live[call.sid] = Live()
        self.events.tell(call)
        self.carriers.later.after(self.carriers.options.receipt_delay, self._ring, call, switch)

    def _ring(self, call: Call, switch: Switch) -> None:
        live, phone, later = self.live(call), self.state.phone(call.to), self.carriers.later
        with live.lock:
            if call.status != "queued":
                return
            if switch.outcome:
                self.carriers.switches.count("voice", switch.outcome)
                self.finish(call, switch.outcome)
                return
            if phone.answers in ("busy", "reject"):
                self.finish(call, "busy")
                return
            self.set(call, status="ringing", at=time.time())
            self.events.tell(call)
            timeout = float(call.params.get("Timeout") or RING_S)
            if phone.answers == "no_answer" or not phone.reachable:
                timeout *= self.carriers.options.pace
            later.after(timeout, self._rang_out, call, live.turn)
        if phone.reachable and phone.answers in ("human", "machine"):
            self.carriers.posts.after(self.carriers.options.receipt_delay, self._pick_up, call)

    def _rang_out(self, call: Call, turn: int) -> None:
        live = self.live(call)
        with live.lock:
            if call.status == "ringing" and live.turn == turn:
                self.finish(call, "no-answer")

    def _pick_up(self, call: Call) -> None:
        try:
            self.answer(call)
        except NotPossible:
            # Somebody hung up, or answered it by hand, in the meantime.
            return

    def answer(self, call: Call) -> None:
        """The person (or a machine) picks up; the TwiML is fetched before this returns. Raises NotPossible."""
        live, params = self.live(call), call.params
        with live.lock:
            if call.status != "ringing":
                raise NotPossible(f"the call is {call.status}, not ringing")
            live.turn += 1
            machine = self.state.phone(call.to).answers == "machine"
            found = None
            if params.get("MachineDetection"):
                full = params["MachineDetection"] == "DetectMessageEnd"
                found = ("machine_end_beep" if full else "machine_start") if machine else "human"
            self.set(call, status="in-progress", answered=time.time(), answered_by=found)
            self.events.tell(call)
        if found and params.get("AsyncAmd") == "true" and params.get("AsyncAmdStatusCallback"):
            self.carriers.posts.after(0, self._tell_amd, call, found)
        if call.parent:
            self.legs.answered(call)
        elif params.get("Twiml"):
            self.script.begin(call, params["Twiml"], "text/xml", "")
        else:
            more = {"AnsweredBy": found} if found and params.get("AsyncAmd") != "true" else {}
            self.script.fetch(call, params.get("Url", ""), params.get("Method", "POST"), more)

    def _tell_amd(self, call: Call, found: str) -> None:
        params = {"CallSid": call.sid, "AccountSid": self.carriers.options.account_sid, "AnsweredBy": found}
        params["MachineDetectionDuration"] = "1200"
        try:
            self.events.request(call.params["AsyncAmdStatusCallback"], params)
        except Unreachable:
            self.carriers.switches.count("voice", "callback_unreachable")

    def dial_in(self, call: Call, url: str) -> None:
        """A person calls the city: `call` was added as inbound and `ringing`; the city's TwiML answers it."""
        live = self._live[call.sid] = Live()
        with live.lock:
            if not url:
                self.finish(call, "busy")
                return
            self.set(call, status="in-progress", answered=time.time())
        self.script.fetch(call, url, "POST", {}, first="ringing")

    def hang_up(self, call: Call, status: str = "completed") -> None:
        """Either side ends the call. Raises NotPossible when it is over."""
        with self.live(call).lock:
            if call.status in ENDED:
                raise NotPossible(f"the call is over: {call.status}")
            if call.status in ("queued", "ringing") and status == "completed":
                status = "canceled"
            self.finish(call, status)

    def forget(self) -> None:
        """Drop every call without a word, as part of a reset."""
        self._live.clear()
        self.conferences.rooms.clear()

    def set(self, call: Call, **values: Any) -> None:
        """Change a call's fields."""
        self.state.change(call, updated=time.time(), **values)

    def hear(self, call: Call, **event: Any) -> None:
        """Note what happened on the line: `verb` and its details."""
        self.state.change(call, heard=[*call.heard, {"at": time.time(), **event}])

    def finish(self, call: Call, status: str) -> None:
        """The call is over, with this status; what hangs on it ends too."""
        live = self._live.pop(call.sid, Live())
        live.turn += 1
        self.set(call, status=status, ended=time.time(), waiting=None)
        self.events.tell(call)
        self.conferences.gone(call, live)
        for leg in live.legs:
            if leg.status not in ENDED:
                self.finish(leg, "completed" if leg.answered else "canceled")
        if call.parent:
            self.carriers.posts.after(0, self.legs.ended, call)
