"""Calls, both ways. Ours (`calls.py`) ring a responder or a supervisor, who answers with a key; a citizen's is an SOS from
its first ring, whatever is pressed afterwards or nothing.
"""

from typing import Final

from flask import Response, request

from api.services import services
from api.webhooks import calls, helpline, intake
from api.webhooks.intake import Caller
from api.webhooks.speech import words
from domain.cities import queries as cities
from domain.cities.config import Purpose
from domain.errors import NotFound
from domain.incidents.calls import CallForHelp
from notifications.render.voice import ask, hang_up, say

DEFAULT_LANGUAGE: Final = "ur"
OTHER_LANGUAGE: Final = {"ur": "en", "en": "ur"}
CATEGORY_OF_KEY: Final = {"1": "police", "2": "medical", "3": "fire"}
"""As `sos_call.voice` says them; a city that lacks one of these categories takes its default."""


def voice() -> Response:
    """What is said next on a call: TwiML."""
    if "delivery" in request.args:
        return _twiml(calls.ours(request.args["delivery"]))
    return _twiml(_theirs())


def _twiml(text: str) -> Response:
    return Response(text, mimetype="text/xml")


def _theirs() -> str:
    """A call to one of the city's numbers."""
    form = request.form
    who = intake.caller(form.get("From", ""))
    language = who.language or DEFAULT_LANGUAGE
    if incident_id := request.args.get("sos"):
        return _category(incident_id, who, language)
    place = cities.city_for_number(form.get("To", ""))
    if place is not None and place[1] == Purpose.HELPLINE and (said := helpline.call_came(who, language)):
        return said
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
        sorry = words("call_not_understood", language)
        return _ask("sos_call", language, who, f"?sos={incident_id}", first=sorry)
    try:
        intake.learn_category(incident_id, category)
    except NotFound:
        return hang_up()
    return say(words("sos_call_taken", language), language)


def _ask(purpose: str, language: str, who: Caller, query: str, *, first: str = "") -> str:
    """Asked in the caller's language, in both where nobody knows it."""
    other = OTHER_LANGUAGE.get(language, "en")
    also = [] if who.language else [(words(purpose, other), other)]
    address = f"{services().settings.public_url}/webhooks/twilio/voice{query}"
    return ask(words(purpose, language), language, address, first=first, also=also)
