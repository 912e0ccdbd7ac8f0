"""What humans said of what detectors found: the figures by which a city knows how far to believe its cameras."""

from datetime import timedelta
from typing import Any, Final

from marshmallow import fields

from api.blueprint import Blueprint, Call
from api.schemas import Id, Schema, Time
from domain.cities import queries as cities
from domain.permissions import Target
from domain.reviews import agreement, queries
from domain.reviews.states import QUESTIONS

blp = Blueprint("detectors", __name__, url_prefix="/v1/insights", description="Detectors, measured by humans.")

DEFAULT: Final = timedelta(days=30)
MOST: Final = 5000
"""Answers of a kind that are counted, the newest."""


class DetectorsQuery(Schema):
    """Which city, answered from when on; the last 30 days where left out."""

    city = Id(required=True)
    since = Time(data_key="from")


class Band(Schema):
    """Answers about findings of this confidence and more, up to the next band."""

    confidence = fields.Float(required=True)
    yes = fields.Integer(required=True)
    no = fields.Integer(required=True)


class DetectorAgreement(Schema):
    """One detector and one kind of finding."""

    detector = fields.String(required=True, metadata={"description": "Name and version."})
    finding = fields.String(required=True)
    yes = fields.Integer(required=True)
    no = fields.Integer(required=True)
    cannot_tell = fields.Integer(required=True)
    unanswered = fields.Integer(required=True)
    precision = fields.Float(allow_none=True, metadata={"description": "Yes among yes and no, in 0–1."})
    bands = fields.List(fields.Nested(Band), required=True)


class DetectorsAnswer(Schema):
    """By detector and finding."""

    city = fields.String(required=True)
    from_ = Time(required=True, data_key="from", attribute="from")
    detectors = fields.List(fields.Nested(DetectorAgreement), required=True)


@blp.endpoint("GET /detectors", permission="insights.read", query=DetectorsQuery, answer=DetectorsAnswer, caution=False)
def detectors(call: Call) -> Any:
    """How often humans agreed with what each detector found, by its confidence. Figures, no pictures and no persons."""
    city = call.query["city"]
    call.require_reach("insights.read", Target(city=city))
    cities.current(city)
    since = call.query.get("since") or call.now - DEFAULT
    decided = [
        row
        for kind, question in QUESTIONS.items()
        if question.of_a_picture
        for row in queries.decided(city, kind, since=since, limit=MOST)
    ]
    found = [
        {
            **vars(each),
            "precision": each.precision,
            "bands": [{"confidence": band, "yes": yes, "no": no} for band, (yes, no) in sorted(each.bands.items())],
        }
        for each in agreement.figures(decided)
    ]
    return {"city": city, "from": since, "detectors": found}
