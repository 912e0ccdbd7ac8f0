"""Bodies and answers of watch groups' alerts."""

from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Answer, Choice, Flag, Id, Number, Schema, Text, Time
from domain.watch_alerts.states import WatchAlertStatus


class WatchAlertWords(Schema):
    """An alert in one language."""

    headline = Text(160, min_chars=1, metadata={"description": "One sentence; an SMS carries it."})
    instruction = Text(300, multiline=True, metadata={"description": "What to do."})


class WatchAlertTexts(Schema):
    """By language, one at least; whoever reads another gets the one that there is."""

    en = fields.Nested(WatchAlertWords)
    ur = fields.Nested(WatchAlertWords)


class WatchAlertAround(Schema):
    """A circle. Metres, WGS 84 degrees."""

    lat = Number(-90, 90, required=True)
    lon = Number(-180, 180, required=True)
    radius_m = Number(50, 2000, required=True)


class NewWatchAlert(Schema):
    """A warning, to exactly one of `groups` and `around`: the members of all groups that the circle touches, but for those
    who follow places and have none in it. A coordinator's circle has its middle in an area that they lead.
    """

    groups = fields.List(Id(), validate=validate.Length(min=1, max=20))
    around = fields.Nested(WatchAlertAround)
    texts = fields.Nested(WatchAlertTexts, required=True)
    urgent = Flag(
        load_default=False,
        metadata={"description": "A life depends on it: also by night, and by SMS where a phone sends no receipt."},
    )
    expires = Time(metadata={"description": "At most three days ahead; six hours where not given."})


class WatchAlertsQuery(PageQuery):
    """Of one group; of all of one's own without it."""

    group = Id()


class WatchAlertProgress(Answer):
    """How far the telling is. Each person is counted once."""

    state = fields.String(required=True, metadata={"description": "finding, sending or told (everybody was tried)."})
    people = fields.Integer(required=True, metadata={"description": "Found so far."})
    sent = fields.Integer(required=True, metadata={"description": "A carrier has the message, or it went further."})
    received = fields.Integer(required=True, metadata={"description": "The phone says that it has it."})
    seen = fields.Integer(required=True)
    acknowledged = fields.Integer(required=True, metadata={"description": "The person says that they know."})
    failed = fields.Integer(required=True, metadata={"description": "No channel is left."})


class WatchAlertAnswer(Answer):
    """An alert. `progress` is for those who lead one of its groups, and for the control room."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    groups = fields.List(fields.String(), required=True)
    around = fields.Nested(WatchAlertAround)
    texts = fields.Nested(WatchAlertTexts, required=True)
    urgent = fields.Boolean(required=True)
    status = Choice(WatchAlertStatus, required=True)
    issued_at = Time(required=True)
    expires = Time(required=True)
    acknowledged = fields.Boolean(metadata={"description": "Whether the caller said that they know."})
    version = fields.Integer(required=True)
    progress = fields.Nested(WatchAlertProgress)
