"""Bodies and answers of SOS and incidents. What an SOS is made of is documented here and read by `intake.py`."""

from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Flag, Id, Language, Number, Phone, PositionSchema, Schema, Text, Time, code_field
from domain.cities.config import Service
from domain.incidents import operating
from domain.incidents.queries import MAX_RADIUS_M
from domain.incidents.states import IncidentStatus, Resolution, SlotStatus


class SosServices(Schema):
    """Which services are asked for; without any the category decides."""

    police = Flag()
    medical = Flag()
    fire = Flag()


class NewSos(Schema):
    """A call for help. Every part is optional, as long as a position, a phone or a device can be made out."""

    position = fields.Nested(PositionSchema)
    device = fields.String(metadata={"description": "The phone's own id, the same as when signing in."})
    phone = Phone()
    category = fields.String(
        metadata={"description": "A category of the city; an unknown one is taken as unspecified."}
    )
    services = fields.Nested(SosServices)
    silent = Flag(metadata={"description": "Nothing may ring her phone."})
    battery_pct = Number(0, 100)
    note = Text(2000, multiline=True)
    language = fields.String()
    practice = Flag(metadata={"description": "Played to the citizen alone: nobody is asked."})


class RaisedSos(Schema):
    """An SOS is stored."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf([str(each) for each in IncidentStatus]))
    share_url = fields.String(required=True, metadata={"description": "The live page to pass on."})
    cancel_requires_pin = fields.Boolean(required=True)
    sos_token = fields.String(required=True, metadata={"description": "Opens this SOS: header Sos-Token."})


class SosService(Schema):
    """One service's place in the SOS: who comes, without names."""

    service = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf([str(each) for each in SlotStatus]))
    agency = fields.String(allow_none=True)
    distance_m = fields.Integer(allow_none=True, metadata={"description": "When it was asked."})
    since = Time(allow_none=True)


class SosMessage(Schema):
    """A message between the citizen and the control room."""

    id = fields.String(required=True)
    at = Time(required=True)
    from_ = fields.String(
        required=True, data_key="from", attribute="from", validate=validate.OneOf(["citizen", "control_room"])
    )
    text = fields.String(required=True)


class SosPosition(Schema):
    """The last known place."""

    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    accuracy_m = fields.Float(allow_none=True)
    captured_at = Time(allow_none=True)
    received_at = Time(allow_none=True)


class Sos(Schema):
    """An SOS as its citizen sees it."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf([str(each) for each in IncidentStatus]))
    resolution = fields.String(allow_none=True, validate=validate.OneOf([str(each) for each in Resolution]))
    version = fields.Integer(required=True)
    category = fields.String(required=True)
    raised_at = Time(required=True)
    updated_at = Time(required=True)
    closed_at = Time(allow_none=True)
    practice = fields.Boolean(required=True)
    silent = fields.Boolean(required=True)
    position = fields.Nested(SosPosition, allow_none=True)
    services = fields.List(fields.Nested(SosService), required=True)
    unfilled = fields.List(fields.String(), required=True)
    messages = fields.List(fields.Nested(SosMessage), required=True)


class CancelBody(Schema):
    """The PIN is needed where the answer to the SOS said so."""

    pin = fields.String(validate=validate.Length(max=64))
    reason = Text(500, multiline=True)


_STATUSES = "|".join(str(each) for each in IncidentStatus)
AT = r"-?([0-8]?[0-9](\.[0-9]{1,8})?|90),-?((1[0-7][0-9]|[0-9]{1,2})(\.[0-9]{1,8})?|180)"
NEAR = AT + r",([1-9][0-9]{0,2}|[1-4][0-9]{3}|5000)"


class IncidentsQuery(PageQuery):
    """Filters of the list; several statuses are separated by commas."""

    status = code_field(
        f"({_STATUSES})(,({_STATUSES})){{0,4}}",
        "Statuses, separated by commas.",
        metadata={"description": "Such as `open,acknowledged`; all that go on where left out."},
    )
    category = fields.String()
    city = Id(metadata={"description": "Needed by whoever works for several."})
    since = Time(metadata={"description": "Raised at or after."})
    until = Time(metadata={"description": "Raised at or before."})
    near = code_field(
        NEAR,
        "lat,lon,radius: degrees, and 1 to 5000 metres.",
        metadata={"description": f"`lat,lon,radius_m`, such as `31.52,74.36,900`; at most {MAX_RADIUS_M:.0f} m."},
    )
    order = fields.String(validate=validate.OneOf(["newest", "rank"]), load_default="newest")


class IncidentRow(Schema):
    """An incident in a list."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    status = fields.String(required=True)
    resolution = fields.String(allow_none=True)
    version = fields.Integer(required=True)
    channel = fields.String(required=True)
    category = fields.String(required=True)
    severity = fields.String(required=True)
    urgency = fields.String(required=True)
    certainty = fields.String(required=True)
    flags = fields.List(fields.String(), required=True)
    rank = fields.Float(allow_none=True)
    trust = fields.Dict(allow_none=True, metadata={"description": "{score, parts, callback_first}"})
    raised_at = Time(required=True)
    received_at = Time(required=True)
    updated_at = Time(required=True)
    closed_at = Time(allow_none=True)
    position = fields.Nested(SosPosition, allow_none=True)
    area = fields.String(allow_none=True)
    unfilled = fields.List(fields.String(), required=True)
    merged_into = fields.String(allow_none=True)


class Incident(IncidentRow):
    """An incident with the newest 20 of each list; `links` say where the rest is."""

    slots = fields.List(fields.Dict(), required=True)
    assignments = fields.List(fields.Dict(), required=True)
    timeline = fields.List(fields.Dict(), required=True)
    milestones = fields.Dict(required=True)
    cameras = fields.List(fields.Dict(), required=True)
    correlations = fields.List(fields.Dict(), required=True)
    handovers = fields.List(fields.Dict(), required=True)
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    citizen = fields.Dict(allow_none=True)
    about = fields.Dict(metadata={"description": "What it came from: {journey} or {escort}."})
    unreadable = fields.List(fields.Dict())
    notes = fields.List(fields.Dict())
    deliveries = fields.List(fields.Dict())


class StreamQuery(Schema):
    """Which city's."""

    city = Id()


class TrackBatch(Schema):
    """A batch of positions, in any order; one that came before is dropped."""

    positions = fields.List(fields.Nested(PositionSchema), required=True, validate=validate.Length(min=1, max=100))


class TrackTaken(Schema):
    """How many positions the batch had."""

    accepted = fields.Integer(required=True)


class NewMessage(Schema):
    """Words between the citizen and the control room."""

    text = Text(1000, min_chars=1, multiline=True, required=True)


class ShareAnswer(Schema):
    """The new live page; those before it are over."""

    share_url = fields.String(required=True)


class SosDetail(Sos):
    """An SOS with what its phone needs to go on."""

    cancel_requires_pin = fields.Boolean(required=True)
    share_url = fields.String(required=True)


class NewIncident(Schema):
    """An incident for a caller or a walk-in."""

    position = fields.Nested(PositionSchema)
    phone = Phone(metadata={"description": "The caller's."})
    category = fields.String(required=True)
    services = fields.Nested(SosServices)
    silent = Flag(load_default=False)
    note = Text(2000, multiline=True)
    language = Language()
    city = Id(metadata={"description": "Needed without a position by whoever works for several."})
    channel = fields.String(validate=validate.OneOf(["caller", "walk_in"]), load_default="caller")


class AssignBody(Schema):
    """Which unit; for which service, where it gives several."""

    unit = Id(required=True)
    service = fields.Enum(Service, by_value=True)


class WithdrawBody(Schema):
    """Which assignment, and why; and who is asked first in its place."""

    assignment = Id(required=True)
    reason = Text(500, min_chars=1, multiline=True, required=True)
    instead = Id(metadata={"description": "Another unit, asked first for the same service; the ladder where left out."})


class MergeBody(Schema):
    """Into which incident."""

    into = Id(required=True)


class ReasonBody(Schema):
    """Why."""

    reason = Text(500, min_chars=1, multiline=True, required=True)


class ResolveBody(Schema):
    """How it ended."""

    resolution = fields.String(required=True, validate=validate.OneOf(sorted(operating.BY_HAND)))
    reason = Text(500, multiline=True, load_default="")


class LadderBody(Schema):
    """What to do to which service's ladder; all that wait where left out."""

    action = fields.String(validate=validate.OneOf(["pause", "resume", "skip"]), required=True)
    service = fields.Enum(Service, by_value=True)
    reason = Text(500, multiline=True, load_default="")


class BridgeBody(Schema):
    """Whom to be put through to."""

    assignment = Id(metadata={"description": "The unit's; the one accepted last where left out."})


class NoteBody(Schema):
    """For the file."""

    text = Text(2000, min_chars=1, multiline=True, required=True)


class HandoverBody(Schema):
    """To which agency of the city, and why."""

    agency = Id(required=True)
    reason = Text(500, min_chars=1, multiline=True, required=True)


class TimelineEntry(Schema):
    """What happened, when, by whom; `about` has ids."""

    seq = fields.Integer(required=True)
    at = Time(required=True)
    kind = fields.String(required=True)
    by = fields.String(allow_none=True)
    about = fields.Dict(required=True)


class TrackQuery(Schema):
    """From which of the phone's times on."""

    after = Time()


class Track(Schema):
    """Positions in the order of the phone's time, at most 500; ask again `after` the last one."""

    points = fields.List(fields.Nested(SosPosition), required=True)
