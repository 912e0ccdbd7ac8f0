"""Bodies and answers of alerts."""

from enum import StrEnum
from typing import Any

from marshmallow import fields, validate

from api.incidents.schemas import AT
from api.paging import PageQuery
from api.schemas import Answer, Flag, Id, Schema, Text, Time, code_field
from domain.alerts.area import MAX_CORNERS, MAX_POLYGONS
from domain.alerts.states import AlertStatus, CapCategory, MsgType, Response
from domain.cities.config import Certainty, Severity, Urgency

HEADLINE, DESCRIPTION, INSTRUCTION = 160, 600, 300
"""Characters: an alert in two languages with its area fits one answer to a phone."""


def _word(of: type[StrEnum], **options: Any) -> fields.String:
    return fields.String(validate=validate.OneOf([str(each) for each in of]), **options)


class AlertWords(Schema):
    """An alert in one language."""

    event = Text(80, metadata={"description": "What happens: `Flood`."})
    headline = Text(HEADLINE, metadata={"description": "One sentence; a push shows it."})
    description = Text(DESCRIPTION, multiline=True)
    instruction = Text(INSTRUCTION, multiline=True, metadata={"description": "What to do; an SMS carries it."})


class AlertTexts(Schema):
    """By language. To be issued it needs event and headline in each of the city's languages."""

    en = fields.Nested(AlertWords)
    ur = fields.Nested(AlertWords)


class AlertNames(Schema):
    """A name in English and Urdu."""

    en = Text(80)
    ur = Text(80)


class AlertGeometry(Schema):
    """GeoJSON (RFC 7946)."""

    type = fields.String(required=True, validate=validate.OneOf(["Polygon", "MultiPolygon"]))
    coordinates = fields.List(
        fields.Raw(),
        required=True,
        metadata={
            "items": {"type": "array"},
            "description": f"Longitude before latitude. At most {MAX_CORNERS} corners in {MAX_POLYGONS} polygons.",
        },
    )


class AlertArea(Schema):
    """Where: exactly one of `whole_city`, `geometry` and `groups`."""

    whole_city = Flag()
    geometry = fields.Nested(AlertGeometry)
    groups = fields.List(Id(), validate=validate.Length(1, 20))
    name = fields.Nested(AlertNames, metadata={"description": "As people call it; the city's own where not given."})


class AlertFields(Schema):
    """What can be changed in a draft."""

    texts = fields.Nested(AlertTexts)
    category = _word(CapCategory)
    urgency = _word(Urgency)
    severity = _word(Severity)
    certainty = _word(Certainty)
    response = _word(Response)
    onset = Time()
    expires = Time(metadata={"description": "At most 7 days ahead; 6 hours where not given."})
    area = fields.Nested(AlertArea)


class NewAlert(AlertFields):
    """A draft of an alert. With `issue` it goes out at once."""

    city = Id()
    texts = fields.Nested(AlertTexts, required=True)
    category = _word(CapCategory, required=True)
    urgency = _word(Urgency, required=True)
    severity = _word(Severity, required=True)
    certainty = _word(Certainty, required=True)
    area = fields.Nested(AlertArea, required=True)
    updates = Id(metadata={"description": "The alert in force in whose place this one comes."})
    issue = Flag(load_default=False)


class AlertReason(Schema):
    """Why an alert is withdrawn, for those who were told."""

    en = Text(300)
    ur = Text(300)


class CancelAlert(Schema):
    """Withdraw an alert."""

    reason = fields.Nested(AlertReason)


class AlertsQuery(PageQuery):
    """Whose alerts. Citizens see those in force; staff who may issue also see the others, by `status` or `all`."""

    city = Id()
    at = code_field(AT, "lat,lon in degrees.", metadata={"description": "Only those for this place."})
    mine = fields.Boolean(
        truthy={"true"}, falsy={"false"}, metadata={"description": "Only those for the places that one follows."}
    )
    status = fields.String(validate=validate.OneOf([*(str(each) for each in AlertStatus), "all"]))


class FeedsQuery(Schema):
    """Which city's feeds."""

    city = Id()


class AlertProgress(Answer):
    """How far the telling is. Each person is counted once."""

    state = fields.String(required=True, metadata={"description": "finding, sending or told (everybody was tried)."})
    people = fields.Integer(required=True, metadata={"description": "Found so far."})
    sent = fields.Integer(required=True, metadata={"description": "A carrier has the message, or it went further."})
    received = fields.Integer(required=True, metadata={"description": "The phone says that it has it."})
    seen = fields.Integer(required=True)
    failed = fields.Integer(required=True, metadata={"description": "No channel is left."})
    retrying = fields.Integer(required=True)
    in_doubt = fields.Integer(
        required=True,
        data_key="unknown",
        attribute="unknown",
        metadata={"description": "Whether the carrier has it is looked into."},
    )
    suppressed = fields.Integer(required=True)
    repeated = fields.Integer(
        required=True, metadata={"description": "Sent again since a process died; a phone shows it once."}
    )
    told_at = Time()


class AlertRow(Answer):
    """An alert in a list: no area but its name."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    status = _word(AlertStatus, required=True)
    msg_type = _word(MsgType, required=True)
    category = fields.String(required=True)
    urgency = fields.String(required=True)
    severity = fields.String(required=True)
    certainty = fields.String(required=True)
    life_critical = fields.Boolean(required=True)
    headline = fields.Nested(AlertNames, required=True)
    area_name = fields.Nested(AlertNames, required=True)
    onset = Time()
    expires = Time(required=True)
    issued_at = Time()


class AlertAnswer(AlertRow):
    """An alert. Drafts, sources and progress are for staff."""

    texts = fields.Nested(AlertTexts, required=True)
    area = fields.Nested(AlertArea, required=True)
    response = fields.String()
    references = fields.List(fields.String(), required=True, metadata={"description": "Earlier ones of its chain."})
    followed_by = fields.String(metadata={"description": "What came in its place, or cancelled it."})
    cap_url = fields.String(metadata={"description": "As CAP 1.2, once issued."})
    version = fields.Integer(required=True)
    source = fields.Dict(keys=fields.String(), metadata={"description": "Staff: who it came from."})
    created_at = Time()
    progress = fields.Nested(AlertProgress, metadata={"description": "Staff: once issued."})


class InboundRow(Answer):
    """What another system's feed brought."""

    id = fields.String(required=True)
    feed = fields.String(required=True)
    state = fields.String(required=True)
    reason = fields.String(required=True)
    detail = fields.String()
    alert = fields.String(metadata={"description": "What it became here."})
    at = Time(required=True)


class FeedRow(Answer):
    """How a feed fares."""

    feed = fields.String(required=True)
    name = fields.String(required=True)
    issues = fields.Boolean(required=True, metadata={"description": "Its alerts go out without an operator."})
    answered_at = Time()
    problem = fields.String(metadata={"description": "Why it was not read the last time."})
    failures = fields.Integer()


class FeedsAnswer(Schema):
    """The city's feeds and what they brought of late."""

    feeds = fields.List(fields.Nested(FeedRow), required=True)
    items = fields.List(fields.Nested(InboundRow), required=True)
