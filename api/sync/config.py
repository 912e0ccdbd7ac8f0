"""`GET /v1/app-config`: what an app must know of the city it is in."""

from typing import Any, Final

from marshmallow import fields

from api.blueprint import Blueprint, Call
from api.incidents.schemas import AT
from api.schemas import Id, Schema, code_field
from domain.cities import queries as cities
from domain.cities.config import ALARMS, CityConfig, Purpose, Service, Text
from domain.incidents import rules

blp = Blueprint("app_config", __name__, url_prefix="/v1", description="What an app must know of its city.")

MIN_APP_VERSION: Final = "1.0.0"
"""The oldest app whose requests are understood."""
POSITIONS_EVERY_S: Final = 5


class ConfigQuery(Schema):
    """Which city: by id, or by where the phone is; the nearest where it is in none."""

    city = Id()
    at = code_field(AT, "lat,lon in degrees.", metadata={"description": "`lat,lon`, such as `31.52,74.36`."})


class InBoth(Schema):
    """The same in English and Urdu."""

    en = fields.String(required=True)
    ur = fields.String(required=True)


class HelplineAnswer(Schema):
    """A number to call. Where it is not verified, the app says so."""

    number = fields.String(required=True)
    name = fields.Nested(InBoth, required=True)
    always = fields.Boolean(required=True, metadata={"description": "Round the clock; else the fallback is shown too."})
    fallback = fields.String(required=True)
    verified = fields.Boolean(required=True)


class CategoryAnswer(Schema):
    """A kind of incident that can be named in an SOS."""

    code = fields.String(required=True)
    name = fields.Nested(InBoth, required=True)
    services = fields.List(fields.String(), required=True)


class LadderAnswer(Schema):
    """Seconds after which the next are asked, as the phone shows them while it waits."""

    service = fields.String(required=True)
    after_s = fields.List(fields.Integer(), required=True)
    again_every_s = fields.Integer(required=True)


class ConfigAnswer(Schema):
    """How this city works."""

    city = fields.String(required=True)
    name = fields.Nested(InBoth, required=True)
    version = fields.Integer(required=True)
    timezone = fields.String(required=True)
    helplines = fields.List(fields.Nested(HelplineAnswer), required=True)
    categories = fields.List(fields.Nested(CategoryAnswer), required=True)
    ladders = fields.List(fields.Nested(LadderAnswer), required=True)
    sos_number = fields.String(allow_none=True, metadata={"description": "Takes an SOS by SMS or call."})
    min_app_version = fields.String(required=True)
    streams_url = fields.String(required=True)
    positions_every_s = fields.Integer(required=True)
    positions_after_cancel_s = fields.Integer(required=True)
    features = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)


@blp.endpoint(
    "GET /app-config",
    public="The app needs it before anybody signs in.",
    query=ConfigQuery,
    answer=ConfigAnswer,
    etag=True,
    also={404: "No such city."},
)
def app_config(call: Call) -> Any:
    """Helplines, categories, ladder times, feature switches and addresses of a city."""
    config = cities.current(_city(call))
    settings = call.services.settings
    inbound = [number for number, purpose in config.inbound.items() if purpose == Purpose.SOS]
    return {
        "city": config.id,
        "name": _both(config.names),
        "version": config.version,
        "timezone": config.zone.key,
        "helplines": [
            {
                "number": line.number,
                "name": _both(line.names),
                "always": line.hours.always,
                "fallback": line.fallback,
                "verified": line.verified,
            }
            for line in config.helplines
        ],
        "categories": [
            {"code": each.code, "name": _both(each.names), "services": [str(service) for service in each.services]}
            for each in config.categories.values()
            if Service.ESCORT not in each.services
        ],
        "ladders": [_ladder(config, service) for service in ALARMS],
        "sos_number": inbound[0] if inbound else None,
        "min_app_version": MIN_APP_VERSION,
        "streams_url": settings.streams,
        "positions_every_s": POSITIONS_EVERY_S,
        "positions_after_cancel_s": int(rules.POSITIONS_AFTER_CANCEL.total_seconds()),
        "features": {"streams": settings.streams != settings.public_url, "practice": True, "messages": True},
    }


def _city(call: Call) -> str:
    query = call.query
    if query.get("city"):
        return str(query["city"])
    if query.get("at"):
        lat, lon = map(float, query["at"].split(","))
        return cities.city_at(lat, lon) or cities.nearest_city(lat, lon).city
    return cities.known()[0]


def _both(text: Text) -> dict[str, str]:
    return {"en": text.en, "ur": text.ur}


def _ladder(config: CityConfig, service: Service) -> dict[str, Any]:
    ladder = config.ladder(service)
    return {
        "service": str(service),
        "after_s": [rung.after_s for rung in ladder.rungs],
        "again_every_s": ladder.repeat_after_s,
    }
