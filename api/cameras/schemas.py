"""Bodies and answers of cameras and observations."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Choice, Flag, Id, Number, PlaceSchema, Schema, Text, Time, Whole, code_field
from domain.cameras.states import SAID, HealthState, SourceKind, View

FINDINGS = ("lying", "fall", "hands_up", "running", "dispersal")
_CORNER = fields.List(Number(0, 1), validate=validate.Length(equal=2))


def _polygon() -> Any:
    return fields.List(_CORNER, validate=validate.Length(min=3, max=32))


class Source(Schema):
    """Where the pictures come from: a `path` for file and segments, a `url` for mjpeg, rtsp and hls, nothing for gateway."""

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
    record_minutes = Number(
        0,
        1440,
        metadata={"description": "How much of a live stream is kept; the city's minutes where nothing is said."},
    )


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


class CameraHealth(Health):
    """How a camera is, by its last samples. `reasons`: dark, covered, frozen, blurred, moved, slow, or why nothing came."""

    by = fields.String(
        allow_none=True, metadata={"description": "recorder, which is connected all day, or sampler, now and then."}
    )
    last_frame_at = Time(allow_none=True)
    fps = fields.Float(allow_none=True, metadata={"description": "Pictures a second, of late."})
    luma = fields.Float(allow_none=True, metadata={"description": "Brightness, 0 to 255."})
    kept_from = Time(
        allow_none=True, metadata={"description": "From then to `kept_until` the rolling recording has it."}
    )
    kept_until = Time(allow_none=True)
    clock_offset_s = fields.Float(
        allow_none=True, metadata={"description": "By how much the camera's own clock is ahead of ours."}
    )


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
    record_minutes = fields.Float(allow_none=True)
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


class MapQuery(Schema):
    """Which city; one's own where left out. `blind`: only the cameras that are not sound."""

    city = Id()
    which = fields.String(load_default="blind", validate=validate.OneOf(["blind", "all"]))


class ViewFeature(Schema):
    """A camera's field of view, as RFC 7946 has features, with its health."""

    type = fields.String(required=True, validate=validate.Equal("Feature"))
    id = fields.String(required=True)
    geometry = fields.Dict(required=True, metadata={"description": "A Polygon of [lon, lat]."})
    properties = fields.Dict(
        required=True,
        metadata={
            "description": "camera, name, state (unknown, ok, impaired, down), reasons, since, at, last_frame_at, fps, "
            "kept_from, kept_until, and `also_seen_by`: how many sound cameras have the middle of this view in theirs."
        },
    )


class BlindMap(Schema):
    """A GeoJSON FeatureCollection."""

    type = fields.String(required=True, validate=validate.Equal("FeatureCollection"))
    features = fields.List(fields.Nested(ViewFeature), required=True)


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


class PostedPlate(Schema):
    """A number plate as the gateway read it. Unless the police look for it, only a keyed hash of it is kept."""

    text = Text(20, min_chars=3, required=True, metadata={"description": "As read; any script's digits."})
    score = Number(0, 1, load_default=0.8, metadata={"description": "How sure the reading is."})
    t = Number(0, 3600, load_default=0.0, metadata={"description": "Seconds from the start of the window."})
    bbox = fields.List(Number(0, 1), validate=validate.Length(equal=4), metadata={"description": "[x, y, w, h]"})
    crop = Text(
        90_000,
        metadata={"description": "A JPEG of the plate alone, base 64. Stored only where a human must look at it."},
    )


class NewObservation(Schema):
    """What a gateway saw in one window. Pictures are not taken here: only what our own analytics blurred is stored, and
    the crop of a plate that the police look for.
    """

    captured_at = Time(required=True, metadata={"description": "The start of the window, by the gateway's clock."})
    seconds = Number(0, 3600, load_default=0.0)
    view = fields.String(required=True, validate=validate.OneOf([str(each) for each in SAID]))
    people = Whole(0, 10_000, load_default=0)
    findings = fields.List(fields.Nested(PostedFinding), load_default=list, validate=validate.Length(max=50))
    plates = fields.List(fields.Nested(PostedPlate), load_default=list, validate=validate.Length(max=20))
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
    checked = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "What humans said of a finding: yes, no or cannot_tell."},
    )
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
