"""How helpline requests are kept: in clear only what the line needs to order them. Everything that she told (text, name,
number, place, times, who she is) is in `sealed` or in a sealed field, and opens with the request's own key (`domain/vault`).
"""

from mongoengine import BooleanField, DateTimeField, DictField, Document, IntField, ListField, StringField

from domain import outbox


class HelplineRequestDoc(Document):
    """A request: its place in the line, who has it, and its sealed fields."""

    id = StringField(primary_key=True)
    city = StringField(required=True)
    channel = StringField()
    mode = StringField()
    language = StringField()
    status = StringField()
    outcome = StringField()
    version = IntField(default=1)
    anonymous = BooleanField()
    wanted = StringField()
    offered = StringField()
    """Another gender than wanted that was free and offered; taken only if she says so."""
    disguise = StringField()
    danger = StringField()
    danger_by = StringField()
    line_at = DateTimeField()
    """Its place in the line: since when it waits, earlier by danger (`questions.line_at`)."""
    asked_at = DateTimeField()
    answered_at = DateTimeField()
    claimed_at = DateTimeField()
    updated_at = DateTimeField()
    closed_at = DateTimeField()
    erased_at = DateTimeField()
    waiting_since = DateTimeField()
    """Since when nobody has it."""
    told = IntField()
    """How many times it was told since then that nobody has it (`timing.TELLINGS`)."""
    active_at = DateTimeField()
    """When somebody last did something: she, or whoever answers her. What time alone brings does not count."""
    due_at = DateTimeField()
    """When the sweeper looks at it again."""
    counsellor = StringField()
    listening = StringField()
    """The supervisor who listens in, with her consent."""
    flags = ListField(StringField())
    person_ref = StringField()
    """Keyed hash of the person; the id itself is sealed."""
    phone_ref = StringField()
    word_ref = StringField()
    """Keyed hash of the returning word."""
    sealed = DictField()
    """Field → sealed: person, phone, name, push, codeword, safe_to_call, position, answers, summary."""
    notes = ListField(DictField())
    """The counsellors': {id, at, by, sealed}."""
    reasons = ListField(DictField())
    """Why a supervisor took it over or gave it back: {id, at, by, ground, sealed}."""
    seen = DictField()
    """{citizen: {received, seen}, counsellor: {…}}: up to which message."""
    log = ListField(DictField())
    """Who did what, the last 100: ids only."""
    sos = StringField()
    case = StringField()
    earlier = ListField(StringField())
    """Her earlier requests, found by the word that she gave."""
    pending_events = ListField(DictField())
    outbox_due = DateTimeField()
    outbox_lease = DictField()

    meta = {
        "collection": "helpline_requests",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["due_at"], "sparse": True},
            ["city", "status", "line_at"],
            ["city", "asked_at"],
            ["city", "closed_at"],
            {"fields": ["counsellor", "status"], "sparse": True},
            {"fields": ["person_ref", "-asked_at"], "sparse": True},
            {"fields": ["phone_ref", "-asked_at"], "sparse": True},
            {"fields": ["word_ref"], "sparse": True},
            {"fields": ["case"], "sparse": True},
        ],
    }


class HelplineMessageDoc(Document):
    """One message, sealed. `seq` is its place: whoever has read up to n asks for what comes after n."""

    id = StringField(primary_key=True)
    city = StringField(required=True)
    request = StringField(required=True)
    seq = IntField(required=True)
    at = DateTimeField()
    side = StringField()
    by = StringField()
    """The counsellor's id; nothing where she wrote."""
    kind = StringField()
    """`text` or `media`."""
    quick = StringField()
    """The name of a quick reply, sealed."""
    sealed = StringField()
    media = DictField()
    pending_events = ListField(DictField())
    outbox_due = DateTimeField()
    outbox_lease = DictField()

    meta = {
        "collection": "helpline_messages",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["request", "seq"], "unique": True},
        ],
    }


class CounsellorDoc(Document):
    """A counsellor's shift."""

    id = StringField(primary_key=True)
    city = StringField(required=True)
    state = StringField()
    gender = StringField()
    languages = ListField(StringField())
    since = DateTimeField()
    until = DateTimeField()
    """When the state ends by itself: the shift, or the break."""
    shift_until = DateTimeField()
    seen_at = DateTimeField()
    version = IntField(default=1)

    meta = {
        "collection": "counsellors",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "state"], {"fields": ["until"], "sparse": True}],
    }


class HelplineCaseDoc(Document):
    """One survivor's requests, by her choice, and what was done about them. It has a key of its own; every text and
    number in it is sealed.
    """

    id = StringField(primary_key=True)
    city = StringField(required=True)
    status = StringField()
    version = IntField(default=1)
    opened_at = DateTimeField()
    updated_at = DateTimeField()
    closed_at = DateTimeField()
    outcome = StringField()
    erased_at = DateTimeField()
    counsellor = StringField()
    """Who does the casework: reads the case while it is open, whoever has her requests meanwhile."""
    requests = ListField(StringField())
    consents = ListField(DictField())
    """{at, by, how, what}: what she agreed to share with whom."""
    referrals = ListField(DictField())
    """{id, at, by, to, kind, consent, sealed}."""
    follow_ups = ListField(DictField())
    """{id, at, by, due_at, done_at, sealed}."""
    stages = ListField(DictField())
    """{id, at, by, track, stage, sealed}."""
    due_at = DateTimeField()
    """When the next follow-up is due."""
    merged_into = StringField()
    """The older case that this one is a part of, by her choice; nobody changes this one any more."""
    moved_at = DateTimeField()
    """When all of it stood there."""
    pending_events = ListField(DictField())
    outbox_due = DateTimeField()
    outbox_lease = DictField()

    meta = {
        "collection": "helpline_cases",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["due_at"], "sparse": True},
            {"fields": ["merged_into"], "sparse": True},
            ["city", "status", "opened_at"],
            ["requests"],
        ],
    }


outbox.register("helpline_cases", HelplineCaseDoc)
outbox.register("helpline_requests", HelplineRequestDoc)
outbox.register("helpline_messages", HelplineMessageDoc)
