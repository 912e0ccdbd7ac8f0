"""Cities and their agencies: data, versioned, each change with its reason."""

from typing import Any

from api.admin import schemas
from api.admin.scope import audited, city_of
from api.blueprint import Blueprint, Call
from domain import permissions
from domain.cities import agencies, queries, service
from domain.cities.config import Agency
from domain.cities.errors import BadCity

blp = Blueprint("cities", __name__, url_prefix="/v1", description="Cities and their agencies, for admins.")


def _city(city: str) -> dict[str, Any]:
    config = queries.current(city)
    names = {"en": config.names.en, "ur": config.names.ur}
    return {
        "id": city,
        "names": names,
        "version": config.version,
        "zone": str(config.zone),
        "languages": list(config.languages),
    }


def _agency(agency: Agency, city: str) -> dict[str, Any]:
    return {
        "id": agency.id,
        "city": city,
        "names": {"en": agency.names.en, "ur": agency.names.ur},
        "kind": str(agency.kind),
        "services": [str(each) for each in agency.services],
        "phone": agency.phone,
    }


def _table(body: dict[str, Any]) -> dict[str, Any]:
    """The body as a preset's `[[agencies]]` has it."""
    table: dict[str, Any] = {name: body[name] for name in ("id", "phone") if name in body}
    if "names" in body:
        table |= {"name_en": body["names"]["en"], "name_ur": body["names"]["ur"]}
    if "kind" in body:
        table["kind"] = str(body["kind"])
    if "services" in body:
        table["services"] = [str(each) for each in body["services"]]
    return table


@blp.endpoint("GET /cities", permission="city.read", answer=schemas.CitiesAnswer, etag=True)
def list_cities(call: Call) -> Any:
    """The cities that one's roles reach."""
    reach = permissions.cities(call.who, "city.read")
    return {"items": [_city(city) for city in queries.known() if city in reach or "*" in reach]}


@blp.endpoint("GET /cities/<city>", permission="city.read", answer=schemas.CityConfigAnswer, etag=True, caution=False)
def get_city(call: Call, city: str) -> Any:
    """A city's complete configuration."""
    city = city_of(call, "city.read", city)
    body, version = agencies.standing(city)
    return {"id": city, "version": version, "config": body}, 200, version


@blp.endpoint(
    "PUT /cities/<city>",
    permission="city.edit",
    body=schemas.CityChange,
    answer=schemas.CityAnswer,
    also={409: "Somebody else changed it.", 412: "If-Match is not the version that stands."},
)
def change_city(call: Call, city: str) -> Any:
    """Make a configuration the city's next version."""
    city = city_of(call, "city.edit", city)
    _, version = agencies.standing(city)
    call.require_match(version)
    config = dict(call.body["config"])
    if config.get("id") != city:
        raise BadCity("the id is the city's", errors={"config.id": ["Not this city."]})
    audited(call, city, "city.changed", city, call.body)
    service.change(config, expected_version=version, now=call.now, by=call.who.person_id, reason=call.body["reason"])
    return _city(city)


@blp.endpoint(
    "GET /agencies", permission="agency.read", query=schemas.CityQuery, answer=schemas.AgenciesAnswer, etag=True
)
def list_agencies(call: Call) -> Any:
    """All agencies of a city."""
    city = city_of(call, "agency.read", call.query.get("city"))
    return {"items": [_agency(each, city) for each in queries.current(city).agencies.values()]}


@blp.endpoint(
    "POST /agencies",
    permission="agency.edit",
    body=schemas.NewAgency,
    answer=schemas.AgencyAnswer,
    status=201,
    creates=True,
    also={409: "Somebody else changed the city."},
)
def add_agency(call: Call) -> Any:
    """Add an agency to a city; with an id that it has already, change that one."""
    return _put(call, dict(call.body))


@blp.endpoint(
    "PATCH /agencies/<agency_id>",
    permission="agency.edit",
    body=schemas.AgencyChange,
    answer=schemas.AgencyAnswer,
    also={409: "Somebody else changed the city."},
)
def change_agency(call: Call, agency_id: str) -> Any:
    """Change an agency."""
    agencies.get(city_of(call, "agency.edit", call.body.get("city")), agency_id)
    return _put(call, {**call.body, "id": agency_id})[0]


def _put(call: Call, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    city = city_of(call, "agency.edit", body.get("city"))
    audited(call, city, "agency.changed", body["id"], body)
    table = {"hours": "always", **_table(body)} if "hours" not in body and "kind" in body else _table(body)
    agency, fresh = agencies.put(city, table, by=call.who.person_id, reason=body["reason"], now=call.now)
    return _agency(agency, city), 201 if fresh else 200
