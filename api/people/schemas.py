"""Bodies and answers of the People routes."""

from marshmallow import ValidationError, fields, validate, validates_schema

from api.schemas import Answer, Choice, Flag, Id, Language, Phone, PlaceSchema, Schema, Text, Time, code_field
from domain.alerts.following import MAX_AREAS
from domain.people.rules import DEVICE_ID
from domain.people.states import BLOOD_GROUPS, Gender, GuardianStatus

PLATFORMS = ("android", "ios", "web")


class AskCode(Schema):
    """Whom to send a one-time code."""

    phone = Phone(required=True)
    language = Language(load_default=None, metadata={"description": "Of the SMS; Urdu, or English for a foreign number."})


class Asked(Answer):
    """A challenge; the code comes by SMS."""

    challenge_id = fields.String(required=True)
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds."})
    resend_after = fields.Integer(required=True, metadata={"description": "Seconds until another may be asked for."})


class DeviceFacts(Schema):
    """What a phone says of itself. Send `token` and, where the platform has it, `fid`."""

    platform = fields.String(load_default="android", validate=validate.OneOf(PLATFORMS))
    language = Language()
    app_version = Text(40)
    token = Text(512, metadata={"description": "FCM registration token."})
    fid = Text(256, metadata={"description": "Firebase installation id."})
    label = Text(80, metadata={"description": "What the person calls this phone; shown in the list of sessions."})


class PhoneFacts(DeviceFacts):
    """The same, and roughly where the phone is."""

    near = fields.Nested(
        PlaceSchema,
        metadata={
            "description": "Kept as a cell of about 5 km², and only where the person lets alerts follow their phone."
        },
    )


class SigningIn(DeviceFacts):
    """The phone that signs in."""

    id = code_field(DEVICE_ID, "A device id: letters, digits, - and _.", required=True)


class GiveCode(Schema):
    """The code that came by SMS, and the phone that signs in."""

    challenge_id = Text(100, required=True)
    code = code_field(r"[0-9]{6}", "Six digits.", required=True)
    device = fields.Nested(SigningIn, required=True)


class RefreshBody(Schema):
    """The session's newest refresh token."""

    refresh_token = Text(600, required=True)


class GuardianAnswer(Answer):
    """A guardian as the person sees them."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    phone = fields.String(required=True)
    language = fields.String()
    status = Choice(GuardianStatus, required=True)
    silent = fields.Boolean()
    invited_at = Time()
    answered_at = Time()


class RoleAnswer(Answer):
    """A role and where it holds."""

    role = fields.String(required=True)
    city = fields.String()
    agency_id = fields.String()
    group_id = fields.String()


class AlertCell(Schema):
    """A place of which alerts are heard, as it is kept."""

    label = fields.String(required=True)
    cell = fields.String(required=True, metadata={"description": "H3 index, resolution 9."})


class AlertChoicesAnswer(Schema):
    """Which public alerts one hears."""

    areas = fields.List(fields.Nested(AlertCell), required=True)
    whole_city = fields.Boolean(required=True)
    follow_device = fields.Boolean(required=True)


class PersonAnswer(Answer):
    """A person as they see themself."""

    id = fields.String(required=True)
    phone = fields.String(required=True)
    name = fields.String(required=True)
    language = fields.String(required=True)
    city = fields.String()
    gender = fields.String()
    languages = fields.List(fields.String())
    blood_group = fields.String()
    medical_note = fields.String()
    alerts = fields.Nested(
        AlertChoicesAnswer, metadata={"description": "Of an export it stands beside the person, as it is kept."}
    )
    has_pins = fields.Boolean(required=True)
    roles = fields.List(fields.Nested(RoleAnswer))
    second_factor = fields.Boolean(metadata={"description": "Whether it was given in this session and still counts."})
    unit_id = fields.String()
    duty = fields.String()
    created_at = Time()


class TokensAnswer(Answer):
    """Tokens of a session. Send the access token as `Authorization: Bearer …`."""

    access_token = fields.String(required=True)
    refresh_token = fields.String(required=True)
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds that the access token is good."})


class SignedInAnswer(TokensAnswer):
    """Tokens, and who signed in."""

    person = fields.Nested(PersonAnswer, required=True)


class AlertPlace(PlaceSchema):
    """A place whose alerts one wants to hear. Kept as a cell of about 0.1 km², never as a position."""

    label = Text(40, min_chars=1, required=True, metadata={"description": "`home`, `work`."})


class AlertChoices(Schema):
    """Which public alerts to hear; what is left out stays."""

    areas = fields.List(fields.Nested(AlertPlace), validate=validate.Length(max=MAX_AREAS))
    whole_city = Flag(metadata={"description": "Alerts to all of the home city; on unless turned off."})
    follow_device = Flag(metadata={"description": "Also alerts for where the phone was last, to about 5 km²."})


class ProfileChange(Schema):
    """What of oneself to change; what is left out stays."""

    name = Text(80)
    language = Language()
    city = Id()
    gender = Choice(Gender)
    languages = fields.List(Language(), validate=validate.Length(max=10))
    blood_group = fields.String(validate=validate.OneOf(BLOOD_GROUPS))
    medical_note = Text(500, multiline=True)
    alerts = fields.Nested(AlertChoices)


class Proof(Schema):
    """A one-time code given as proof, beside the session."""

    challenge_id = Text(100, required=True)
    code = code_field(r"[0-9]{6}", "Six digits.", required=True)


class PinsBody(Schema):
    """Both PINs, and what proves that the person is who they are: the old safe PIN, or a fresh one-time code.

    A session that signed in within the last ten minutes is proof enough.
    """

    safe_pin = code_field(r"[0-9]{4,8}", "Four to eight digits.", required=True)
    duress_pin = code_field(r"[0-9]{4,8}", "Four to eight digits.", required=True)
    old_pin = code_field(r"[0-9]{4,8}", "Four to eight digits.")
    otp = fields.Nested(Proof)

    @validates_schema
    def _differ(self, data: dict[str, str], **_: object) -> None:
        if data.get("safe_pin") == data.get("duress_pin"):
            raise ValidationError({"duress_pin": ["The two PINs must differ."]})


class DeviceAnswer(Answer):
    """A phone of the person; its push address is not told."""

    id = fields.String(required=True)
    platform = fields.String()
    language = fields.String()
    app_version = fields.String()
    seen_at = Time()
    pushed = fields.Function(lambda device: bool(device.token or device.fid), metadata={"type": "boolean"})


class NewGuardian(Schema):
    """Somebody to be told when this person raises an SOS."""

    name = Text(80, min_chars=1, required=True)
    phone = Phone(required=True)
    language = Language(load_default="ur")
    silent = Flag(load_default=False, metadata={"description": "Never by a call."})


class GuardiansAnswer(Answer):
    """All of a person's guardians: at most ten."""

    items = fields.List(fields.Nested(GuardianAnswer), required=True)


class SessionAnswer(Answer):
    """A signed-in phone or console."""

    id = fields.String(required=True)
    device_id = fields.String()
    label = fields.String()
    created_at = Time()
    seen_at = Time()
    expires_at = Time()
    current = fields.Boolean()


class SessionsAnswer(Answer):
    """The live sessions of a person: at most twenty."""

    items = fields.List(fields.Nested(SessionAnswer), required=True)


class EnrolBody(Schema):
    """The code that an admin handed over."""

    enrolment_code = Text(40, required=True)


class EnrolAnswer(Answer):
    """What an authenticator app reads (as a QR code)."""

    uri = fields.String(required=True)


class FactorBody(Schema):
    """What the authenticator app shows."""

    code = code_field(r"[0-9]{6}", "Six digits.", required=True)


class ExportAnswer(Answer):
    """Everything kept about a person. `records` has a list for each other concept."""

    exported_at = Time()
    person = fields.Nested(PersonAnswer)
    roles = fields.List(fields.Nested(RoleAnswer))
    guardians = fields.List(fields.Nested(GuardianAnswer))
    devices = fields.List(fields.Nested(DeviceAnswer))
    sessions = fields.List(fields.Nested(SessionAnswer))
    records = fields.Dict()
