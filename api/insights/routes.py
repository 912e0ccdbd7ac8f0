"""How quickly the city answers, sends and arrives, against what it promised."""

from datetime import datetime, timedelta
from typing import Any, Final

from marshmallow import fields

from api.blueprint import Blueprint, Call
from api.readings import reading
from api.schemas import Id, Schema, Time
from domain.cities import queries as cities
from domain.insights import carriers
from domain.insights import service as insights
from domain.permissions import Target
from notifications.channel import FailureCode

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
    since, until = _span(call)
    cities.current(city)
    return insights.response(city, since, until)


def _span(call: Call) -> tuple[datetime, datetime]:
    """From when to when was asked: the last 24 hours where left out, LONGEST at most."""
    since, until = call.query.get("since"), call.query.get("until")
    since = since or (until or call.now) - timedelta(days=1)
    return since, max(since, min(until or call.now, since + LONGEST))


class CarriersQuery(ResponseQuery):
    """Which city, from when to when: whole hours; the last 24 where left out, 31 days at most."""


class CodeCount(Schema):
    """How often a carrier refused for one reason."""

    code = fields.String(required=True)
    reading = fields.String(allow_none=True, metadata={"description": "The code in a sentence."})
    n = fields.Integer(required=True)


class Cost(Schema):
    """What was paid, by the city's own prices at the time."""

    currency = fields.String(required=True)
    amount = fields.Float(required=True)


class Carrier(Schema):
    """One carrier's work for the city."""

    carrier = fields.String(required=True)
    channel = fields.String(required=True)
    own = fields.Boolean(required=True, metadata={"description": "False: of messages that belong to no city."})
    asked = fields.Integer(required=True, metadata={"description": "Attempts that it was asked for."})
    taken = fields.Integer(required=True)
    failed = fields.Integer(required=True, metadata={"description": "Not taken, or taken and given up later."})
    failure_rate = fields.Float(allow_none=True, metadata={"description": "0–1, of the attempts."})
    p50_ms = fields.Float(allow_none=True, metadata={"description": "Until it answered us."})
    p95_ms = fields.Float(allow_none=True)
    receipts = fields.Integer(required=True, metadata={"description": "From the network, or from the device."})
    receipt_p50_s = fields.Float(allow_none=True, metadata={"description": "From asking to its receipt."})
    receipt_p95_s = fields.Float(allow_none=True)
    segments = fields.Integer(required=True, metadata={"description": "SMS segments; calls and pushes count one."})
    costs = fields.List(fields.Nested(Cost), required=True, metadata={"description": "Empty where no price is known."})
    codes = fields.List(fields.Nested(CodeCount), required=True)


class CarriersAnswer(Schema):
    """Each carrier that worked for the city."""

    city = fields.String(required=True)
    from_ = Time(required=True, data_key="from", attribute="from")
    to = Time(required=True)
    carriers = fields.List(fields.Nested(Carrier), required=True)


@blp.endpoint("GET /carriers", permission="insights.read", query=CarriersQuery, answer=CarriersAnswer, caution=False)
def carrier_figures(call: Call) -> Any:
    """Latency, failures and cost of each carrier, from counts kept by the hour; percentiles are good to their bucket."""
    city = call.query["city"]
    call.require_reach("insights.read", Target(city=city))
    since, until = _span(call)
    cities.current(city)
    since = since.replace(minute=0, second=0, microsecond=0)
    found = carriers.between(city, since, until)
    return {"city": city, "from": since, "to": until, "carriers": [_carrier(each) for each in found]}


def _carrier(each: carriers.Figures) -> dict[str, Any]:
    latency = [carriers.quantile(each.ms, carriers.MS_EDGES, share) for share in (0.5, 0.95)]
    receipt = [carriers.quantile(each.receipt_s, carriers.S_EDGES, share) for share in (0.5, 0.95)]
    return {
        "carrier": each.whose.carrier,
        "channel": each.whose.channel,
        "own": each.whose.city != carriers.NOWHERE,
        "asked": each.sends,
        "taken": each.n["taken"],
        "failed": each.failed,
        "failure_rate": _rounded(each.failure_rate, 4),
        "p50_ms": _rounded(latency[0], 1),
        "p95_ms": _rounded(latency[1], 1),
        "receipts": each.n["delivered"] + each.n["received"],
        "receipt_p50_s": _rounded(receipt[0], 2),
        "receipt_p95_s": _rounded(receipt[1], 2),
        "segments": each.sums["segments"],
        "costs": [{"currency": name, "amount": round(amount, 4)} for name, amount in sorted(each.cost.items())],
        "codes": [
            {"code": code, "reading": reading(FailureCode, code), "n": count}
            for code, count in sorted(each.codes.items(), key=lambda item: (-item[1], item[0]))
        ],
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
