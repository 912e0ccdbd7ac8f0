"""Twilio's Messages API: `/2010-04-01/Accounts/{sid}/Messages…`, and what the network then does with a message."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from flask import Blueprint, Response, request

from sandbox.carriers.answers import client_gone
from sandbox.carriers.carriers import Carriers
from sandbox.carriers.faults import refuse
from sandbox.carriers.outgoing import Unreachable, webhook
from sandbox.carriers.records import Sms, sid
from sandbox.carriers.segments import segments
from sandbox.carriers.switches import NONE, Switch
from sandbox.carriers.twilio_wire import VERSION, TwilioError, answer, authenticate, dated, not_found, page, sms_json

E164 = re.compile(r"\+[1-9]\d{6,14}")
_FINAL = ("delivered", "undelivered", "failed", "canceled", "received")
# Twilio's sentences for codes that come after the message was taken.
LATER_ERRORS = {
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30036: "Validity Period Expired",
}


class Messages:
    """Takes messages and carries them to the phones."""

    def __init__(self, carriers: Carriers) -> None:
        self.carriers = carriers
        self.options, self.state = carriers.options, carriers.state
        self.tell_by_gateway: Callable[[Sms, str], None] = lambda sms, status: None
        """Reports of what came by the generic gateway (`http_gateway.py`)."""
        for record in list(self.state.all):
            # A restart must not leave a message without its receipt for ever.
            if isinstance(record, Sms) and record.direction != "inbound" and record.status not in _FINAL:
                if record.status == "sent":
                    carriers.later.after(0.5, self._step, record, "delivered", NONE)
                else:
                    carriers.later.after(0.5, self._leave_queue, record, NONE)

    def take(self, sms: Sms, switch: Switch) -> None:
        """Accept an outbound message: on the phone at once, unless the carrier's queue holds it; receipts follow."""
        if switch.queue_s <= 0 and not switch.undelivered and self.state.phone(sms.to).reachable:
            sms.at = sms.created
        self.state.add(sms)
        step = self.options.receipt_delay
        if not switch.no_receipt:
            self.carriers.posts.after(step / 2, self._tell, sms, "queued")
        else:
            self.carriers.switches.count("sms", "no_receipt")
        if switch.queue_s > 0:
            self.carriers.switches.count("sms", "queue")
            self.carriers.later.after(min(switch.queue_s, sms.validity_s), self._leave_queue, sms, switch)
        else:
            self.carriers.later.after(step, self._step, sms, "sent", switch)

    def _leave_queue(self, sms: Sms, switch: Switch) -> None:
        if sms.status != "queued":
            return
        if switch.queue_s > sms.validity_s:
            self._end(sms, "failed", 30036, switch)
        else:
            if sms.at is None and not switch.undelivered and self.state.phone(sms.to).reachable:
                self.state.change(sms, at=time.time())
            self._step(sms, "sent", switch)

    def _step(self, sms: Sms, status: str, switch: Switch) -> None:
        now = time.time()
        if sms.status in _FINAL:
            return
        if status == "delivered" and switch.no_receipt:
            return
        code = switch.undelivered or (30003 if not self.state.phone(sms.to).reachable else None)
        if status == "delivered" and code:
            self._end(sms, "undelivered", code, switch)
            return
        self.state.change(sms, status=status, updated=now, **({"sent": now} if status == "sent" else {}))
        if status == "sent":
            self.carriers.later.after(self.options.receipt_delay, self._step, sms, "delivered", switch)
        if not switch.no_receipt:
            self.carriers.posts.after(0, self._tell, sms, status)

    def _end(self, sms: Sms, status: str, code: int, switch: Switch) -> None:
        self.carriers.switches.count("sms", status)
        self.state.change(
            sms,
            status=status,
            updated=time.time(),
            error_code=code,
            error_message=LATER_ERRORS.get(code, "Unknown error"),
            at=None,
        )
        if not switch.no_receipt:
            self.carriers.posts.after(0, self._tell, sms, status)

    def _tell(self, sms: Sms, status: str) -> None:
        if not sms.status_callback:
            return
        if sms.reference is not None:
            self.tell_by_gateway(sms, status)
            return
        params = {
            "AccountSid": self.options.account_sid, "ApiVersion": VERSION, "From": sms.from_, "To": sms.to,
            "MessageSid": sms.sid, "MessageStatus": status, "SmsSid": sms.sid, "SmsStatus": status,
        }  # fmt: skip
        if sms.messaging_service_sid:
            params["MessagingServiceSid"] = sms.messaging_service_sid
        if status in ("failed", "undelivered") and sms.error_code:
            params |= {"ErrorCode": str(sms.error_code), "ErrorMessage": sms.error_message or ""}
        try:
            webhook(sms.status_callback, params, sid=sid("IK"), auth_token=self.options.auth_token)
        except Unreachable:
            # As Twilio: a status that could not be told is not told again; the customer may still ask for the message.
            self.carriers.switches.count("sms", "callback_unreachable")


def routes(carriers: Carriers, messages: Messages) -> Blueprint:
    """The blueprint of `/2010-04-01/Accounts/{sid}/Messages…`."""
    blueprint = Blueprint("messages", __name__, url_prefix=f"/{VERSION}/Accounts/<account>")
    options, state = carriers.options, carriers.state

    def one(account: str, message: str) -> Sms:
        authenticate(options, request, account)
        found = state.sms(message)
        if found is None:
            raise not_found(request)
        return found

    @blueprint.post("/Messages.json")
    def create(account: str) -> Response:
        now = time.time()
        authenticate(options, request, account)
        form = request.form
        to, sender, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
        service = form.get("MessagingServiceSid")
        if not to:
            raise TwilioError(400, 21604, "A 'To' phone number is required.")
        if not E164.fullmatch(to):
            raise TwilioError(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not sender and not service:
            raise TwilioError(400, 21603, "A 'From' phone number is required.")
        if sender and re.fullmatch(r"\+?\d+", sender) and sender not in options.numbers:
            raise TwilioError(
                400,
                21606,
                f"The 'From' phone number {sender} is not a valid, SMS-capable inbound phone number or short code "
                "for your account.",
            )
        if not body and not form.getlist("MediaUrl"):
            raise TwilioError(400, 21602, "Message body is required.")
        if len(body) > 1600:
            raise TwilioError(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        validity = form.get("ValidityPeriod", "36000")
        if not validity.isdecimal() or not 1 <= int(validity) <= 36_000:
            raise TwilioError(400, 90007, "Invalid validity period value: it must be between 1 and 36000 seconds.")
        sender = sender or options.numbers[0]
        if (sender, to) in state.opted_out:
            raise TwilioError(400, 21610, "Attempt to send to unsubscribed recipient")
        switch = carriers.switches.hit("sms", to)
        refuse(carriers.switches, "sms", switch)
        sms = Sms(
            sid("SM"), sender, to, body, "outbound-api", "queued", segments(body), now, now,
            messaging_service_sid=service, status_callback=form.get("StatusCallback", ""), validity_s=float(validity),
        )  # fmt: skip
        shown = sms_json(options, sms)
        messages.take(sms, switch)
        carriers.switches.delay("sms", switch, client_gone)
        return answer(shown, 201)

    @blueprint.get("/Messages.json")
    def index(account: str) -> Response:
        authenticate(options, request, account)
        to, sender = request.args.get("To"), request.args.get("From")
        with state.lock:
            among = (
                [*state.sms_of.get(to or "", ()), *state.sms_of.get(sender or "", ())] if to or sender else state.all
            )
            found = [
                record
                for record in among
                if isinstance(record, Sms)
                and record.reference is None
                and (not to or record.to == to)
                and (not sender or record.from_ == sender)
                # One that still waits has no date_sent; when it was made stands for it, so that it is found.
                and dated(request, "DateSent", record.sent or record.created)
            ]
        unique = {sms.sid: sms for sms in found}
        return page(
            request, "messages", sorted(unique.values(), key=lambda sms: -sms.seq), lambda sms: sms_json(options, sms)
        )

    @blueprint.get("/Messages/<message>.json")
    def fetch(account: str, message: str) -> Response:
        return answer(sms_json(options, one(account, message)))

    @blueprint.post("/Messages/<message>.json")
    def update(account: str, message: str) -> Response:
        sms = one(account, message)
        if request.form.get("Status") == "canceled":
            if sms.status != "queued" or sms.at is not None:
                raise TwilioError(400, 30409, "Message cannot be canceled: it is no longer queued.")
            state.change(sms, status="canceled", updated=time.time())
        if request.form.get("Body") == "":
            state.change(sms, body="", updated=time.time())
        return answer(sms_json(options, sms))

    @blueprint.delete("/Messages/<message>.json")
    def remove(account: str, message: str) -> Response:
        sms = one(account, message)
        if sms.status not in _FINAL:
            raise TwilioError(409, 20009, "Cannot delete message because delivery of message has not been completed.")
        state.remove(sms)
        return answer(None, 204)

    return blueprint
