"""Units. A unit's lease is the one thing that says who has it."""

import mongoengine as me


class UnitDoc(me.Document):
    """A car or a team. `lease` {assignment, incident, at} is set by a conditional write before an acceptance counts."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    agency = me.StringField()
    name = me.StringField()
    services = me.ListField(me.StringField())
    skills = me.ListField(me.StringField())
    status = me.StringField()  # available, busy, off_duty
    responders = me.ListField(me.StringField())  # person ids on it now
    position = me.DictField()  # {lat, lon, at}: now and then; the live one is in Redis
    cells = me.DictField()
    lease = me.DictField()
    phone = me.StringField()
    phone_since = me.DateTimeField()  # when it was last changed
    retired = me.DictField()  # channel → {reason, at}: `phone` is not reached by it
    version = me.IntField(default=1)
    created_at = me.DateTimeField()
    updated_at = me.DateTimeField()

    meta = {
        "collection": "units",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ["city", "status", "cells.r5"],
            ["city", "status", "cells.r7"],
            ["city", "agency"],
            ["city", "id"],
            ["responders"],
            {"fields": ["lease.at"], "sparse": True},
        ],
    }
