"""The job on the `vision` queue: do one look and store what was seen, with its redacted stills.

Runs in a `SimpleWorker`, so the child that holds the models stays warm from look to look. While it looks, a thread holds
the look's lease on; a worker that is killed lets it run out, and the look is done again. What follows from an observation
(the incidents that asked, the links) is the reaction to its event, wherever that runs.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from domain.cameras import health_rules, looks, observations, queries, registry, rules, sources
from domain.cameras.queries import Camera, Look
from domain.cities import queries as cities
from domain.cities.config import CityConfig
from domain.notices import service as notices
from domain.notices.queries import standing
from domain.notices.states import NoticeKind
from runtime import logging, recording
from runtime.media import Media
from runtime.mongo import STORE_DOWN
from runtime.settings import Settings
from workers import plates
from workers.context import Context, current
from workers.vision.child import Looker, answered
from workers.vision.observation import Status, blind

log = logging.get(__name__)
UNAVAILABLE = "analytics_unavailable"
"""The reason of an answer that the child gave because it could not start."""


class Looks(Protocol):
    """What looks: `Looker`."""

    def look(
        self, source_spec: Mapping[str, Any], window: Mapping[str, Any], config: Mapping[str, Any]
    ) -> dict[str, Any]: ...


@lru_cache(maxsize=1)
def _looker() -> Looker:
    return Looker()


def warm() -> None:
    """Load the models before the first SOS needs them."""
    _looker().warm()


def look(look_id: str) -> None:
    """The job: take a look that waits, unless another worker has it or it is too late to help."""
    look_with(current(), look_id, _looker())


def look_with(context: Context, look_id: str, looker: Looks) -> None:
    """Claim, look, store. A look that was done already is left alone."""
    claimed = looks.begin(look_id, now=context.clock())
    if claimed is None:
        return
    if rules.is_too_late(claimed, context.clock()):
        looks.shed(claimed, now=context.clock())
        return
    camera = queries.camera(claimed["camera"], retired=True)
    began = context.clock()
    with _lease(claimed, context):
        answer = see(camera, claimed, looker, context.settings)
    if answer["health"]["reason"] == UNAVAILABLE:
        log.warning("analytics_unavailable", look=look_id)
        looks.give_back(claimed, now=context.clock())
        return
    jpegs = answer.pop("stills")
    looks.note_stills(claimed, [still["sha256"] for still in answer["still_details"]])
    media = Media(context.settings.media_url)
    stills = [media.put(jpeg) for jpeg in jpegs]
    at = claimed["start"] if claimed["recorded"] else began
    tell_of_hanging(context, camera["city"], answer.pop("hangs", {}), answer["frames"]["judged"])
    read = answer.pop("plates", [])
    plates.take_all(context, camera, rules.observation_id(camera["_id"], claimed["start"]), read, at)
    stored = observations.of_look(camera, claimed, answer, stills, at=at, now=context.clock())
    context.enqueue("drain", "observations", stored["_id"])
    log.info("looked", look=look_id, status=answer["status"], verdict=answer["verdict"])


def tell_of_hanging(context: Context, city: str, hangs: Mapping[str, bool], judged: int) -> None:
    """Who looks after cameras hears of a detector of the city's that is left alone since it hangs; no more once it works.

    `hangs`: those that hang → whether they are left alone; `judged`: pictures in which the others worked.
    """
    now = context.clock()
    for name in [name for name, left_alone in hangs.items() if left_alone]:
        found = notices.see(NoticeKind.DETECTOR_LEFT_ALONE, name, city=city, now=now)
        context.enqueue("drain", "notices", found)
    for notice in standing([NoticeKind.DETECTOR_LEFT_ALONE]) if judged else []:
        if notice["city"] == city and notice["cause"] not in hangs:
            notices.clear(NoticeKind.DETECTOR_LEFT_ALONE, notice["cause"], city=city, now=now)


def see(camera: Camera, window: Mapping[str, Any], looker: Looks, settings: Settings) -> dict[str, Any]:
    """One look at a camera, as far as its city allows it now. `window` has `start`, `seconds` and `recorded`.

    A recorded window of a live stream is read from the rolling recorder's folder.

    Answers as `Looker.look` does; a camera that is out of service, or whose address the city no longer allows, is down
    or cannot tell, without being opened.
    """
    if looks.is_out_of_service(camera):
        return answered(blind(Status.UNSUPPORTED, "out_of_service", down=True))
    config = cities.current(camera["city"])
    if not sources.allowed_now(camera["source"], config):
        return answered(blind(Status.UNSUPPORTED, "address_not_allowed", not_allowed=True))
    source = registry.source_of(camera, secret=settings.signing_key)
    allowed = _config(config, camera)
    if window["recorded"] and source["kind"] in sources.STREAMS:
        source = {"kind": "segments", "path": str(recording.folder_of(settings.var_dir, camera["_id"]))}
        allowed |= {"allowed_roots": [source["path"]], "allowed_addresses": []}
    if "path" in source:
        source["path"] = str(Path(source["path"]).absolute())  # as the city's list writes it: from where Amaan runs
    asked: dict[str, Any] = {"seconds": window["seconds"]}
    if window["recorded"]:
        asked["start"] = window["start"].isoformat()
    return health_rules.judged(looker.look(source, asked, allowed), queries.health(camera["_id"]))


def _config(city: CityConfig, camera: Camera) -> dict[str, Any]:
    """What this look may open, which is this camera's own address and no other, and its zones and masks."""
    url = str(camera["source"].get("url") or "")
    roots = [source.path for source in city.camera_sources if source.scheme == "file"]
    return {
        "allowed_roots": [] if url else roots,
        "allowed_addresses": [sources.place_of(url)] if url else [],
        "allowed_networks": sources.networks_of(url, city),
        "zones": camera.get("zones") or {},
        "masks": camera.get("masks") or [],
        "plates": True,
        "country": city.plates_country,
        "detectors": [each.name for each in city.camera_detectors if each.name],
        "detector_options": {each.name: dict(each.options) for each in city.camera_detectors if each.name},
        "models": [str(Path(each.model).absolute()) for each in city.camera_detectors if each.model],
    }


@contextmanager
def _lease(claimed: Look, context: Context) -> Iterator[None]:
    """Hold the look's lease on while the block runs."""
    over = threading.Event()

    def hold() -> None:
        while not over.wait(looks.RENEW_S):
            try:
                if not looks.renew(claimed, now=context.clock()):
                    return
            except STORE_DOWN:
                log.warning("store_away")

    thread = threading.Thread(target=hold, name="look-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=looks.RENEW_S)
