"""How a drill is kept. Who was told on which channel, and what came of it, are its deliveries (`subject` is the drill)."""

import mongoengine as me

from domain import outbox


class DrillDoc(me.Document):
    """One drill of a city, or of one agency in it."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    agency = me.StringField()  # empty: everybody's
    by = me.StringField()  # a person, or system:schedule
    status = me.StringField()
    roles = me.ListField(me.StringField())
    channels = me.ListField(me.StringField())
    without_carrier = me.ListField(me.StringField())  # channels of the plan for which none is configured
    answer_within_s = me.IntField()
    at = me.DateTimeField()  # when it is to begin
    started_at = me.DateTimeField()
    deadline = me.DateTimeField()
    ended_at = me.DateTimeField()
    due_at = me.DateTimeField()  # when the sweeper looks again; none when it is over
    cursor = me.StringField()  # the last person who was told, by id
    people = me.IntField(default=0)
    results = me.DictField()  # as `rules.counts`, once it has ended
    unreachable = me.IntField()  # people who were reached on no channel at all
    reason = me.StringField()
    fingerprint = me.StringField()  # of the request that began it
    version = me.IntField(default=1)

    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField(default=None)

    meta = {
        "collection": "drills",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["due_at"], "sparse": True},
            {"fields": ["outbox_due"], "sparse": True},
            ["city", "at"],
            ["city", "status"],
        ],
    }


outbox.register("drills", DrillDoc)
