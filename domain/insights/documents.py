"""One document a city counts what was observed, so that every process shows the same figures and none is lost."""

import mongoengine as me


class ResponseFiguresDoc(me.Document):
    """`{measure}`: {n, sum, le: {seconds: n}}, counts of exactly that bucket; `seen`: the newest events counted."""

    id = me.StringField(primary_key=True)  # the city
    city = me.StringField()
    measures = me.DictField()
    unanswered = me.IntField(default=0)
    steps = me.DictField()  # service → {who: how often a ladder climbed to it}, beyond the first rung
    seen = me.ListField(me.StringField())

    meta = {"collection": "response_figures", "auto_create_index": False, "strict": False, "indexes": [["city"]]}


class CarrierHourDoc(me.Document):
    """What a carrier did for a city in one hour (`carriers.py`); every number is a sum, so that hours can be added up."""

    id = me.StringField(primary_key=True)  # carrier|city|hour
    carrier = me.StringField()
    channel = me.StringField()
    city = me.StringField()  # - for messages of no city
    hour = me.DateTimeField()
    n = me.DictField()
    codes = me.DictField()
    ms = me.DictField()
    receipt_s = me.DictField()
    cost = me.DictField()
    sums = me.DictField()
    slots = me.DictField()

    meta = {
        "collection": "carrier_hours",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "hour"], ["hour"]],
    }


class CarrierTotalDoc(me.Document):
    """The same since the beginning: one document a carrier and city."""

    id = me.StringField(primary_key=True)  # carrier|city
    carrier = me.StringField()
    channel = me.StringField()
    city = me.StringField()
    n = me.DictField()
    codes = me.DictField()
    ms = me.DictField()
    receipt_s = me.DictField()
    cost = me.DictField()
    sums = me.DictField()

    meta = {"collection": "carrier_totals", "auto_create_index": False, "strict": False, "indexes": [["city"]]}


class RequestFiguresDoc(me.Document):
    """How long requests of one route took that ended alike (`requests.py`); every number is a sum."""

    id = me.StringField(primary_key=True)  # method route|class
    method = me.StringField()
    route = me.StringField()
    status = me.StringField()  # 2xx, 3xx, 4xx, 5xx
    n = me.IntField()
    sum = me.FloatField()
    le = me.DictField()  # upper edge in milliseconds → counts of exactly that bucket

    meta = {"collection": "request_figures", "auto_create_index": False, "strict": False}
