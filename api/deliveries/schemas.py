"""What staff read of a delivery: every attempt with the carrier's own id and code, our reading of it, and the times."""

from marshmallow import fields

from api.schemas import Answer, Choice, Time
from domain.deliveries.states import AttemptState, DeliveryStatus


class SentTo(Answer):
    """Who was told, by id; never a number or a token."""

    kind = fields.String(required=True)
    id = fields.String(metadata={"description": "Not of a guardian: who that is is hers to say."})


class AttemptInFull(Answer):
    """One try on one channel."""

    number = fields.Integer(required=True)
    channel = fields.String(required=True)
    carrier = fields.String(metadata={"description": "Which of the channel's carriers was asked."})
    state = Choice(AttemptState, required=True)
    state_reading = fields.String(required=True, metadata={"description": "The state in a sentence."})
    vendor_id = fields.String(metadata={"description": "The carrier's own id of the message."})
    vendor_code = fields.String(metadata={"description": "The carrier's own code, as it came."})
    code = fields.String(metadata={"description": "What we take it to mean."})
    reading = fields.String(metadata={"description": "The code in a sentence."})
    segments = fields.Integer()
    device = fields.String()
    at = Time(required=True, metadata={"description": "When the carrier was asked."})
    done_at = Time(metadata={"description": "When it answered."})
    answer_ms = fields.Integer(metadata={"description": "How long it took to answer."})
    reported_at = Time(metadata={"description": "When its receipt came."})
    retry_at = Time(metadata={"description": "Not tried again before."})


class HeldBack(Answer):
    """Why it was not sent yet."""

    reason = fields.String(required=True)
    at = Time()


class DeliveryInFull(Answer):
    """One thing that one person was to be told."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    purpose = fields.String(required=True)
    subject = fields.String(required=True)
    recipient = fields.Nested(SentTo, required=True)
    status = Choice(DeliveryStatus, required=True)
    status_reading = fields.String(required=True, metadata={"description": "The status in a sentence."})
    reason = fields.String(metadata={"description": "Why it ended, where it did not arrive."})
    reading = fields.String(metadata={"description": "The reason in a sentence, where it is one of ours."})
    held = fields.Nested(HeldBack)
    plan = fields.List(fields.String(), required=True, metadata={"description": "Channels, in order."})
    valid_until = Time(metadata={"description": "Nothing of it goes out later."})
    created_at = Time(required=True)
    next_at = Time(metadata={"description": "When it is looked at again."})
    sent_at = Time()
    delivered_at = Time()
    received_at = Time()
    seen_at = Time()
    attempts = fields.List(fields.Nested(AttemptInFull), required=True)
