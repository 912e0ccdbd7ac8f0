"""How quickly the city answers, sends and arrives, against what it promised."""

from datetime import timedelta
from typing import Any, Final

from marshmallow import fields

from api.blueprint import Blueprint, Call
from api.schemas import Id, Schema, Time
from domain.cities import queries as cities
from domain.insights import service as insights
from domain.permissions import Target

blp = Blueprint("insights", __name__, url_prefix="/v1/insights", description="Figures, never persons.")

LONGEST: Final = timedelta(days=31)


class ResponseQuery(Schema):
    """Which city, raised from when until before when; the last 24 hours where left out, 31 days at most."""

    city = Id(required=True)
    since = Time(data_key="from")
    until = Time(data_key="to")


class Measure(Schema):
    """One time: how many, how long for half and for nine tenths, and the share within the target."""

    measure = fields.String(required=True, metadata={"description": "answer, dispatch or arrival"})
    service = fields.String(allow_none=True)
    n = fields.Integer(required=True)
    p50_s = fields.Float(allow_none=True)
    p90_s = fields.Float(allow_none=True)
    target_s = fields.Float(allow_none=True)
    within = fields.Float(allow_none=True, metadata={"description": "0–1; the aim is 0.9."})


class ResponseAnswer(Schema):
    """The city's times. answer: until the first unit is asked; dispatch: until one accepts; arrival: until one is there."""

    city = fields.String(required=True)
    from_ = Time(required=True, data_key="from", attribute="from")
    to = Time(required=True, metadata={"description": "As far as was counted: at most 31 days after `from`."})
    incidents = fields.Integer(required=True)
    unanswered = fields.Integer(required=True, metadata={"description": "Where the whole ladder once found nobody."})
    never_dispatched = fields.Integer(required=True)
    measures = fields.List(fields.Nested(Measure), required=True)


@blp.endpoint("GET /response", permission="insights.read", query=ResponseQuery, answer=ResponseAnswer)
def response(call: Call) -> Any:
    """Times to answer, to dispatch and to arrive in a city, by the server's clock, without practices."""
    city = call.query["city"]
    call.require_reach("insights.read", Target(city=city))
    since, until = call.query.get("since"), call.query.get("until")
    since = since or (until or call.now) - timedelta(days=1)
    until = max(since, min(until or call.now, since + LONGEST))
    cities.current(city)
    return insights.response(city, since, until)
