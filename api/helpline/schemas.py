"""Bodies and answers of the helpline. No answer to the line's list has anything that she told."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api.paging import PageQuery
from api.schemas import Answer, Choice, Flag, Id, Language, Phone, PositionSchema, Schema, Text, Time, Whole, code_field
from domain.helpline.safe_times import MAX_WINDOWS
from domain.helpline.states import (
    Channel,
    Consent,
    CounsellorState,
    Danger,
    Disguise,
    Ground,
    HelplineStatus,
    Mode,
    Outcome,
    ReferralKind,
    Side,
    Stage,
    Track,
    Wanted,
)

_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"


class SafeWindow(Schema):
    """A time of the week in which she may be called: local time of her city, past midnight where `until` ≤ `from`."""

    days = fields.List(
        fields.String(validate=validate.OneOf(_DAYS)), required=True, validate=validate.Length(min=1, max=7)
    )
    from_ = code_field(_CLOCK, "Such as 09:30.", required=True, data_key="from", attribute="from")
    until = code_field(_CLOCK, "Such as 11:00.", required=True)

    @validates_schema
    def _is_a_time(self, data: Any, **_: Any) -> None:
        if data.get("from") == data.get("until"):  # it would mean all day
            raise ValidationError({"until": ["Must not be the time at which it begins."]})


def _windows() -> Any:
    return fields.List(fields.Nested(SafeWindow), validate=validate.Length(max=MAX_WINDOWS))


class NewRequest(Schema):
    """What she asks. All of it is optional but the mode; what identifies her is sealed before it is stored."""

    mode = Choice(Mode, required=True)
    language = Language()
    anonymous = Flag(load_default=False, metadata={"description": "No person is kept, even with a bearer token."})
    wanted = Choice(Wanted, load_default=Wanted.WOMAN)
    disguise = Choice(Disguise, load_default=Disguise.PLAIN)
    phone = Phone()
    name = Text(100)
    message = Text(2000, min_chars=1, multiline=True)
    codeword = Text(60, min_chars=2, metadata={"description": "Whoever speaks for the helpline says it first."})
    safe_to_call = _windows()
    danger_now = Flag(load_default=False)
    position = fields.Nested(PositionSchema)
    city = Id()
    device = Id(
        metadata={"description": "The phone's own id: keeps a retry the same request where nobody is signed in."}
    )
    push_token = fields.String(
        validate=validate.Length(min=8, max=4096), metadata={"description": "Where an anonymous phone gets its pushes."}
    )
    listen_in = Flag(metadata={"description": "A supervisor may listen in: training, or a second opinion."})
    word = Text(
        60, min_chars=4, metadata={"description": "The word of an earlier time: her counsellor finds that again."}
    )


class LinePlace(Answer):
    """Her place in the line. `waiting_s` is missing where nobody is on shift: the call-back is kept all the same."""

    position = fields.Integer(allow_none=True, metadata={"description": "1 is next."})
    waiting_s = fields.Integer(allow_none=True)
    staffed = fields.Boolean(allow_none=True, metadata={"description": "Whether anybody is on shift now."})


class ReadProgress(Schema):
    """Up to which message a side has received and seen."""

    received = fields.Integer(required=True)
    seen = fields.Integer(required=True)


class HelplineRequest(LinePlace):
    """A request as she sees it."""

    id = fields.String(required=True)
    status = Choice(HelplineStatus, required=True)
    outcome = Choice(Outcome)
    mode = Choice(Mode, required=True)
    channel = Choice(Channel, required=True)
    language = fields.String(required=True)
    version = fields.Integer(required=True)
    anonymous = fields.Boolean(required=True)
    wanted = Choice(Wanted, required=True)
    offered = Choice(Wanted, metadata={"description": "Nobody whom she wants is free; this is. Take it by PATCH."})
    disguise = Choice(Disguise, required=True)
    asked_at = Time(required=True)
    updated_at = Time(required=True)
    closed_at = Time()
    answered = fields.Boolean(required=True)
    last_seq = fields.Integer(required=True)
    theirs = fields.Nested(ReadProgress, required=True, metadata={"description": "How far the counsellor has read."})
    safe_to_call = fields.List(fields.Nested(SafeWindow))
    call_from = Time(metadata={"description": "When the next time for a call begins."})
    contact_stopped = fields.Boolean(required=True)
    listen_in = fields.Boolean(required=True)
    listened = fields.Boolean(required=True)
    sos_id = fields.String()
    sos_token = fields.String(metadata={"description": "Opens her SOS, once there is one."})
    case_id = fields.String()


class AskedRequest(HelplineRequest):
    """A request is stored."""

    helpline_token = fields.String(required=True, metadata={"description": "Opens it: header Helpline-Token."})


class ChangeRequest(Schema):
    """What she changes; what is left out stays."""

    safe_to_call = _windows()
    phone = Phone()
    wanted = Choice(Wanted)
    disguise = Choice(Disguise)
    codeword = Text(60, min_chars=2)
    push_token = fields.String(validate=validate.Length(min=8, max=4096))
    listen_in = Flag()


class NewHelplineMessage(Schema):
    """A message, or the name of a quick reply."""

    text = Text(2000, min_chars=1, multiline=True)
    quick = fields.String(validate=validate.Length(max=40))


class HelplineMessage(Answer):
    """A message in the talk. `seq` orders it."""

    id = fields.String(required=True)
    seq = fields.Integer(required=True)
    at = Time(required=True)
    from_ = Choice(Side, required=True, data_key="from", attribute="from")
    kind = fields.String(required=True)
    text = fields.String(required=True)
    media = fields.String(
        metadata={"description": "Its type, where there is something to see or hear: …/messages/{id}/media."}
    )


class MessagesQuery(PageQuery):
    """Where to go on after the network was gone."""

    after_seq = Whole(0, 10**9, load_default=0, metadata={"description": "The last message that the caller has."})


class ReadUpTo(Schema):
    """Up to which message the caller has received and seen."""

    received = Whole(0, 10**9, load_default=0)
    seen = Whole(0, 10**9, load_default=0)


class FiveAnswers(Schema):
    """Yes or no to the questions that were asked."""

    worse = Flag()
    weapon = Flag()
    capable = Flag()
    choked = Flag()
    jealous = Flag()


class Assessment(Schema):
    """The five questions of the Danger Assessment-5, as far as they were answered, and whether she is in danger now."""

    answers = fields.Nested(FiveAnswers, load_default=dict)
    danger_now = Flag(load_default=False)
    judged = Choice(Danger, metadata={"description": "A counsellor's judgement over the answers."})


class ToSos(Schema):
    """Danger now. Everything is optional: what she told already goes along."""

    position = fields.Nested(PositionSchema)


class SosMade(Answer):
    """Her SOS."""

    id = fields.String(required=True)
    status = fields.String(required=True)
    sos_token = fields.String(metadata={"description": "For her phone alone."})
    share_url = fields.String()


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


class CloseRequest(Schema):
    """How it ended."""

    outcome = Choice(Outcome, load_default=Outcome.HELPED)


class ClosedRequest(Answer):
    """That a request is over, and nothing else of it."""

    id = fields.String(required=True)
    status = Choice(HelplineStatus, required=True)
    outcome = Choice(Outcome)
    version = fields.Integer(required=True)
    closed_at = Time()


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


class ContactWish(Schema):
    """Whether she may be contacted."""

    stop = Flag(required=True)


class WordAnswer(Schema):
    """The word, shown once. Nothing of it is kept but a keyed hash."""

    word = fields.String(required=True)


class CallAnswer(Schema):
    """Her phone is being called; the counsellor's own phone rings first."""

    calling = fields.Boolean(required=True)
    codeword = fields.String(allow_none=True, metadata={"description": "Say it first."})


class QuickReplies(Schema):
    """Replies of one tap, by name."""

    items = fields.Dict(keys=fields.String(), values=fields.Dict(keys=fields.String(), values=fields.String()))


class AssessmentQuestions(Schema):
    """The five questions."""

    items = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    urdu = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    source = fields.String(required=True)


class ReferralsQuery(Schema):
    """Which entries of the directory."""

    city = Id()
    kind = Choice(ReferralKind)


class TwoNames(Schema):
    """In English and Urdu."""

    en = fields.String(required=True)
    ur = fields.String(required=True)


class DirectoryEntry(Answer):
    """Where somebody may be referred. `open` is missing where no source says the hours."""

    id = fields.String(required=True)
    kind = Choice(ReferralKind, required=True)
    names = fields.Nested(TwoNames, required=True)
    number = fields.String(required=True)
    region = fields.String(required=True)
    open = fields.Boolean()
    fallback = fields.String()
    source = fields.String()
    last_verified = fields.String()
    verified = fields.Boolean(required=True, metadata={"description": "False: ask before she sets out."})


class ReferralDirectory(Schema):
    """The entries."""

    items = fields.List(fields.Nested(DirectoryEntry), required=True)


class OpenCase(Schema):
    """How she agreed, and which of her earlier requests belong to it by her wish."""

    consent = Choice(Consent, required=True)
    requests = fields.List(Id(), load_default=list, validate=validate.Length(max=20))


class NewReferral(Schema):
    """Refer her. Without her consent nothing is shared."""

    to = Id(required=True)
    consent = Choice(Consent, required=True)
    note = Text(2000, min_chars=1, multiline=True, required=True, metadata={"description": "All that is shared."})


class NewFollowUp(Schema):
    """Something to look after."""

    due_at = Time(required=True)
    note = Text(2000, min_chars=1, multiline=True, required=True)


class NewStage(Schema):
    """How far the police or a court has come."""

    track = Choice(Track, required=True)
    stage = Choice(Stage, required=True)
    note = Text(2000, multiline=True, load_default="", metadata={"description": "Number, station, dates."})


class CaseEntry(Answer):
    """A referral, a follow-up or a stage."""

    id = fields.String(required=True)
    at = Time(required=True)
    by = fields.String(required=True)
    note = fields.String()
    to = fields.String()
    kind = Choice(ReferralKind)
    consent = Choice(Consent)
    due_at = Time()
    done_at = Time()
    track = Choice(Track)
    stage = Choice(Stage)


class ConsentGiven(Schema):
    """What she agreed to."""

    at = Time(required=True)
    by = fields.String(required=True)
    how = Choice(Consent, required=True)
    what = fields.String(required=True)


class HelplineCase(Answer):
    """What was done about one survivor's requests."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["open", "closed"]))
    outcome = Choice(Outcome)
    version = fields.Integer(required=True)
    opened_at = Time(required=True)
    closed_at = Time()
    counsellor = fields.String(metadata={"description": "Who does the casework."})
    requests = fields.List(fields.String(), required=True)
    consents = fields.List(fields.Nested(ConsentGiven), required=True)
    referrals = fields.List(fields.Nested(CaseEntry), required=True)
    follow_ups = fields.List(fields.Nested(CaseEntry), required=True)
    stages = fields.List(fields.Nested(CaseEntry), required=True)


class CopyQuery(Schema):
    """In which language."""

    language = fields.String(validate=validate.OneOf(["ur", "en"]), load_default="ur")


class JoinRequest(Schema):
    """An earlier request of hers, by its own token: the two are one survivor's, by her choice."""

    request_id = Id(required=True)
    helpline_token = fields.String(required=True, validate=validate.Length(max=80))


class Shift(Answer):
    """One counsellor's shift."""

    person = fields.String(required=True)
    state = Choice(CounsellorState, required=True)
    gender = fields.String()
    languages = fields.List(fields.String())
    since = Time()
    until = Time()
    has = fields.Integer(required=True, metadata={"description": "How many requests."})


class HandOverCase(Schema):
    """To whom, with what must be known."""

    to = Id(required=True)
    note = Text(2000, min_chars=1, multiline=True, required=True)


class OpenRequest(Schema):
    """That a request exists."""

    id = fields.String(required=True)
    status = Choice(HelplineStatus, required=True)
    asked_at = Time(required=True)
