"""What a journey is made of, and how its traveller sees it."""

from marshmallow import fields, validate

from api.incidents.schemas import SosPosition, TrackBatch
from api.schemas import Choice, Flag, Id, Number, PositionSchema, Schema, Text, Time, Whole
from domain.journeys import rules
from domain.journeys.states import Concern, JourneyStatus

MOST_ROUTE = 300


class Destination(Schema):
    """Where the journey goes."""

    lat = Number(-90, 90, required=True)
    lon = Number(-180, 180, required=True)
    name = Text(80, load_default="")


class NewJourney(Schema):
    """A journey. She is asked at each check-in and at the arrival, whichever comes first."""

    destination = fields.Nested(Destination, required=True)
    expected_arrival = Time(required=True, metadata={"description": "By the phone's clock, as Sent-At is."})
    check_in_every_s = Whole(300, 14_400, load_default=None, allow_none=True)
    check_ins = fields.List(
        Time(), load_default=list, validate=validate.Length(max=rules.MOST_CHECK_INS),
        metadata={"description": "Times at which to be asked, beside or instead of an interval."},
    )  # fmt: skip
    grace_s = Whole(30, 1800, load_default=rules.GRACE_S, metadata={"description": "To answer, before guardians hear."})
    guardians = fields.List(
        Id(), load_default=None, allow_none=True, validate=validate.Length(max=10),
        metadata={"description": "Ids of one's guardians; all of them where left out, nobody for []."},
    )  # fmt: skip
    route = fields.List(
        fields.List(Number(-180, 180), validate=validate.Length(equal=2)),
        load_default=list,
        validate=validate.Length(max=MOST_ROUTE),
        metadata={"description": "The way, as [lat, lon] pairs: leaving it is told to the guardians."},
    )
    sharing = Flag(load_default=False, metadata={"description": "Guardians look on until she arrives."})
    silent = Flag(
        load_default=False, metadata={"description": "Her phone makes no sound, also when it becomes an SOS."}
    )
    note = Text(500, multiline=True, load_default=None, allow_none=True)
    battery_pct = Number(0, 100, load_default=None, allow_none=True)
    position = fields.Nested(PositionSchema, load_default=None, allow_none=True)


class Journey(Schema):
    """A journey as its traveller sees it."""

    id = fields.String(required=True)
    status = Choice(JourneyStatus, required=True)
    version = fields.Integer(required=True)
    city = fields.String(required=True)
    destination = fields.Nested(Destination, required=True)
    expected_arrival = Time(required=True)
    check_in_every_s = fields.Integer(allow_none=True)
    check_ins = fields.List(Time(), required=True)
    grace_s = fields.Integer(required=True)
    next_check_in = Time(allow_none=True, metadata={"description": "When she is asked next."})
    answer_by = Time(allow_none=True, metadata={"description": "While asked: then the guardians hear of it."})
    sos_at = Time(allow_none=True, metadata={"description": "While missed: then it becomes an SOS."})
    guardians = fields.List(fields.String(), required=True)
    sharing = fields.Boolean(required=True)
    silent = fields.Boolean(required=True)
    note = fields.String(allow_none=True)
    battery_pct = fields.Float(allow_none=True)
    concerns = fields.List(Choice(Concern), required=True)
    position = fields.Nested(SosPosition, allow_none=True)
    heard_at = Time(required=True)
    started_at = Time(required=True)
    updated_at = Time(required=True)
    ended_at = Time(allow_none=True)
    sos_id = fields.String(allow_none=True, metadata={"description": "The SOS that it became."})


class JourneyDetail(Journey):
    """With what only its own phone needs."""

    share_url = fields.String(required=True)
    requires_pin = fields.Boolean(required=True, metadata={"description": "To arrive, cancel and extend."})


class JourneyPositions(TrackBatch):
    """A batch of positions, and how full the battery is."""

    battery_pct = Number(0, 100, load_default=None, allow_none=True)


def _pin() -> fields.String:
    return fields.String(validate=validate.Length(max=64), load_default=None, allow_none=True)


class CheckIn(Schema):
    """All is well. `at` where it was said before it could be sent; a PIN may stand with it."""

    at = Time(load_default=None, allow_none=True)
    battery_pct = Number(0, 100, load_default=None, allow_none=True)
    pin = _pin()


class Extend(Schema):
    """Later than thought; the PIN where one is set."""

    expected_arrival = Time(required=True)
    pin = _pin()


class End(Schema):
    """It is over; the PIN where one is set."""

    pin = _pin()
