"""How it is kept that somebody follows a report. The id is made of both, so there is one."""

import mongoengine as me


class FollowDoc(me.Document):
    """One person and one report."""

    id = me.StringField(primary_key=True)
    city = me.StringField()
    report = me.StringField(required=True)
    person = me.StringField(required=True)
    at = me.DateTimeField()

    meta = {
        "collection": "watch_follows",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["report", "_id"], ["person"]],
    }
