"""Bodies and answers of the responder's routes."""

from marshmallow import fields, validate

from api.schemas import Number, PositionSchema, Schema, Text, Time
from domain.incidents.states import AssignmentStatus, IncidentStatus, Resolution
from domain.people.states import Duty

MAX_POSITIONS = 100


class DutyBody(Schema):
    """Whether one can be sent."""

    status = fields.Enum(Duty, by_value=True, required=True)


class DutyUnit(Schema):
    """The responder's unit."""

    id = fields.String(required=True, attribute="_id")
    name = fields.String()
    status = fields.String(required=True)
    services = fields.List(fields.String(), required=True)


class UnitPosition(PositionSchema):
    """Where a unit was; beyond 85° north or south there is no city, and no map of Redis's."""

    lat = Number(-85, 85, required=True)


class UnitPositions(Schema):
    """A batch of positions, in any order; one that came before is dropped."""

    positions = fields.List(
        fields.Nested(UnitPosition), required=True, validate=validate.Length(min=1, max=MAX_POSITIONS)
    )


class Taken(Schema):
    """How many positions of the batch were kept."""

    accepted = fields.Integer(required=True)


class AssignmentPlace(Schema):
    """Where to go."""

    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    accuracy_m = fields.Float(allow_none=True)
    captured_at = Time(allow_none=True)


class Assignment(Schema):
    """An assignment of one's unit. Place, note and number only once it is accepted."""

    id = fields.String(required=True)
    incident_id = fields.String(required=True)
    unit_id = fields.String(required=True)
    service = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf([str(each) for each in AssignmentStatus]))
    stalled = fields.Boolean(required=True)
    mayday = fields.Boolean(required=True)
    offered_at = Time(required=True)
    expires_at = Time(allow_none=True)
    accepted_at = Time(allow_none=True)
    distance_m = fields.Integer(allow_none=True)
    category = fields.String(required=True)
    category_name = fields.String(required=True)
    severity = fields.String(required=True)
    flags = fields.List(fields.String(), required=True)
    area = fields.String(allow_none=True)
    incident_status = fields.String(required=True, validate=validate.OneOf([str(each) for each in IncidentStatus]))
    raised_at = Time(required=True)
    position = fields.Nested(AssignmentPlace, allow_none=True)
    note = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    version = fields.Integer(required=True)


class Assignments(Schema):
    """What one's unit is asked or holds now, newest first."""

    items = fields.List(fields.Nested(Assignment), required=True)


class DeclineBody(Schema):
    """No, or no longer."""

    reason = Text(500, multiline=True)


class ClearBody(Schema):
    """Done; why, where help was not what it came to."""

    resolution = fields.Enum(Resolution, by_value=True, load_default=Resolution.HELPED)
