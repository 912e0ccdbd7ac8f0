"""Bodies, queries and answers of the drill routes."""

from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Answer, Choice, Id, Schema, Time, Whole
from domain.cities.config import ChannelName
from domain.drills.states import DrillStatus, Unreached
from domain.permissions import Role


class NewDrill(Schema):
    """Whom to test. What is left out is as in the city's plan for its scheduled drills."""

    city = Id()
    agency_id = Id(metadata={"description": "Only the people of this agency."})
    roles = fields.List(
        fields.String(validate=validate.OneOf([str(role) for role in Role if role != Role.CITIZEN])),
        validate=validate.Length(min=1, max=len(Role)),
        metadata={"description": "Of those whom Amaan must be able to call."},
    )
    channels = fields.List(Choice(ChannelName), validate=validate.Length(min=1, max=len(ChannelName)))
    answer_within_min = Whole(1, 24 * 60)


class DrillsQuery(PageQuery):
    """The drills of a city."""

    city = Id()


class ChannelFigures(Schema):
    """What came of one channel."""

    channel = fields.String(required=True)
    asked = fields.Integer(required=True)
    reached = fields.Integer(required=True)
    waiting = fields.Integer(required=True, metadata={"description": "May still answer."})
    left_out = fields.Integer(required=True, metadata={"description": "Were needed elsewhere, and not disturbed."})
    by = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    why = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class Drill(Answer):
    """A drill and what came of it so far."""

    id = fields.String(required=True, attribute="_id")
    city = fields.String(required=True)
    agency_id = fields.String()
    by = fields.String(required=True, metadata={"description": "A person, or `system:schedule`."})
    status = Choice(DrillStatus, required=True)
    reason = fields.String(metadata={"description": "Why it was withdrawn or stopped."})
    roles = fields.List(fields.String(), required=True)
    channels = fields.List(fields.String(), required=True)
    at = Time(required=True, metadata={"description": "When it begins, or was to begin."})
    started_at = Time()
    deadline = Time()
    ended_at = Time()
    people = fields.Integer(required=True, metadata={"description": "Told so far."})
    unreachable = fields.Integer(metadata={"description": "Reached on no channel at all."})
    results = fields.List(fields.Nested(ChannelFigures), metadata={"description": "Not in lists."})


class Missed(Answer):
    """Somebody who was not reached on a channel, and why."""

    person_id = fields.String(required=True)
    name = fields.String()
    channel = Choice(ChannelName, required=True)
    why = Choice(Unreached, required=True)
    reading = fields.String(required=True, metadata={"description": "The reason in a sentence."})
    delivery_id = fields.String(required=True)
