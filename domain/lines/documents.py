"""One document a phone number, named by a keyed hash: no number stands here."""

import mongoengine as me


class LineDoc(me.Document):
    """`codes` is a map n → {delivery, until}; `incident` is {id, until}, the SOS that the number raised last; `answers` are
    {message, said, …ids}, what was answered to its newest messages; `opted_out` is {at, who}: it wants no SMS of ours.
    """

    id = me.StringField(primary_key=True)
    codes = me.DictField()
    incident = me.DictField()
    answers = me.ListField(me.DictField())
    opted_out = me.DictField()
    until = me.DateTimeField()  # nothing here matters after this
    version = me.IntField(default=1)

    meta = {
        "collection": "lines",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"fields": ["until"], "sparse": True}],
    }
