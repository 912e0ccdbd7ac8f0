"""The helpline by SMS and by telephone: a message or a call to the city's helpline number is a request, and her phone
and the counsellor's meet in one room.
"""

from datetime import timedelta
from typing import Any, Final

from flask import request

from api.services import services
from api.webhooks.intake import Caller, work_off
from api.webhooks.speech import here, words
from domain.cities import queries as cities
from domain.deliveries.service import Delivery
from domain.errors import DomainError
from domain.helpline import calling, chat, danger, line, rules
from domain.helpline import service as helpline
from domain.helpline.service import Asked
from domain.helpline.states import Channel, Mode, Side
from domain.ids import derived_id
from domain.lines import service as lines
from notifications.content import CONTENT
from notifications.render.voice import ask, hang_up, join, say, wait
from runtime.vault import vault

TEXT_CHARS: Final = 2000
_DANGER, _NO_CALL = "1", "2"
__all__ = ["call_came", "desk_answers", "she_answers", "sms_wanted", "text_came"]


def _requested(who: Caller, channel: Channel, mode: Mode, key: str) -> dict[str, Any]:
    found = services()
    now = found.clock()
    place = cities.city_for_number(request.form.get("To", ""))
    once = {"since": now.isoformat(), "till": (now + calling.CALLED_BACK_WITHIN).isoformat()}
    asked = Asked(
        city=place[0] if place else cities.known()[0],
        channel=channel,
        mode=mode,
        language=who.language or "ur",
        anonymous=True,  # a number is not a name: who has it is not looked up
        owner=f"{channel}:{who.phone}",
        key=key,
        told={"phone": who.phone, "safe_to_call": [once] if mode == Mode.CALL_BACK else []},
    )
    doc, _ = helpline.ask(asked, vault(found.settings), now=now)
    found.enqueue("drain", "helpline_requests", doc["_id"])
    return doc


def text_came(who: Caller) -> str:
    """A message to the helpline's number: hers to the open request of this number, else a new one. The name of the text
    that answers it; none for what adds to a talk.
    """
    found = services()
    now, keys = found.clock(), vault(found.settings)
    sid = request.form.get("MessageSid") or request.form.get("SmsSid") or ""
    text = request.form.get("Body", "")[:TEXT_CHARS].replace("\x00", "").strip()
    if who.phone is None or not text:
        return ""
    open_ = line.open_of_phone(keys.index("phone", who.phone))
    doc = open_ or _requested(who, Channel.SMS, Mode.CHAT, sid)
    if "stop_contact" in doc.get("flags", []) and not lines.opted_out(found.settings.signing_key, who.phone):
        doc = helpline.change(doc["_id"], rules.contact_again, now=now)  # she came back by herself
    message, _ = chat.write(doc, keys.box(doc["_id"]), text, side=Side.CITIZEN, by="citizen", key=sid, now=now)
    found.enqueue("drain", "helpline_messages", message["_id"])
    return "" if open_ else "helpline_taken"


def sms_wanted(who: Caller, *, wanted: bool) -> None:
    """Her number takes no more SMS, or takes them again: whoever answers her open talk by SMS sees it, and does not write
    into the void. Once is enough; nothing where the number has no such talk.
    """
    found = services()
    doc = line.open_of_phone(vault(found.settings).index("phone", who.phone)) if who.phone else None
    if doc is not None:
        rule = rules.contact_again if wanted else rules.stop_contact
        helpline.change(doc["_id"], rule, now=found.clock())
        found.enqueue("drain", "helpline_requests", doc["_id"])


def call_came(who: Caller, language: str) -> str | None:
    """A call to the helpline's number: she is called back, whenever she hangs up. None where her number is withheld.

    1 is danger now: an SOS with what is known. 2: nobody may call her.
    """
    if who.phone is None:
        return None
    found = services()
    sid, key = request.form.get("CallSid", ""), request.form.get("Digits", "")[:1]
    request_id = derived_id("hlp", f"{Channel.VOICE}:{who.phone}", sid)
    if key == _NO_CALL:
        helpline.change(request_id, rules.stop_contact, now=found.clock())
        found.enqueue("drain", "helpline_requests", request_id)
        return say(words("helpline_call_stopped", language), language)
    doc = _requested(who, Channel.VOICE, Mode.CALL_BACK, sid)
    if key == _DANGER:
        return _sos(doc, language)
    address = f"{found.settings.public_url}/webhooks/twilio/voice?ask=1"
    return ask(words("helpline_call_taken", language), language, address)


def _sos(doc: dict[str, Any], language: str) -> str:
    found = services()
    settings, request_id = found.settings, doc["_id"]
    raised = danger.raise_sos(
        doc,
        vault(settings).box(request_id),
        position=None,
        by="citizen",
        secret=settings.signing_key,
        link_ttl=timedelta(seconds=settings.link_ttl_s),
        now=found.clock(),
    )
    work_off(raised.incident)
    found.enqueue("drain", "helpline_requests", request_id)
    return say(words("sos_call_taken", language), language)


def desk_answers(delivery: Delivery, key: str, language: str) -> str:
    """The counsellor's phone: 1 puts her into the room and has the other phone rung, if that is still safe."""
    request_id, call_id = delivery["subject"], delivery["refs"]["call"]
    if "wait" in request.args:
        return wait(words("helpline_call_rings", language), language)
    if key != "1":
        return ask(words("helpline_call_desk", language), language, here())
    if delivery["refs"].get("as") == "listener":
        return _hears(delivery, language)
    found = services()
    try:
        doc = helpline.get(request_id)
        box = vault(found.settings).box(request_id)
        calling.joined(doc, box, by=delivery["recipient"]["id"], call_id=call_id, now=found.clock())
    except DomainError:
        return say(words("call_no_bridge", language), language)
    found.enqueue("drain", "helpline_requests", request_id)
    return join(words("helpline_call_rings", language), language, _room(delivery), wait_url=here(wait="1"))


def _hears(delivery: Delivery, language: str) -> str:
    """A supervisor's phone: into the room, unheard; looked at again here, for she may have changed her mind."""
    try:
        allowed = calling.may_hear(helpline.get(delivery["subject"]), delivery["recipient"]["id"])
    except DomainError:
        allowed = False
    if not allowed:
        return say(words("call_no_bridge", language), language)
    rings = words("helpline_call_rings", language)
    return join(rings, language, _room(delivery), wait_url=here(wait="1"), hears=True)


def she_answers(delivery: Delivery, key: str, language: str) -> str:
    """Her phone: not a word of what it is, and nothing happens before she presses 1."""
    if "wait" in request.args:
        return wait(words("helpline_call_joining", language), language)
    if CONTENT[delivery["purpose"]].overtaken(delivery) or key == "2":
        return hang_up()
    if key != "1":
        return ask(words("helpline_call", language), language, here())
    return join(words("helpline_call_joining", language), language, _room(delivery), wait_url=here(wait="1"), ends=True)


def _room(delivery: Delivery) -> str:
    return calling.room_of(services().settings.signing_key, delivery["subject"], delivery["refs"]["call"])
