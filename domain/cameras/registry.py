"""Keeping the register: adding, changing and retiring cameras, and the keys of their gateways."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument

from domain import geo
from domain.cameras import sources
from domain.cameras.errors import CameraChanged, CameraNotFound, GatewayKeyUnknown
from domain.cameras.queries import Camera, cameras
from domain.cameras.queries import camera as get
from domain.cameras.states import HealthState
from domain.cities.config import CityConfig
from domain.errors import Invalid
from domain.ids import link_token, token_hash
from domain.sealing import NotSealed, seal, unseal

KEPT: Final = (
    "name", "agency", "owner", "position", "bearing_deg", "fov_deg", "range_m", "source", "zones", "masks", "enabled",
    "record_minutes",
)  # fmt: skip
"""What a camera's keeper says of it; all else is ours."""
_PURPOSE: Final = "camera_source"
_KEY_PARTS: Final = 3
"""Link tokens in a gateway's key: 180 bits."""


def add(
    camera_id: str, facts: Mapping[str, Any], config: CityConfig, *, secret: str, now: datetime, fingerprint: str = ""
) -> tuple[Camera, bool]:
    """(camera, whether it is new). `facts` has the names in KEPT.

    Raises SourceNotAllowed for an address that the city's list does not have, Invalid for what cannot be understood,
    CameraChanged when the id is already another camera's (the same key with another body).
    """
    written = cameras().update_one(
        {"_id": camera_id},
        {
            "$setOnInsert": {
                "zones": {},
                "masks": [],
                "enabled": True,
                **_written(camera_id, facts, config, secret),
                "city": config.id,
                "health": {"state": str(HealthState.UNKNOWN), "reasons": []},
                "fingerprint": fingerprint,
                "version": 1,
                "created_at": now,
                "updated_at": now,
            }
        },
        upsert=True,
    )
    camera = get(camera_id, retired=True)
    if written.upserted_id is None and camera.get("fingerprint") != fingerprint:
        raise CameraChanged("the key was used for another camera", code="idempotency_conflict")
    return camera, written.upserted_id is not None


def change(
    camera_id: str,
    facts: Mapping[str, Any],
    config: CityConfig,
    *,
    secret: str,
    now: datetime,
    if_version: int | None = None,
) -> Camera:
    """Set what is given. Raises CameraNotFound, CameraChanged when it is not this version any more, and as `add`."""
    condition: dict[str, Any] = {"_id": camera_id, "retired_at": None}
    if if_version is not None:
        condition["version"] = if_version
    update = {"$set": {**_written(camera_id, facts, config, secret), "updated_at": now}, "$inc": {"version": 1}}
    found = cameras().find_one_and_update(condition, update, return_document=ReturnDocument.AFTER)
    if found is None:
        raise CameraChanged("it changed in between", current=get(camera_id)["version"])
    return found


def put(camera_id: str, facts: Mapping[str, Any], config: CityConfig, *, secret: str, now: datetime) -> Camera:
    """Add a camera or bring it up to these facts; for whoever keeps the list elsewhere and loads it again."""
    camera, created = add(camera_id, facts, config, secret=secret, now=now)
    return camera if created else change(camera_id, facts, config, secret=secret, now=now)


def retire(camera_id: str, *, now: datetime) -> None:
    """Take a camera out of the register: it is asked no more, and its gateway's key opens nothing."""
    done = cameras().update_one(
        {"_id": camera_id, "retired_at": None},
        {
            "$set": {"retired_at": now, "enabled": False, "updated_at": now},
            "$unset": {"gateway_key": ""},
            "$inc": {"version": 1},
        },
    )
    if not done.matched_count:
        raise CameraNotFound("no such camera")


def _written(camera_id: str, facts: Mapping[str, Any], config: CityConfig, secret: str) -> dict[str, Any]:
    found = {name: facts[name] for name in KEPT if name in facts}
    if "position" in found:
        lat, lon = float(found["position"]["lat"]), float(found["position"]["lon"])
        if not geo.is_position(lat, lon):
            raise Invalid("not a place", errors={"position": ["Not a place."]})
        found["position"] = {"lat": lat, "lon": lon}
        found["cells"] = geo.cells(lat, lon)._asdict()
    for name, low, high in (("bearing_deg", 0.0, 360.0), ("fov_deg", 1.0, 360.0), ("range_m", 1.0, 2000.0)):
        if name in found and not low <= float(found[name]) <= high:
            raise Invalid("out of range", errors={name: [f"Must be between {low:g} and {high:g}."]})
    if "source" in found:
        cleaned = sources.clean(found["source"], config)
        found["source"] = cleaned.source
        if cleaned.credentials:
            found["source"] |= {"sealed": seal(secret, _PURPOSE, camera_id, cleaned.credentials)}
    return found


def source_of(camera: Camera, *, secret: str) -> dict[str, Any]:
    """The source as it is opened, with the password of its address. Keep it out of logs and answers."""
    source = dict(camera.get("source") or {})
    sealed = source.pop("sealed", "")
    if sealed:
        try:
            source["url"] = sources.with_credentials(source["url"], unseal(secret, _PURPOSE, camera["_id"], sealed))
        except NotSealed:
            return source  # sealed with another secret: the camera will ask for its password, and be down
    return source


def _key(secret: str, camera_id: str, generation: int) -> str:
    parts = (link_token(secret, f"gateway-{part}", camera_id, generation) for part in range(_KEY_PARTS))
    return "amg_" + "".join(parts)


def issue_key(camera_id: str, *, secret: str, now: datetime, renew: bool = True) -> str:
    """A key by which a gateway posts this camera's observations, and nothing else. A new one ends the one before it.

    Only its hash is stored. Without `renew` the present key is told again (a retry of the request that made it).
    """
    camera = get(camera_id)
    generation = int(camera.get("gateway_generation") or 0)
    if camera.get("gateway_key") and not renew:
        return _key(secret, camera_id, generation)
    generation += 1
    key = _key(secret, camera_id, generation)
    done = cameras().update_one(
        {"_id": camera_id, "retired_at": None, "version": camera["version"]},
        {
            "$set": {"gateway_key": token_hash(key), "gateway_generation": generation, "updated_at": now},
            "$inc": {"version": 1},
        },
    )
    if not done.matched_count:
        raise CameraChanged("it changed in between", current=get(camera_id)["version"])
    return key


def revoke_key(camera_id: str, *, now: datetime) -> None:
    """The gateway's key opens nothing from now on. Raises CameraNotFound."""
    done = cameras().update_one(
        {"_id": camera_id, "retired_at": None},
        {"$unset": {"gateway_key": ""}, "$set": {"updated_at": now}, "$inc": {"version": 1}},
    )
    if not done.matched_count:
        raise CameraNotFound("no such camera")


def by_gateway(camera_id: str, key: str) -> Camera:
    """The camera, for the gateway that holds its key. Raises GatewayKeyUnknown, also where there is no such camera."""
    found = cameras().find_one({"_id": camera_id, "retired_at": None}) or {}
    expected = found.get("gateway_key") or token_hash("")
    if not key or not hmac.compare_digest(token_hash(key), expected):
        raise GatewayKeyUnknown("this key does not open this camera")
    return found
