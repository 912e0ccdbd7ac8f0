"""Entries of the watchlist, hits on them, and sightings: what is kept of every other plate."""

import mongoengine as me

from domain import outbox


class WatchlistDoc(me.Document):
    """A plate that is looked for. In clear: it is the list. `keys` are by what readings find it."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    plate = me.StringField()  # as its owner wrote it
    keys = me.ListField(me.StringField())
    why = me.StringField()
    legal_basis = me.StringField()  # the number of the report or order
    description = me.StringField()  # of the vehicle
    owner = me.StringField()  # the person who answers for it
    agency = me.StringField()
    status = me.StringField()
    listed_at = me.DateTimeField()
    expires_at = me.DateTimeField()
    ended_at = me.DateTimeField()
    ended_by = me.StringField()
    end_reason = me.StringField()
    fingerprint = me.StringField()
    chase = me.StringField()  # the hit of which the incident came that others of the same chase join
    version = me.IntField(default=1)

    meta = {
        "collection": "watchlist",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "keys"], ["city", "id"], ["city", "agency"], ["city", "expires_at"]],
    }


class HitDoc(me.Document):
    """A reading like a listed plate: the raw reading, its crop, and what a human said of it."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    entry = me.StringField()
    camera = me.StringField()
    observation = me.StringField()
    position = me.DictField()
    at = me.DateTimeField()
    raw = me.ListField(me.DictField())  # [{text, score}], sign by sign as it was read
    score = me.FloatField()
    detector = me.StringField()
    crop = me.StringField()  # a media name
    crop_due = me.BooleanField()  # its bytes may not have come
    noted = me.ListField(me.StringField())  # every media name that may be stored for it
    bbox = me.ListField(me.FloatField())
    at_s = me.FloatField()
    status = me.StringField()
    review = me.StringField()
    decided_at = me.DateTimeField()
    closed = me.StringField()  # why nothing follows
    incident = me.StringField()
    created_at = me.DateTimeField()
    version = me.IntField(default=1)
    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField()

    meta = {
        "collection": "hits",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            ["city", "status", "-at"],
            ["city", "created_at"],
            ["entry", "-at"],
            {"fields": ["crop"], "sparse": True},
        ],
    }


class SightingDoc(me.Document):
    """A plate that is on no list: two keyed hashes under the key of its day, where and when. Never the plate."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    camera = me.StringField()
    position = me.DictField()
    at = me.DateTimeField()
    exact = me.StringField()  # of the canonical form, O as 0 and I as 1
    alike = me.StringField()  # of the form in which all that looks alike is one

    meta = {
        "collection": "plate_sightings",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "alike", "at"], ["city", "at"]],
    }


outbox.register("hits", HitDoc)
