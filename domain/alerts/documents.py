"""How alerts are kept: the alert itself, the batches of people who are told, and what other systems' feeds brought.

An alert is one document; its recipients are not in it. They are found by the area when it is issued and written down in
batches of a few hundred, so that a killed worker's batch is taken up by the next one (docs/adr: broadcast in batches).
"""

import mongoengine as me

from domain import outbox


class AlertDoc(me.Document):
    """One alert. A later one of its chain refers to it; `cells`, `keys` and `geometries` hold all that the chain has
    touched, so that whoever was warned hears how it went on.
    """

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    status = me.StringField(required=True)
    msg_type = me.StringField(required=True)
    references = me.ListField(me.StringField())  # ids of earlier alerts of the chain, oldest first
    followed_by = me.StringField()  # the alert that took its place or cancelled it
    category = me.StringField()
    urgency = me.StringField()
    severity = me.StringField()
    certainty = me.StringField()
    response = me.StringField()
    onset = me.DateTimeField()
    expires = me.DateTimeField()
    texts = me.DictField()  # language → {event, headline, description, instruction}
    area = me.DictField()  # {whole_city, geometry, name: {en, ur}}
    cells = me.ListField(me.StringField())  # of 5 km², all that it touches
    keys = me.ListField(me.StringField())  # what its recipients are asked for by
    geometries = me.ListField(me.DictField())
    source = me.DictField()  # {kind: staff} or {kind: feed, feed, sender, identifier, sent}
    sender = me.StringField()  # CAP's, as it was published
    created_at = me.DateTimeField()
    created_by = me.StringField()
    issued_at = me.DateTimeField()
    issued_by = me.StringField()
    ended_at = me.DateTimeField()
    changed_at = me.DateTimeField()
    fingerprint = me.StringField()
    version = me.IntField(default=1)
    broadcast = me.DictField()  # {state, cursor, pages, people, told_at, hints, owner, until}
    broadcast_due = me.DateTimeField()
    progress = me.DictField()  # counts, see domain/alerts/progress.py

    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField(default=None)

    meta = {
        "collection": "alerts",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ["city", "-created_at"],
            ["city", "status", "expires"],
            ["city", "-issued_at"],
            {"fields": ["broadcast_due"], "sparse": True},
            {"fields": ["outbox_due"], "sparse": True},
        ],
    }


class BatchDoc(me.Document):
    """Some hundred people of one alert, in one worker's hands at a time."""

    id = me.StringField(primary_key=True)
    alert = me.StringField(required=True)
    city = me.StringField()
    number = me.IntField()
    people = me.ListField(me.StringField())
    refs = me.DictField()  # what their deliveries refer to
    last = me.StringField()  # the cursor behind it
    state = me.StringField()
    due = me.DateTimeField()
    hints = me.IntField(default=0)
    faults = me.IntField()  # how often it could not even be worked on
    owner = me.StringField()
    until = me.DateTimeField()
    counts = me.DictField()
    count_due = me.DateTimeField()
    created_at = me.DateTimeField()
    told_at = me.DateTimeField()

    meta = {
        "collection": "alert_batches",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ["alert", "number"],
            {"fields": ["due"], "sparse": True},
            {"fields": ["count_due"], "sparse": True},
            ["created_at"],
        ],
    }


class FeedDoc(me.Document):
    """How one of a city's CAP feeds fares. The address is the configuration's, never stored here."""

    id = me.StringField(primary_key=True)  # city:feed
    city = me.StringField()
    feed = me.StringField()
    due = me.DateTimeField()
    etag = me.StringField()
    modified = me.StringField()
    asked_at = me.DateTimeField()
    answered_at = me.DateTimeField()
    problem = me.StringField()
    seen = me.ListField(me.StringField())  # marks of links that were read
    failures = me.IntField(default=0)

    meta = {
        "collection": "cap_feeds",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "feed"], ["due"]],
    }


class InboundDoc(me.Document):
    """One alert that a feed brought, by sender, identifier and time sent: taken, ignored or refused, once."""

    id = me.StringField(primary_key=True)
    city = me.StringField()
    feed = me.StringField()
    key = me.StringField()  # sender, identifier and sent as CAP's references name them, hashed
    state = me.StringField()
    reason = me.StringField()
    detail = me.StringField()
    alert = me.StringField()
    at = me.DateTimeField()

    meta = {
        "collection": "cap_inbound",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "-at"], ["at"]],
    }


outbox.register("alerts", AlertDoc)
