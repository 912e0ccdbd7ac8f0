"""Bodies and answers of reviews."""

from marshmallow import fields

from api.paging import PageQuery
from api.schemas import Answer, Choice, Flag, Id, Schema, Text, Time
from domain.reviews.states import ReviewKind, ReviewStatus


class ReviewsQuery(PageQuery):
    """Which reviews."""

    city = Id(metadata={"description": "Needed by whoever works for several."})
    status = Choice(ReviewStatus, load_default=ReviewStatus.OPEN)


class ReviewAnswer(Schema):
    """One person's answer."""

    by = fields.String(required=True)
    at = Time(required=True)
    approve = fields.Boolean(required=True)
    reason = fields.String(required=True)


class Review(Answer):
    """A question to humans."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    kind = Choice(ReviewKind, required=True)
    subject = fields.String(required=True, metadata={"description": "What it is about, by id."})
    asked_by = fields.String(required=True)
    asked_at = Time(required=True)
    reason = fields.String(required=True)
    needed = fields.Integer(required=True, metadata={"description": "How many must say yes."})
    status = Choice(ReviewStatus, required=True)
    answers = fields.List(fields.Nested(ReviewAnswer), required=True)
    due_at = Time()
    decided_at = Time()
    version = fields.Integer(required=True)


class AnswerBody(Schema):
    """Yes or no, and why."""

    approve = Flag(required=True)
    reason = Text(500, min_chars=5, required=True)
