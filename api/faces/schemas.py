"""Bodies and answers of searches for a face."""

from marshmallow import fields

from api.schemas import Answer, Choice, Schema, Text, Time, Whole
from domain.faces.service import MOST_HOURS
from domain.faces.states import Purpose, SearchState
from domain.reviews.states import Said


class NewFaceSearch(Schema):
    """Why one incident's footage should be searched for one face, and on whose order."""

    purpose = Choice(Purpose, required=True)
    legal_basis = Text(
        300, min_chars=8, required=True, metadata={"description": "The report or warrant: whose, its number and date."}
    )
    hours = Whole(
        1, MOST_HOURS, load_default=24, metadata={"description": "For how long it is allowed, from the second yes."}
    )


class FaceLead(Answer):
    """A face that is like the one searched for. It is a lead for a human: a likeness in figures proves nothing."""

    id = fields.String(required=True)
    evidence = fields.String(required=True)
    t = fields.Float(required=True, metadata={"description": "Seconds from the footage's `since`."})
    score = fields.Float(required=True, metadata={"description": "Cosine; the model's threshold is where it begins."})
    bbox = fields.List(fields.Float(), required=True)
    crop = fields.String(required=True, metadata={"description": "Where its picture is."})
    said = Choice(Said, metadata={"description": "What a human said of it. Nothing follows from it by itself."})


class FaceModel(Answer):
    """Which model compared."""

    name = fields.String(required=True)
    sha256 = fields.String(required=True)
    threshold = fields.Float(required=True)


class FaceSearch(Answer):
    """A search of one incident's footage for one face."""

    id = fields.String(required=True)
    incident = fields.String(required=True)
    city = fields.String(required=True)
    purpose = Choice(Purpose, required=True)
    legal_basis = fields.String(required=True)
    by = fields.String(required=True)
    hours = fields.Integer(required=True)
    state = Choice(SearchState, required=True)
    review = fields.String(metadata={"description": "The question to two others."})
    searched = fields.List(fields.String(), required=True, metadata={"description": "Evidence that was gone through."})
    failed = fields.Dict(required=True, metadata={"description": "Evidence that could not be, with one word why."})
    leads = fields.List(fields.Nested(FaceLead), required=True)
    leads_were = fields.Integer(metadata={"description": "How many there were, once it is over."})
    model = fields.Nested(FaceModel)
    until = Time(metadata={"description": "When it is over, and its pictures go."})
    at = Time(required=True)
    version = fields.Integer(required=True)


class EndFaceSearch(Schema):
    """Why it ends before its time."""

    reason = Text(300, min_chars=5, required=True)
