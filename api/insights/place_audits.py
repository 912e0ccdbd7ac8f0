"""How safe places feel, as a layer for those who plan the city, with what cameras found dark beside it; and its export."""

import csv
import io
import json
from datetime import timedelta
from typing import Any, Final

from flask import Response
from marshmallow import fields, validate

from api.blueprint import Blueprint, Call
from api.paging import Listed, PageQuery
from api.schemas import Id, Schema, Time, Whole
from domain import permissions
from domain.audit import chain as audit
from domain.cities import queries as cities
from domain.cities.config import Kept
from domain.permissions import Target
from domain.place_audits import photos, queries, rules
from domain.place_audits.errors import PhotoNotShown
from runtime import watermark
from runtime.media import Media

blp = Blueprint("place_layers", __name__, url_prefix="/v1/insights", description="How safe places feel, on a grid.")

CAMERAS_SINCE: Final = timedelta(days=30)
GEOJSON: Final = "application/geo+json"


class LayerQuery(Schema):
    """Which city, at which hour of the day (local time). There are no other bounds: what is told must not be subtracted."""

    city = Id(required=True)
    hour = Whole(0, 23, required=True)


class ExportQuery(Schema):
    """Which city, all hours; as what."""

    city = Id(required=True)
    format = fields.String(validate=validate.OneOf(["csv", "geojson"]), load_default="csv")


class Layer(Schema):
    """GeoJSON (RFC 7946): a polygon a cell, `n` people and the mean of each aspect as its properties, `k`, and
    `dark_streets`: the cells where cameras found it dark at that hour.
    """

    type = fields.String(required=True)
    city = fields.String(required=True)
    hour = fields.Integer(required=True)
    k = fields.Integer(required=True)
    features = fields.List(fields.Dict(), required=True)
    dark_streets = fields.Dict(required=True)
    attribution = fields.List(fields.String(), required=True)


class PhotosQuery(PageQuery):
    """Which city."""

    city = Id(required=True)


class PlacePhoto(Schema):
    """A picture of a place: the cell and the hour, not who took it."""

    id = fields.String(required=True)
    cell = fields.String(required=True, metadata={"description": "H3 cell of resolution 9."})
    hour = fields.Integer(required=True)
    shown_at = Time(required=True)


@blp.endpoint("GET /place-audits", permission="insights.read", query=LayerQuery, answer=Layer, etag=True, caution=False)
def layer(call: Call) -> Any:
    """What people said of the cells of a city at an hour of the day, with the streets that cameras found dark then."""
    city, hour = call.query["city"], call.query["hour"]
    call.require_reach("insights.read", Target(city=city))
    config = cities.current(city)
    year, _ = rules.hour_of(call.now, config.zone)
    keep = min(CAMERAS_SINCE, timedelta(days=config.retention_days[Kept.OBSERVATIONS]))
    dark = queries.dark(city, hour, config.zone, since=call.now - keep)
    return {
        **_collection([_feature(row) for row in queries.told(city, hour, year=year)]),
        "city": city,
        "hour": hour,
        "k": config.place_audits_k,
        "dark_streets": _collection([_feature(row) for row in dark]),
        "attribution": list(cities.attribution(city)),
    }


@blp.endpoint(
    "GET /place-audits/export",
    permission="insights.export",
    query=ExportQuery,
    caution=False,
    responses={
        200: {
            "description": "The figures of all cells and hours.",
            "content": {"text/csv": {"schema": {"type": "string"}}, GEOJSON: {"schema": {"type": "object"}}},
        }
    },
)
def export(call: Call) -> Any:
    """All cells and hours of a city for its planners, as CSV or GeoJSON. Each export stands on the audit chain."""
    city, form = call.query["city"], call.query["format"]
    call.require_reach("insights.export", Target(city=city))
    year, _ = rules.hour_of(call.now, cities.current(city).zone)
    audit.append(city, call.who.person_id, "place_audits.exported", city, now=call.now, format=form)
    rows = [row for hour in range(24) for row in queries.told(city, hour, year=year)]
    if form == "geojson":
        text = json.dumps(
            _collection([_feature(row) for row in rows]) | {"attribution": list(cities.attribution(city))}
        )
        answer = Response(text, mimetype=GEOJSON)
    else:
        answer = Response(_csv(rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="place-audits-{city}.{form}"'
    return answer


@blp.endpoint(
    "GET /place-audits/photos",
    permission="insights.export",
    query=PhotosQuery,
    answer=PlacePhoto,
    paged=True,
    caution=False,
)
def list_photos(call: Call) -> Any:
    """The newest pictures that people took of places, by cell and hour: of nothing that fewer than k people have rated,
    and with nobody's name.
    """
    city = call.query["city"]
    call.require_reach("insights.export", Target(city=city))
    return Listed(photos.listed(city, now=call.now, limit=call.limit))


@blp.endpoint(
    "GET /place-audits/photos/<audit_id>",
    permission="insights.export",
    responses={"200": {"description": "A JPEG, faces blurred.", "content": {"image/jpeg": {}}}},
)
def read_photo(call: Call, audit_id: str) -> Any:
    """One of them, faces blurred, with the viewer's mark in its pixels. Each sight is on the audit chain before it is shown."""
    doc = photos.to_show(audit_id, now=call.now)
    if not permissions.reaches(call.who, "insights.export", Target(city=doc["city"])):
        raise PhotoNotShown("no picture that is shown")
    audit.append(doc["city"], call.who.person_id, "place_audit.photo_seen", audit_id, now=call.now)
    try:
        jpeg = Media(call.services.settings.media_url).get(doc["photo_shown"])
        shown = watermark.still(jpeg, call.who.person_id, call.now, audit_id)
    except (FileNotFoundError, ValueError, OSError):
        raise PhotoNotShown("no picture that is shown") from None
    answer = Response(shown, mimetype="image/jpeg")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["cell", "hour", "n", "score", *rules.ASPECTS])
    for row in rows:
        writer.writerow(
            [row["cell"], row["hour"], row["n"], row["score"], *(row["ratings"][name] for name in rules.ASPECTS)]
        )
    return out.getvalue()


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}


def _feature(row: dict[str, Any]) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [queries.outline(row["cell"])]}
    return {"type": "Feature", "id": row["cell"], "geometry": geometry, "properties": row}
