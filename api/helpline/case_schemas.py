"""Bodies and answers of casework: referrals, follow-ups, stages, consent."""

from marshmallow import fields, validate

from api.schemas import Answer, Choice, Id, Schema, Text, Time
from domain.helpline.states import (
    Consent,
    Outcome,
    ReferralKind,
    Stage,
    Track,
)


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


class HandOverCase(Schema):
    """To whom, with what must be known."""

    to = Id(required=True)
    note = Text(2000, min_chars=1, multiline=True, required=True)
