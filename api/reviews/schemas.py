"""Bodies and answers of reviews."""

from typing import Any

import marshmallow as ma
from marshmallow import fields

from api.paging import PageQuery
from api.schemas import Answer, Choice, Flag, Id, Schema, Text, Time
from domain.reviews.states import ReviewKind, ReviewStatus, Said


class ReviewsQuery(PageQuery):
    """Which reviews."""

    city = Id(metadata={"description": "Needed by whoever works for several."})
    status = Choice(ReviewStatus, load_default=ReviewStatus.OPEN)


class ReviewAnswer(Schema):
    """One person's answer."""

    by = fields.String(required=True)
    at = Time(required=True)
    answer = Choice(Said, required=True)
    reason = fields.String(required=True)


class ReviewBox(Schema):
    """Where in the picture: [x, y, width, height] in 0–1 of it, at so many seconds of the clip."""

    kind = fields.String(required=True)
    bbox = fields.List(fields.Float(), required=True)
    at_s = fields.Float()


class ReviewAbout(Schema):
    """What whoever answers is shown."""

    camera = fields.String()
    observation = fields.String()
    hit = fields.String(metadata={"description": "`/v1/hits/{id}` has the plate; each reading of it is logged."})
    finding = fields.String(metadata={"description": "What analytics found."})
    confidence = fields.Float()
    detector = fields.String(metadata={"description": "Which detector, and its version."})
    search = fields.String(metadata={"description": "`/v1/face-searches/{id}`: which search the lead is of."})
    incident = fields.String()
    purpose = fields.String(metadata={"description": "Of a search for a face: what it is for."})
    hours = fields.Integer(metadata={"description": "For how long it would be allowed."})
    boxes = fields.List(fields.Nested(ReviewBox))
    pictures = fields.List(
        fields.String(), metadata={"description": "Where the pictures are; each sight of one is logged."}
    )


class Review(Answer):
    """A question to humans."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    kind = Choice(ReviewKind, required=True)
    subject = fields.String(required=True, metadata={"description": "What it is about, by id."})
    asked_by = fields.String(required=True)
    asked_at = Time(required=True)
    reason = fields.String(required=True)
    question = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "The one question about a picture, in English (`en`) and Urdu (`ur`)."},
    )
    about = fields.Nested(ReviewAbout)
    needed = fields.Integer(required=True, metadata={"description": "How many must say yes."})
    status = Choice(ReviewStatus, required=True)
    answers = fields.List(fields.Nested(ReviewAnswer), required=True)
    due_at = Time()
    decided_at = Time()
    version = fields.Integer(required=True)


class AnswerBody(Schema):
    """The answer to the one question, and why: a picture's needs no reason."""

    answer = Choice(Said, metadata={"description": "`cannot_tell` is for pictures only."})
    approve = Flag(metadata={"description": "Yes or no, instead of `answer`."})
    reason = Text(500, load_default="")

    @ma.validates_schema
    def _says_one_thing(self, data: dict[str, Any], **_: Any) -> None:
        if ("answer" in data) == ("approve" in data):
            raise ma.ValidationError("Say either `answer` or `approve`.", "answer")
