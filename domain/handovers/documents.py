"""How handovers are kept, and the desks of agencies that take them."""

import mongoengine as me

from domain import outbox


class HandoverDoc(me.Document):
    """One report at one agency; the id is made of both. `updates`: what the agency said, the newest last."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    report = me.StringField(required=True)
    agency = me.StringField(required=True)
    category = me.StringField()
    groups = me.ListField(me.StringField())  # of the report, for what its members are shown
    by = me.StringField()
    answers = me.DictField()  # {attribute's code: value}, as they came with a request of the agency's own
    address = me.StringField()  # as it came with one
    token = me.StringField()  # by which its id is asked for, while a human has to read it first
    status = me.StringField()
    notes = me.StringField()
    updates = me.ListField(me.DictField())  # {id, at, status, notes}
    requested_at = me.DateTimeField()
    updated_at = me.DateTimeField()
    version = me.IntField(default=1)

    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField(default=None)

    meta = {
        "collection": "watch_handovers",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["token"], "sparse": True},
            ["report"],
            ["city", "requested_at"],
            ["city", "agency", "-requested_at"],
            ["groups", "-updated_at"],
        ],
    }


class DeskDoc(me.Document):
    """An agency that takes handovers of these categories. Of its key only the hash is kept."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    agency = me.StringField(required=True)
    key_hash = me.StringField()
    takes = me.ListField(me.StringField())
    made_at = me.DateTimeField()

    meta = {
        "collection": "watch_desks",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "agency"], {"fields": ["key_hash"], "sparse": True}],
    }


outbox.register("watch_handovers", HandoverDoc)
