"""`/webhooks/sms/<gateway>`: reports of further SMS gateways, by the signed address that each was given.

The address is the proof: one of an attempt's own, or one for all of a gateway's messages, which it then names by its own
id. Nothing else is believed, and whatever a report says, the gateway has nothing to do about it; but one that names a message
by an id which is not known yet may have overtaken the answer to that message: it is answered with 404, and comes again.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from api.services import services
from domain.errors import DomainError, NotFound
from notifications import registry, reports
from notifications.channels import http_sms
from runtime import logging
from runtime.mongo import STORE_DOWN, breaker

blp = Blueprint("gateway_reports", __name__, url_prefix="/webhooks/sms")

log = logging.get(__name__)


@blp.route("/<gateway>", methods=["GET", "POST"])
def take_report(gateway: str) -> Response:
    """How a message fares, as a gateway tells it. Again, out of order, and about messages long gone."""
    found = services()
    known = next((each for each in registry.table(found.settings).http if each.name == gateway), None)
    delivery, attempt = request.args.get("delivery", ""), request.args.get("attempt", "")
    signature, secret = request.args.get("signature", ""), found.settings.signing_key
    number = int(attempt) if attempt.isdecimal() and len(attempt) < 6 else 0
    standing = reports.is_standing(secret, gateway, signature)
    if known is None or not (standing or reports.is_signed(secret, gateway, delivery, number, signature)):
        log.warning("report_not_signed", gateway=gateway if known else "unknown")
        return Response("not an address of ours\n", status=403, mimetype="text/plain")
    said = _said()
    receipt = http_sms.receipt(known, said)
    if receipt is None:
        return Response(status=204)
    now = found.clock()
    try:
        if not standing:
            due = reports.take(delivery, number, receipt, now=now)
        else:
            delivery, due = reports.take_by_id(gateway, http_sms.vendor_id(known, said), receipt, now=now)
    except NotFound:
        return Response(status=404 if standing else 204)
    if due:
        found.enqueue("deliver", delivery)
    return Response(status=204)


def _said() -> Mapping[str, Any]:
    """The report's fields: a JSON object, else a form or the query."""
    body = request.get_json(silent=True) if request.is_json else None
    return body if isinstance(body, dict) else {**request.args.to_dict(), **request.form.to_dict()}


@blp.errorhandler(DomainError)
def not_now(_error: Exception) -> Response:
    """The store is away, or a document would not hold still: the gateway may tell us again."""
    return Response(status=503, headers={"Retry-After": "2"})


def store_down(error: Exception) -> Response:
    """The document store went away."""
    breaker.trip()
    return not_now(error)


for _kind in STORE_DOWN:
    blp.register_error_handler(_kind, store_down)
