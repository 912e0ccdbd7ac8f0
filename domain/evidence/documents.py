"""Uploads on their way, evidence that is here, who asked for footage, and the chain of custody. Bytes lie elsewhere
(`domain/evidence/ports.py`), named by their SHA-256.
"""

import mongoengine as me


class UploadDoc(me.Document):
    """A file on its way. `parts` are [{name, size}] in order; `offset` is their sum. `of` is empty for an SOS's; else
    `incident` is the id of what it is of.
    """

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    incident = me.StringField(required=True)
    of = me.StringField()
    by = me.StringField()
    length = me.IntField()
    offset = me.IntField(default=0)
    parts = me.ListField(me.DictField())
    metadata = me.StringField()  # Upload-Metadata as it came
    declared = me.DictField()  # {filename, filetype, sha256}, what of it can be read
    status = me.StringField()
    evidence = me.StringField()
    created_at = me.DateTimeField()
    finish_due = me.DateTimeField()  # every byte is here, and nobody has made evidence of it yet
    expires_at = me.DateTimeField()

    meta = {
        "collection": "uploads",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["expires_at"], "sparse": True},
            {"fields": ["finish_due"], "sparse": True},
            ["incident", "created_at"],
            ["city", "created_at"],
        ],
    }


class EvidenceDoc(me.Document):
    """Something that proves what happened. Of an upload, `sha256` names the bytes as they came, which nobody is shown, and
    `shown` a clean copy. Of footage, `parts` are the recorder's files, sealed in pieces, and `copy` the redacted copy.
    """

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    incident = me.StringField(required=True)
    also = me.ListField(me.StringField())  # other incidents of the same place and minute that need it
    kept = me.BooleanField()  # by the city's rule, and nobody has asked for it yet
    kind = me.StringField()  # none: an upload
    by = me.StringField()
    sha256 = me.StringField()
    size = me.IntField()
    type = me.StringField()  # by its bytes, not by what was declared
    declared = me.DictField()
    shown = me.DictField()  # {sha256, size, type}, for images: re-encoded, without place and camera in it
    at = me.DateTimeField()
    # footage
    state = me.StringField()
    request = me.StringField()
    camera = me.StringField()
    start = me.DateTimeField()
    seconds = me.FloatField()
    source = me.DictField()  # {kind, recorder}
    clock = (
        me.DictField()
    )  # {by, offset_s, camera_offset_s}: whose clock named the files, how far it and the camera's were off
    parts = me.ListField(me.DictField())  # {name, start, sha256, size, pieces: [{sha256, size}]}
    noted = me.ListField(me.StringField())  # every object that may be stored, so that none is ever forgotten
    copy = (
        me.DictField()
    )  # {sha256, size, type, first, frames, seconds, regions, stills: [{sha256, t, …}], detectors, cut_after?, at}
    reason = me.StringField()  # why there is no redacted copy
    tries = me.IntField()  # of making the copy; the number is also the lease's owner
    excused = me.IntField()  # tries that failed by no fault of its own: there was no room
    due = me.DateTimeField()  # of the lease, or when the sweeper has to see to it; none when nothing is left to do
    ends_at = me.DateTimeField()  # its end has begun
    version = me.IntField()

    meta = {
        "collection": "evidence",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ["incident", "at"],
            {"fields": ["also", "at"], "sparse": True},
            ["city", "at"],
            ["sha256"],
            {"fields": ["shown.sha256"], "sparse": True},
            {"fields": ["noted"], "sparse": True},
            {"fields": ["due"], "sparse": True},
        ],
    }


class FootageRequestDoc(me.Document):
    """Who asked for what cameras recorded of an incident, and what each camera had to say."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    incident = me.StringField(required=True)
    by = me.StringField()
    reason = me.StringField()
    start = me.DateTimeField()
    seconds = me.FloatField()
    position = me.DictField()
    radius_m = me.FloatField()
    cameras = me.DictField()  # camera → {name, distance_m, covering, found, have, missing, evidence}
    state = me.StringField()
    fingerprint = me.StringField()  # of the body: a repeat of its key with another one is refused; none: the rule's own
    trouble = me.StringField()  # why it was put off the last time
    at = me.DateTimeField()
    due = me.DateTimeField()  # of the lease, or when the sweeper has to see to it; none once it is answered
    tries = me.IntField()
    version = me.IntField(default=1)

    meta = {
        "collection": "footage_requests",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["incident", "at"], ["city", "at"], {"fields": ["due"], "sparse": True}],
    }


class CustodyDoc(me.Document):
    """One act on a piece of evidence (`custody.py`)."""

    id = me.StringField(primary_key=True)  # evidence and seq: unique, so that two cannot take the same place
    evidence = me.StringField(required=True)
    seq = me.IntField(required=True)
    city = me.StringField(required=True)
    incident = me.StringField()
    at = me.DateTimeField()
    actor = me.StringField()
    act = me.StringField()
    reason = me.StringField()
    refs = me.DictField()  # ids and hashes
    prev = me.StringField()
    hash = me.StringField()
    key = me.StringField()  # what makes a second run of the same act a no-op
    anchor = me.StringField()  # the entry of the audit chain that holds the hash

    meta = {
        "collection": "custody",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["evidence", "seq"], ["evidence", "key"], ["city", "at"]],
    }


class ViewDoc(me.Document):
    """The sight of one copy of one piece of evidence, given to one person for a while, with a reason."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    incident = me.StringField()
    evidence = me.StringField(required=True)
    by = me.StringField()
    copy = me.StringField()
    reason = me.StringField()
    review = me.StringField()  # the second yes, where the original was opened
    at = me.DateTimeField()
    until = me.DateTimeField()

    meta = {
        "collection": "evidence_views",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["until"], ["evidence", "at"]],
    }
