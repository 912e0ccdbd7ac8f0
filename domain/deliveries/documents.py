"""How a delivery is kept: ids only. Text is rendered when it is sent; numbers and tokens stay with their people."""

import mongoengine as me


class DeliveryDoc(me.Document):
    """One thing to tell one person. `attempts` is a map n → {channel, state, at, vendor_id, code, …}."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    purpose = me.StringField()
    subject = me.StringField()  # the incident, or whatever it is about
    recipient = me.DictField()  # {kind: person | guardian | unit | challenge, id, of}
    refs = me.DictField()  # ids that the text needs
    plan = me.ListField(me.StringField())
    status = me.StringField()
    reason = me.StringField()
    life_critical = me.BooleanField()
    batch = me.StringField()  # of those to whom one text goes by the hundred (bulk.py)
    priority = me.IntField()  # states.Priority: who goes first where not all can at once
    held = me.DictField()  # {reason, at}: it was not sent yet on purpose
    receipt_wait_s = me.IntField()
    valid_until = me.DateTimeField()
    attempts = me.DictField()
    vendor_ids = me.ListField(me.StringField())  # gateway:id, where a gateway reports by its own id alone
    tries = me.IntField(default=0)
    faults = me.IntField()  # how often it could not even be tried
    created_at = me.DateTimeField()
    sent_at = me.DateTimeField()
    delivered_at = me.DateTimeField()
    received_at = me.DateTimeField()
    seen_at = me.DateTimeField()
    acknowledged_at = me.DateTimeField()  # the person said so themself
    next_at = me.DateTimeField()
    version = me.IntField(default=1)

    meta = {
        "collection": "deliveries",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["next_at"], "sparse": True},
            ["priority", "next_at"],
            {"fields": ["vendor_ids"], "sparse": True},
            ["subject", "created_at"],
            ["city", "created_at"],
            {"fields": ["batch"], "sparse": True},
            ["recipient.id", "-created_at"],
            {"fields": ["refs.link_h"], "sparse": True},  # the page on which a drill is confirmed
        ],
    }
