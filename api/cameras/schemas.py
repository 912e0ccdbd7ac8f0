"""Bodies and answers of cameras and observations."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Choice, Flag, Id, Number, PlaceSchema, Schema, Text, Time, Whole, code_field
from domain.cameras.states import SAID, HealthState, SourceKind, View

FINDINGS = ("lying", "fall", "hands_up")
_CORNER = fields.List(Number(0, 1), validate=validate.Length(equal=2))


def _polygon() -> Any:
    return fields.List(_CORNER, validate=validate.Length(min=3, max=32))


class Source(Schema):
    """Where the pictures come from: a `path` for file and segments, a `url` for mjpeg and rtsp, nothing for gateway."""

    kind = Choice(SourceKind, required=True)
    path = Text(2048, min_chars=1)
    url = Text(2048, min_chars=1, metadata={"description": "Its user and password are sealed and never told again."})
    recorded_at = Time(metadata={"description": "When a file's first picture was taken."})
    segment_s = Number(1, 300, metadata={"description": "How long a recorder's files are."})


class SourceAnswer(Schema):
    """A source as it is shown: without user and password."""

    kind = fields.String(required=True)
    path = fields.String()
    url = fields.String()
    recorded_at = fields.String()
    segment_s = fields.Float()
    with_password = fields.Boolean(required=True)


class Zone(Schema):
    """A part of the picture that has a name: corners in 0–1 of its width and height."""

    name = code_field("[A-Za-z0-9_ -]{1,40}", "Letters, digits, _, - and blanks.", required=True)
    corners = fields.List(_CORNER, required=True, validate=validate.Length(min=3, max=32))


class CameraFields(Schema):
    """What a camera's keeper says of it. Degrees clockwise from north, metres; zones and masks in 0–1 of the picture."""

    name = Text(120, min_chars=1)
    agency = Text(80)
    position = fields.Nested(PlaceSchema)
    bearing_deg = Number(0, 360)
    fov_deg = Number(1, 360)
    range_m = Number(1, 2000)
    source = fields.Nested(Source)
    zones = fields.List(fields.Nested(Zone), validate=validate.Length(max=16))
    masks = fields.List(_polygon(), validate=validate.Length(max=16))
    enabled = Flag()


class NewCamera(CameraFields):
    """A camera. `gateway`: also make a key by which its gateway posts what it sees."""

    name = Text(120, min_chars=1, required=True)
    position = fields.Nested(PlaceSchema, required=True)
    bearing_deg = Number(0, 360, required=True)
    fov_deg = Number(1, 360, required=True)
    range_m = Number(1, 2000, required=True)
    source = fields.Nested(Source, required=True)
    city = Id()
    gateway = Flag(load_default=False)


class Health(Schema):
    """The camera's own state; `reasons` say why not ok."""

    state = fields.String(required=True, validate=validate.OneOf([str(each) for each in HealthState]))
    reasons = fields.List(fields.String(), required=True)
    at = Time(allow_none=True)
    since = Time(allow_none=True)


class CameraAnswer(Schema):
    """A camera with its health."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    name = fields.String(required=True)
    agency = fields.String(allow_none=True)
    owner = fields.String(allow_none=True, metadata={"description": "Who lent it."})
    position = fields.Nested(PlaceSchema, required=True)
    bearing_deg = fields.Float(required=True)
    fov_deg = fields.Float(required=True)
    range_m = fields.Float(required=True)
    source = fields.Nested(SourceAnswer, required=True)
    zones = fields.List(fields.Nested(Zone), required=True)
    masks = fields.List(fields.Raw(), required=True)
    enabled = fields.Boolean(required=True)
    gateway = fields.Boolean(required=True, metadata={"description": "Whether a gateway has a key."})
    gateway_key = fields.String(metadata={"description": "Only where it was asked for: it is stored nowhere."})
    health = fields.Nested(Health, required=True)
    version = fields.Integer(required=True)
    created_at = Time(allow_none=True)
    updated_at = Time(allow_none=True)


class GatewayKey(Schema):
    """A key that posts one camera's observations, and does nothing else. It is told once."""

    gateway_key = fields.String(required=True)


class CamerasQuery(PageQuery):
    """Which city; one's own where left out."""

    city = Id()


class ObservationsQuery(PageQuery):
    """A span of time."""

    since = Time()
    until = Time()


class PostedFinding(Schema):
    """Something about a person that a human should look at."""

    kind = fields.String(required=True, validate=validate.OneOf(FINDINGS))
    confidence = Number(0, 1, required=True)
    t = Number(0, 3600, load_default=0.0, metadata={"description": "Seconds from the start of the window."})
    seconds = Number(0, 3600, load_default=0.0)


class PostedHealth(Schema):
    """Why the camera may have seen nothing."""

    dark = Flag()
    covered = Flag()
    frozen = Flag()
    blurred = Flag()
    shaken = Flag()
    reason = code_field("[a-z0-9_]{0,40}", "One word: a-z, 0-9 and _.")


class NewObservation(Schema):
    """What a gateway saw in one window. Pictures are not taken here: only what our own analytics blurred is stored."""

    captured_at = Time(required=True, metadata={"description": "The start of the window, by the gateway's clock."})
    seconds = Number(0, 3600, load_default=0.0)
    view = fields.String(required=True, validate=validate.OneOf([str(each) for each in SAID]))
    people = Whole(0, 10_000, load_default=0)
    findings = fields.List(fields.Nested(PostedFinding), load_default=list, validate=validate.Length(max=50))
    health = fields.Nested(PostedHealth, load_default=dict)
    detector = Text(80, metadata={"description": "Name and version of what looked."})

    @ma.validates_schema
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("view") != View.SEEN and (data.get("people") or data.get("findings")):
            raise ma.ValidationError("Whoever was seen makes the view `seen`.", "view")


class Finding(Schema):
    """A finding with its best confidence; a human is always asked."""

    kind = fields.String(required=True)
    confidence = fields.Float(required=True)
    at_s = fields.Float(required=True)


class ObservationAnswer(Schema):
    """What one camera showed in one window."""

    id = fields.String(required=True)
    camera = fields.String(required=True)
    city = fields.String(required=True)
    at = Time(required=True)
    received_at = Time(required=True)
    seconds = fields.Float(required=True)
    by = fields.String(required=True, validate=validate.OneOf(["look", "gateway"]))
    view = fields.String(required=True, validate=validate.OneOf([str(each) for each in SAID]))
    people = fields.Integer(required=True)
    findings = fields.List(fields.Nested(Finding), required=True)
    health = fields.Nested(Health, required=True)
    stills = fields.List(
        fields.String(), required=True, metadata={"description": "Where the pictures are, faces blurred."}
    )


class ObservationWhole(ObservationAnswer):
    """With every detection: {t, kind, score, bbox, track, zone}."""

    status = fields.String(allow_none=True)
    detections = fields.List(fields.Dict(), required=True)
    still_details = fields.List(fields.Dict(), required=True)
    detectors = fields.List(fields.Dict(), required=True)
    correlations = fields.List(fields.Dict(), required=True)
