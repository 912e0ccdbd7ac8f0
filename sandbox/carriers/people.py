"""What a person does with a phone: writes to the city, calls it, answers, presses keys, opens a push."""

from __future__ import annotations

import time
from typing import Any

from sandbox.carriers.carriers import Carriers
from sandbox.carriers.fcm import Pushes
from sandbox.carriers.line import Line
from sandbox.carriers.outgoing import Unreachable, webhook
from sandbox.carriers.records import Call, Sms, sid
from sandbox.carriers.segments import segments
from sandbox.carriers.switches import NONE
from sandbox.carriers.twilio_messages import E164, Messages
from sandbox.carriers.twilio_wire import VERSION
from sandbox.carriers.twiml import BadTwiml, parse, replies

# Twilio's default keywords for long codes; the carrier acts on them before the customer sees the message.
STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
START = {"START", "YES", "UNSTOP"}
HELP = {"HELP", "INFO"}
_STOPPED = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
_STARTED = (
    "You have successfully been re-subscribed to messages from this number. "
    "Reply HELP for help. Reply STOP to unsubscribe."
)
_HELPED = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."


class Wrong(ValueError):
    """Something that a phone cannot do; the text says why."""


class People:
    """Everybody who holds a phone."""

    def __init__(self, carriers: Carriers, messages: Messages, line: Line, pushes: Pushes) -> None:
        self.carriers, self.messages, self.line, self.pushes = carriers, messages, line, pushes
        self.options, self.state = carriers.options, carriers.state

    def _number(self, number: str) -> str:
        number = number or self.options.numbers[0]
        if number not in self.options.numbers:
            raise Wrong(f"not a number of the city: {number}; there are {', '.join(self.options.numbers)}")
        return number

    def write(self, phone: str, to: str, body: str) -> dict[str, Any]:
        """The person sends an SMS to the city, which is told by the signed webhook before this returns.

        Returns `{sid, replies: [sid], error}`; `error` is empty, or why the city did not take it. Raises Wrong.
        """
        to = self._number(to)
        if not E164.fullmatch(phone):
            raise Wrong(f"not a phone number: {phone}")
        if not body.strip():
            raise Wrong("an SMS needs a text")
        now = time.time()
        sms = Sms(sid("SM"), phone, to, body, "inbound", "received", segments(body), now, now, at=now, sent=now)
        self.state.add(sms)
        word, muted = body.strip().upper(), False
        if word in STOP:
            self._reply(sms, _STOPPED)
            self.state.opt(to, phone, out=True)
            muted = True
        elif word in START:
            self.state.opt(to, phone, out=False)
            self._reply(sms, _STARTED)
        elif word in HELP:
            self._reply(sms, _HELPED)
            muted = True
        if not self.carriers.webhooks.sms_url:
            return {"sid": sms.sid, "replies": [], "error": "no sms_url is set"}
        try:
            kind, answer = webhook(
                self.carriers.webhooks.sms_url, self._params(sms), sid=sid("IK"), auth_token=self.options.auth_token
            )
            texts = replies(parse(answer, kind))
        except (Unreachable, BadTwiml) as failure:
            self.state.change(sms, error_code=11200, error_message=str(failure))
            return {"sid": sms.sid, "replies": [], "error": str(failure)}
        return {"sid": sms.sid, "replies": [] if muted else [self._reply(sms, text).sid for text in texts], "error": ""}

    def _params(self, sms: Sms) -> dict[str, str]:
        return {
            "AccountSid": self.options.account_sid,
            "ApiVersion": VERSION,
            "Body": sms.body,
            "From": sms.from_,
            "FromCountry": "PK" if sms.from_.startswith("+92") else "",
            "MessageSid": sms.sid,
            "NumMedia": "0",
            "NumSegments": str(sms.segments),
            "SmsMessageSid": sms.sid,
            "SmsSid": sms.sid,
            "SmsStatus": "received",
            "To": sms.to,
            "ToCountry": "PK" if sms.to.startswith("+92") else "",
        }

    def _reply(self, to: Sms, text: str) -> Sms:
        now = time.time()
        sms = Sms(sid("SM"), to.to, to.from_, text, "outbound-reply", "queued", segments(text), now, now)
        self.messages.take(sms, NONE)
        return sms

    def dial(self, phone: str, to: str) -> Call:
        """The person calls the city; its TwiML is fetched before this returns. Raises Wrong."""
        to = self._number(to)
        if not E164.fullmatch(phone):
            raise Wrong(f"not a phone number: {phone}")
        now = time.time()
        params = {"StatusCallback": self.carriers.webhooks.voice_status_url}
        call = Call(sid("CA"), phone, to, "inbound", "ringing", now, now, now, params)
        self.state.add(call)
        self.line.dial_in(call, self.carriers.webhooks.voice_url)
        return call

    def call_of(self, phone: str, call: str) -> Call:
        """A call of this phone. Raises Wrong."""
        found = self.state.call(call)
        if found is None or found.phone != phone:
            raise Wrong("no such call on this phone")
        return found

    def act(self, phone: str, call: str, action: str, digits: str = "") -> Call:
        """answer, press or hangup. Raises Wrong, and NotPossible when the call is not in a state for it."""
        found = self.call_of(phone, call)
        if action == "answer":
            self.line.answer(found)
        elif action == "press":
            if not digits or set(digits) - set("0123456789*#"):
                raise Wrong("digits are 0-9, * and #")
            self.line.script.press(found, digits)
        elif action == "hangup":
            self.line.hang_up(found, "busy" if found.status == "ringing" else "completed")
        else:
            raise Wrong(f"no such action: {action}")
        return found

    def open_push(self, name: str) -> str:
        """The person taps a notification: the app posts `seen`. Returns how that ended. Raises Wrong."""
        push = self.state.push(name)
        if push is None:
            raise Wrong("no such push")
        self.pushes.answer(push, "seen")
        return push.receipt
