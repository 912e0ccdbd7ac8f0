"""How an incident is kept: one document is the unit of work.

`slots` and `assignments` are maps, not lists, so that every condition and every change is a plain dotted path
(`slots.police.assignment`), which all stores that we use answer alike.
"""

import mongoengine as me

from domain import outbox


class IncidentDoc(me.Document):
    """An incident with its slots, its assignments, the last 200 timeline entries and its outbox."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    channel = me.StringField()  # app, sms, voice, operator, journey, watch
    category = me.StringField()
    severity = me.StringField()
    urgency = me.StringField()
    certainty = me.StringField()
    status = me.StringField()
    resolution = me.StringField()
    version = me.IntField(default=1)
    raised_at = me.DateTimeField()  # the server's time of the tap
    received_at = me.DateTimeField()
    updated_at = me.DateTimeField()
    closed_at = me.DateTimeField()
    kept_since = me.DateTimeField()  # the last close: from then on its city's time to keep it runs
    hold = me.DictField()  # {by, at, reason}: a legal hold, it is kept whatever the time
    ends_at = me.DateTimeField()  # its time was over then, and what belongs to it is being removed
    anonymised_at = me.DateTimeField()
    position = me.DictField()  # {lat, lon, accuracy_m, captured_at, source}
    cells = me.DictField()  # {r5, r7, r9}
    area = me.DictField()  # {en, ur}: the nearest named area
    flags = me.ListField(me.StringField())
    rank = me.FloatField()  # rules.rank: where it stands in the control room's list
    citizen = me.DictField()  # {person, phone, device, address, language, battery_pct, note, silent, cancel, messages}
    unreadable = me.ListField(me.DictField())  # what of the request could not be understood, kept as it came
    trust = me.DictField()  # {score, parts}
    slots = me.DictField()
    assignments = me.DictField()
    asked_units = me.ListField(me.StringField())
    about = me.DictField()  # what it came from: {journey}, {escort}
    links = me.ListField(me.DictField())  # signed links that open it: {h: token hash, kind, id, until}
    fingerprint = me.StringField()  # of the body that an operator's key is bound to
    share_generation = me.IntField(default=0)  # raised to revoke every live page at once
    cameras = me.DictField()  # camera id → {state, observation, asked_at}
    correlations = me.ListField(me.DictField())  # the 20 best links
    merged_into = me.StringField()
    merged_here = me.ListField(me.StringField())  # what was ever merged into it; `merged_into` says if it still is
    notes = me.ListField(me.DictField())  # the control room's: {id, at, by, text}
    handovers = me.ListField(me.DictField())
    milestones = me.DictField()  # offered_at, acknowledged_at, en_route_at, on_scene_at
    timeline = me.ListField(me.DictField())
    timeline_seq = me.IntField(default=0)
    ladder_due = me.DateTimeField()
    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField()

    meta = {
        "collection": "incidents",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            {"fields": ["ladder_due"], "sparse": True},
            {"fields": ["links.h"], "sparse": True},
            ["city", "status", "-raised_at"],
            ["city", "status", "-rank"],
            ["city", "cells.r7", "raised_at"],
            ["city", "updated_at"],
            ["city", "kept_since"],
            ["city", "hold.at"],
            ["citizen.person", "-raised_at"],
            ["asked_units", "status"],
            ["asked_units", "-updated_at"],
        ],
    }


class TimelineDoc(me.Document):
    """An entry of a timeline, older than the 200 that the incident itself carries."""

    id = me.StringField(primary_key=True)  # {incident}-{seq}
    city = me.StringField()
    incident = me.StringField()
    seq = me.IntField()
    entry = me.DictField()

    meta = {
        "collection": "timeline",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["incident", "seq"]],
    }


outbox.register("incidents", IncidentDoc)
