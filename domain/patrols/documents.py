"""How beats and patrols are kept. Of a check-in it is kept that it was at the beat and when, never where."""

import mongoengine as me

from domain import outbox


class BeatDoc(me.Document):
    """Where a group's patrols walk."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    group = me.StringField(required=True)
    name = me.StringField()
    kind = me.StringField()
    geometry = me.DictField()  # GeoJSON Polygon or LineString
    fingerprint = me.StringField()
    created_at = me.DateTimeField()
    changed_at = me.DateTimeField()
    retired_at = me.DateTimeField()
    version = me.IntField(default=1)

    meta = {
        "collection": "watch_beats",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["group", "id"]],
    }


class PatrolDoc(me.Document):
    """One patrol of one beat at one time. `people` are the keys of `places`, by which one's own are found."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    group = me.StringField(required=True)
    beat = me.StringField(required=True)
    starts_at = me.DateTimeField()
    ends_at = me.DateTimeField()
    capacity = me.IntField()
    places = me.DictField()  # person → {since, offered_at, checked_in_at, on_time, missed_at}
    people = me.ListField(me.StringField())
    status = me.StringField()
    reason = me.StringField()
    remind_at = me.DateTimeField()
    check_at = me.DateTimeField()  # when who has not checked in is missed
    due_at = me.DateTimeField()  # the earliest timer, whichever it is
    fingerprint = me.StringField()
    created_at = me.DateTimeField()
    changed_at = me.DateTimeField()
    version = me.IntField(default=1)

    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField(default=None)

    meta = {
        "collection": "watch_patrols",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["due_at"], "sparse": True},
            ["group", "starts_at"],
            ["group", "changed_at", "id"],
            ["people", "starts_at"],
            ["city", "ends_at"],
        ],
    }


outbox.register("watch_patrols", PatrolDoc)
