"""How a cluster is kept. Its place and time are those of the report that began it, as the public sees them."""

import mongoengine as me


class ClusterDoc(me.Document):
    """Reports of one happening. One that turned out to be part of another names it in `into` and is asked no more."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    category = me.StringField()
    public = me.DictField()  # {lat, lon}
    position = me.DictField()  # {lat, lon}, exact: shown to nobody
    cells = me.DictField()  # of the public place
    at = me.DateTimeField()
    first = me.StringField()  # the report that began it
    into = me.StringField()  # the cluster that it is part of
    parts_of_it = me.ListField(me.StringField())  # clusters that are part of this one
    reports = me.IntField(default=0)
    score = me.FloatField()
    voices = me.IntField()
    parts = me.DictField()
    confirmed = me.IntField()
    denied = me.IntField()
    groups = me.ListField(me.StringField())  # in whose areas its reports lie
    told = me.ListField(me.StringField())  # groups whose members were told
    believed_at = me.DateTimeField()
    incident = me.StringField()
    looked_for = me.ListField(me.StringField())  # the report about which cameras were asked: one of many is enough
    made_at = me.DateTimeField()
    weighed_at = me.DateTimeField()
    weigh_due = me.DateTimeField()
    weighings = me.IntField()  # how often somebody began to weigh it
    version = me.IntField(default=1)

    meta = {
        "collection": "watch_clusters",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ["city", "cells.r7", "category", "-at"],
            {"fields": ["weigh_due"], "sparse": True},
            {"fields": ["incident"], "sparse": True},
            {"fields": ["into"], "sparse": True},
            ["city", "made_at"],
        ],
    }
