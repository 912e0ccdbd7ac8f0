"""Twilio's Calls API: `/2010-04-01/Accounts/{sid}/Calls…`."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from sandbox.carriers.answers import client_gone
from sandbox.carriers.call_events import ENDED
from sandbox.carriers.carriers import Carriers
from sandbox.carriers.faults import refuse
from sandbox.carriers.line import Line, NotPossible
from sandbox.carriers.records import Call, sid
from sandbox.carriers.twilio_messages import E164
from sandbox.carriers.twilio_wire import VERSION, TwilioError, answer, authenticate, call_json, dated, not_found, page

# fmt: off
_KEPT = [
    "Url", "Method", "FallbackUrl", "FallbackMethod", "StatusCallback", "StatusCallbackMethod",
    "Timeout", "TimeLimit", "Twiml", "SendDigits", "Record", "MachineDetection",
    "MachineDetectionTimeout", "AsyncAmd", "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod",
    "CallReason", "CallerId",
]
# fmt: on


def routes(carriers: Carriers, line: Line) -> Blueprint:
    """The blueprint of `/2010-04-01/Accounts/{sid}/Calls…`."""
    blueprint = Blueprint("calls", __name__, url_prefix=f"/{VERSION}/Accounts/<account>")
    options, state = carriers.options, carriers.state

    def one(account: str, call: str) -> Call:
        authenticate(options, request, account)
        found = state.call(call)
        if found is None:
            raise not_found(request)
        return found

    @blueprint.post("/Calls.json")
    def create(account: str) -> Response:
        now = time.time()
        authenticate(options, request, account)
        form = request.form
        to, sender = form.get("To", ""), form.get("From", "")
        if not to:
            raise TwilioError(400, 21201, "No 'To' number is specified")
        if not E164.fullmatch(to):
            raise TwilioError(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not sender:
            raise TwilioError(400, 21213, "No 'From' number is specified")
        if sender not in options.numbers:
            raise TwilioError(
                400, 21210, f"The source phone number provided, {sender}, is not yet verified for your account."
            )
        if not (form.get("Url") or form.get("Twiml") or form.get("ApplicationSid")):
            raise TwilioError(400, 21205, "Url parameter is required.")
        timeout = form.get("Timeout", "60")
        if not timeout.isdecimal() or int(timeout) > 600:
            raise TwilioError(400, 13224, f"Timeout value {timeout} is invalid: it must be between 0 and 600")
        switch = carriers.switches.hit("voice", to)
        refuse(carriers.switches, "voice", switch)
        params: dict[str, object] = {name: form[name] for name in _KEPT if name in form}
        events = [event for value in form.getlist("StatusCallbackEvent") for event in value.split()]
        if events:
            params["StatusCallbackEvent"] = events
        if switch.no_receipt:
            params["_no_receipt"] = True
            carriers.switches.count("voice", "no_receipt")
        call = Call(sid("CA"), sender, to, "outbound-api", "queued", now, now, now, params)
        shown = call_json(options, call)
        state.add(call)
        line.start(call, switch)
        carriers.switches.delay("voice", switch, client_gone)
        return answer(shown, 201)

    @blueprint.get("/Calls.json")
    def index(account: str) -> Response:
        authenticate(options, request, account)
        wanted = {"To": "to", "From": "from_", "Status": "status", "ParentCallSid": "parent"}
        with state.lock:
            found = [
                record
                for record in state.by_id["call"].values()
                if all(
                    not request.args.get(name) or getattr(record, field) == request.args[name]
                    for name, field in wanted.items()
                )
                and dated(request, "StartTime", record.answered)
                and dated(request, "EndTime", record.ended)
            ]
        return page(request, "calls", sorted(found, key=lambda call: -call.seq), lambda call: call_json(options, call))

    @blueprint.get("/Calls/<call>.json")
    def fetch(account: str, call: str) -> Response:
        return answer(call_json(options, one(account, call)))

    @blueprint.post("/Calls/<call>.json")
    def update(account: str, call: str) -> Response:
        found, form = one(account, call), request.form
        status = form.get("Status")
        if status not in (None, "canceled", "completed"):
            raise TwilioError(400, 21218, f"Invalid call status: {status}")
        try:
            if status == "canceled" and found.status not in ("queued", "ringing"):
                raise NotPossible("Call is not queued or ringing. Cannot cancel.")
            if status:
                line.hang_up(found, status)
            elif form.get("Url") or form.get("Twiml"):
                line.script.redirect(found, form.get("Url", ""), form.get("Method", "POST"), form.get("Twiml", ""))
        except NotPossible as wrong:
            raise TwilioError(400, 21220, str(wrong)) from wrong
        return answer(call_json(options, found))

    @blueprint.delete("/Calls/<call>.json")
    def remove(account: str, call: str) -> Response:
        found = one(account, call)
        if found.status not in ENDED:
            raise TwilioError(409, 20009, "Cannot delete call because it is still in progress.")
        state.remove(found)
        return answer(None, 204)

    return blueprint
