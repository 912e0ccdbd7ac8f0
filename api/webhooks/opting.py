"""A word that stops our SMS or asks for them again, as the carrier reads it, or as people say it in Urdu."""

from flask import request

from api.services import services
from api.webhooks import helpline
from api.webhooks.intake import Caller
from notifications import optouts


def taken(who: Caller, plain: str, *, for_help: bool) -> str | None:
    """What is answered to such a word: a text, or "" where the carrier answers by itself. None: it is no such word.

    The carrier's own reading (`OptOutType`) comes first. `for_help`: written to a number where everything is a call for
    help; there "HELP" is one, and no question to the carrier.
    """
    if who.phone is None:
        return None
    found, word, read = services(), plain.strip(" .!۔").upper(), request.form.get("OptOutType", "").upper()
    secret, now = found.settings.signing_key, found.clock()
    if read == "STOP" or word in optouts.STOP_WORDS | optouts.OUR_STOP_WORDS:
        optouts.stop(secret, who.phone, who.person, now=now)
        helpline.sms_wanted(who, wanted=False)
        if who.person:
            found.enqueue("drain", "people", who.person)  # a responder's supervisors are told
        return "opted_out" if word in optouts.OUR_STOP_WORDS else ""
    if read == "START" or word in optouts.START_WORDS | optouts.OUR_START_WORDS:
        changed = optouts.start(secret, who.phone, who.person, now=now)
        if changed:
            helpline.sms_wanted(who, wanted=True)
        if changed and word in optouts.OUR_START_WORDS:
            return "opted_in"
        return "" if changed or read == "START" else None
    return "" if read == "HELP" and not for_help else None
