"""How groups and memberships are kept. A membership is its own small document, so that leaving erases it whole."""

import mongoengine as me

from domain import outbox


class GroupDoc(me.Document):
    """One group. `cells` are the r7 cells that its area touches, by which groups of a place are found."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    name = me.StringField()
    area = me.DictField()  # GeoJSON
    cells = me.ListField(me.StringField())
    rules = me.StringField()
    rules_version = me.IntField(default=1)
    moderation = me.StringField()
    status = me.StringField()
    coordinator = me.StringField()
    liaison = me.StringField()  # the police officer who is its contact
    lead_due = me.DateTimeField()  # when to look whether somebody leads it (`succession.py`)
    succession = me.DictField()  # {warned_at, asked, tried}: the coordinator is silent
    link_generation = me.IntField(default=0)
    link_hash = me.StringField()
    created_at = me.DateTimeField()
    placed_at = me.DateTimeField()  # since when it has this area
    changed_at = me.DateTimeField()
    closed_at = me.DateTimeField()
    fingerprint = me.StringField()
    version = me.IntField(default=1)

    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField(default=None)

    meta = {
        "collection": "watch_groups",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["lead_due"], "sparse": True},
            ["city", "cells"],
            ["coordinator", "status"],
        ],
    }


class MemberDoc(me.Document):
    """How one person stands to one group. The id is made of both, so there is one."""

    id = me.StringField(primary_key=True)
    city = me.StringField()
    group = me.StringField(required=True)
    person = me.StringField(required=True)
    role = me.StringField()
    standing = me.StringField()
    rules_version = me.IntField()  # that they accepted
    level = me.StringField()
    door = me.DictField()  # {generation, hash} of the code for their letter box
    by_sms = me.BooleanField()  # joined without the app: written to by SMS
    invite_hash = me.StringField()  # of the page that shows whoever was invited the rules
    by = me.StringField()
    reason = me.StringField()
    since = me.DateTimeField()
    joined_at = me.DateTimeField()  # since when they are a member: from then on what the group has is theirs too
    changed_at = me.DateTimeField()
    version = me.IntField(default=1)
    ends_at = me.DateTimeField()  # a tombstone goes then

    meta = {
        "collection": "watch_members",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["ends_at"], "sparse": True},
            {"fields": ["invite_hash"], "sparse": True},
            ["group", "standing", "id"],
            ["group", "standing", "since"],
            ["person", "-changed_at"],
        ],
    }


class SanctionDoc(me.Document):
    """What a moderator imposed on somebody for a time. `group` is empty where it holds in the whole city."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    group = me.StringField()
    person = me.StringField(required=True)
    kind = me.StringField()
    by = me.StringField()
    reason = me.StringField()
    at = me.DateTimeField()
    until = me.DateTimeField()
    ends_due = me.DateTimeField()  # when what it changed is changed back
    lifted = me.DictField()  # {by, at, reason}
    appeal = me.DictField()  # {reason, at, answer, answered_at}
    changed_at = me.DateTimeField()
    version = me.IntField(default=1)

    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField(default=None)

    meta = {
        "collection": "watch_sanctions",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["ends_due"], "sparse": True},
            ["person", "-until"],
            ["group", "-at"],
            ["city", "-at"],
        ],
    }


outbox.register("watch_groups", GroupDoc)
outbox.register("watch_sanctions", SanctionDoc)
