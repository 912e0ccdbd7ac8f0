"""A quarter of an hour of one track is one document, so that a batch is one write and a repeated point is no second one."""

import mongoengine as me


class TrackDoc(me.Document):
    """`points` maps the second of the phone's own time, in milliseconds, to [lat, lon, accuracy_m, received_at,
    milliseconds in that second].
    """

    id = me.StringField(primary_key=True)  # {subject}:{quarter of an hour since 1970}
    city = me.StringField()
    subject = me.StringField()  # an incident's or a unit's id
    quarter = me.IntField()  # of the phone's time
    began_at = me.DateTimeField()  # ours, when its first point came
    at = me.DateTimeField()  # ours, when its last point came
    points = me.DictField()

    meta = {
        "collection": "tracks",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["subject", "quarter"], ["subject", "began_at"], ["city", "at"]],
    }
