"""How reports and what others say of them are kept. A voice is its own small document: a report of a blast has hundreds."""

import mongoengine as me

from domain import outbox


class ReportDoc(me.Document):
    """One report. `position` is exact, `public` the centre of its r9 cell; `author` is never shown, but for a name."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    groups = me.ListField(me.StringField())  # in whose area it lies
    author = me.StringField()
    author_made = me.DateTimeField()
    anonymous = me.StringField()
    fingerprint = me.StringField()
    category = me.StringField()
    note = me.StringField()
    position = me.DictField()  # {lat, lon, accuracy_m}
    public = me.DictField()  # {lat, lon}
    cells = me.DictField()  # of the exact place: for us
    shown = me.DictField()  # of the public one: by which others find it
    expires_at = me.DateTimeField()  # until when others are shown it
    looks = me.ListField(me.DictField())  # {part, text}
    media = me.ListField(me.DictField())  # {id, sha256, size, type, shown, redacted}: what came by tus
    blur_due = me.DateTimeField()  # when to ask again for the blurred copies
    appeal = me.DictField()  # {reason, at, against, answer, answered_at, upheld}
    at = me.DateTimeField()  # when it was seen
    created_at = me.DateTimeField()
    offline = me.BooleanField()
    status = me.StringField()
    reasons = me.ListField(me.StringField())  # of a hold
    decision = me.DictField()  # {by, at, reason, status}
    history = me.ListField(me.DictField())  # {at, category, note} before an edit
    same_as = me.ListField(me.DictField())
    picture = me.StringField()  # hash of its photo, 16 hexadecimal digits
    handover = me.DictField()  # {id, agency, status, notes, at}
    cluster = me.StringField()  # of which it is a part; that may be part of another since
    score = me.FloatField()
    voices = me.IntField()
    parts = me.DictField()
    confirmed = me.IntField(default=0)
    denied = me.IntField(default=0)
    flags = me.DictField()  # person → {why, at, counts}
    flagged_by = me.ListField(me.StringField())  # the same persons, by whom their flags are found
    believed_at = me.DateTimeField()
    believed_by = me.StringField()
    incident = me.StringField()
    look_at = me.DateTimeField()  # when it was found worth asking cameras about
    sights = me.DictField()  # camera → what it said, as an incident's `cameras`
    photo = me.DictField()  # {sha256, size, type}: decoded and written anew
    changed_at = me.DateTimeField()
    worded_at = me.DateTimeField()  # when what it says was last written
    author_device = me.StringField()
    author_address = me.StringField()  # of their network, hashed
    version = me.IntField(default=1)

    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField(default=None)

    meta = {
        "collection": "watch_reports",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["photo.sha256"], "sparse": True},
            {"fields": ["blur_due"], "sparse": True},
            {"fields": ["flagged_by"], "sparse": True},
            ["city", "shown.r5", "-at"],
            ["city", "shown.r7", "-at"],
            ["city", "shown.r9", "-at"],
            {"fields": ["media.sha256"], "sparse": True},
            {"fields": ["media.shown.sha256"], "sparse": True},
            {"fields": ["media.redacted.sha256"], "sparse": True},
            ["city", "cells.r7", "-at"],
            ["city", "cells.r9", "-at"],
            ["city", "-created_at"],
            ["groups", "-created_at"],
            ["groups", "changed_at", "id"],
            ["author", "changed_at", "id"],
            ["author", "-created_at"],
            ["cluster", "status", "created_at"],
        ],
    }


class VoiceDoc(me.Document):
    """What one person says of one report. The id is made of both, so there is one."""

    id = me.StringField(primary_key=True)
    city = me.StringField()
    report = me.StringField(required=True)
    person = me.StringField(required=True)
    stand = me.StringField()
    metres = me.FloatField()
    made = me.DateTimeField()
    device = me.StringField()
    address = me.StringField()  # of their network, hashed
    helped = me.IntField()
    false_alarms = me.IntField()
    at = me.DateTimeField()

    meta = {
        "collection": "watch_voices",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["report", "-at"], ["person"]],
    }


class GoneReportDoc(me.Document):
    """A report that is no longer kept: phones that have it are told to forget it. Nothing of what it said is here."""

    id = me.StringField(primary_key=True)  # the report's
    city = me.StringField(required=True)
    groups = me.ListField(me.StringField())
    author = me.StringField()  # whose phone had it; nobody, where it was the author who was erased
    changed_at = me.DateTimeField()  # when it went

    meta = {
        "collection": "watch_reports_gone",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["groups", "changed_at", "id"], ["author", "changed_at", "id"], ["city", "changed_at"]],
    }


outbox.register("watch_reports", ReportDoc)
