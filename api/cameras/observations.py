"""What cameras saw: posted by their gateways with a key of one purpose, read by operators, each sight of a picture logged."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Response, request

from api.blueprint import Blueprint, Call
from api.cameras import schemas
from api.cameras.routes import reachable
from api.cameras.views import observation_view, whole_observation
from api.paging import Listed
from domain import permissions
from domain.audit import chain
from domain.cameras import observations, queries, registry
from domain.cameras.errors import ObservationNotFound, StillDamaged, StillNotFound
from domain.correlation import service as correlation
from domain.errors import Invalid
from domain.limits import service as limits
from domain.permissions import Target
from domain.plates import rules as plate_rules
from domain.plates.rules import Char
from domain.vault.ports import KeysUnavailable
from domain.watchlists import readings
from domain.watchlists.hashing import DayKeys, keyed_fingerprint
from domain.watchlists.readings import Reading
from runtime import logging, watermark
from runtime.evidence import redrawn
from runtime.media import Media
from runtime.vault import vault

blp = Blueprint("observations", __name__, url_prefix="/v1", description="What cameras saw.")

READ: Final = "observation.read"
HEADER: Final = "Gateway-Key"
PER_MINUTE: Final = 120
OLDEST: Final = timedelta(hours=24)
AHEAD: Final = timedelta(minutes=5)
CROP_PIXELS: Final = 2_000_000
"""Of a plate alone; 90 kB of base 64 may claim far more, and would be decoded in the web process."""
STILL_CACHED_S: Final = 60
_log = logging.get(__name__)


@blp.endpoint(
    "GET /cameras/<camera_id>/observations",
    permission=READ,
    query=schemas.ObservationsQuery,
    answer=schemas.ObservationAnswer,
    paged=True,
    caution=False,
)
def list_observations(call: Call, camera_id: str) -> Any:
    """What a camera saw, newest first. A page that leads to pictures is in the audit log."""
    camera = reachable(call, READ, camera_id)
    after = call.after(datetime, str)
    rows, last = queries.of_camera(
        camera_id,
        since=call.query.get("since"),
        until=call.query.get("until"),
        after=after,
        limit=call.limit,
    )
    if any(row.get("stills") for row in rows):
        chain.append(camera["city"], call.who.person_id, "observations.listed", camera_id, now=call.now)
    return Listed([observation_view(row) for row in rows], last)


@blp.endpoint(
    "POST /cameras/<camera_id>/observations",
    public=f"Opened by the key of the camera's own gateway (header {HEADER}).",
    body=schemas.NewObservation,
    answer=schemas.ObservationAnswer,
    status=201,
    creates=True,
    also={
        401: "Not the key of this camera's gateway.",
        404: "No such camera.",
        409: "The key was used for another observation.",
        429: "More than a gateway has to say.",
    },
    security=[{"gateway": []}],
)
def post_observation(call: Call, camera_id: str) -> Any:
    """A gateway says what its camera saw. What follows (incidents that asked, links) happens at once."""
    camera = registry.by_gateway(camera_id, request.headers.get(HEADER, ""))
    secret = call.services.settings.signing_key
    limits.take(secret, "gateway", camera_id, limit=PER_MINUTE, window_s=60, now=call.now)
    at = call.body["captured_at"]
    if not call.now - OLDEST <= at <= call.now + AHEAD:
        raise Invalid("not a time of now", errors={"captured_at": ["Older than a day, or ahead of our clock."]})
    if any(at + timedelta(seconds=plate["t"]) > call.now + AHEAD for plate in call.body["plates"]):
        raise Invalid("not a time of now", errors={"plates": ["Read at a time that is ahead of our clock."]})
    sent = keyed_fingerprint(secret, request.get_data(cache=True))
    plates = _plates(call.body, at)
    stored, created = observations.of_gateway(camera, call.key or sent, sent, _seen(call.body), at=at, now=call.now)
    _take_plates(call, camera, stored["_id"], plates)
    if created:
        call.services.enqueue("drain", "observations", stored["_id"])
    return observation_view(stored), 201 if created else 200


def _plates(body: Mapping[str, Any], at: datetime) -> list[Reading]:
    """What the gateway read, where it can be a plate. Raises Invalid for a crop that is not base 64."""
    return [
        Reading(
            chars=tuple(Char(sign, plate["score"]) for sign in text),
            at=at + timedelta(seconds=plate["t"]),
            track=str(number),
            detector=body.get("detector") or "",
            bbox=tuple(plate.get("bbox") or ()),
            at_s=plate["t"],
            crop=_crop(plate.get("crop") or ""),
        )
        for number, plate in enumerate(body["plates"])
        if plate_rules.is_plate(text := plate_rules.canonical(plate["text"]))
    ]


def _take_plates(call: Call, camera: Mapping[str, Any], observation: str, plates: Sequence[Reading]) -> None:
    """After the observation, which says whether the key is this body's; a gateway whose request was cut off sends both
    again, and each plate is taken once.
    """
    settings = call.services.settings
    media, keys = Media(settings.media_url), DayKeys(vault(settings), camera["city"])
    for reading in plates:
        clean = redrawn(reading.crop, most_pixels=CROP_PIXELS) if reading.crop else None
        shown = replace(reading, crop=clean[0] if clean else b"")
        try:
            hit = readings.take(camera, observation, shown, store=media.put, keys=keys, now=call.now)
        except KeysUnavailable:
            _log.warning("plate_not_kept", camera=camera["_id"])
            continue
        if hit is not None:
            call.services.enqueue("drain", "hits", hit["_id"])


def _crop(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Invalid("not base 64", errors={"plates": ["A crop is a JPEG in base 64."]}) from None


def _seen(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body in the shape of a look's answer."""
    return {
        "status": "ok",
        "verdict": body["view"],
        "seconds": body["seconds"],
        "summary": {"people_max": body["people"], "findings": [dict(each) for each in body["findings"]]},
        "health": dict(body["health"]),
        "detectors": [{"name": body["detector"]}] if body.get("detector") else [],
    }


def _readable(call: Call, observation_id: str) -> queries.Observation:
    row = queries.observation(observation_id)
    if not permissions.reaches(call.who, READ, Target(city=row["city"])):
        raise ObservationNotFound("no such observation")
    return row


@blp.endpoint(
    "GET /observations/<observation_id>", permission=READ, answer=schemas.ObservationWhole, etag=True, caution=False
)
def read_observation(call: Call, observation_id: str) -> Any:
    """One observation with its detections and links. Each reading is in the audit log."""
    row = _readable(call, observation_id)
    chain.append(row["city"], call.who.person_id, "observation.read", observation_id, now=call.now)
    return whole_observation(row, correlation.of(observation_id))


@blp.endpoint(
    "GET /observations/<observation_id>/stills/<int:number>",
    permission=READ,
    responses={"200": {"description": "A JPEG, faces blurred.", "content": {"image/jpeg": {}}}},
)
def read_still(call: Call, observation_id: str, number: int) -> Any:
    """One picture of an observation, with the viewer's mark in its pixels. Each sight of it is in the audit log, before it
    is shown.
    """
    row = _readable(call, observation_id)
    stills = row.get("stills") or []
    if number >= len(stills):
        raise StillNotFound("no such picture")
    chain.append(row["city"], call.who.person_id, "still.read", observation_id, now=call.now, still=str(number))
    try:
        jpeg = Media(call.services.settings.media_url).get(stills[number])
        shown = watermark.still(jpeg, call.who.person_id, call.now, observation_id)
    except FileNotFoundError:
        raise StillNotFound("the picture is no longer kept") from None
    except (ValueError, OSError):
        _log.error("still_damaged", observation=observation_id, number=number)
        raise StillDamaged("the picture is damaged") from None
    answer = Response(shown, mimetype="image/jpeg")
    answer.headers["Cache-Control"] = f"private, max-age={STILL_CACHED_S}"
    answer.headers["Content-Disposition"] = "inline"
    return answer
