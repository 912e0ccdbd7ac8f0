"""Queries and answers of the audit routes."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields

from api.paging import PageQuery
from api.schemas import Answer, Id, Schema, Time


class Day(fields.String):
    """A day in UTC, `2026-11-23`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError as error:
            raise ValidationError("Must be a day such as 2026-11-23.") from error


class AuditQuery(PageQuery):
    """Which entries: of a city, and of one subject."""

    city = Id(required=True)
    subject = Id()


class DayQuery(Schema):
    """Which chain: a city's day."""

    city = Id(required=True)
    day = Day(required=True, metadata={"format": "date"})


class EntryAnswer(Answer):
    """Who did or saw what, when and why; `hash` covers the rest and the entry before."""

    id = fields.String(attribute="_id", required=True)
    chain = fields.String(required=True)
    seq = fields.Integer(required=True)
    at = Time(required=True)
    actor = fields.String(required=True)
    action = fields.String(required=True)
    subject = fields.String(required=True)
    reason = fields.String()
    refs = fields.Dict(keys=fields.String(), values=fields.String())
    prev = fields.String(required=True)
    hash = fields.String(required=True)


class VerdictAnswer(Answer):
    """Whether a day's chain holds, and its signed head for keeping elsewhere."""

    chain = fields.String(required=True)
    entries = fields.Integer(required=True)
    holds = fields.Boolean(required=True)
    broken_at = fields.Integer(metadata={"description": "The first seq that does not hold."})
    head = fields.String(required=True)
    signature = fields.String(
        metadata={
            "description": "HMAC-SHA256 over chain|seq|hash; only where the day holds: nobody vouches for another."
        }
    )
