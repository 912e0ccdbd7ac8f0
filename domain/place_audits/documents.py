"""What is kept of an audit, and the figures of a cell. Where exactly somebody stood is not kept, only the cell."""

import mongoengine as me

from domain import outbox


class PlaceAuditDoc(me.Document):
    """One person's rating of one place."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    person = me.StringField()
    fingerprint = me.StringField()  # of the body that its key is bound to
    cell = me.StringField()  # H3, resolution 9
    year = me.IntField()
    hour = me.IntField()
    ratings = me.DictField()
    note = me.StringField()
    photo = me.DictField()  # {sha256, size, type}: decoded and written anew
    photo_shown = me.StringField()  # SHA-256 of the copy without faces that others may see
    shown_at = me.DateTimeField()
    photo_due = me.DateTimeField()  # when that copy is to be made
    photo_tries = me.IntField()  # how often a worker was asked for it
    photo_unreadable = me.StringField()  # why there is none, ever
    version = me.IntField(default=1)
    at = me.DateTimeField()
    created_at = me.DateTimeField()
    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField()

    meta = {
        "collection": "place_audits",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["photo.sha256"], "sparse": True},
            {"fields": ["photo_due"], "sparse": True},
            ["city", "-shown_at"],
            ["person", "-created_at"],
        ],
    }


class PlaceCellDoc(me.Document):
    """The figures of a cell and hour of a year (`rules.fold`): what is told, and who waits to be told of."""

    id = me.StringField(primary_key=True)  # {city}:{year}:{cell}:{hour}
    city = me.StringField(required=True)
    year = me.IntField()
    cell = me.StringField()
    r7 = me.StringField()
    hour = me.IntField()
    waiting = me.DictField()  # pseudonym → ratings
    counted = me.ListField(me.StringField())  # pseudonyms
    n = me.IntField(default=0)
    sums = me.DictField()
    version = me.IntField(default=1)

    meta = {
        "collection": "place_cells",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "hour", "r7"]],
    }


outbox.register("place_audits", PlaceAuditDoc)
