"""How a journey is kept: one document, with its timers as due times, so that it goes on when the phone does not."""

import mongoengine as me

from domain import outbox


class JourneyDoc(me.Document):
    """A journey as its traveller sees it, and beside it (`hidden`) what a duress PIN set off."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    person = me.StringField()
    fingerprint = me.StringField()  # of the body that its key is bound to
    status = me.StringField()
    version = me.IntField(default=1)
    started_at = me.DateTimeField()
    updated_at = me.DateTimeField()
    ended_at = me.DateTimeField()
    destination = me.DictField()  # {lat, lon, name}
    expected_arrival = me.DateTimeField()
    check_in_every_s = me.IntField()
    check_ins = me.ListField(me.DateTimeField())
    grace_s = me.IntField()
    route = me.ListField(me.ListField(me.FloatField()))  # [[lat, lon], …]
    guardians = me.ListField(me.StringField())
    sharing = me.BooleanField()  # guardians look on from the start, not only when something is wrong
    silent = me.BooleanField()
    note = me.StringField()
    next_due = me.DateTimeField()  # of the next check-in or the arrival
    asked_at = me.DateTimeField()
    answer_by = me.DateTimeField()  # when a missed answer is told to the guardians
    missed_at = me.DateTimeField()
    raise_at = me.DateTimeField()  # after a missed one: when it becomes an SOS
    heard_at = me.DateTimeField()  # the last position or answer, by the server's time
    position = me.DictField()
    battery_pct = me.FloatField()
    concerns = me.DictField()  # kind → {since}
    told = me.DictField()  # kind → when its guardians were told last
    watch = me.DictField()  # what concerns.py remembers between positions
    sos = me.DictField()  # {reason, at, incident}
    hidden = me.DictField()  # the same after a duress PIN: no phone and no guardian ever learns of it
    reached = me.IntField()  # how often guardians said that they had reached her, since she answered herself
    wrong_pins = me.DictField()  # {count, at}
    links = me.ListField(me.DictField())  # {h: token hash, kind, id}
    share_generation = me.IntField(default=0)
    timeline = me.ListField(me.DictField())
    timeline_seq = me.IntField(default=0)
    due_at = me.DateTimeField()  # the earliest timer, whichever it is
    forget_at = me.DateTimeField()
    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField()

    meta = {
        "collection": "journeys",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["due_at"], "sparse": True},
            {"fields": ["links.h"], "sparse": True},
            {"fields": ["forget_at"], "sparse": True},
            ["person", "-started_at"],
        ],
    }


class FakeCallDoc(me.Document):
    """A call that somebody asked for, with the name that they chose for it."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    person = me.StringField()
    fingerprint = me.StringField()
    by = me.StringField()
    label = me.StringField()
    rings_at = me.DateTimeField()
    due_at = me.DateTimeField()
    forget_at = me.DateTimeField()

    meta = {
        "collection": "fake_calls",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"fields": ["due_at"], "sparse": True}, ["forget_at"], ["person"]],
    }


outbox.register("journeys", JourneyDoc)
