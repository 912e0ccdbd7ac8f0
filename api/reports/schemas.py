"""Bodies and answers of reports."""

from collections.abc import Mapping, Sequence
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields, validate

from api.paging import PageQuery
from api.schemas import Answer, Choice, Id, PlaceSchema, PositionSchema, Schema, Shaped, Text, Time, Whole
from domain import geo
from domain.cameras.states import View
from domain.handovers.states import HandoverStatus
from domain.reports.categories import CATEGORIES
from domain.reports.states import Anonymity, Flag, Nudge, Part, ReportStatus, Stand

_CATEGORY = {"description": f"One of: {', '.join(CATEGORIES)}; see GET /v1/watch/categories."}


_LOOKS = {
    "description": "How somebody looks, a descriptor for each part. Others read it once there are enough different ones "
    "for the kind of report, and `note` says what was done."
}


class Look(Schema):
    """One descriptor of how somebody looks."""

    part = Choice(Part, required=True)
    text = Text(80, min_chars=2, required=True)


def _once(looks: Sequence[Mapping[str, Any]]) -> None:
    if len({each["part"] for each in looks}) < len(looks):
        raise ma.ValidationError("Each part once.")


class NewReport(Schema):
    """What a neighbour sees or saw; `captured_at` of the position says when, also for one that was made offline."""

    category = Text(40, min_chars=1, required=True, metadata=_CATEGORY)
    position = fields.Nested(PositionSchema, required=True, metadata={"description": "Others see its cell alone."})
    note = Text(
        600, multiline=True, load_default="", metadata={"description": "What somebody does, before how they look."}
    )
    looks = fields.List(
        fields.Nested(Look), load_default=list, validate=[validate.Length(max=len(Part)), _once], metadata=_LOOKS
    )
    anonymous = Choice(Anonymity, load_default=Anonymity.NOBODY)


class ReportFields(Schema):
    """What its author changes; what is left out stays, what was said before is kept."""

    category = Text(40, min_chars=1, metadata=_CATEGORY)
    note = Text(600, multiline=True)
    looks = fields.List(fields.Nested(Look), validate=[validate.Length(max=len(Part)), _once], metadata=_LOOKS)


class ReportDraft(Schema):
    """Words that are tried before they are sent."""

    category = Text(40, min_chars=1, required=True, metadata=_CATEGORY)
    note = Text(600, multiline=True, load_default="")
    looks = fields.List(fields.Nested(Look), load_default=list, validate=[validate.Length(max=len(Part)), _once])


class ReportNudges(Schema):
    """What to say otherwise, and what would keep it back until a human has read it."""

    nudges = fields.List(Choice(Nudge), required=True)
    holds = fields.List(fields.String(), required=True)


class LikelyReport(Schema):
    """Another report that may be of the same thing: is it this one? Then confirm it."""

    id = fields.String(required=True)
    likeness = fields.Float(required=True, metadata={"description": "0–1."})


class ReportHandover(Schema):
    """A report at an agency, by Open311."""

    id = fields.String(required=True)
    agency = fields.String(required=True)
    status = Choice(HandoverStatus, required=True)
    notes = fields.String(required=True)
    at = Time(required=True)


class ReportCluster(Schema):
    """Reports of one happening: how many, and how far they are believed together. Shown where it is told of from all around."""

    id = fields.String(required=True)
    reports = fields.Integer(required=True)
    score = fields.Float(required=True)
    voices = fields.Integer(required=True)
    parts = fields.Nested(lambda: BeliefParts(), required=True)
    believed = fields.Boolean(required=True)


class BeliefParts(Schema):
    """What the score is made of: sums of weights."""

    confirmed = fields.Float(required=True)
    denied = fields.Float(required=True)
    from_new_accounts = fields.Float(required=True, metadata={"description": "Of what confirms it; at most 0.5."})
    doubt = fields.Float(required=True)
    cameras = fields.Float(
        metadata={"description": "What cameras near by saw that speaks for it; at most 0.5, and no voice."}
    )


class EarlierWords(Schema):
    """What a report said before an edit."""

    at = Time(required=True)
    category = fields.String(required=True)
    note = fields.String(required=True)
    looks = fields.List(fields.Nested(Look))


class ReportAppeal(Schema):
    """Why a report should not have been held or removed."""

    reason = Text(500, min_chars=5, multiline=True, required=True)


class HeardAppeal(Answer):
    """An appeal, and what was answered."""

    reason = fields.String(required=True)
    at = Time(required=True)
    upheld = fields.Boolean(metadata={"description": "Whether the decision stands."})
    answer = fields.String()
    answered_at = Time()


class ReportDecision(Schema):
    """What a human decided of a report, and why."""

    status = Choice(ReportStatus, required=True)
    reason = fields.String(required=True)
    at = Time(required=True)


class ExactPlace(Schema):
    """Where the reporter's phone was: for its author, the control room and the police."""

    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    accuracy_m = fields.Float(allow_none=True)


class ReportLink(Schema):
    """What may be the same happening, and why."""

    id = fields.String(required=True)
    kind = fields.String(required=True)
    score = fields.Float(required=True)
    reasons = fields.List(fields.String(), required=True, metadata={"description": "What speaks for it, most first."})


class ReportSight(Answer):
    """A camera that was asked before the report was believed, and what it said."""

    camera = fields.String(required=True)
    state = Choice(View, required=True)
    distance_m = fields.Integer(required=True)
    findings = fields.List(fields.String(), required=True)
    observation = fields.String()


class ReportFile(Schema):
    """A file of a report."""

    id = fields.String(required=True)
    type = fields.String(required=True)
    size = fields.Integer(required=True)
    ready = fields.Boolean(required=True, metadata={"description": "Whether there is a copy that the caller may see."})


class ReportRow(Answer):
    """A report in a list."""

    id = fields.String(required=True)
    category = fields.String(required=True)
    name = fields.String(required=True, metadata={"description": "Of the category, in the caller's language."})
    status = Choice(ReportStatus, required=True)
    place = fields.Nested(PlaceSchema, required=True, metadata={"description": "The middle of its cell."})
    cell = fields.String(required=True, metadata={"description": "H3, resolution 9."})
    at = Time(required=True)
    score = fields.Float(required=True)
    confirmed = fields.Integer(required=True)
    denied = fields.Integer(required=True)
    believed = fields.Boolean(required=True)
    version = fields.Integer(required=True)


class ReportAnswer(ReportRow):
    """A report. What is not for the caller is left out."""

    city = fields.String(required=True)
    groups = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "In whose areas it lies; who may not see exact places reads of their own groups."},
    )
    note = fields.String()
    author_name = fields.String()
    mine = fields.Boolean(required=True)
    received_at = Time(required=True)
    offline = fields.Boolean(required=True, metadata={"description": "Sent more than five minutes after it was seen."})
    edited_at = Time(metadata={"description": "When its author last changed what it says: others may have spoken before."})
    voices = fields.Integer(required=True, metadata={"description": "Independent people, not new, who say so."})
    parts = fields.Nested(BeliefParts, required=True)
    same_as = fields.List(fields.Nested(LikelyReport), required=True)
    followed = fields.Boolean(required=True, metadata={"description": "By the caller: they hear what comes of it."})
    cluster = fields.Nested(ReportCluster)
    handover = fields.Nested(ReportHandover, metadata={"description": "Which agency sees to it, and what it said."})
    history = fields.List(fields.Nested(EarlierWords), required=True)
    photo = fields.Boolean(required=True)
    media = fields.List(fields.Nested(ReportFile), required=True)
    reasons = fields.List(fields.String(), metadata={"description": "Why it is held."})
    decision = fields.Nested(ReportDecision)
    looks = fields.List(fields.Nested(Look), required=True)
    nudges = fields.List(Choice(Nudge), metadata={"description": "For its author: what to say otherwise, or as well."})
    appeal = fields.Nested(HeardAppeal)
    expires_at = Time(metadata={"description": "Until when lists show it to others."})
    incident_id = fields.String(metadata={"description": "For who may see exact places."})
    links = fields.List(fields.Nested(ReportLink))
    cameras = fields.List(fields.Nested(ReportSight), metadata={"description": "For who may see exact places."})
    position = fields.Nested(ExactPlace)


def is_cell(value: str) -> None:
    """Raises ValidationError for what is no H3 cell that reports are found by."""
    if not geo.is_cell(value):
        raise ValidationError("Must be an H3 cell of resolution 5, 7 or 9.")


class ReportsQuery(PageQuery):
    """Published reports: of a city, or around a point; a group's; or one's own."""

    city = Id()
    group = Id(metadata={"description": "For its members, and those who look after it."})
    mine = fields.Boolean(load_default=False)
    status = Choice(ReportStatus, metadata={"description": "Of a group's, for those who moderate it."})
    near = fields.String(
        validate=Shaped(r"-?\d{1,2}(\.\d{1,9})?,-?\d{1,3}(\.\d{1,9})?", "Must be lat,lon."),
        metadata={"description": "lat,lon"},
    )
    cell = fields.String(
        validate=is_cell, metadata={"description": "H3, resolution 5, 7 or 9: a tile of the map, as `cell` of a report."}
    )
    radius_m = Whole(100, 20_000, load_default=2_000)
    hours = Whole(1, 168, load_default=48, metadata={"description": "How far back."})


class ReportVoice(Schema):
    """Whether one sees it too, from where one is."""

    stand = Choice(Stand, required=True)
    position = fields.Nested(PositionSchema, required=True)


class ReportFlag(Schema):
    """Why a human should read it."""

    why = Choice(Flag, required=True)


class ReportDecisionBody(Schema):
    """What is decided, and why: its author reads it."""

    status = fields.String(
        required=True,
        validate=validate.OneOf(
            [str(each) for each in (ReportStatus.PUBLISHED, ReportStatus.HELD, ReportStatus.REMOVED)]
        ),
    )
    reason = Text(300, min_chars=3, required=True)


class ReportCategoryAnswer(Schema):
    """A kind of report."""

    code = fields.String(required=True)
    name = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    emergency = fields.Boolean(required=True, metadata={"description": "Units are sent once it is believed."})
    looks = fields.Integer(
        required=True, metadata={"description": "So many descriptors before others read how somebody looks; 0: never."}
    )
    hours = fields.Integer(required=True, metadata={"description": "For how long others are shown it."})


class ReportCategories(Schema):
    """Every kind, in the order in which a phone shows them."""

    items = fields.List(fields.Nested(ReportCategoryAnswer), required=True)
