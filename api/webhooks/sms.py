"""What people write to the city's numbers: reply codes, a call for help, or something else.

On the SOS number everything is a call for help; on the others what calls itself one (`SOS …`, AML) is. A code of a live
offer is an answer on any of them. Anything else is explained once in a while, and never to a stranger: an automatic
answer to an automatic sender would go on for ever.
"""

import re
from typing import Any, Final

from flask import Response, request

from api.services import services
from api.webhooks import answers, intake
from api.webhooks.answers import Answer, Outcome, Step
from api.webhooks.intake import Caller
from domain.cities import queries as cities
from domain.cities.config import Purpose
from domain.deliveries import service as deliveries
from domain.deliveries.service import Delivery
from domain.errors import LimitReached, NotFound
from domain.incidents import by_text
from domain.incidents import service as incidents
from domain.incidents.by_text import Text
from domain.incidents.calls import CallForHelp
from domain.incidents.projection import is_quiet
from domain.limits import service as limits
from domain.lines import service as lines
from notifications.content import CONTENT
from notifications.recipients import reach
from notifications.render.reply import reply
from notifications.render.text import render

EXPLAINED_A_DAY: Final = 5
DEFAULT_LANGUAGE: Final = "ur"
_CODE: Final = re.compile(r"\W*(\d{1,3})\s*[\W_]?\s*([aesd])\W*", re.IGNORECASE)
_STEPS: Final = {"a": Step.ACCEPT, "e": Step.EN_ROUTE, "s": Step.ON_SCENE, "d": Step.DECLINE}
_SAID: Final = {
    Outcome.TAKEN: "reply_taken",
    Outcome.TOO_LATE: "reply_too_late",
    Outcome.UNIT_BUSY: "reply_unit_busy",
    Outcome.NOT_POSSIBLE: "reply_not_possible",
}


def sms() -> Response:
    """An SMS came in: TwiML with the answer to it, if any."""
    form = request.form
    body = form.get("Body", "")[: by_text.NOTE_CHARS].replace("\x00", "")
    who = intake.caller(form.get("From", ""))
    place = cities.city_for_number(form.get("To", ""))
    code = _CODE.fullmatch(by_text.plain(body))
    if code and who.phone and _expects_codes(who.phone):
        return _twiml(_reply_code(who, code[1].lstrip("0") or "0", _STEPS[code[2].lower()]))
    said = by_text.read(body)
    if said.called or place is None or place[1] == Purpose.SOS:
        return _twiml(_sos(who, said, place[0] if place else None))
    return _twiml(_explained(who))


def _twiml(text: str) -> Response:
    return Response(reply(text), mimetype="text/xml")


def _expects_codes(phone: str) -> bool:
    return lines.has_codes(services().settings.signing_key, phone)


def _reply_code(who: Caller, number: str, step: Step) -> str:
    """An answer to an offer by its code: what became of it, in words."""
    delivery = _delivery_of(who, number)
    if delivery is None:
        return render("reply_unknown_code", "sms", who.language or DEFAULT_LANGUAGE, {})
    outcome = answers.to_offer(Answer(delivery, step, via="sms"))
    params, language = _about(delivery)
    return render(_SAID[outcome], "sms", language, params)


def _delivery_of(who: Caller, number: str) -> Delivery | None:
    delivery_id = lines.delivery_of(services().settings.signing_key, who.phone or "", number)
    try:
        return deliveries.get(delivery_id) if delivery_id else None
    except NotFound:
        return None


def _about(delivery: Delivery) -> tuple[dict[str, str], str]:
    """The offer's own words, with the link to its page, and the language of whoever got it."""
    reached = reach(delivery["recipient"], services().settings)
    params = CONTENT[delivery["purpose"]].params(delivery, reached, services().settings)
    return {"category": params["category"], "area": params["area"], "page": params["link"]}, reached.language


def _sos(who: Caller, said: Text, city: str | None) -> str:
    """A call for help. A message that a phone sends by itself is not answered: nobody waits for it, and it may ring."""
    message = request.form.get("MessageSid") or request.form.get("SmsSid") or ""
    doc = intake.call_for_help(
        CallForHelp(
            channel="sms",
            position=said.position,
            phone=who.phone,
            device=None if who.phone else f"sms-{message}",
            person=who.person,
            verified=bool(who.person),
            note=said.note,
            language=who.language,
            unreadable=said.unreadable,
            city=city,
        ),
        message,
    )
    if said.automatic or who.phone is None or is_quiet(doc):
        return ""
    return render("sos_taken", "sms", who.language or DEFAULT_LANGUAGE, {"page": _page(doc)})


def _page(doc: dict[str, Any]) -> str:
    settings = services().settings
    return f"{settings.links}/t/{incidents.share_token(settings.signing_key, doc)}"


def _explained(who: Caller) -> str:
    """One sentence for people whom we know, a few times a day at most."""
    found = services()
    if who.phone is None or not (who.person or _expects_codes(who.phone)):
        return ""
    try:
        limits.take(
            found.settings.signing_key,
            "sms_explained",
            who.phone,
            limit=EXPLAINED_A_DAY,
            window_s=86_400,
            now=found.clock(),
        )
    except LimitReached:
        return ""
    return render("reply_not_understood", "sms", who.language or DEFAULT_LANGUAGE, {})
