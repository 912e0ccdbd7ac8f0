"""Photographs of places are shown to others only as a copy in which nobody can be recognised; until there is one, to nobody
but whoever took them. The copy is due in the audit itself, so that a worker that dies is followed by another: a few times,
since a picture may be what ends them.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from domain.place_audits import photos
from domain.place_audits.queries import Audit
from runtime import logging
from runtime.media import Media
from workers.context import Context, current
from workers.originals import is_full, own_folder
from workers.vision.bounded import TaskFailed, run

BATCH: Final = 20
AGAIN: Final = timedelta(minutes=10)
MOST_TRIES: Final = 5
"""A photograph that ended so many workers, or was too much for them, has no copy."""
MEMORY_MB: Final = 2560
WALL_S: Final = 120

log = logging.get(__name__)


def redact(audit_id: str) -> None:
    """The job: make the copy of one photograph, if there is none."""
    redact_with(current(), audit_id)


def redact_with(context: Context, audit_id: str) -> None:
    """Again, or for a photograph that was replaced or forgotten meanwhile, changes nothing."""
    held = photos.wanting(audit_id)
    if held is None:
        return
    try:
        _redact(context, held)
    except OSError as error:
        if not is_full(error):
            raise
        log.error("no_room_for_a_photo", subject=audit_id)
        photos.excuse(audit_id)


def _redact(context: Context, held: Audit) -> None:
    audit_id = held["_id"]
    media, name = Media(context.settings.media_url), held["photo"]["sha256"]
    with own_folder(context) as folder:
        try:
            (folder / "in").write_bytes(media.get(name))
            answer = run("photo", {"folder": str(folder)}, memory_mb=MEMORY_MB, wall_s=WALL_S)
        except (FileNotFoundError, ValueError):
            photos.unreadable(audit_id, name, "damaged")
            return
        except TaskFailed as failed:  # due again
            log.warning("photo_not_redacted", subject=audit_id, reason=str(failed))
            if str(failed) == "unavailable":  # the libraries would not start here
                photos.excuse(audit_id)
            return
        if answer["status"] != "ok":
            log.warning("photo_not_redacted", subject=audit_id, reason=answer["reason"])
            photos.unreadable(audit_id, name, answer["reason"])
            return
        copy = media.put((folder / "out.jpg").read_bytes())
    if not photos.show(audit_id, name, copy, now=context.clock()):
        media.delete(copy)


def due_photos(context: Context, pool: ThreadPoolExecutor) -> int:
    """The sweep of photographs of which a copy is due."""
    rows = photos.due(now=context.clock(), limit=BATCH)
    for row in rows:
        if (row.get("photo_tries") or 0) >= MOST_TRIES:
            log.error("photo_given_up", subject=row["_id"])
            photos.unreadable(row["_id"], row["photo"]["sha256"], "ended_its_workers")
        elif photos.put_off(row["_id"], row["photo_due"], until=context.clock() + AGAIN):
            context.enqueue("redact_photo", row["_id"])
    return len(rows)
