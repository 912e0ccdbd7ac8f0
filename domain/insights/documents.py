"""One document a city counts what was observed, so that every process shows the same figures and none is lost."""

import mongoengine as me


class ResponseFiguresDoc(me.Document):
    """`{measure}`: {n, sum, le: {seconds: n}}, counts of exactly that bucket; `seen`: the newest events counted."""

    id = me.StringField(primary_key=True)  # the city
    city = me.StringField()
    measures = me.DictField()
    unanswered = me.IntField(default=0)
    seen = me.ListField(me.StringField())

    meta = {"collection": "response_figures", "auto_create_index": False, "strict": False, "indexes": [["city"]]}
