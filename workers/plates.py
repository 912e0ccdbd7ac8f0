"""What becomes of the plates that a look has read: a hit that asks a human, or a keyed hash and nothing else."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.plates.rules import Char
from domain.vault.ports import KeysUnavailable
from domain.watchlists import readings
from domain.watchlists.hashing import DayKeys
from domain.watchlists.readings import Reading
from runtime import logging
from runtime.media import Media
from runtime.vault import vault
from workers.context import Context

log = logging.get(__name__)


def take_all(
    context: Context, camera: Mapping[str, Any], observation: str, plates: Sequence[Mapping[str, Any]], at: datetime
) -> None:
    """Take the readings of one look (`workers/vision/observation.py: SeenPlate`). `at`: when the look began.

    Before its observation is stored, so that a look which is done again reads them again; each is taken once. Whoever
    keeps the keys of hashes may be away: then a plate on no list leaves nothing, and the look goes on.
    """
    media, keys = Media(context.settings.media_url), DayKeys(vault(context.settings), camera["city"])
    for plate in plates:
        reading = Reading(
            chars=tuple(Char(each["text"], each["score"]) for each in plate["chars"]),
            at=at + timedelta(seconds=plate["t"]),
            track=str(plate["track"]),
            detector=plate["detector"],
            bbox=tuple(plate["bbox"]),
            at_s=plate["t"],
            crop=base64.b64decode(plate.get("crop") or ""),
        )
        try:
            hit = readings.take(camera, observation, reading, store=media.put, keys=keys, now=context.clock())
        except KeysUnavailable:
            log.warning("plate_not_kept", camera=camera["_id"])
            continue
        if hit is not None:
            context.enqueue("drain", "hits", hit["_id"])
