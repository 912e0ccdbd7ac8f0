"""Calls that we made: what is said, which key means what, and what becomes of a call that a machine took.

What is private is said to people alone: where an answering machine picks up, the call ends without a word, counts as not
reached, and the next channel is tried. Every key is confirmed aloud.
"""

import contextlib
from collections.abc import Callable, Mapping
from typing import Final

from flask import request

from api.services import services
from api.webhooks import answers, bridge, helpline
from api.webhooks.answers import Answer, Outcome, Step
from api.webhooks.speech import here, words
from domain.deliveries import service as deliveries
from domain.deliveries.service import Delivery
from domain.errors import NotFound
from domain.incidents import service as incidents
from domain.incidents.states import HOLDING
from notifications import reports
from notifications.channel import FailureCode, Receipt
from notifications.channels.twilio_voice import is_machine
from notifications.content import CONTENT
from notifications.recipients import reach
from notifications.render.text import render
from notifications.render.voice import ask, hang_up, say

_STEP_OF_KEY: Final = {"1": Step.ACCEPT, "2": Step.DECLINE}
_REPEAT: Final = "3"
_BRIDGE: Final = "9"
HEARD: Final = Receipt("delivered")
"""A person picked up, as far as the carrier can tell; only a key says that they listened."""


def ours(delivery_id: str) -> str:
    """TwiML of a call about a delivery: at its beginning, and after each key."""
    try:
        delivery = deliveries.get(delivery_id)
    except NotFound:
        return hang_up()
    found = request.form.get("AnsweredBy", "")
    _reported(delivery_id, Receipt("failed_temporary", FailureCode.MACHINE, found) if is_machine(found) else HEARD)
    if is_machine(found):
        return hang_up()
    key = request.form.get("Digits", "")[:1]
    return _SPOKEN.get(delivery["purpose"], _told)(
        delivery, key, reach(delivery["recipient"], services().settings).language
    )


def _reported(delivery_id: str, receipt: Receipt) -> None:
    """Who picked up, on the attempt that rang them: the first word stands, however often it comes."""
    attempt, now = request.args.get("attempt", ""), services().clock()
    if not attempt.isdecimal() or len(attempt) > 5:
        return
    with contextlib.suppress(NotFound):
        if reports.take(delivery_id, int(attempt), receipt, now=now):
            services().enqueue("deliver", delivery_id)


def _told(delivery: Delivery, key: str, language: str) -> str:
    """A call that asks nothing: said once, unless it is no longer worth saying."""
    if CONTENT[delivery["purpose"]].overtaken(delivery):
        return hang_up()
    return say(_text(delivery, language), language)


def _offer(delivery: Delivery, key: str, language: str) -> str:
    """1 yes, 2 no, 3 again, 9 yes and put me through to the caller; once it is theirs, 9 and 2."""
    if "wait" in request.args:
        return bridge.waiting(delivery, language)
    if step := _STEP_OF_KEY.get(key) or (Step.ACCEPT if key == _BRIDGE else None):
        outcome = answers.to_offer(Answer(delivery, step, via="voice"))
        if outcome != Outcome.TAKEN:
            return say(words("call_unit_busy" if outcome == Outcome.UNIT_BUSY else "call_too_late", language), language)
        if step == Step.DECLINE:
            return say(words("call_declined", language), language)
        return bridge.responder(delivery, language) if key == _BRIDGE else _theirs(language, "call_accepted")
    if _is_theirs(delivery):
        over = "call_bridge_over" if "turn" in request.args and not key else ""
        return _theirs(language, over or _before(key))
    return _alarm(delivery, key, language)


def _is_theirs(delivery: Delivery) -> bool:
    assignments = incidents.get(delivery["subject"]).get("assignments") or {}
    return (assignments.get(delivery["refs"]["assignment"]) or {}).get("status") in HOLDING


def _theirs(language: str, first: str) -> str:
    """What may be done with what one has: speak with the caller, give it back."""
    said = words(first, language) if first else ""
    return ask(words("call_bridge_menu", language), language, here(), first=said)


def _supervisor(delivery: Delivery, key: str, language: str) -> str:
    """1 I see to it, 2 I cannot, 3 again."""
    step = _STEP_OF_KEY.get(key)
    if step is None:
        return _alarm(delivery, key, language)
    if answers.to_supervisor_call(Answer(delivery, step, via="voice")) != Outcome.TAKEN:
        return say(words("call_too_late", language), language)
    return say(words("call_declined" if step == Step.DECLINE else "call_supervised", language), language)


def _drill(delivery: Delivery, key: str, language: str) -> str:
    """An exercise: 1 says that the call reached somebody."""
    if _STEP_OF_KEY.get(key) != Step.ACCEPT:
        return _alarm(delivery, key, language)
    deliveries.opened(delivery["_id"], now=services().clock())
    return say(words("call_drill_confirmed", language), language)


def _alarm(delivery: Delivery, key: str, language: str) -> str:
    """The alarm with its menu; after a wrong key, and after 3, it is said again."""
    if CONTENT[delivery["purpose"]].overtaken(delivery):
        return say(words("call_too_late", language), language)
    first = _before(key)
    said = words(first, language) if first else ""
    return ask(_text(delivery, language), language, here(), first=said, last=words("call_no_key", language))


def _before(key: str) -> str:
    """What is said before a menu that is said again."""
    return "" if not key else "call_repeated" if key == _REPEAT else "call_not_understood"


def _text(delivery: Delivery, language: str) -> str:
    content, reached = CONTENT[delivery["purpose"]], reach(delivery["recipient"], services().settings)
    params = content.params(delivery, reached, services().settings)
    return render(delivery["purpose"], "voice", language, params)


_SPOKEN: Final[Mapping[str, Callable[[Delivery, str, str], str]]] = {
    "assignment_offered": _offer,
    "supervisor_called": _supervisor,
    "drill_ping": _drill,
    "helpline_call": helpline.she_answers,
    "helpline_call_desk": helpline.desk_answers,
    "bridge_caller": bridge.caller,
    "bridge_joined": bridge.joined,
}
"""Purpose → what is said after which key; any other is said once."""
