"""How a message or a call fares, as the carrier reports it. In any order, again, and about deliveries long gone."""

import contextlib

from flask import Response, request

from api.services import services
from api.webhooks import bridge
from domain.errors import NotFound
from notifications import reports
from notifications.channel import Receipt
from notifications.channels import twilio_sms, twilio_voice


def status() -> Response:
    """Take a status callback; always 204, for the carrier has nothing to do about it."""
    delivery, attempt = request.args.get("delivery", ""), request.args.get("attempt", "")
    receipt = _receipt()
    if receipt is not None and delivery and attempt.isdecimal() and len(attempt) < 6:
        with contextlib.suppress(NotFound):
            _report(delivery, int(attempt), receipt)
            if request.form.get("CallStatus") == "completed":
                bridge.over(delivery)
    return Response(status=204)


def _receipt() -> Receipt | None:
    form = request.form
    code = form.get("ErrorCode", "")
    if "CallSid" in form:
        return twilio_voice.receipt(form.get("CallStatus", ""), code, form.get("AnsweredBy", ""))
    return twilio_sms.receipt(form.get("MessageStatus") or form.get("SmsStatus") or "", code)


def _report(delivery: str, attempt: int, receipt: Receipt) -> None:
    found = services()
    if reports.take(delivery, attempt, receipt, now=found.clock()):
        found.enqueue("deliver", delivery)
