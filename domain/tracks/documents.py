"""A quarter of an hour of one track is one document, so that a batch is one write and a repeated point is no second one."""

import mongoengine as me


class TrackDoc(me.Document):
    """`points` maps the phone's own time in milliseconds to [lat, lon, accuracy_m, received_at]."""

    id = me.StringField(primary_key=True)  # {subject}:{quarter of an hour since 1970}
    city = me.StringField()
    subject = me.StringField()  # an incident's or a unit's id
    quarter = me.IntField()
    points = me.DictField()

    meta = {
        "collection": "tracks",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["subject", "quarter"], ["city", "quarter"]],
    }
