"""Bodies and answers of beats and patrols."""

from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Answer, Choice, Id, PositionSchema, Schema, Shaped, Text, Time, Whole
from domain.patrols.rules import MOST_CORNERS
from domain.patrols.service import MOST_DATES
from domain.patrols.states import BeatKind, PatrolStatus, PlaceStatus

CLOCK = Shaped(r"([01][0-9]|2[0-3]):[0-5][0-9]", "Must be HH:MM.")
DAY = Shaped(r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", "Must be YYYY-MM-DD.")
_SHAPE = {
    "description": f"GeoJSON Polygon or LineString, WGS 84, at most {MOST_CORNERS} corners, inside the group's area (or up "
    "to 200 m beside it); a route is 100 m to 15 km long."
}


class NewBeat(Schema):
    """Where patrols of a group walk."""

    group = Id(required=True)
    name = Text(60, min_chars=1, required=True)
    geometry = fields.Dict(required=True, metadata=_SHAPE)


class BeatFields(Schema):
    """What is left out stays."""

    name = Text(60, min_chars=1)
    geometry = fields.Dict(metadata=_SHAPE)


class BeatAnswer(Answer):
    """A beat."""

    id = fields.String(required=True)
    group = fields.String(required=True)
    name = fields.String(required=True)
    kind = Choice(BeatKind, required=True)
    geometry = fields.Dict(required=True)
    retired = fields.Boolean(required=True)
    version = fields.Integer(required=True)


class BeatsQuery(PageQuery):
    """Of one group."""

    group = Id(required=True)


class NewPatrols(Schema):
    """Patrols of one beat, one for each date. Times are local ones of the beat's city; one that ends at or before the time
    at which it begins ends on the next day.
    """

    beat = Id(required=True)
    dates = fields.List(fields.String(validate=DAY), required=True, validate=validate.Length(min=1, max=MOST_DATES))
    since = fields.String(required=True, validate=CLOCK)
    until = fields.String(required=True, validate=CLOCK)
    capacity = Whole(1, 20, load_default=2)


class PatrolLocal(Schema):
    """The same times as a clock on the wall shows them; the zone's name is IANA's."""

    date = fields.String(required=True)
    since = fields.String(required=True)
    until = fields.String(required=True)
    zone = fields.String(required=True)


class PatrolRow(Answer):
    """A patrol in a list. `mine` is how the caller stands to it, absent for who did not sign up."""

    id = fields.String(required=True)
    group = fields.String(required=True)
    beat = fields.String(required=True)
    beat_name = fields.String(required=True)
    starts_at = Time(required=True)
    ends_at = Time(required=True)
    local = fields.Nested(PatrolLocal, required=True)
    status = Choice(PatrolStatus, required=True)
    capacity = fields.Integer(required=True)
    taken = fields.Integer(required=True)
    offered = fields.Integer(required=True, metadata={"description": "Places that somebody offers to others."})
    missing = fields.Integer(required=True, metadata={"description": "Who signed up and did not check in in time."})
    mine = Choice(PlaceStatus)
    version = fields.Integer(required=True)


class PatrolPlace(Answer):
    """Somebody who signed up."""

    person = fields.String(required=True)
    name = fields.String(required=True)
    status = Choice(PlaceStatus, required=True)
    checked_in_at = Time()


class PatrolAnswer(PatrolRow):
    """A patrol with who signed up."""

    places = fields.List(
        fields.Nested(PatrolPlace), required=True, metadata={"description": "For members alone; empty for others."}
    )
    reason = fields.String(metadata={"description": "Why it was cancelled."})


class PlannedPatrols(Schema):
    """The patrols that a plan made, by date."""

    items = fields.List(fields.Nested(PatrolRow), required=True)


class PatrolsQuery(PageQuery):
    """Of one group, or with `mine` one's own. From now on, for two weeks, where not said."""

    group = Id()
    mine = fields.Boolean(truthy={"true"}, falsy={"false"}, load_default=False)
    since = Time(data_key="from", metadata={"description": "Patrols that begin from here on; four hours back."})
    days = Whole(1, 62, load_default=14)


class PatrolTake(Schema):
    """Whose place; the one that was offered first where not said."""

    person = Id()


class PatrolCheckIn(Schema):
    """Where the phone is. It is compared with the beat and forgotten."""

    position = fields.Nested(PositionSchema, required=True)


class PatrolReason(Schema):
    """Why it is cancelled, for those who signed up."""

    reason = Text(200, load_default="")


class CoverageQuery(PageQuery):
    """Of which group, from when on, for how many days."""

    group = Id(required=True)
    since = Time(data_key="from")
    days = Whole(1, 31, load_default=7)


class BeatCoverage(Schema):
    """How well a beat is covered. Hours of the day are local ones, 0–23."""

    beat = fields.String(required=True)
    name = fields.String(required=True)
    zone = fields.String(required=True)
    since = Time(required=True, data_key="from")
    days = fields.Integer(required=True)
    planned_h = fields.Float(required=True, metadata={"description": "Hours on the roster."})
    covered_h = fields.Float(required=True, metadata={"description": "Of these, with somebody signed up."})
    empty = fields.List(fields.String(), required=True, metadata={"description": "Patrols with nobody, 20 at most."})
    never = fields.List(
        fields.Integer(), required=True, metadata={"description": "Hours of the day with nobody on any day."}
    )
    sometimes = fields.List(
        fields.Integer(), required=True, metadata={"description": "Hours of the day with nobody on some days."}
    )


class CoverageFeature(Schema):
    """A GeoJSON Feature (RFC 7946): a beat, with its coverage as properties. `items` are a FeatureCollection's features."""

    type = fields.String(required=True)
    geometry = fields.Dict(required=True)
    properties = fields.Nested(BeatCoverage, required=True)
