"""Whether a request comes from the carrier: X-Twilio-Signature over the address as the carrier knows it, and the form.

Source: www.twilio.com/docs/usage/security (HMAC-SHA1 with the account's token), checked with Twilio's own library.
"""

from flask import Response, request
from twilio.request_validator import RequestValidator

from api.services import services
from notifications.channels.twilio_client import REPORTED_AGAIN
from runtime import logging

log = logging.get(__name__)


def refuse_unsigned() -> Response | None:
    """403 for whatever the carrier did not sign; None lets it pass. Without a token nothing passes."""
    settings = services().settings
    token = settings.twilio_auth_token.get_secret_value()
    signature = request.headers.get("X-Twilio-Signature", "")
    if token and signature:
        query = request.query_string.decode("ascii", "replace")
        path = f"{request.path}?{query}" if query else request.path
        # The public address first; behind a proxy that is believed (ProxyFix) the request knows its own. Whether the part
        # behind the `#`, which no request carries, is signed with it, is nowhere said: both are the carrier's word.
        for address in dict.fromkeys((f"{settings.public_url}{path}", f"{request.host_url.rstrip('/')}{path}")):
            for behind in ("", REPORTED_AGAIN):
                if RequestValidator(token).validate(address + behind, request.form, signature):
                    return None
    log.warning("webhook_not_signed", path=request.path)
    return Response("not signed by the carrier\n", status=403, mimetype="text/plain")
