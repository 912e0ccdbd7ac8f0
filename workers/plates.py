"""What becomes of the plates that a look has read: a hit that asks a human, or a keyed hash and nothing else."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.plates.rules import Char
from domain.watchlists import service as watchlists
from domain.watchlists.service import Reading
from runtime.media import Media
from workers.context import Context


def take_all(
    context: Context, camera: Mapping[str, Any], observation: str, plates: Sequence[Mapping[str, Any]], at: datetime
) -> None:
    """Take the readings of one look (`workers/vision/observation.py: SeenPlate`). `at`: when the look began.

    Before its observation is stored, so that a look which is done again reads them again; each is taken once.
    """
    media = Media(context.settings.media_url)
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
        hit = watchlists.take(
            camera, observation, reading, keep=media.put, secret=context.settings.signing_key, now=context.clock()
        )
        if hit is not None:
            context.enqueue("drain", "hits", hit["_id"])
