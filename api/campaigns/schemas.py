"""Bodies and answers of campaigns."""

from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Answer, Choice, Id, Schema, Text, Time
from api.watch_alerts.schemas import WatchAlertTexts
from domain.campaigns.rules import MOST
from domain.campaigns.states import CampaignStatus


class CampaignMessage(Schema):
    """One message of a series. One whose time is at night goes out in the morning."""

    at = Time(required=True)
    texts = fields.Nested(WatchAlertTexts, required=True)


class NewCampaign(Schema):
    """A series of messages to the members of groups, in order, with twelve hours between two of them at least."""

    name = Text(80, min_chars=1, required=True)
    groups = fields.List(Id(), required=True, validate=validate.Length(min=1, max=20))
    messages = fields.List(fields.Nested(CampaignMessage), required=True, validate=validate.Length(min=1, max=MOST))


class CampaignReach(Schema):
    """How far a message got. Numbers are told down to a multiple of `k`; 0 is fewer than k."""

    at = Time(required=True)
    alert = fields.String(allow_none=True, metadata={"description": "What went out; null where it has not."})
    headline = fields.String(required=True)
    people = fields.Integer(required=True)
    sent = fields.Integer(required=True)
    received = fields.Integer(required=True)
    seen = fields.Integer(required=True)
    acknowledged = fields.Integer(required=True)


class CampaignAnswer(Answer):
    """A campaign with its reach."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    name = fields.String(required=True)
    groups = fields.List(fields.String(), required=True)
    status = Choice(CampaignStatus, required=True)
    k = fields.Integer(required=True)
    messages = fields.List(fields.Nested(CampaignReach), required=True)
    version = fields.Integer(required=True)


class CampaignsQuery(PageQuery):
    """Of one group."""

    group = Id(required=True)
