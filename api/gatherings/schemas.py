"""Bodies and answers of gatherings."""

from marshmallow import fields

from api.paging import PageQuery
from api.patrols.schemas import PatrolLocal
from api.schemas import Answer, Choice, Id, PlaceSchema, Schema, Text, Time, Whole
from domain.gatherings.states import Coming, GatheringKind, GatheringStatus


class GatheringPlace(PlaceSchema):
    """Where it is."""

    name = Text(120, min_chars=1, required=True)


class NewGathering(Schema):
    """A meeting or a workshop of a group."""

    group = Id(required=True)
    kind = Choice(GatheringKind, required=True)
    title = Text(120, min_chars=1, required=True)
    note = Text(600, load_default="", multiline=True)
    place = fields.Nested(GatheringPlace, required=True)
    starts_at = Time(required=True)
    ends_at = Time(required=True)
    capacity = Whole(2, 500, load_default=50)


class GatheringFields(Schema):
    """What is left out stays."""

    title = Text(120, min_chars=1)
    note = Text(600, multiline=True)
    place = fields.Nested(GatheringPlace)
    starts_at = Time()
    ends_at = Time()
    capacity = Whole(2, 500)


class GatheringAnswer(Answer):
    """A gathering. Who comes is told in numbers; names are read where one comes oneself, by asking."""

    id = fields.String(required=True)
    group = fields.String(required=True)
    kind = Choice(GatheringKind, required=True)
    title = fields.String(required=True)
    note = fields.String()
    place = fields.Nested(GatheringPlace, required=True)
    starts_at = Time(required=True)
    ends_at = Time(required=True)
    local = fields.Nested(PatrolLocal, required=True)
    status = Choice(GatheringStatus, required=True)
    reason = fields.String(metadata={"description": "Why it was cancelled."})
    capacity = fields.Integer(required=True)
    going = fields.Integer(required=True)
    maybe = fields.Integer(required=True)
    mine = Choice(Coming)
    sequence = fields.Integer(required=True, metadata={"description": "iCalendar's."})
    version = fields.Integer(required=True)


class GatheringsQuery(PageQuery):
    """Of one group; of all of one's own without it. From now on where not said."""

    group = Id()
    since = Time(data_key="from")


class GatheringReason(Schema):
    """Why it is cancelled."""

    reason = Text(200, load_default="")


class GatheringComing(Schema):
    """Whether one comes."""

    answer = Choice(Coming, required=True)


class CalendarLink(Schema):
    """The address of one's own calendar, for a calendar app; told once. Whoever has it reads it."""

    url = fields.String(required=True)
