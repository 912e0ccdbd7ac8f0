"""Bodies and answers of the helpline, as her phone and whoever answers her use it in the talk."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api.paging import PageQuery
from api.schemas import Answer, Choice, Flag, Id, Language, Phone, PositionSchema, Schema, Text, Time, Whole, code_field
from domain.helpline.safe_times import MAX_WINDOWS
from domain.helpline.states import (
    Channel,
    Danger,
    Disguise,
    HelplineStatus,
    Mode,
    Outcome,
    Side,
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


class ContactWish(Schema):
    """Whether she may be contacted."""

    stop = Flag(required=True)


class WordAnswer(Schema):
    """The word, shown once. Nothing of it is kept but a keyed hash."""

    word = fields.String(required=True)


class QuickReplies(Schema):
    """Replies of one tap, by name."""

    items = fields.Dict(keys=fields.String(), values=fields.Dict(keys=fields.String(), values=fields.String()))


class AssessmentQuestions(Schema):
    """The five questions."""

    items = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    urdu = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    source = fields.String(required=True)


class CopyQuery(Schema):
    """In which language."""

    language = fields.String(validate=validate.OneOf(["ur", "en"]), load_default="ur")


class JoinRequest(Schema):
    """An earlier request of hers, by its own token: the two are one survivor's, by her choice."""

    request_id = Id(required=True)
    helpline_token = fields.String(required=True, validate=validate.Length(max=80))
