"""Other phones on the same call: what `<Dial>` rings, who of them picks up, and what the call does afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox.carriers.call_events import ENDED
from sandbox.carriers.records import Call, sid
from sandbox.carriers.twiml import Verb, absolute

if TYPE_CHECKING:
    from sandbox.carriers.line import Line, Live


class Legs:
    """The legs of every call of a line."""

    def __init__(self, line: Line) -> None:
        self.line, self.state = line, line.state

    def dial(self, call: Call, live: Live, verb: Verb) -> None:
        """Ring every number of a `<Dial>`, or enter the room that it names; the caller holds the call's lock."""
        room = next((child for child in verb.children if child.name == "Conference"), None)
        if room is not None:
            self.line.conferences.join(call, live, verb, room)
            return
        targets = [child for child in verb.children if child.name == "Number"] or [Verb("Number", {}, verb.text)]
        caller = verb.attributes.get("callerId") or (call.to if call.direction == "inbound" else call.from_)
        live.dial, live.legs, now = verb, [], time.time()
        for target in targets:
            params: dict[str, Any] = {"Timeout": verb.attributes.get("timeout", "30")}
            if target.attributes.get("statusCallback"):
                params["StatusCallback"] = absolute(live.base, target.attributes["statusCallback"])
                params["StatusCallbackEvent"] = target.attributes.get("statusCallbackEvent", "completed").split()
            number = target.text.replace(" ", "")
            leg = Call(sid("CA"), caller, number, "outbound-dial", "queued", now, now, now, params, parent=call.sid)
            live.legs.append(leg)
            self.state.add(leg)
            self.line.hear(call, verb="Dial", number=number, leg=leg.sid)
        for leg in live.legs:
            self.line.start(leg, self.line.carriers.switches.hit("voice", leg.to))

    def answered(self, leg: Call) -> None:
        """The first leg that picks up is put through, the others stop ringing."""
        parent = self.state.call(leg.parent or "")
        if parent is None:
            return
        self.line.hear(leg, verb="Bridged", number=parent.phone)
        self.line.hear(parent, verb="Bridged", number=leg.to)
        for other in self.line.live(parent).legs:
            if other is not leg and other.status not in ENDED:
                self.line.finish(other, "canceled")

    def ended(self, leg: Call) -> None:
        """When no leg is left, the call goes on: with the action of its `<Dial>`, or the verb after it."""
        parent = self.state.call(leg.parent or "")
        if parent is None or parent.status != "in-progress":
            return
        live = self.line.live(parent)
        with live.lock:
            if live.dial is None or any(other.status not in ENDED for other in live.legs):
                return
            verb, live.dial = live.dial, None
            live.turn += 1
            turn = live.turn
            best = next((other for other in live.legs if other.answered), leg)
        action = verb.attributes.get("action", "")
        if not action:
            self.line.script.play(parent, turn)
            return
        seconds = round((best.ended or 0) - best.answered) if best.answered else 0
        more = {"DialCallStatus": best.status, "DialCallSid": best.sid, "DialCallDuration": str(seconds)}
        self.line.script.fetch(parent, absolute(live.base, action), verb.attributes.get("method", "POST"), more)
