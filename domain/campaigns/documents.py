"""How a campaign is kept: its messages with their times. Each goes out as an alert of its groups, whose id is
derived from it.
"""

import mongoengine as me


class CampaignDoc(me.Document):
    """One campaign."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    groups = me.ListField(me.StringField())
    name = me.StringField()
    messages = me.ListField(me.DictField())  # {at, texts, alert}; `alert` once it went out
    status = me.StringField()
    by = me.StringField()
    limited = me.BooleanField()  # planned by who leads groups, and not by the control room
    due_at = me.DateTimeField()
    fingerprint = me.StringField()
    created_at = me.DateTimeField()
    changed_at = me.DateTimeField()
    version = me.IntField(default=1)

    meta = {
        "collection": "watch_campaigns",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["due_at"], "sparse": True},
            ["groups", "-created_at"],
            ["by", "status"],
        ],
    }
