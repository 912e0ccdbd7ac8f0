"""Plays TwiML on a call: fetches it, says it, waits for keys, follows redirects.

Source: Twilio's pages on TwiML for Voice; a Gather whose time is over goes on with the verb after it, without asking
its action.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandbox.carriers.call_events import ENDED
from sandbox.carriers.line import NotPossible
from sandbox.carriers.outgoing import Unreachable
from sandbox.carriers.twiml import BadTwiml, Verb, absolute, parse, spoken_seconds

if TYPE_CHECKING:
    from sandbox.carriers.line import Line, Live
    from sandbox.carriers.records import Call

GATHER_S = 5.0
MOST_VERBS = 200


class Script:
    """What is said on every call of a line."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.later, self.posts, self.pace = line.carriers.later, line.carriers.posts, line.carriers.options.pace

    def fetch(self, call: Call, url: str, method: str, more: dict[str, str], first: str = "") -> None:
        """Ask the city what comes next. A failure goes to the fallback address once, then ends the call."""
        try:
            params = self.line.events.params(call) | ({"CallStatus": first} if first else {}) | more
            kind, body = self.line.events.request(url, params, method)
        except Unreachable as failure:
            self._error(call, 11200, f"HTTP retrieval failure: {failure}", url)
            return
        self.begin(call, body, kind, url)

    def redirect(self, call: Call, url: str, method: str, twiml: str) -> None:
        """The customer changes a running call by the API. Raises NotPossible."""
        live = self.line.live(call)
        with live.lock:
            if call.status != "in-progress":
                raise NotPossible("Call is not in-progress. Cannot redirect.")
            live.turn += 1
            live.digits = ""
            self.line.set(call, waiting=None)
            self.line.conferences.gone(call, live)
        if twiml:
            self.begin(call, twiml, "text/xml", "")
        else:
            self.posts.after(0, self.fetch, call, url, method, {})

    def _error(self, call: Call, code: int, message: str, url: str) -> None:
        fallback = call.params.get("FallbackUrl", "")
        self.line.set(call, error_code=code)
        self.line.hear(call, verb="Error", text=message, code=code)
        if fallback and url != fallback:
            more = {"ErrorCode": str(code), "ErrorUrl": url}
            self.fetch(call, fallback, call.params.get("FallbackMethod", "POST"), more)
            return
        self.line.hear(call, verb="Say", text="We are sorry, an application error has occurred. Goodbye.")
        with self.line.live(call).lock:
            if call.status not in ENDED:
                self.line.finish(call, "completed")

    def begin(self, call: Call, body: str, kind: str, url: str) -> None:
        """Play a document; `url` is where it came from, to which its addresses are relative."""
        try:
            verbs = parse(body, kind)
        except BadTwiml as wrong:
            self._error(call, wrong.code, str(wrong), url)
            return
        live = self.line.live(call)
        with live.lock:
            if call.status in ENDED:
                return
            live.turn += 1
            live.verbs, live.base = list(verbs), url
            turn = live.turn
        self.play(call, turn)

    def play(self, call: Call, turn: int) -> None:
        """Go on with the next verbs, unless something happened since `turn`."""
        live, pace = self.line.live(call), self.pace
        with live.lock:
            while live.turn == turn and call.status == "in-progress":
                live.played += 1
                if not live.verbs or live.played > MOST_VERBS:
                    self.line.finish(call, "completed")
                    return
                verb = live.verbs.pop(0)
                if verb.name in ("Say", "Play", "Pause"):
                    self.heard_verb(call, verb)
                    seconds = spoken_seconds(verb) * pace
                    if seconds > 0:
                        self.later.after(seconds, self.play, call, turn)
                        return
                elif verb.name == "Gather":
                    self._gather(call, live, verb)
                    return
                elif verb.name == "Redirect":
                    url, method = absolute(live.base, verb.text), verb.attributes.get("method", "POST")
                    self.line.hear(call, verb="Redirect", url=url)
                    self.posts.after(0, self.fetch, call, url, method, {})
                    return
                elif verb.name == "Dial":
                    self.line.legs.dial(call, live, verb)
                    return
                elif verb.name in ("Hangup", "Reject"):
                    self.line.hear(call, verb=verb.name)
                    busy = verb.name == "Reject" and verb.attributes.get("reason") == "busy"
                    self.line.finish(call, "busy" if busy else "completed" if verb.name == "Hangup" else "no-answer")
                    return
                else:
                    # Record, Enqueue and the like: noted, and passed over.
                    self.line.hear(call, verb=verb.name, text=verb.text, unplayed=True)

    def _gather(self, call: Call, live: Live, verb: Verb) -> None:
        for child in verb.children:
            self.heard_verb(call, child)
        spoken = sum(spoken_seconds(child) for child in verb.children) * self.pace
        timeout, wanted = verb.number("timeout", GATHER_S), verb.attributes.get("numDigits", "")
        live.turn += 1
        live.digits = ""
        self.line.hear(call, verb="Gather", num_digits=wanted)
        waiting = {
            "action": absolute(live.base, verb.attributes.get("action", "")),
            "method": verb.attributes.get("method", "POST"),
            "num_digits": int(wanted) if wanted.isdecimal() else None,
            "finish_on_key": verb.attributes.get("finishOnKey", "#"),
            "timeout": timeout,
            "action_on_empty": verb.attributes.get("actionOnEmptyResult") == "true",
        }
        self.line.set(call, waiting=waiting)
        self.later.after(spoken + timeout, self._gather_over, call, live.turn)

    def press(self, call: Call, digits: str, *, patience: float = 5.0) -> None:
        """Press keys. A ringing call is answered first; speech before the Gather is heard out for `patience` s; the star
        leaves a conference. Raises NotPossible.
        """
        if call.status == "ringing" and call.direction != "inbound":
            self.line.answer(call)
        if digits == "*" and self.line.conferences.star(call):
            return
        live, end = self.line.live(call), time.monotonic() + patience
        while True:
            with live.lock:
                if call.waiting is not None:
                    self._pressed(call, live, digits)
                    return
                if call.status != "in-progress" or time.monotonic() > end:
                    raise NotPossible(f"the call is {call.status} and waits for no key")
            time.sleep(0.02)

    def _pressed(self, call: Call, live: Live, digits: str) -> None:
        gather = call.waiting or {}
        self.line.hear(call, verb="Digits", digits=digits)
        finish, wanted = gather["finish_on_key"], gather["num_digits"]
        entered, closed, _ = digits.partition(finish) if finish else (digits, "", "")
        live.digits += entered
        live.turn += 1
        if wanted and not closed and len(live.digits) < wanted:
            self.later.after(gather["timeout"], self._gather_over, call, live.turn)
            return
        self._submit(call, live, finish if closed else "")

    def _gather_over(self, call: Call, turn: int) -> None:
        live = self.line.live(call)
        with live.lock:
            if live.turn != turn or call.waiting is None:
                return
            live.turn += 1
            if live.digits or call.waiting["action_on_empty"]:
                self._submit(call, live, "")
                return
            self.line.set(call, waiting=None)
            turn = live.turn
        self.play(call, turn)

    def _submit(self, call: Call, live: Live, finished_on: str) -> None:
        gather = call.waiting or {}
        wanted = int(gather["num_digits"] or 0)
        digits, live.digits = (live.digits[:wanted] if wanted else live.digits), ""
        self.line.set(call, waiting=None)
        more = {"Digits": digits, "FinishedOnKey": finished_on, "msg": "Gather End"}
        self.posts.after(0, self.fetch, call, gather["action"], gather["method"], more)

    def heard_verb(self, call: Call, verb: Verb) -> None:
        """Note what is said, played or kept silent."""
        if verb.name == "Say":
            self.line.hear(call, verb="Say", text=verb.text, language=verb.attributes.get("language", ""))
        elif verb.name == "Play":
            self.line.hear(call, verb="Play", url=absolute(self.line.live(call).base, verb.text))
        else:
            self.line.hear(call, verb=verb.name, text=verb.text, length=verb.number("length", 1))
