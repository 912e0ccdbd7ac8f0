"""Uploads on their way, and media that are here. Bytes lie elsewhere (`domain/ports.py`), named by their SHA-256."""

import mongoengine as me


class UploadDoc(me.Document):
    """A file on its way. `parts` are [{name, size}] in order; `offset` is their sum."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    incident = me.StringField(required=True)
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
    """A file that is here. `sha256` names the bytes as they came, which nobody is shown; `shown` names a clean copy."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    incident = me.StringField(required=True)
    by = me.StringField()
    sha256 = me.StringField()
    size = me.IntField()
    type = me.StringField()  # by its bytes, not by what was declared
    declared = me.DictField()
    shown = me.DictField()  # {sha256, size, type}, for images: re-encoded, without place and camera in it
    at = me.DateTimeField()

    meta = {
        "collection": "evidence",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ["incident", "at"],
            ["city", "at"],
            ["sha256"],
            {"fields": ["shown.sha256"], "sparse": True},
        ],
    }
