"""How gatherings are kept, and who has a calendar that subscribes to them."""

import mongoengine as me

from domain import outbox


class GatheringDoc(me.Document):
    """One gathering. `people` are the keys of `answers`, by which one's own are found."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    group = me.StringField(required=True)
    kind = me.StringField()
    title = me.StringField()
    note = me.StringField()
    place = me.DictField()  # {lat, lon, name}
    starts_at = me.DateTimeField()
    ends_at = me.DateTimeField()
    capacity = me.IntField()
    answers = me.DictField()  # person → {answer, at}
    people = me.ListField(me.StringField())
    status = me.StringField()
    reason = me.StringField()
    sequence = me.IntField(default=0)  # iCalendar's: grows when time, place or name change, or it is cancelled
    revised_at = me.DateTimeField()  # when it grew last
    remind_at = me.DateTimeField()
    due_at = me.DateTimeField()
    by = me.StringField()
    fingerprint = me.StringField()
    created_at = me.DateTimeField()
    changed_at = me.DateTimeField()
    version = me.IntField(default=1)

    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField(default=None)

    meta = {
        "collection": "watch_gatherings",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["due_at"], "sparse": True},
            ["group", "starts_at"],
            ["group", "changed_at", "id"],
            ["people", "starts_at"],
            ["city", "ends_at"],
            ["by"],
        ],
    }


class CalendarDoc(me.Document):
    """The calendar link of one person, by its hash; a new one ends the one before."""

    id = me.StringField(primary_key=True)  # derived from the person
    person = me.StringField(required=True)
    generation = me.IntField()
    link_hash = me.StringField()
    created_at = me.DateTimeField()

    meta = {
        "collection": "watch_calendars",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"fields": ["link_hash"], "sparse": True}],
    }


outbox.register("watch_gatherings", GatheringDoc)
