"""What is stored of a person. One document holds the person, sessions included, so that one read by `_id` answers
"who asks, and may they" for every request.

Sessions, devices and guardians are maps by id, so that each change is one conditional write on a dotted path.
`phone` is in clear because messages are sent to it; PINs are argon2 hashes; the second factor's secret, blood group and
medical note are sealed (`domain/sealing.py`).
"""

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentField,
    IntField,
    ListField,
    MapField,
    StringField,
)

from domain import outbox


class RoleHeld(EmbeddedDocument):
    """A role and where it holds (`domain/permissions.py`)."""

    meta = {"strict": False}

    role = StringField(required=True)
    city = StringField(default="")
    agency_id = StringField(default="")
    group_id = StringField(default="")


class Device(EmbeddedDocument):
    """A phone of the person. `token` and `fid` are FCM's old and new address; both die at logout."""

    meta = {"strict": False}

    id = StringField(required=True, db_field="id")
    token = StringField()
    fid = StringField()
    platform = StringField(default="android")
    language = StringField()
    app_version = StringField(default="")
    session_id = StringField(default="")
    """The session that bound it; empty once it is logged out."""
    seen_at = DateTimeField()
    retired_at = DateTimeField()
    """When the vendor said that the address will never work again."""


class RetiredAddress(EmbeddedDocument):
    """A channel by which a number is not reached any more (`addresses.py`)."""

    meta = {"strict": False}

    reason = StringField(required=True)
    at = DateTimeField(required=True)


class Guardian(EmbeddedDocument):
    """Somebody who stands by the person, told when she raises an SOS."""

    meta = {"strict": False}

    id = StringField(required=True, db_field="id")
    name = StringField(required=True)
    phone = StringField(required=True)
    language = StringField(default="ur")
    status = StringField(default="invited", choices=("invited", "confirmed", "declined"))
    silent = BooleanField(default=False)
    """Told by data push and SMS only, never by a call."""
    no_calls = BooleanField(default=False)
    """The guardian's own wish not to be rung; whoever named them is not told."""
    generation = IntField(default=0)
    """Of the link by which they confirm; raising it revokes the link."""
    link_hash = StringField()
    invited_at = DateTimeField()
    answered_at = DateTimeField()
    retired = MapField(EmbeddedDocumentField(RetiredAddress))
    """By channel: why and since when this number is not reached by it."""


class Session(EmbeddedDocument):
    """A signed-in device. Its refresh token is not stored: it is signed and names `generation`."""

    meta = {"strict": False}

    id = StringField(required=True, db_field="id")
    device_id = StringField(default="")
    label = StringField(default="")
    created_at = DateTimeField()
    seen_at = DateTimeField()
    expires_at = DateTimeField()
    generation = IntField(default=0)
    """How often it was refreshed; only the newest refresh token is good."""
    refresh_key = StringField(default="")
    """Hash of the Idempotency-Key of the last refresh: its retry gets the same answer."""
    otp_at = DateTimeField()
    """When a code by SMS was last given in it."""
    second_factor_at = DateTimeField()
    """When the second factor was last given in it."""
    ended_at = DateTimeField()


class SecondFactor(EmbeddedDocument):
    """TOTP of a member of staff."""

    meta = {"strict": False}

    secret = StringField(required=True)
    """Sealed."""
    confirmed_at = DateTimeField()
    last_step = IntField(default=0)
    """The newest 30-second step whose code was taken: a code is good once."""


class Enrolment(EmbeddedDocument):
    """What lets a member of staff set up the second factor: a code handed over by an admin."""

    meta = {"strict": False}

    code_hash = StringField(required=True)
    expires_at = DateTimeField(required=True)


class Trust(EmbeddedDocument):
    """Facts by which unverified and repeated callers are ranked, never dropped. Counts."""

    meta = {"strict": False}

    sos_raised = IntField(default=0)
    helped = IntField(default=0)
    false_alarm = IntField(default=0)
    verified_phone_at = DateTimeField()


class PersonDoc(Document):
    """A person: citizen, responder, guardian with the app, or staff."""

    meta = {
        "collection": "people",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["phone"], "unique": True, "sparse": True},
            {"fields": ["unit_id"], "sparse": True},
            {"fields": ["roles.role", "roles.city", "id"]},
            {"fields": ["roles.city", "id"]},
            {"fields": ["device_tokens"], "sparse": True},
            {"fields": ["guardian_links"], "sparse": True},
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["changed_at"], "sparse": True},
            {"fields": ["alert_cells", "id"]},
        ],
    }

    id = StringField(primary_key=True)
    phone = StringField()
    """E.164; absent once erased."""
    retired = MapField(EmbeddedDocumentField(RetiredAddress))
    """By channel (`sms`, `voice`): why and since when the number is not reached by it."""
    reached_by = DictField()
    """`{channel, device, at}`: what reached them last where the phone did not answer (`reach.py`)."""
    name = StringField(default="")
    language = StringField(default="ur")
    """BCP 47: `ur` or `en`."""
    city = StringField(default="")
    """Home city."""
    gender = StringField(default="")
    languages = ListField(StringField())
    blood_group = StringField()
    """Sealed."""
    medical_note = StringField()
    """Sealed."""
    roles = ListField(EmbeddedDocumentField(RoleHeld))
    agency_id = StringField()
    unit_id = StringField()
    skills = ListField(StringField())
    duty = StringField(default="off_duty", choices=("available", "busy", "off_duty"))
    duty_at = DateTimeField()

    safe_pin = StringField()
    duress_pin = StringField()
    decoy_pin = StringField()
    """What whoever forced a change of PINs takes for the safe one: a second duress PIN (ADR 8)."""
    pins_reset_at = DateTimeField()
    """When PINs that were there were last replaced without the old one, by a code to the phone."""
    second_factor = EmbeddedDocumentField(SecondFactor)
    enrolment = EmbeddedDocumentField(Enrolment)

    devices = MapField(EmbeddedDocumentField(Device))
    device_tokens = ListField(StringField())
    """The push addresses of `devices`, for finding whose a token was."""
    guardians = MapField(EmbeddedDocumentField(Guardian))
    guardian_links = ListField(StringField())
    """Hashes of the links by which guardians answer."""
    sessions = MapField(EmbeddedDocumentField(Session))
    trust = EmbeddedDocumentField(Trust, default=Trust)
    alert_settings = DictField()
    """Which public alerts they hear: {areas: [{label, cell}], whole_city, follow_device}."""
    alert_device_cell = StringField()
    """Where their phone was last, to about 5 km²; only where they allow it."""
    alert_cells = ListField(StringField())
    """What the recipients of an alert are found by (`domain/alerts/following.py`)."""

    created_at = DateTimeField()
    changed_at = DateTimeField()
    erased_at = DateTimeField()
    version = IntField(default=0)

    pending_events = ListField(DictField())
    outbox_due = DateTimeField()
    outbox_lease = DictField(default=None)


class ChallengeDoc(Document):
    """A one-time code that was asked for. The code itself is stored nowhere: `domain/people/codes.py` derives it."""

    meta = {
        "collection": "otp_challenges",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["expires_at"]},
        ],
    }

    id = StringField(primary_key=True)
    """Hash of the challenge id that the phone holds."""
    phone = StringField(required=True)
    language = StringField(default="ur")
    city = StringField(default="")
    tries = IntField(default=0)
    created_at = DateTimeField()
    expires_at = DateTimeField()
    used_at = DateTimeField()
    used_key = StringField(default="")
    """Hash of the Idempotency-Key that used it: its retry gets the same session."""
    version = IntField(default=0)

    pending_events = ListField(DictField())
    outbox_due = DateTimeField()
    outbox_lease = DictField(default=None)


outbox.register("people", PersonDoc)
outbox.register("otp_challenges", ChallengeDoc)
