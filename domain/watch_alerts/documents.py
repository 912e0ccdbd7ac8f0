"""How an alert of watch groups is kept. Its recipients are in batches, as a public alert's (`domain/alerts/batches.py`)."""

import mongoengine as me


class WatchAlertDoc(me.Document):
    """One alert. `groups` are those whose members hear it; `around` is the circle that it is about, if any."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    groups = me.ListField(me.StringField())
    around = me.DictField()  # {lat, lon, radius_m}
    texts = me.DictField()  # language → {headline, instruction}
    urgent = me.BooleanField()
    by = me.StringField()
    campaign = me.StringField()
    status = me.StringField()
    issued_at = me.DateTimeField()
    expires = me.DateTimeField()
    changed_at = me.DateTimeField()
    fingerprint = me.StringField()
    version = me.IntField(default=1)
    broadcast = me.DictField()  # as an alert's
    broadcast_due = me.DateTimeField()
    progress = me.DictField()

    meta = {
        "collection": "watch_alerts",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ["groups", "-issued_at"],
            ["groups", "changed_at", "id"],
            ["city", "issued_at"],
            ["by"],
            {"fields": ["campaign"], "sparse": True},
            {"fields": ["broadcast_due"], "sparse": True},
        ],
    }
