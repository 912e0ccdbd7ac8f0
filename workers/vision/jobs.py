"""The job on the `vision` queue: do one look, store what was seen with its redacted stills, show it on the incidents.

Runs in a `SimpleWorker`, so the child that holds the models stays warm from look to look.
"""

from functools import lru_cache
from pathlib import Path

from domain.cameras import service as cameras
from domain.cities import queries as cities
from domain.cities.config import CityConfig
from runtime import logging
from runtime.media import Media
from workers.context import Context, current
from workers.vision.child import Looker

log = logging.get(__name__)


@lru_cache(maxsize=1)
def _looker() -> Looker:
    return Looker()


def warm() -> None:
    """Load the models before the first SOS needs them."""
    _looker().warm()


def look(look_id: str) -> None:
    """The job: take a look that waits, unless another worker has it or it is too late to help."""
    look_with(current(), look_id)


def look_with(context: Context, look_id: str) -> None:
    """Claim, look, store, answer. A look that was done already is left alone."""
    claimed = cameras.begin_look(look_id, now=context.clock())
    if claimed is None:
        return
    if cameras.is_too_late(claimed, context.clock()):
        cameras.shed(look_id, now=context.clock())
        return
    camera = cameras.get(claimed["camera"])
    window = {"seconds": claimed["seconds"], "start": claimed["start"].isoformat()}
    source = dict(camera["source"])
    if "path" in source:
        source["path"] = str(Path(source["path"]).absolute())  # as the city's list writes it: from where Amaan runs
    answer = _looker().look(source, window, _config(cities.current(camera["city"]), camera))
    media = Media(context.settings.media_url)
    stills = [media.put(jpeg) for jpeg in answer.pop("stills")]
    observation = cameras.observe(camera, claimed["start"], answer, stills, by="look", now=context.clock())
    done = cameras.finish_look(look_id, observation, now=context.clock())
    cameras.answer(done, now=context.clock())
    for incident_id in done.get("incidents") or []:
        context.enqueue("drain", "incidents", incident_id)
    log.info("looked", look=look_id, status=answer["status"], verdict=answer["verdict"])


def _config(city: CityConfig, camera: dict[str, object]) -> dict[str, object]:
    """What this city allows a look to open, and the camera's own zones and masks."""
    roots = [source.path for source in city.camera_sources if source.scheme == "file"]
    url = str((camera.get("source") or {}).get("url") or "")  # type: ignore[attr-defined]
    return {
        "allowed_roots": roots,
        "allowed_addresses": [_host_of(url)] if url else [],  # the registry compared it with the city's list
        "zones": camera.get("zones") or {},
        "masks": camera.get("masks") or [],
    }


def _host_of(url: str) -> str:
    """`scheme://host:port` of an address."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.split('/', 1)[0].rpartition('@')[2]}"
