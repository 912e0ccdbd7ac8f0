"""Searches for one face, with their leads. Pictures lie in the media store, sealed with a key of the search's own."""

import mongoengine as me

from domain import outbox


class FaceSearchDoc(me.Document):
    """A search in one incident's footage. No embedding of a face is kept anywhere."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    incident = me.StringField(required=True)
    purpose = me.StringField()
    legal_basis = me.StringField()  # number of the report or warrant, and whose it is
    by = me.StringField()
    hours = me.IntField()  # how long the search is allowed, from the second yes
    state = me.StringField()
    review = me.StringField()
    photo = me.DictField()  # sealed: {name, sha256, size, pieces}
    noted = me.ListField(me.StringField())  # every object that may be stored
    searched = me.ListField(me.StringField())  # evidence that was gone through
    failed = me.DictField()  # evidence → why it could not be
    begun = me.DictField()  # evidence → how often somebody began with it
    leads = me.ListField(me.DictField())  # {id, evidence, t, score, bbox, crop (sealed), at}
    model = me.DictField()  # {name, sha256, threshold}
    fingerprint = me.StringField()
    at = me.DateTimeField()
    allowed_at = me.DateTimeField()
    until = me.DateTimeField()  # when the sweeper ends it
    due = me.DateTimeField()  # of the lease, or when the sweeper has to see to it
    tries = me.IntField()
    version = me.IntField(default=1)
    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField()

    meta = {
        "collection": "face_searches",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ["incident", "at"],
            ["city", "at"],
            {"fields": ["until"], "sparse": True},
            {"fields": ["due"], "sparse": True},
            {"fields": ["outbox_due"], "sparse": True},
        ],
    }


outbox.register("face_searches", FaceSearchDoc)
