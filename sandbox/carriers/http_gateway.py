"""A second SMS gateway on the same network: what a small aggregator's HTTP API looks like, to the same phones.

`POST /gateway/messages` with a bearer token takes `{to, from, text, validity_minutes, reference, report_url}` and answers
`{"messages": [{"id", "parts", "status"}]}`; a refusal is `{"error": {"code", "text"}}`. `GET /gateway/messages?reference=`
lists what was taken. Reports are posted as `{"id", "reference", "status", "error"}`, where status is ACCEPTED, DELIVERED,
EXPIRED or FAILED.
"""

from __future__ import annotations

import hmac
import time
from typing import Any

from flask import Blueprint, Response, request

from sandbox.carriers.answers import client_gone, reply
from sandbox.carriers.carriers import Carriers
from sandbox.carriers.outgoing import Unreachable, app_post
from sandbox.carriers.records import Sms, sid
from sandbox.carriers.segments import segments
from sandbox.carriers.twilio_messages import E164, Messages

_ERRORS = {401: "E401", 429: "E429", 500: "E500", 503: "E503"}
_STATUS = {"sent": "ACCEPTED", "delivered": "DELIVERED", "undelivered": "FAILED", "failed": "EXPIRED"}
_REPORTED = {30003: "E30", 30005: "E31", 30036: "E36"}
"""This gateway's own codes for what the network says."""


def _refusal(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Response:
    return reply({"error": {"code": code, "text": text}}, status, headers)


def _shown(sms: Sms) -> dict[str, Any]:
    return {
        "id": sms.sid,
        "reference": sms.reference,
        "parts": sms.segments,
        "status": _STATUS.get(sms.status, "ACCEPTED"),
        "error": _REPORTED.get(sms.error_code or 0, ""),
    }


def routes(carriers: Carriers, messages: Messages) -> Blueprint:
    """The blueprint of `/gateway/messages`."""
    blueprint = Blueprint("gateway", __name__, url_prefix="/gateway")
    options, state = carriers.options, carriers.state

    def report(sms: Sms, status: str) -> None:
        if status == "queued":
            return
        try:
            app_post(sms.status_callback, {**_shown(sms), "status": _STATUS[status]}, {})
        except Unreachable:
            carriers.switches.count("gateway", "callback_unreachable")

    messages.tell_by_gateway = report

    @blueprint.before_request
    def authenticate() -> Response | None:
        given = request.headers.get("Authorization", "").encode()
        if hmac.compare_digest(given, f"Bearer {options.auth_token}".encode()):
            return None
        return _refusal(401, "E401", "unknown token")

    @blueprint.post("/messages")
    def create() -> Response:
        now, body = time.time(), request.get_json(silent=True)
        if not isinstance(body, dict) or not isinstance(body.get("text"), str) or not body["text"]:
            return _refusal(400, "E10", "text is required")
        to, reference = str(body.get("to") or ""), str(body.get("reference") or "")
        if not E164.fullmatch(to):
            return _refusal(400, "E11", "to must be an E.164 number")
        validity = body.get("validity_minutes")
        if not isinstance(validity, int) or not 1 <= validity <= 2880:
            return _refusal(400, "E12", "validity_minutes must be between 1 and 2880")
        switch = carriers.switches.hit("gateway", to)
        wait = {} if switch.retry_after is None else {"Retry-After": f"{switch.retry_after:g}"}
        if switch.status is not None:
            carriers.switches.count("gateway", str(switch.status))
            return _refusal(switch.status, _ERRORS.get(switch.status, "E500"), "switched failure", wait)
        if switch.error is not None:
            carriers.switches.count("gateway", switch.error)
            return _refusal(400, switch.error, "switched failure", wait)
        sms = Sms(
            sid("GW"), str(body.get("from") or ""), to, body["text"], "outbound-api", "queued", segments(body["text"]),
            now, now, status_callback=str(body.get("report_url") or ""), validity_s=validity * 60.0, reference=reference,
        )  # fmt: skip
        shown = _shown(sms)
        messages.take(sms, switch)
        carriers.switches.delay("gateway", switch, client_gone)
        return reply({"messages": [shown]}, 202)

    @blueprint.get("/messages")
    def index() -> Response:
        wanted = request.args.get("reference", "")
        with state.lock:
            found = [each for each in state.all if isinstance(each, Sms) and wanted and each.reference == wanted]
        return reply({"messages": [_shown(sms) for sms in found]})

    return blueprint
