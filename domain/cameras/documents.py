"""Cameras, looks (one per camera and window, shared by all who ask) and observations."""

import mongoengine as me


class CameraDoc(me.Document):
    """A camera. `source` {kind, path | url, recorded_at?} is opened only if the city's list allows it."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    name = me.StringField()
    agency = me.StringField()
    position = me.DictField()  # {lat, lon}
    cells = me.DictField()
    bearing_deg = me.FloatField()
    fov_deg = me.FloatField()
    range_m = me.FloatField()
    source = me.DictField()
    zones = me.DictField()
    masks = me.ListField()
    enabled = me.BooleanField(default=True)
    gateway_key = me.StringField()  # hash of the key by which its gateway posts observations
    health = me.DictField()  # {state, reason, at}
    version = me.IntField(default=1)
    created_at = me.DateTimeField()
    updated_at = me.DateTimeField()

    meta = {
        "collection": "cameras",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "cells.r7"], ["city", "cells.r5"], {"fields": ["gateway_key"], "sparse": True}],
    }


class LookDoc(me.Document):
    """A look at one camera's window. `incidents` are all who wait for it."""

    id = me.StringField(primary_key=True)
    city = me.StringField()
    camera = me.StringField()
    start = me.DateTimeField()
    seconds = me.FloatField()
    state = me.StringField()
    incidents = me.ListField(me.StringField())
    observation = me.StringField()
    until = me.DateTimeField()  # of the lease, or when a waiting look is shed
    asked_at = me.DateTimeField()

    meta = {
        "collection": "looks",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"fields": ["until"], "sparse": True}],
    }


class ObservationDoc(me.Document):
    """What one camera showed in one window: see `workers/vision/observation.py` for `seen`."""

    id = me.StringField(primary_key=True)
    city = me.StringField()
    camera = me.StringField()
    position = me.DictField()
    cells = me.DictField()
    at = me.DateTimeField()
    view = me.StringField()
    findings = me.ListField(me.DictField())
    seen = me.DictField()
    stills = me.ListField(me.StringField())  # media ids, redacted
    by = me.StringField()  # look, or the gateway
    created_at = me.DateTimeField()

    meta = {
        "collection": "observations",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "cells.r7", "at"], ["camera", "-at"]],
    }
