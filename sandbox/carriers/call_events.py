"""What Twilio tells its customer about a call: the parameters of every request, and status callbacks in order."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque

from sandbox.carriers.carriers import Carriers
from sandbox.carriers.outgoing import Unreachable, webhook
from sandbox.carriers.records import Call, sid
from sandbox.carriers.twilio_wire import VERSION, rfc2822

# The event names that a customer asks for, and the status that goes with each.
EVENTS = {"queued": "initiated", "ringing": "ringing", "in-progress": "answered"}
ENDED = ("completed", "busy", "no-answer", "failed", "canceled")


class CallEvents:
    """Sends status callbacks of calls, those of one call one after another."""

    def __init__(self, carriers: Carriers) -> None:
        self._carriers = carriers
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, deque[tuple[str, str, dict[str, str]]]] = defaultdict(deque)
        self._busy: set[str] = set()

    def params(self, call: Call) -> dict[str, str]:
        """The parameters that every request about a call carries."""
        params = {
            "AccountSid": self._carriers.options.account_sid,
            "ApiVersion": VERSION,
            "CallSid": call.sid,
            "CallStatus": call.status,
            "Called": call.to,
            "Caller": call.from_,
            "Direction": call.direction,
            "From": call.from_,
            "To": call.to,
        }
        if call.parent:
            params["ParentCallSid"] = call.parent
        return params

    def request(self, url: str, params: dict[str, str], method: str = "POST") -> tuple[str, str]:
        """A signed request of Twilio's; returns content type and body. Raises Unreachable."""
        token = self._carriers.options.auth_token
        return webhook(url, params, sid=sid("IK"), auth_token=token, method=method)

    def tell(self, call: Call, **more: str) -> None:
        """Send the status callback for the state that the call is in now, if it was asked for."""
        url = call.params.get("StatusCallback", "")
        if not url or call.params.get("_no_receipt"):
            return
        event = "completed" if call.status in ENDED else EVENTS[call.status]
        if event not in (call.params.get("StatusCallbackEvent") or ["completed"]):
            return
        now = time.time()
        params = self.params(call) | {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(call.sequence),
            "Timestamp": rfc2822(now) or "",
            **more,
        }
        if event == "initiated":
            params["CallStatus"] = "initiated"
        self._carriers.state.change(call, sequence=call.sequence + 1)
        if event == "completed":
            seconds = round((call.ended or now) - call.answered) if call.answered else 0
            params |= {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60))}
        if call.answered_by:
            params["AnsweredBy"] = call.answered_by
        with self._lock:
            self._waiting[call.sid].append((url, call.params.get("StatusCallbackMethod", "POST"), params))
            if call.sid in self._busy:
                return
            self._busy.add(call.sid)
        self._carriers.posts.after(0, self._send, call.sid)

    def _send(self, call: str) -> None:
        while True:
            with self._lock:
                if not self._waiting[call]:
                    del self._waiting[call]
                    self._busy.discard(call)
                    return
                url, method, params = self._waiting[call].popleft()
            try:
                self.request(url, params, method)
            except Unreachable:
                # As Twilio: not told again; the customer may still ask for the call.
                self._carriers.switches.count("voice", "callback_unreachable")
