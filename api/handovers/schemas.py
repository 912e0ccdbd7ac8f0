"""Answers of handovers: what neighbours said, and what an agency did."""

from marshmallow import fields

from api.schemas import Answer, Choice, Schema, Time
from domain.handovers.states import HandoverStatus


class HandoverUpdate(Schema):
    """What the agency said of it."""

    at = Time(required=True)
    status = Choice(HandoverStatus, required=True)
    notes = fields.String(required=True)


class HandoverAnswer(Answer):
    """A report at an agency: you said, they did."""

    id = fields.String(required=True)
    report_id = fields.String(required=True)
    category = fields.String(required=True)
    name = fields.String(required=True, metadata={"description": "Of the category, in the caller's language."})
    agency = fields.String(required=True)
    agency_name = fields.String(required=True)
    status = Choice(HandoverStatus, required=True)
    notes = fields.String(required=True)
    requested_at = Time(required=True)
    updated_at = Time(required=True)
    updates = fields.List(fields.Nested(HandoverUpdate), required=True, metadata={"description": "The last three."})
