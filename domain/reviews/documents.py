"""How a review is kept: one document, its answers inside."""

from mongoengine import DateTimeField, DictField, Document, IntField, ListField, StringField

from domain import outbox


class ReviewDoc(Document):
    """One question. `answers`: {by, at, said, reason}, one a person. `about` is what is shown with it."""

    id = StringField(primary_key=True)
    city = StringField(required=True)
    kind = StringField(required=True)
    subject = StringField(required=True)
    asked_by = StringField(required=True)
    asked_at = DateTimeField()
    reason = StringField()
    about = DictField()  # of a picture: {observation | hit, camera, finding, confidence, detector, boxes, look}
    but_not = ListField(StringField())  # who may not answer it
    needed = IntField()
    status = StringField()
    answers = ListField(DictField())
    due_at = DateTimeField()
    """The deadline; gone once it is decided."""
    decided_at = DateTimeField()
    version = IntField(default=1)
    pending_events = ListField(DictField())
    outbox_due = DateTimeField()
    outbox_lease = DictField()

    meta = {
        "collection": "reviews",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["due_at"], "sparse": True},
            ["city", "status", "-asked_at"],
            ["subject", "kind"],
            ["city", "kind", "decided_at"],
            ["city", "decided_at"],
        ],
    }


outbox.register("reviews", ReviewDoc)
