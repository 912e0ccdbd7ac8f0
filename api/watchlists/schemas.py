"""Bodies and answers of the watchlist, of hits and of the search for a plate."""

from marshmallow import fields

from api.paging import PageQuery
from api.schemas import Answer, Choice, Id, Number, PlaceSchema, Schema, Text, Time
from domain.watchlists.states import Closed, EntryStatus, HitStatus, ListReason

PLATE = 20
LEAST_REASON = 10


class WatchlistQuery(PageQuery):
    """Which city's list; one's own where left out."""

    city = Id()


class NewWatchlistEntry(Schema):
    """A plate to look for. There is no entry without a legal basis, and none that does not end."""

    plate = Text(PLATE, min_chars=3, required=True, metadata={"description": "As it is written; any script's digits."})
    why = Choice(ListReason, required=True)
    legal_basis = Text(
        200, min_chars=3, required=True, metadata={"description": "The number of the first report or order."}
    )
    description = Text(200, load_default="", metadata={"description": "Of the vehicle: make, colour."})
    expires_at = Time(required=True, metadata={"description": "Within 90 days."})
    agency = Id(metadata={"description": "One's own where left out; a police force."})
    city = Id()


class WatchlistChange(Schema):
    """Until when it is needed now."""

    expires_at = Time(required=True)
    reason = Text(300, min_chars=LEAST_REASON, required=True)


class WatchlistEnd(Schema):
    """Why nobody looks for it any more."""

    reason = Text(300, min_chars=LEAST_REASON, required=True)


class WatchlistEntry(Answer):
    """A plate that is looked for, why, by whom, and until when."""

    id = fields.String(required=True, attribute="_id")
    city = fields.String(required=True)
    plate = fields.String(required=True)
    why = Choice(ListReason, required=True)
    legal_basis = fields.String(required=True)
    description = fields.String(required=True)
    owner = fields.String(required=True, metadata={"description": "The person who answers for it."})
    agency = fields.String(required=True)
    status = Choice(EntryStatus, required=True)
    listed_at = Time(required=True)
    expires_at = Time(required=True)
    ended_at = Time()
    ended_by = fields.String()
    end_reason = fields.String()
    version = fields.Integer(required=True)


class HitsQuery(PageQuery):
    """Which hits: those that wait for a human, where nothing is said."""

    city = Id()
    status = Choice(HitStatus, load_default=HitStatus.ASKED)


class Hit(Answer):
    """A reading like a listed plate. `read` is what the camera's analytics read, sign by sign."""

    id = fields.String(required=True, attribute="_id")
    city = fields.String(required=True)
    entry = fields.String(required=True)
    camera = fields.String(required=True)
    observation = fields.String(required=True)
    position = fields.Nested(PlaceSchema, required=True)
    at = Time(required=True)
    read = fields.String(required=True)
    characters = fields.List(fields.Dict(), required=True, metadata={"description": "[{text, score}], score in 0–1."})
    listed = fields.String(required=True, metadata={"description": "The plate on the list."})
    score = fields.Float(required=True, metadata={"description": "How near the two are; 1 is the same."})
    status = Choice(HitStatus, required=True)
    review = fields.String()
    incident = fields.String()
    crop = fields.String(allow_none=True, metadata={"description": "Where the picture is; each sight of it is logged."})
    decided_at = Time()
    closed = Choice(Closed, metadata={"description": "Why nothing follows, where nobody looks for the plate any more."})
    version = fields.Integer(required=True)


class PlateSearch(Schema):
    """Was this plate seen near a place? It needs a reason and a legal basis, and is on the audit chain."""

    plate = Text(PLATE, min_chars=3, required=True)
    near = fields.Nested(PlaceSchema, required=True)
    radius_m = Number(10, 50_000, load_default=2000)
    since = Time(required=True)
    until = Time(required=True)
    reason = Text(300, min_chars=LEAST_REASON, required=True)
    legal_basis = Text(200, min_chars=3, required=True)
    incident = Id()
    city = Id()


class Sighting(Schema):
    """Where it was read. `exact` false: only what looks alike was the same."""

    camera = fields.String(required=True)
    position = fields.Nested(PlaceSchema, required=True)
    at = Time(required=True)
    exact = fields.Boolean(required=True)


class Sightings(Answer):
    """Newest first. Hashes are kept for the city's days only: what is older is not known."""

    items = fields.List(fields.Nested(Sighting), required=True)
    kept_since = Time(required=True, metadata={"description": "Before this nothing is kept."})
