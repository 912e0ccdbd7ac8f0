"""`GET /v1/safe-places`: where to go now, for anybody, signed in or not."""

from typing import Any, Final

from marshmallow import fields, validate

from api.blueprint import Blueprint, Call
from api.schemas import Choice, Number, Schema, Whole
from api.sync.config import InBoth
from domain.cities import queries as cities
from domain.cities import safe_places
from domain.cities.places import PlaceKind

blp = Blueprint("safe_places", __name__, url_prefix="/v1", description="Where to go now.")

_KINDS: Final = [str(kind) for kind in safe_places.KINDS]


class SafePlacesQuery(Schema):
    """Where the phone is; what kind of place, all where left out."""

    lat = Number(-90, 90)
    lon = Number(-180, 180)
    kind = fields.String(validate=validate.OneOf(_KINDS))
    limit = Whole(1, safe_places.MOST, load_default=safe_places.MOST)


class SafePlace(Schema):
    """A place where somebody is."""

    kind = Choice(PlaceKind, required=True)
    name = fields.Nested(InBoth, required=True)
    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    distance_m = fields.Integer(required=True, metadata={"description": "As the crow flies."})
    emergency = fields.Boolean(required=True, metadata={"description": "A hospital that takes emergencies."})
    open_now = fields.Boolean(allow_none=True, required=True, metadata={"description": "Null where no source says."})
    hours = fields.String(allow_none=True, required=True)


class SafePlacesAnswer(Schema):
    """The nearest places first. `known` has the kinds of which the city has a list at all."""

    city = fields.String(required=True)
    known = fields.List(fields.String(), required=True)
    items = fields.List(fields.Nested(SafePlace), required=True)
    attribution = fields.List(fields.String(), required=True, metadata={"description": "To be shown beside them."})


@blp.endpoint(
    "GET /safe-places",
    public="Somebody who is followed may not be signed in.",
    query=SafePlacesQuery,
    answer=SafePlacesAnswer,
    etag=True,
)
def list_safe_places(call: Call) -> Any:
    """Police stations, hospitals, pharmacies and petrol stations near by, as far as the city has them; nearest first."""
    lat, lon = call.query.get("lat"), call.query.get("lon")
    if lat is None or lon is None:
        missing = {name: ["Say where you are."] for name, value in (("lat", lat), ("lon", lon)) if value is None}
        raise safe_places.NoPosition("a position is needed", errors=missing)
    wanted = call.query.get("kind")
    kinds = (PlaceKind(wanted),) if wanted else safe_places.KINDS
    city, found = safe_places.near_by(lat, lon, kinds=kinds, limit=call.query["limit"], now=call.now)
    return {
        "city": city,
        "known": [
            str(kind)
            for kind in safe_places.KINDS
            if cities.nearest_places(city, kind, lat, lon, limit=1, within_m=1e6)
        ],
        "attribution": list(cities.attribution(city)),
        "items": [
            {
                "kind": each.near.place.kind,
                "name": {"en": each.near.place.names.en, "ur": each.near.place.names.ur or each.near.place.names.en},
                "lat": each.near.place.lat,
                "lon": each.near.place.lon,
                "distance_m": round(each.near.distance_m),
                "emergency": each.near.place.emergency,
                "open_now": each.open_now,
                "hours": each.near.place.hours or None,
            }
            for each in found
        ],
    }
