"""Bodies and answers of footage requests, evidence, views and the chain of custody."""

from marshmallow import fields

from api.paging import PageQuery
from api.schemas import Answer, Choice, Flag, Number, PlaceSchema, Schema, Text, Time
from domain.evidence import rules
from domain.evidence.states import Act, Copy, EvidenceState, Found, Kind, RequestState, Why


def _reason() -> Text:
    return Text(500, min_chars=5, required=True, metadata={"description": "On the chain of custody, as it is written."})


class NewFootageRequest(Schema):
    """What cameras recorded around an incident, for a short time and a small area, with a reason."""

    reason = _reason()
    since = Time(metadata={"description": "A minute before the tap where left out."})
    until = Time(
        metadata={"description": f"At most {rules.MOST_SECONDS:.0f} s after `since`; two minutes where left out."}
    )
    position = fields.Nested(PlaceSchema, metadata={"description": "The incident's place where left out."})
    radius_m = Number(1, rules.MOST_RADIUS_M, load_default=150.0)


class Span(Answer):
    """A stretch of time; `why` says why it is missing."""

    start = Time(required=True)
    seconds = fields.Float(required=True)
    why = Choice(Why)


class CameraSaid(Answer):
    """What one camera had: `have` was taken as `evidence`; `missing` is not there."""

    camera = fields.String(required=True)
    name = fields.String(required=True)
    distance_m = fields.Integer(required=True)
    covering = fields.Boolean(required=True, metadata={"description": "Whether it has the place in view."})
    found = Choice(Found, required=True)
    have = fields.List(fields.Nested(Span), required=True)
    missing = fields.List(fields.Nested(Span), required=True)
    evidence = fields.String()


class FootageRequest(Answer):
    """A footage request, and what each camera had to say. Poll it until `answered`."""

    id = fields.String(required=True)
    incident = fields.String(required=True)
    by = fields.String(required=True)
    reason = fields.String(required=True)
    since = Time(required=True)
    until = Time(required=True)
    position = fields.Nested(PlaceSchema, required=True)
    radius_m = fields.Float(required=True)
    state = Choice(RequestState, required=True)
    cameras = fields.List(fields.Nested(CameraSaid), required=True)
    at = Time(required=True)
    version = fields.Integer(required=True)


class File(Answer):
    """One of the recorder's files, sealed as it was."""

    name = fields.String(required=True)
    start = Time(required=True)
    seconds = fields.Float(required=True)
    size = fields.Integer(required=True)
    sha256 = fields.String(required=True)


class Original(Answer):
    """The sealed original: its files, and one SHA-256 over all of them (lines `name sha256`, by name)."""

    files = fields.List(fields.Nested(File), required=True)
    manifest = fields.String(required=True)


class RedactedCopy(Answer):
    """The redacted copy: H.264 without sound, faces, heads and number plates blurred in every picture."""

    sha256 = fields.String(required=True)
    size = fields.Integer(required=True)
    first = fields.Float(required=True, metadata={"description": "Seconds from `since` to its first picture."})
    frames = fields.Integer(required=True)
    seconds = fields.Float(required=True, metadata={"description": "Seconds from `since` to its last picture."})
    regions = fields.Integer(required=True, metadata={"description": "Boxes blurred, over all pictures."})
    detectors = fields.List(
        fields.Dict(), required=True, metadata={"description": "What found faces, heads and plates."}
    )
    stills = fields.List(fields.Dict(), required=True)
    broken = fields.List(fields.String(), metadata={"description": "Why a file of the original is not in it."})
    cut_after = fields.Float(
        metadata={"description": "An upload goes on after so many seconds: what comes later is in no copy."}
    )
    at = Time(required=True)


class Evidence(Answer):
    """A piece of evidence. Its pictures are seen through a view, with a reason."""

    id = fields.String(required=True)
    incident = fields.String(required=True)
    city = fields.String(required=True)
    kind = Choice(Kind, required=True)
    state = Choice(EvidenceState)
    reason = fields.String(metadata={"description": "Why there is no redacted copy."})
    by = fields.String(metadata={"description": "Who sent it, or asked for it."})
    request = fields.String()
    camera = fields.String()
    since = Time()
    seconds = fields.Float()
    source = fields.Dict()
    clock = fields.Dict(
        metadata={
            "description": "Whose clock named the files, and by how many seconds it was ahead of ours; `camera_offset_s`: the "
            "camera's own, `unknown` where it does not say."
        }
    )
    original = fields.Nested(Original)
    copy = fields.Nested(RedactedCopy)
    sha256 = fields.String(metadata={"description": "Of an upload, as it came."})
    size = fields.Integer()
    type = fields.String()
    also = fields.List(
        fields.String(), metadata={"description": "Other incidents of the same place and minute that need it."}
    )
    kept = fields.Boolean(
        metadata={"description": "A rule of the city took it, and nobody has asked for it yet: it goes early."}
    )
    held = Flag(required=True, metadata={"description": "Whether a legal hold keeps it."})
    at = Time(required=True)


class EvidenceQuery(PageQuery):
    """A page of an incident's evidence."""


class NewView(Schema):
    """Which copy one wants to see, and why."""

    copy = Choice(Copy, load_default=Copy.REDACTED)
    reason = _reason()


class View(Answer):
    """The sight of a copy, for the caller alone and for a while. Every picture carries the caller's id and the time."""

    id = fields.String(required=True)
    evidence = fields.String(required=True)
    copy = Choice(Copy, required=True)
    reason = fields.String(required=True)
    review = fields.String()
    until = Time(required=True)
    clip = fields.String(required=True)
    stills = fields.List(fields.String(), required=True)


class NewOpening(Schema):
    """Why the original must be seen: whose order, and its number."""

    reason = _reason()


class CustodyEntry(Answer):
    """One act. `hash` is SHA-256 over the other fields as canonical JSON, `prev` the hash of the entry before."""

    evidence = fields.String(required=True)
    incident = fields.String(required=True)
    city = fields.String(required=True)
    seq = fields.Integer(required=True)
    at = Time(required=True)
    actor = fields.String(required=True)
    act = Choice(Act, required=True)
    reason = fields.String(required=True)
    refs = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    prev = fields.String(required=True)
    hash = fields.String(required=True)
    anchor = fields.String(metadata={"description": "The entry of the city's audit chain that holds this hash."})


class Custody(Answer):
    """The chain of custody, and whether it holds."""

    evidence = fields.String(required=True)
    holds = fields.Boolean(required=True)
    broken_at = fields.Integer(metadata={"description": "The first seq that does not hold."})
    unanchored = fields.List(
        fields.Integer(), required=True, metadata={"description": "Entries that the audit chain does not tell of."}
    )
    head = fields.String(required=True)
    entries = fields.List(fields.Nested(CustodyEntry), required=True)
