"""A counter per limit, subject and window. The subject is a keyed hash: no number and no address stands here."""

from mongoengine import DateTimeField, Document, IntField, StringField


class LimitDoc(Document):
    """`{name}:{hash}:{window}` and how often. A sweep removes what is over."""

    meta = {
        "collection": "limits",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"fields": ["until"]}],
    }

    id = StringField(primary_key=True)
    count = IntField(default=0)
    until = DateTimeField()
