"""Bodies and answers of the counsellors' desk. No answer to the line's list has anything that she told."""

from marshmallow import fields

from api.helpline.schemas import SafeWindow
from api.paging import PageQuery
from api.schemas import Answer, Choice, Id, PositionSchema, Schema, Text, Time
from domain.helpline.states import (
    Channel,
    CounsellorState,
    Danger,
    Ground,
    HelplineStatus,
    Mode,
    Outcome,
    Wanted,
)


class WaitingRow(Answer):
    """A request as whoever has not opened it sees it: that it exists, not what it says."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    status = Choice(HelplineStatus, required=True)
    mode = Choice(Mode, required=True)
    channel = Choice(Channel, required=True)
    language = fields.String(required=True)
    version = fields.Integer(required=True)
    anonymous = fields.Boolean(required=True)
    wanted = Choice(Wanted, required=True)
    danger = Choice(Danger, required=True)
    asked_at = Time(required=True)
    claimed_at = Time()
    counsellor = fields.String()
    outcome = Choice(Outcome)
    suits = fields.Boolean(metadata={"description": "Whether the caller is whom she wants."})


class LineQuery(PageQuery):
    """Which city's line."""

    city = Id(metadata={"description": "Needed by whoever works for several."})


class CaseNote(Schema):
    """A counsellor's note."""

    id = fields.String(required=True)
    at = Time(required=True)
    by = fields.String(required=True)
    text = fields.String(required=True)


class RequestFile(Answer):
    """A request opened: what she told. Each opening is on the audit chain before this is answered."""

    request = fields.Nested(WaitingRow, required=True)
    person = fields.String()
    name = fields.String()
    codeword = fields.String()
    safe_to_call = fields.List(fields.Nested(SafeWindow))
    callable_now = fields.Boolean(required=True)
    call_from = Time()
    contact_stopped = fields.Boolean(required=True)
    position = fields.Nested(PositionSchema)
    answers = fields.Dict(keys=fields.String(), values=fields.Boolean())
    notes = fields.List(fields.Nested(CaseNote), required=True)
    reasons = fields.List(fields.Nested(lambda: GivenReason()), required=True)
    last_seq = fields.Integer(required=True)
    earlier = fields.List(fields.String(), metadata={"description": "Her earlier requests, where she gave her word."})
    sos_id = fields.String()
    case_id = fields.String()


class ShiftBody(Schema):
    """On shift, on break, or off; until when."""

    state = Choice(CounsellorState, required=True)
    until = Time()
    city = Id(metadata={"description": "Needed by whoever works for several."})


class ShiftAnswer(Answer):
    """The caller's shift."""

    state = Choice(CounsellorState, required=True)
    since = Time()
    until = Time()
    requests = fields.List(fields.String(), required=True, metadata={"description": "What the caller has now."})


class CaseNoteBody(Schema):
    """A note for whoever answers her next."""

    text = Text(4000, min_chars=1, multiline=True, required=True)


class TransferBody(Schema):
    """Hand it over with a note, to somebody or to the line, so that she is not asked her story twice."""

    to = Id(metadata={"description": "A counsellor of the same city; the line where left out."})
    note = Text(4000, min_chars=1, multiline=True, required=True)


class OpeningReason(Schema):
    """Why. `ground` goes on the audit chain; the words are sealed with the request, for they may name her."""

    ground = Choice(Ground, load_default=Ground.OTHER)
    reason = Text(500, min_chars=10, required=True)


class GivenReason(Schema):
    """Why it was taken over, or given back for its counsellor."""

    at = Time(required=True)
    by = fields.String(required=True)
    ground = Choice(Ground, required=True)
    reason = fields.String(required=True)


class LineFigures(Answer):
    """How quickly who asked was answered. The target is 90 % within 15 s, 95 % within 20 s (NENA-STA-020)."""

    asked = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    within_15_s = fields.Float(allow_none=True)
    within_20_s = fields.Float(allow_none=True)
    median_s = fields.Float(allow_none=True)
    target = fields.Float(required=True)
    waiting = fields.Integer(required=True)
    available = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    first = fields.List(
        fields.Nested(lambda: OpenRequest()), required=True, metadata={"description": "Who waits first, at most 50."}
    )


class LineFiguresQuery(Schema):
    """Which city and time."""

    city = Id()
    since = Time()
    until = Time()


class CallAnswer(Schema):
    """Her phone is being called; the counsellor's own phone rings first."""

    calling = fields.Boolean(required=True)
    codeword = fields.String(allow_none=True, metadata={"description": "Say it first."})


class Shift(Answer):
    """One counsellor's shift."""

    person = fields.String(required=True)
    state = Choice(CounsellorState, required=True)
    gender = fields.String()
    languages = fields.List(fields.String())
    since = Time()
    until = Time()
    has = fields.Integer(required=True, metadata={"description": "How many requests."})


class OpenRequest(Schema):
    """That a request exists."""

    id = fields.String(required=True)
    status = Choice(HelplineStatus, required=True)
    asked_at = Time(required=True)
