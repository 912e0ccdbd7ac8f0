"""The register of cameras, for whoever keeps it."""

from datetime import datetime
from typing import Any

from api.admin.scope import audited, city_of
from api.blueprint import Blueprint, Call
from api.cameras import schemas
from api.cameras.views import camera_view, health_view
from api.paging import Listed
from api.schemas import rfc3339
from domain import permissions
from domain.cameras import coverage, health, health_rules, queries, registry, sources
from domain.cameras.errors import CameraNotFound, SourceNotAllowed
from domain.cities import queries as cities
from domain.cities.errors import UnknownCity
from domain.permissions import Scope, Target

blp = Blueprint("cameras", __name__, url_prefix="/v1/cameras", description="Cameras, their health and their gateways.")

READ, EDIT = "camera.read", "camera.edit"


def reachable(call: Call, action: str, camera_id: str) -> queries.Camera:
    """The camera, within the caller's reach for an action; raises CameraNotFound."""
    camera = queries.camera(camera_id)
    owners = frozenset({camera["owner"]}) if camera.get("owner") else frozenset[str]()
    if not permissions.reaches(call.who, action, Target(city=camera["city"], person_ids=owners)):
        raise CameraNotFound("no such camera")
    return camera


def _owner(call: Call, action: str) -> str | None:
    """The caller, where their cameras are all that they reach; None for who reaches a city's."""
    return None if Scope.CITY in permissions.scopes(call.who, action) else call.who.person_id


def _city(call: Call, action: str, given: str | None) -> str:
    """The city: within the caller's reach, or for an owner one in which they have the role."""
    if _owner(call, action) is None:
        return city_of(call, action, given)
    held = {each.city for each in call.who.active if action in permissions.TABLE[each.role].get(Scope.SELF, ())}
    city = given or (next(iter(held)) if len(held) == 1 else call.who.city)
    if city not in held:
        raise UnknownCity("no such city")
    cities.current(city)
    return city


def _facts(call: Call, owner: str | None) -> dict[str, Any]:
    facts = {name: value for name, value in call.body.items() if name in registry.KEPT}
    if "zones" in facts:
        facts["zones"] = {zone["name"]: zone["corners"] for zone in facts["zones"]}
    if owner and (facts.get("source") or {}).get("kind") in sources.FILES:  # folders are the city's own
        raise SourceNotAllowed("lent cameras have an address", errors={"source": ["Not a file."]})
    return facts


@blp.endpoint("GET ", permission=READ, query=schemas.CamerasQuery, answer=schemas.CameraAnswer, paged=True)
def list_cameras(call: Call) -> Any:
    """The cameras of a city, or those that one lent."""
    city = _city(call, READ, call.query.get("city"))
    after = call.after(str)
    rows, last = queries.listed(city, owner=_owner(call, READ), after=after[0] if after else None, limit=call.limit)
    return Listed([camera_view(row) for row in rows], [last] if last else None)


@blp.endpoint(
    "POST ",
    permission=EDIT,
    body=schemas.NewCamera,
    answer=schemas.CameraAnswer,
    status=201,
    creates=True,
    also={409: "The key was used for another camera."},
)
def add_camera(call: Call) -> Any:
    """Register a camera. Its address must be on the city's list. `gateway_key` is told here and never again."""
    city, owner = _city(call, EDIT, call.body.get("city")), _owner(call, EDIT)
    secret = call.services.settings.signing_key
    facts = _facts(call, owner) | ({"owner": owner} if owner else {})
    camera_id = call.new_id("cam")
    audited(call, city, "camera.added", camera_id)
    camera, created = registry.add(
        camera_id, facts, cities.current(city), secret=secret, now=call.now, fingerprint=call.fingerprint
    )
    if camera.get("retired_at"):
        raise CameraNotFound("it was taken out of the register")
    if not call.body["gateway"]:
        return camera_view(camera), 201 if created else 200
    key = registry.issue_key(camera_id, secret=secret, now=call.now, renew=False)
    return camera_view(queries.camera(camera_id), gateway_key=key), 201 if created else 200


@blp.endpoint("GET /map", permission=READ, query=schemas.MapQuery, answer=schemas.BlindMap, etag=True, caution=False)
def blind_map(call: Call) -> Any:
    """The map of what is blind: where a city's cameras look, those that are not sound, and who else sees the place."""
    city = city_of(call, READ, call.query.get("city"))
    cameras = queries.in_service(city)
    records = queries.health_of_all(each["_id"] for each in cameras)
    found = coverage.collection(cameras, records, call.now, blind_only=call.query["which"] == "blind")
    for feature in found["features"]:
        shown = feature["properties"]
        shown |= {name: rfc3339(value) for name, value in shown.items() if isinstance(value, datetime)}
    return found


@blp.endpoint("GET /<camera_id>", permission=READ, answer=schemas.CameraAnswer, etag=True)
def get_camera(call: Call, camera_id: str) -> Any:
    """One camera with its health."""
    camera = reachable(call, READ, camera_id)
    return camera_view(camera), 200, camera["version"]


@blp.endpoint("GET /<camera_id>/health", permission=READ, answer=schemas.CameraHealth, etag=True)
def get_health(call: Call, camera_id: str) -> Any:
    """How a camera is, sample by sample: what it shows, how many pictures come, what of it is recorded."""
    reachable(call, READ, camera_id)
    return health_view(health_rules.as_known(queries.health(camera_id), call.now))


@blp.endpoint(
    "POST /<camera_id>/health/confirm",
    permission=EDIT,
    answer=schemas.CameraHealth,
    creates=False,
)
def confirm_view(call: Call, camera_id: str) -> Any:
    """Say that the camera may look where it looks now: what was `moved` is learned anew. Give its new bearing too."""
    camera = reachable(call, EDIT, camera_id)
    audited(call, camera["city"], "camera.view_confirmed", camera_id)
    health.confirm_scene(camera_id)
    return health_view(health_rules.as_known(queries.health(camera_id), call.now))


@blp.endpoint(
    "PATCH /<camera_id>",
    permission=EDIT,
    body=schemas.CameraFields,
    answer=schemas.CameraAnswer,
    also={409: "Somebody else changed it.", 412: "If-Match is not the version that stands."},
)
def change_camera(call: Call, camera_id: str) -> Any:
    """Change a camera; what is left out stays."""
    camera = reachable(call, EDIT, camera_id)
    call.require_match(camera["version"])
    facts = _facts(call, _owner(call, EDIT))
    audited(call, camera["city"], "camera.changed", camera_id)
    return camera_view(
        registry.change(
            camera_id,
            facts,
            cities.current(camera["city"]),
            secret=call.services.settings.signing_key,
            now=call.now,
            if_version=camera["version"],
        )
    )


@blp.endpoint("DELETE /<camera_id>", permission=EDIT, status=204)
def retire_camera(call: Call, camera_id: str) -> Any:
    """Take a camera out of the register. To pause one, set `enabled` to false."""
    camera = reachable(call, EDIT, camera_id)
    audited(call, camera["city"], "camera.retired", camera_id)
    registry.retire(camera_id, now=call.now)
    return None, 204


@blp.endpoint(
    "POST /<camera_id>/gateway-key",
    permission=EDIT,
    answer=schemas.GatewayKey,
    status=201,
    also={409: "Somebody else changed the camera."},
)
def renew_key(call: Call, camera_id: str) -> Any:
    """Make a key for the camera's gateway; the one before it opens nothing any more."""
    camera = reachable(call, EDIT, camera_id)
    audited(call, camera["city"], "camera.key_made", camera_id)
    key = registry.issue_key(camera_id, secret=call.services.settings.signing_key, now=call.now)
    return {"gateway_key": key}


@blp.endpoint("DELETE /<camera_id>/gateway-key", permission=EDIT, status=204)
def revoke_key(call: Call, camera_id: str) -> Any:
    """The gateway's key opens nothing any more."""
    camera = reachable(call, EDIT, camera_id)
    audited(call, camera["city"], "camera.key_revoked", camera_id)
    registry.revoke_key(camera_id, now=call.now)
    return None, 204
