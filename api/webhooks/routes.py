"""`/webhooks/twilio/…`: signed by the carrier, answered with TwiML. What fails is said to the person, not to the carrier.

A carrier hangs up on an error, and drops a message: so when the store is away a caller is kept on the line and asked for
again, and whoever wrote is told to call.
"""

from typing import Final
from urllib.parse import quote

from flask import Blueprint, Response, request

from api.services import services
from api.webhooks import sms, status, voice
from api.webhooks.signature import refuse_unsigned
from domain.errors import DomainError
from notifications.render.reply import reply
from notifications.render.text import render
from notifications.render.voice import hold, say
from runtime import logging
from runtime.mongo import STORE_DOWN, breaker

blp = Blueprint("webhooks", __name__, url_prefix="/webhooks/twilio")
blp.before_request(refuse_unsigned)

log = logging.get(__name__)

TRIES: Final = 20
"""How often a caller is asked to hold before the call ends."""
_LANGUAGES: Final = ("ur", "en")
_OF_A_CALL: Final = frozenset({"delivery", "attempt", "sos", "ask", "turn", "wait"})
"""What says in its address where a call stands."""


@blp.post("/status")
def take_status() -> Response:
    """How a message or a call fares."""
    return status.status()


@blp.post("/sms")
def take_sms() -> Response:
    """An SMS to one of the city's numbers."""
    return sms.sms()


@blp.post("/voice")
def take_voice() -> Response:
    """What to say on a call."""
    return voice.voice()


@blp.errorhandler(DomainError)
def domain_error(error: DomainError) -> Response:
    """Something in the way: the breaker is open, or a document would not hold still."""
    log.warning("webhook_failed", path=request.path, reason=error.error_code)
    return _not_now()


def store_down(_error: Exception) -> Response:
    """The document store went away."""
    breaker.trip()
    return _not_now()


for _kind in STORE_DOWN:
    blp.register_error_handler(_kind, store_down)


@blp.errorhandler(Exception)
def unexpected(error: Exception) -> Response:
    """A fault of ours: logged, and the person is not left without a word."""
    log.error("webhook_unexpected", path=request.path, kind=type(error).__name__, exc_info=error)
    return _not_now()


def _not_now() -> Response:
    """A report may come again by the sweeper's look; a person hears or reads what to do."""
    if request.path.endswith("/voice"):
        return Response(_keep_on_the_line(), mimetype="text/xml")
    if request.path.endswith("/sms"):
        text = "\n".join(render("sos_not_taken", "sms", language, {}) for language in _LANGUAGES)
        return Response(reply(text), mimetype="text/xml")
    return Response(status=503, headers={"Retry-After": "2"})


def _keep_on_the_line() -> str:
    tried = request.args.get("tried", "0")
    count = int(tried) if tried.isdecimal() and len(tried) < 4 else 0
    words = render("call_not_available", "voice", "ur", {})
    if count >= TRIES:
        return say(words, "ur")
    kept = "".join(f"&{name}={quote(value)}" for name, value in request.args.items() if name in _OF_A_CALL)
    return hold(words, "ur", f"{services().settings.public_url}/webhooks/twilio/voice?tried={count + 1}{kept}")
