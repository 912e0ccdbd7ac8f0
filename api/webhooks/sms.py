"""What people write to the city's numbers: reply codes, a call for help, a word that stops our SMS, or something else.

The number that was written to decides: on the SOS number everything is a call for help; on the others what calls itself
one (`SOS …`, AML) is. A code of an offer is an answer on any of them. Anything else is explained a few times a day, and
never to a stranger: an automatic answer to an automatic sender would go on for ever.

A message that the carrier tells us again (the same MessageSid) does nothing and has the same answer.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from flask import Response, request

from api.services import services
from api.webhooks import answers, helpline, intake, neighbours, opting
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
"""Passive replies, which follow from nothing that was done, to one number."""
DEFAULT_LANGUAGE: Final = "ur"
_CODE: Final = re.compile(r"\W*(\d{1,3})\s*[\W_]?\s*([aesd])\W*", re.IGNORECASE)
_STEPS: Final = {"a": Step.ACCEPT, "e": Step.EN_ROUTE, "s": Step.ON_SCENE, "d": Step.DECLINE}
_SAID: Final = {
    Outcome.TAKEN: "reply_taken",
    Outcome.TOO_LATE: "reply_too_late",
    Outcome.UNIT_BUSY: "reply_unit_busy",
    Outcome.NOT_POSSIBLE: "reply_not_possible",
}


@dataclass(frozen=True)
class Said:
    """What is answered: which text, about which delivery or SOS. No text: nothing. Ids alone are remembered of it."""

    text: str = ""
    delivery: str = ""
    incident: str = ""


NOTHING: Final = Said()


def sms() -> Response:
    """An SMS came in: TwiML with the answer to it, if any."""
    form, found = request.form, services()
    secret, message = found.settings.signing_key, form.get("MessageSid") or form.get("SmsSid") or ""
    who = intake.caller(form.get("From", ""))
    before = lines.answer_to(secret, who.phone, message) if who.phone and message else None
    said = Said(**before) if before is not None else _taken(who, message)
    if before is None and who.phone and message:
        lines.remember_answer(secret, who.phone, message, asdict(said), now=found.clock())
    return Response(reply(_words(said, who)), mimetype="text/xml")


def _taken(who: Caller, message: str) -> Said:
    """Do what a new message says."""
    body = request.form.get("Body", "")[: by_text.NOTE_CHARS].replace("\x00", "")
    place = cities.city_for_number(request.form.get("To", ""))
    plain = by_text.plain(body)
    code = _CODE.fullmatch(plain)
    if code and who.phone and _expects_codes(who.phone):
        return _reply_code(who, code[1].lstrip("0") or "0", _STEPS[code[2].lower()])
    for_help = place is None or place[1] == Purpose.SOS
    word = opting.taken(who, plain, for_help=for_help)
    said = by_text.read(body)
    if said.called or for_help:
        done = _sos(who, said, place[0] if place else None, message)
    elif word is None and place is not None:
        seen = neighbours.seen(plain, who.person) if place[1] == Purpose.REPLIES else None
        done = _passive(who, seen) if seen else _OF_PURPOSE[place[1]](who)
    if word is None:
        return done
    return _passive(who, word) if word else NOTHING


def _expects_codes(phone: str) -> bool:
    return lines.has_codes(services().settings.signing_key, phone)


def _reply_code(who: Caller, number: str, step: Step) -> Said:
    """An answer to an offer by its code: what became of it. A code that is foreign or whose time is over is explained."""
    found = services()
    held = lines.delivery_of(found.settings.signing_key, who.phone or "", number, now=found.clock())
    delivery = _delivery(held[0]) if held else None
    if held is None or delivery is None:
        return _passive(who, "reply_unknown_code")
    if held[1]:
        return _passive(who, "reply_stale_code")
    if delivery["purpose"] in neighbours.ANSWERS:
        return Said(neighbours.answered(delivery, step))
    outcome = answers.to_offer(Answer(delivery, step, via="sms"))
    over = outcome == Outcome.TOO_LATE and not answers.handled_by(delivery, DEFAULT_LANGUAGE)
    return Said("reply_over" if over else _SAID[outcome], delivery=delivery["_id"])


def _delivery(delivery_id: str) -> Delivery | None:
    try:
        return deliveries.get(delivery_id)
    except NotFound:
        return None


def _sos(who: Caller, said: Text, city: str | None, message: str) -> Said:
    """A call for help. A message that a phone sends by itself is not answered: nobody waits for it, and it may ring.

    What adds to an SOS is answered as anything passive is: an answering phone must not be talked to for ever.
    """
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
        return NOTHING
    adds = any(entry["kind"] == "contacted_again" for entry in doc["timeline"])
    return _passive(who, "sos_taken", incident=doc["_id"]) if adds else Said("sos_taken", incident=doc["_id"])


def _passive(who: Caller, text: str, **about: str) -> Said:
    """An answer that nobody asked for, a few times a day at most."""
    found = services()
    try:
        limits.take(
            found.settings.signing_key,
            "sms_explained",
            who.phone or "",
            limit=EXPLAINED_A_DAY,
            window_s=86_400,
            now=found.clock(),
        )
    except LimitReached:
        return NOTHING
    return Said(text, **about)


def _explained(who: Caller) -> Said:
    """One sentence for people whom we know."""
    known = who.phone is not None and (who.person or _expects_codes(who.phone))
    return _passive(who, "reply_not_understood") if known else NOTHING


_OF_PURPOSE: Final[Mapping[Purpose, Callable[[Caller], Said]]] = {
    Purpose.REPLIES: _explained,
    Purpose.HELPLINE: lambda who: Said(helpline.text_came(who)),
}
"""What becomes of a message that is neither a code nor a call for help, by the number's purpose in the city's table."""


def _words(said: Said, who: Caller) -> str:
    if not said.text:
        return ""
    params: dict[str, str] = {}
    language = who.language or DEFAULT_LANGUAGE
    if said.delivery:
        delivery = _delivery(said.delivery)
        if delivery is None:
            return ""
        params, language = _about(delivery)
    if said.incident:
        params = {"page": _page(incidents.get(said.incident))}
    return render(said.text, "sms", language, params)


def _about(delivery: Delivery) -> tuple[dict[str, str], str]:
    """The offer's own words, with the link to its page and who has it now, and the language of whoever got it."""
    settings = services().settings
    reached = reach(delivery["recipient"], settings)
    try:
        params = CONTENT[delivery["purpose"]].params(delivery, reached, settings)
    except NotFound:  # the unit was asked again since, and again
        return {}, reached.language
    about = {"category": params["category"], "area": params["area"], "page": params["link"]}
    return about | {"handled_by": answers.handled_by(delivery, reached.language)}, reached.language


def _page(doc: dict[str, Any]) -> str:
    settings = services().settings
    return f"{settings.links}/t/{incidents.share_token(settings.signing_key, doc)}"
