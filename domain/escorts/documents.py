"""How a request for an escort is kept. What comes of it is an incident."""

import mongoengine as me

from domain import outbox


class EscortDoc(me.Document):
    """Who walks from where to where, and when. `due_at` is when units are asked."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    person = me.StringField()
    fingerprint = me.StringField()  # of the body that its key is bound to
    status = me.StringField()
    version = me.IntField(default=1)
    at = me.DateTimeField()  # when the way begins
    position = me.DictField()  # {lat, lon, accuracy_m}: where it begins
    destination = me.DictField()  # {lat, lon, name}
    women_first = me.BooleanField()
    note = me.StringField()
    incident = me.StringField()
    created_at = me.DateTimeField()
    updated_at = me.DateTimeField()
    due_at = me.DateTimeField()
    forget_at = me.DateTimeField()
    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField()

    meta = {
        "collection": "escorts",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["due_at"], "sparse": True},
            {"fields": ["forget_at"], "sparse": True},
            ["person", "-created_at"],
        ],
    }


outbox.register("escorts", EscortDoc)
