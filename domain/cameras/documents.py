"""Cameras, looks (one per camera and window, shared by all who ask) and observations."""

import mongoengine as me

from domain import outbox


class CameraDoc(me.Document):
    """A camera. `source` {kind, path | url, …} is opened only while the city's list allows it (`sources.py`)."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    name = me.StringField()
    agency = me.StringField()
    owner = me.StringField()  # the person who lent it; none where it is the city's own
    position = me.DictField()  # {lat, lon}
    cells = me.DictField()
    bearing_deg = me.FloatField()
    fov_deg = me.FloatField()
    range_m = me.FloatField()
    source = me.DictField()
    zones = me.DictField()  # name → corners as fractions of the picture
    masks = me.ListField()  # areas that are never looked at
    enabled = me.BooleanField(default=True)
    record_minutes = me.FloatField()  # how much of it is kept; the city's where nothing is said, 0: nothing
    gateway_key = me.StringField()  # hash of the key by which its gateway posts observations
    gateway_generation = me.IntField()  # of that key; raised by each new one
    fingerprint = me.StringField()  # of the request that made it: a repeat of its key with other facts is refused
    health = me.DictField()  # {state, reasons, at, since}
    version = me.IntField(default=1)
    created_at = me.DateTimeField()
    updated_at = me.DateTimeField()
    retired_at = me.DateTimeField()  # taken out of the register; kept, since observations point at it

    meta = {
        "collection": "cameras",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["city", "cells.r9"], ["city", "id"], {"fields": ["owner", "id"], "sparse": True}],
    }


class CameraHealthDoc(me.Document):
    """How a camera has been, sample by sample: `health_rules.after` says what is in it. `_id` is the camera's."""

    id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    by = me.StringField()  # recorder, or sampler
    state = me.StringField()  # what is shown: it does not flicker
    reasons = me.ListField(me.StringField())
    since = me.DateTimeField()
    at = me.DateTimeField()  # of the last sample
    last_frame_at = me.DateTimeField()
    fps = me.FloatField()
    luma = me.FloatField()
    turning = me.DictField()  # a state that has not shown for long enough: {state, since, samples}
    scenes = me.DictField()  # what it looks at by day and by night: numbers, no picture
    clock_offset_s = me.FloatField()  # by how much the camera's own clock is ahead of ours; none where it does not say
    kept_from = me.DateTimeField()
    kept_until = me.DateTimeField()  # until then its pictures are on disk
    version = me.IntField(default=1)

    meta = {
        "collection": "camera_health",
        "auto_create_index": False,
        "strict": False,
        "indexes": [["state", "since"], ["city", "state"], ["by", "at"]],
    }


class LookDoc(me.Document):
    """A look at one camera's window. `incidents` and `reports` are all who wait for it."""

    id = me.StringField(primary_key=True)
    city = me.StringField()
    camera = me.StringField()
    start = me.DateTimeField()
    seconds = me.FloatField()
    recorded = me.BooleanField()  # `start` names a part of a recording; else the look begins when it begins
    state = me.StringField()
    incidents = me.ListField(me.StringField())
    reports = me.ListField(me.StringField())  # of neighbours
    observation = me.StringField()
    stills = me.ListField(me.StringField())  # noted before they are stored, so that none is ever forgotten
    tries = me.IntField(default=0)  # how often a worker has begun; the number is also the lease's owner
    asked_at = me.DateTimeField()
    ready_at = me.DateTimeField()  # from here on the footage of the window can be there
    until = me.DateTimeField()  # of the lease, or when the sweeper has to see to it; none when it is over

    meta = {
        "collection": "looks",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"fields": ["until"], "sparse": True}, ["state", "ready_at"], ["asked_at"]],
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
    checked = me.DictField()  # what humans said: finding → {said, by, at}
    stills = me.ListField(me.StringField())  # media names, redacted
    by = me.StringField()  # look, or gateway
    fingerprint = me.StringField()  # of a gateway's body: a repeat of its key with another one is refused
    created_at = me.DateTimeField()
    pending_events = me.ListField(me.DictField())
    outbox_due = me.DateTimeField()
    outbox_lease = me.DictField()

    meta = {
        "collection": "observations",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["outbox_due"], "sparse": True},
            ["city", "cells.r7", "at"],
            ["camera", "-at"],
            ["city", "created_at"],
            {"fields": ["stills"], "sparse": True},
        ],
    }


outbox.register("observations", ObservationDoc)
