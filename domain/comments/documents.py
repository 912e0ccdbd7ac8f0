"""How comments and reactions are kept: each a small document, so that deleting one erases it whole."""

import mongoengine as me

from domain import outbox


class CommentDoc(me.Document):
    """One comment on one report. `author` is never shown, but for a name."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    report = me.StringField(required=True)
    groups = me.ListField(me.StringField())  # the report's, by which it is moderated
    author = me.StringField()
    anonymous = me.StringField()
    text = me.StringField()
    status = me.StringField()
    reasons = me.ListField(me.StringField())  # of a hold
    flags = me.DictField()  # person → {why, at, counts}
    flagged_by = me.ListField(me.StringField())  # the same persons, by whom their flags are found
    decision = me.DictField()  # {by, at, reason, status}
    fingerprint = me.StringField()
    created_at = me.DateTimeField()
    changed_at = me.DateTimeField()
    version = me.IntField(default=1)

    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField(default=None)

    meta = {
        "collection": "watch_comments",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            ["report", "created_at"],
            ["author", "-created_at"],
            {"fields": ["flagged_by"], "sparse": True},
        ],
    }


class ReactionDoc(me.Document):
    """What one person says of one report without words. The id is made of both, so there is one."""

    id = me.StringField(primary_key=True)
    city = me.StringField()
    report = me.StringField(required=True)
    person = me.StringField(required=True)
    kind = me.StringField()
    at = me.DateTimeField()

    meta = {
        "collection": "watch_reactions",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["report", "kind"], ["person"]],
    }


outbox.register("watch_comments", CommentDoc)
