"""`GET /v1/embassies`: whom a visitor's own country has here, as far as the city's data says."""

from typing import Any

from marshmallow import fields

from api.blueprint import Blueprint, Call
from api.schemas import Id, Schema, code_field
from api.sync.config import InBoth
from domain.cities import queries as cities

blp = Blueprint("embassies", __name__, url_prefix="/v1", description="Whom a visitor's own country has here.")


class EmbassiesQuery(Schema):
    """Of which city; of one country (ISO 3166-1 alpha-2), or all."""

    city = Id()
    country = code_field(r"[A-Z]{2}", "Two capitals, such as GB.")


class EmbassyAnswer(Schema):
    """A number to call. Where it is not verified, the app says so."""

    country = fields.String(required=True)
    name = fields.Nested(InBoth, required=True)
    number = fields.String(required=True)
    verified = fields.Boolean(required=True)
    last_verified = fields.String(allow_none=True, required=True)


class EmbassiesAnswer(Schema):
    """All that the city's data has."""

    city = fields.String(required=True)
    items = fields.List(fields.Nested(EmbassyAnswer), required=True)


@blp.endpoint(
    "GET /embassies",
    public="A visitor has no account here.",
    query=EmbassiesQuery,
    answer=EmbassiesAnswer,
    etag=True,
    also={404: "No such city."},
)
def list_embassies(call: Call) -> Any:
    """Embassies and consulates, and whether each number was verified."""
    config = cities.current(call.query.get("city") or cities.known()[0])
    country = call.query.get("country")
    return {
        "city": config.id,
        "items": [
            {
                "country": each.country,
                "name": {"en": each.names.en, "ur": each.names.ur},
                "number": each.number,
                "verified": each.verified,
                "last_verified": each.last_verified or None,
            }
            for each in config.embassies
            if country in (None, each.country)
        ],
    }
