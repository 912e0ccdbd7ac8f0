"""A link between two things, with its reasons. Its id is made of both, so that either's arrival makes the same link."""

import mongoengine as me


class LinkDoc(me.Document):
    """`a` and `b` are {kind, id}, in the order of their ids; `reasons` is [{kind, points, …}]."""

    id = me.StringField(primary_key=True)
    city = me.StringField()
    a = me.DictField()
    b = me.DictField()
    ends = me.ListField(me.StringField())  # both ids, for reading from either side
    score = me.FloatField()
    reasons = me.ListField(me.DictField())
    made_at = me.DateTimeField()

    meta = {
        "collection": "links",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["ends", "-score"]],
    }
