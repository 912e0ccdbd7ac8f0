"""Bodies and answers of comments and reactions."""

from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Answer, Choice, Schema, Text, Time
from domain.comments.states import CommentStatus, Reaction
from domain.reports.states import Anonymity, Flag


class NewComment(Schema):
    """What a neighbour says below a report."""

    text = Text(300, min_chars=1, required=True, multiline=True)
    anonymous = Choice(
        Anonymity,
        load_default=Anonymity.NOBODY,
        metadata={"description": "From whom the name is kept, as of a report."},
    )


class CommentAnswer(Answer):
    """A comment. What holds it, and what was decided, are for its author and for moderators."""

    id = fields.String(required=True)
    report = fields.String(required=True)
    text = fields.String(required=True)
    status = Choice(CommentStatus, required=True)
    author_name = fields.String(metadata={"description": "Where the caller may read it."})
    mine = fields.Boolean(required=True)
    at = Time(required=True)
    reasons = fields.List(fields.String())
    decision = fields.String(metadata={"description": "Why a human removed it, or kept it."})


class CommentsQuery(PageQuery):
    """Those that are published, and one's own; those that are held or removed for moderators."""

    status = Choice(CommentStatus, load_default=CommentStatus.PUBLISHED)


class CommentFlag(Schema):
    """Why a human should read it."""

    why = Choice(Flag, required=True)


class CommentDecision(Schema):
    """What is decided, and why: its author reads it."""

    status = Choice(CommentStatus, required=True)
    reason = Text(300, min_chars=3, required=True)


class ReactionBody(Schema):
    """How the caller is moved; `none` takes it back."""

    kind = fields.String(required=True, validate=validate.OneOf([*(str(each) for each in Reaction), "none"]))


class ReactionsAnswer(Answer):
    """How neighbours reacted to a report, by kind, and how the caller did."""

    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    comments = fields.Integer(required=True, metadata={"description": "Comments that may be read."})
    mine = Choice(Reaction)
