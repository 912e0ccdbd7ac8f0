"""Rating a place in Safetipin's nine parameters, with a picture, and what others said of places near by."""

from typing import Any, Final

from flask import Response, request
from marshmallow import fields

from api.blueprint import Blueprint, Call
from api.incidents.position import heard_at
from api.paging import Listed
from api.schemas import Number, PositionSchema, Schema, Text, Time, Whole
from domain import geo
from domain.cities import queries as cities
from domain.place_audits import photos, queries, rules, service
from domain.place_audits.errors import NotAPicture, OutsideEveryCity, PhotoNotShown
from domain.place_audits.states import BEST, WORST, Aspect
from runtime.media import Media

blp = Blueprint("place_audits", __name__, url_prefix="/v1", description="How safe a place feels.")

PHOTO_BYTES: Final = 6 * 1024 * 1024
_SHOWN: Final = 5

Ratings = Schema.from_dict(
    {
        str(each): Whole(WORST, BEST, required=True, metadata={"description": f"{WORST} (worst) to {BEST} (best)."})
        for each in Aspect
    },
    name="Ratings",
)
"""All nine: a figure of fewer people than the others would tell of them."""
MeanRatings = Schema.from_dict({str(each): fields.Float(required=True) for each in Aspect}, name="MeanRatings")


class NewPlaceAudit(Schema):
    """A rating of the place where the phone is."""

    position = fields.Nested(PositionSchema, required=True, metadata={"description": "Only its cell is kept."})
    ratings = fields.Nested(Ratings, required=True)
    note = Text(500, multiline=True, load_default=None, allow_none=True)


class PlaceAudit(Schema):
    """One's own audit."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    cell = fields.String(required=True, metadata={"description": "H3 cell of resolution 9."})
    hour = fields.Integer(required=True, metadata={"description": "Of the day, local time."})
    ratings = fields.Nested(Ratings, required=True)
    note = fields.String(allow_none=True)
    photo = fields.Boolean(required=True)
    captured_at = Time(required=True)
    created_at = Time(required=True)


class NearQuery(Schema):
    """Where, and at which hour of the day; the present one where left out."""

    lat = Number(-90, 90, required=True)
    lon = Number(-180, 180, required=True)
    hour = Whole(0, 23)


class PlaceCell(Schema):
    """What people said of a cell at an hour, over this year and the last."""

    cell = fields.String(required=True)
    n = fields.Integer(required=True, metadata={"description": "People, at least the city's k."})
    score = fields.Float(required=True, metadata={"description": "0 (worst) to 3 (best)."})


class NearAnswer(Schema):
    """Cells near by of which something may be told: those of the H3 cell of resolution 7 around."""

    city = fields.String(required=True)
    hour = fields.Integer(required=True)
    k = fields.Integer(
        required=True, metadata={"description": "Of a cell that fewer people have rated nothing is told."}
    )
    items = fields.List(fields.Nested(PlaceCell), required=True)


@blp.endpoint(
    "POST /place-audits",
    permission="place.audit",
    body=NewPlaceAudit,
    answer=PlaceAudit,
    status=201,
    creates=True,
    also={409: "This key was used for another audit.", 429: "More in a day than anybody walks."},
)
def add(call: Call) -> Any:
    """Rate a place. It counts once the city's k people have rated the same cell and hour."""
    position = call.body["position"]
    doc, fresh = service.add(
        call.new_id("pla"),
        call.who.person_id,
        position=position,
        ratings=call.body["ratings"],
        note=call.body["note"],
        at=heard_at(position, sent_at=call.sent_at, now=call.now),
        fingerprint=call.fingerprint,
        secret=call.services.settings.signing_key,
        now=call.now,
    )
    if doc.get("pending_events"):
        call.services.enqueue("drain", "place_audits", doc["_id"])
    return service.view(doc), 201 if fresh else 200


@blp.endpoint("GET /place-audits", permission="place.audit", answer=PlaceAudit, paged=True)
def list_audits(call: Call) -> Any:
    """One's own newest audits."""
    limit = min(call.limit, _SHOWN)
    return Listed([service.view(doc) for doc in queries.of_person(call.who.person_id, limit=limit)])


@blp.endpoint(
    "PUT /place-audits/<audit_id>/photo",
    permission="place.audit",
    answer=PlaceAudit,
    also={422: "Not a picture that can be shown."},
    requestBody={
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp")
        },
    },
)
def put_photo(call: Call, audit_id: str) -> Any:
    """A picture of the place, at most 6 MiB; again replaces it. Nothing but what one sees in it is kept."""
    doc = queries.own(audit_id, call.who.person_id)
    request.max_content_length = PHOTO_BYTES
    data = request.get_data(cache=False)
    if not data:
        raise NotAPicture("no picture came", errors={"photo": ["A JPEG, PNG or WebP picture."]})
    drop = Media(call.services.settings.media_url).delete
    return service.view(photos.add(doc, data, call.services.evidence, drop, now=call.now))


@blp.endpoint(
    "GET /place-audits/<audit_id>/photo",
    permission="place.audit",
    responses={
        "200": {
            "description": "One's own picture.",
            "content": {kind: {} for kind in ("image/jpeg", "image/png", "image/webp")},
        }
    },
)
def read_photo(call: Call, audit_id: str) -> Any:
    """One's own picture of the place, as it is kept."""
    doc = queries.own(audit_id, call.who.person_id)
    try:
        data = Media(call.services.settings.media_url).get(doc["photo"]["sha256"])
    except (KeyError, FileNotFoundError):
        raise PhotoNotShown("no picture") from None
    answer = Response(data, mimetype=doc["photo"]["type"])
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blp.endpoint("GET /place-audits/near", permission="place.audit", query=NearQuery, answer=NearAnswer, etag=True)
def near(call: Call) -> Any:
    """What people said of the places around, at an hour of the day: a fixed grid, and nothing of fewer than k people."""
    lat, lon = call.query["lat"], call.query["lon"]
    city = cities.city_at(lat, lon)
    if city is None:
        raise OutsideEveryCity("in no city", errors={"lat": ["In no city that Amaan knows."]})
    config = cities.current(city)
    year, now_hour = rules.hour_of(call.now, config.zone)
    hour = call.query.get("hour", now_hour)
    found = queries.told(city, hour, year=year, r7=geo.cells(lat, lon).r7)
    return {"city": city, "hour": hour, "k": config.place_audits_k, "items": found}
