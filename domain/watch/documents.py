"""How groups and memberships are kept. A membership is its own small document, so that leaving erases it whole."""

import mongoengine as me


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
    link_generation = me.IntField(default=0)
    link_hash = me.StringField()
    created_at = me.DateTimeField()
    changed_at = me.DateTimeField()
    closed_at = me.DateTimeField()
    fingerprint = me.StringField()
    version = me.IntField(default=1)

    meta = {
        "collection": "watch_groups",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "cells"], ["coordinator", "status"]],
    }


class MemberDoc(me.Document):
    """How one person stands to one group. The id is made of both, so there is one."""

    id = me.StringField(primary_key=True)
    city = me.StringField()
    group = me.StringField(required=True)
    person = me.StringField(required=True)
    role = me.StringField()
    standing = me.StringField()
    rules_version = me.IntField()
    by = me.StringField()
    reason = me.StringField()
    since = me.DateTimeField()
    changed_at = me.DateTimeField()

    meta = {
        "collection": "watch_members",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["group", "standing", "id"], ["person", "-changed_at"]],
    }
