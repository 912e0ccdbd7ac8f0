"""How a notice is kept: one document a cause, opened again when the cause comes back."""

import mongoengine as me

from domain import outbox


class NoticeDoc(me.Document):
    """One cause. `city` is `*` for what belongs to the machine and so to every city."""

    id = me.StringField(primary_key=True)  # from city, kind and cause
    city = me.StringField(required=True)
    kind = me.StringField()
    cause = me.StringField()  # a carrier, a queue, an incident, a drill
    status = me.StringField()
    figures = me.DictField()  # what was seen when it opened: counts and seconds
    times = me.IntField(default=0)  # how often it was opened
    opened_at = me.DateTimeField()
    last_seen_at = me.DateTimeField()  # when the cause last showed
    told_at = me.DateTimeField()
    acknowledged_at = me.DateTimeField()
    acknowledged_by = me.StringField()
    cleared_at = me.DateTimeField()
    version = me.IntField(default=1)

    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField(default=None)

    meta = {
        "collection": "notices",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            ["city", "opened_at"],
            ["status", "kind"],
            ["cause"],
        ],
    }


outbox.register("notices", NoticeDoc)
