"""How a message or a call fares, as the carrier reports it. In any order, again, and about deliveries long gone."""

import contextlib
from collections.abc import Mapping
from typing import Final

from flask import Response, request

from api.services import services
from domain.deliveries import service as deliveries
from domain.deliveries.states import AttemptState
from domain.errors import NotFound
from notifications import observed, recipients
from notifications.channel import Receipt
from notifications.channels import twilio_sms, twilio_voice
from runtime import logging

log = logging.get(__name__)

_STATES: Final[Mapping[str, AttemptState]] = {
    "sent": AttemptState.SENT,
    "delivered": AttemptState.DELIVERED,
    "seen": AttemptState.DELIVERED,
    "failed_temporary": AttemptState.TEMPORARY,
    "failed_permanent": AttemptState.PERMANENT,
}


def status() -> Response:
    """Take a status callback; always 204, for the carrier has nothing to do about it."""
    delivery, attempt = request.args.get("delivery", ""), request.args.get("attempt", "")
    receipt = _receipt()
    if receipt is not None and delivery and attempt.isdecimal() and len(attempt) < 6:
        with contextlib.suppress(NotFound):
            _report(delivery, int(attempt), receipt)
    return Response(status=204)


def _receipt() -> Receipt | None:
    form = request.form
    code = form.get("ErrorCode", "")
    if "CallSid" in form:
        return twilio_voice.receipt(form.get("CallStatus", ""), code, form.get("AnsweredBy", ""))
    return twilio_sms.receipt(form.get("MessageStatus") or form.get("SmsStatus") or "", code)


def _report(delivery: str, attempt: int, receipt: Receipt) -> None:
    found = services()
    state = _STATES[receipt.state]
    told = deliveries.reported(
        delivery, attempt, state, code=str(receipt.code or ""), vendor_code=receipt.vendor_code, now=found.clock()
    )
    if told is not None:
        observed.reported(told, attempt, state, code=str(receipt.code or ""), now=found.clock())
    if state == AttemptState.DELIVERED and attempt > 1:
        held = deliveries.get(delivery)
        recipients.learn(held, held["attempts"][str(attempt)]["channel"], now=found.clock())
    if receipt.state == "seen":
        deliveries.opened(delivery, now=found.clock())
    elif state in {AttemptState.TEMPORARY, AttemptState.PERMANENT}:
        log.info("carrier_gave_up", delivery=delivery, reason=str(receipt.code), retire=receipt.retire)
        if receipt.retire:
            held = deliveries.get(delivery)
            tried = held["attempts"][str(attempt)]
            recipients.retire(held["recipient"], tried["channel"], str(receipt.code), tried_at=tried["at"])
        found.enqueue("deliver", delivery)
