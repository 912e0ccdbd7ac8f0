"""One link of the chain is one document; it is inserted and never changed."""

from mongoengine import DateTimeField, DictField, Document, IntField, StringField


class AuditDoc(Document):
    """`hash` covers everything else here, `prev` included (`chain.digest`)."""

    meta = {
        "collection": "audit",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["chain", "seq"], "unique": True},
            {"fields": ["city", "subject", "id"]},
            {"fields": ["city", "id"]},
        ],
    }

    id = StringField(primary_key=True)
    chain = StringField(required=True)
    """`{city}:{YYYY-MM-DD}`, the day in UTC."""
    seq = IntField(required=True)
    city = StringField(required=True)
    at = DateTimeField(required=True)
    actor = StringField(required=True)
    """Id of the person, or `system:` and a name."""
    action = StringField(required=True)
    subject = StringField(required=True)
    reason = StringField(default="")
    """Why, as the actor put it."""
    refs = DictField()
    """More ids."""
    prev = StringField(required=True)
    hash = StringField(required=True)
