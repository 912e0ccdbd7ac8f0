"""Receipts of pushes, with the token that the push carried: no sign-in, since the phone may be signed out or expired."""

from datetime import timedelta
from typing import Any

from marshmallow import fields

from api.blueprint import Blueprint, Call
from api.schemas import Schema
from domain.deliveries import service as deliveries
from domain.deliveries.states import DeliveryStatus
from notifications import observed, recipients

blp = Blueprint("deliveries", __name__, url_prefix="/v1/deliveries", description="Receipts of what was pushed.")

_A_MOMENT = timedelta(milliseconds=1)
"""To which the store keeps a time."""
_BY_TOKEN = "The token that the push carried opens its receipts and nothing else."


class Receipt(Schema):
    """What the push carried."""

    receipt_token = fields.String(required=True)


class Standing(Schema):
    """How far the delivery got."""

    id = fields.String(required=True, attribute="_id")
    status = fields.String(required=True)


def _receive(call: Call, delivery_id: str, status: DeliveryStatus) -> Any:
    secret = call.services.settings.signing_key
    delivery = deliveries.receive(delivery_id, call.body["receipt_token"], status, secret=secret, now=call.now)
    recipients.learn(delivery, "fcm", now=call.now)
    first = delivery.get("received_at") or delivery.get("seen_at")
    if first is not None and abs(first - call.now) < _A_MOMENT:  # this one, not a repeat of it
        observed.received(delivery, now=call.now)
    return delivery


@blp.endpoint("POST /<delivery_id>/received", public=_BY_TOKEN, body=Receipt, answer=Standing)
def received(call: Call, delivery_id: str) -> Any:
    """The phone has it: no other channel is tried. Twice, or after `seen`, changes nothing."""
    return _receive(call, delivery_id, DeliveryStatus.RECEIVED)


@blp.endpoint("POST /<delivery_id>/seen", public=_BY_TOKEN, body=Receipt, answer=Standing)
def seen(call: Call, delivery_id: str) -> Any:
    """A person looked at it."""
    return _receive(call, delivery_id, DeliveryStatus.SEEN)
