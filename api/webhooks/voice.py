"""Calls, both ways. Ours ring a responder or a supervisor, who answers with a key; a citizen's is an SOS from its first
ring, whatever is pressed afterwards or nothing.
"""

from typing import Final

from flask import Response, request

from api.services import services
from api.webhooks import answers, intake
from api.webhooks.answers import Answer, Outcome, Step
from api.webhooks.intake import Caller
from domain.cities import queries as cities
from domain.cities.config import Purpose
from domain.deliveries import service as deliveries
from domain.deliveries.service import Delivery
from domain.errors import NotFound
from domain.incidents.calls import CallForHelp
from notifications.content import CONTENT
from notifications.recipients import reach
from notifications.render.text import render
from notifications.render.voice import ask, hang_up, say

DEFAULT_LANGUAGE: Final = "ur"
OTHER_LANGUAGE: Final = {"ur": "en", "en": "ur"}
CATEGORY_OF_KEY: Final = {"1": "police", "2": "medical", "3": "fire"}
"""As `sos_call.voice` says them; a city that lacks one of these categories takes its default."""
_STEP_OF_KEY: Final = {"1": Step.ACCEPT, "2": Step.DECLINE}
_REPEAT: Final = "3"


def voice() -> Response:
    """What is said next on a call: TwiML."""
    if "delivery" in request.args:
        return _twiml(_ours(request.args["delivery"]))
    return _twiml(_theirs())


def _twiml(text: str) -> Response:
    return Response(text, mimetype="text/xml")


def _here(query: str) -> str:
    return f"{services().settings.public_url}/webhooks/twilio/voice{query}"


def _ours(delivery_id: str) -> str:
    """A call that we made: the alarm is spoken, and the key is taken."""
    try:
        delivery = deliveries.get(delivery_id)
    except NotFound:
        return hang_up()
    language = reach(delivery["recipient"]).language
    key = request.form.get("Digits", "")[:1]
    step = _STEP_OF_KEY.get(key)
    if step is None:
        overtaken = CONTENT[delivery["purpose"]].overtaken(delivery)
        return say(_words("call_too_late", language), language) if overtaken else _alarm(delivery, key)
    if delivery["purpose"] == "drill_ping":
        return _drill(delivery, key, language)
    supervisor = delivery["purpose"] == "supervisor_called"
    answered = answers.to_supervisor_call if supervisor else answers.to_offer
    outcome = answered(Answer(delivery, step, via="voice"))
    if outcome != Outcome.TAKEN:
        said = "call_unit_busy" if outcome == Outcome.UNIT_BUSY else "call_too_late"
    elif step == Step.DECLINE:
        said = "call_declined"
    else:
        said = "call_supervised" if supervisor else "call_accepted"
    return say(_words(said, language), language)


def _drill(delivery: Delivery, key: str, language: str) -> str:
    """An exercise: 1 says that the call reached somebody."""
    if _STEP_OF_KEY.get(key) != Step.ACCEPT:
        return _alarm(delivery, key)
    deliveries.opened(delivery["_id"], now=services().clock())
    return say(_words("call_drill_confirmed", language), language)


def _alarm(delivery: Delivery, key: str) -> str:
    reached = reach(delivery["recipient"])
    params = CONTENT[delivery["purpose"]].params(delivery, reached, services().settings)
    text = render(delivery["purpose"], "voice", reached.language, params)
    query = request.query_string.decode("ascii", "replace")
    sorry = _words("call_not_understood", reached.language) if key and key != _REPEAT else ""
    return ask(text, reached.language, _here(f"?{query}"), first=sorry)


def _words(purpose: str, language: str) -> str:
    return render(purpose, "voice", language, {})


def _theirs() -> str:
    """A call to one of the city's numbers."""
    form = request.form
    who = intake.caller(form.get("From", ""))
    language = who.language or DEFAULT_LANGUAGE
    if incident_id := request.args.get("sos"):
        return _category(incident_id, who, language)
    place = cities.city_for_number(form.get("To", ""))
    wants = place is None or place[1] == Purpose.SOS or request.form.get("Digits", "")[:1] == "1"
    if not wants:
        return _ask("call_other", language, who, "?ask=1")
    doc = intake.call_for_help(
        CallForHelp(
            channel="voice",
            phone=who.phone,
            device=None if who.phone else f"call-{form.get('CallSid', '')}",
            person=who.person,
            verified=bool(who.person),
            language=who.language,
            city=place[0] if place else None,
        ),
        form.get("CallSid", ""),
    )
    return _ask("sos_call", language, who, f"?sos={doc['_id']}")


def _category(incident_id: str, who: Caller, language: str) -> str:
    """The key that says what is needed. The SOS stands already, so a wrong one costs nothing."""
    category = CATEGORY_OF_KEY.get(request.form.get("Digits", "")[:1])
    if category is None:
        sorry = _words("call_not_understood", language)
        return _ask("sos_call", language, who, f"?sos={incident_id}", first=sorry)
    try:
        intake.learn_category(incident_id, category)
    except NotFound:
        return hang_up()
    return say(_words("sos_call_taken", language), language)


def _ask(purpose: str, language: str, who: Caller, query: str, *, first: str = "") -> str:
    """Asked in the caller's language, in both where nobody knows it."""
    other = OTHER_LANGUAGE.get(language, "en")
    also = [] if who.language else [(_words(purpose, other), other)]
    return ask(_words(purpose, language), language, _here(query), first=first, also=also)
